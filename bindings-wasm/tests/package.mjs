// The package as installed by `run.mjs`, by the name its users give.
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A folder into which the packed package is installed. */
export const consumer = process.env.SILKLINE_CONSUMER;
/** The packed package. */
export const tarball = process.env.SILKLINE_TARBALL;
if (consumer === undefined || tarball === undefined) {
  throw new Error('these tests run on the packed package: use `make test-node` or `npm test`');
}

export const require = createRequire(join(consumer, 'program.cjs'));
export const silkline = require('silkline');
/** The root of the repository. */
export const root = new URL('../../', import.meta.url);
