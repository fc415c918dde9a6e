export type { Clock } from './driver.cjs';
export * from './extractor.cjs';
