export * from './errors.cjs';
export type { Header, HeaderList, HeadersInput } from './lib/headers.cjs';
export * from './lib/http.cjs';

/** The version of this package. */
export const VERSION: string;
