export type { Clock } from './driver.cjs';
export * from './extractor.cjs';
export * from './session-proxy.cjs';
