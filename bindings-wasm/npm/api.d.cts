export * from './errors.cjs';
export * from './lib/bridge.cjs';
export * from './lib/engine.cjs';
export * from './lib/extraction.cjs';
export type { Header, HeadersInput } from './lib/headers.cjs';
export { HeaderList } from './lib/headers.cjs';
export * from './lib/http.cjs';
export type * from './lib/items.cjs';
export * from './lib/problem.cjs';
export * from './lib/proxy.cjs';
export * from './lib/proxy-engine.cjs';
export * from './lib/schedule.cjs';
export * from './lib/service.cjs';
export * as zyteApi from './lib/zyte-api.cjs';
export * from './lib/zyte-api-service.cjs';

/** The codes of all errors, sorted. */
export const ERROR_CODES: readonly string[];

/** The version of this package. */
export const VERSION: string;
