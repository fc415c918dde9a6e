// Extractors of a test, and what they find.
import { require, silkline } from './package.mjs';

const { Extractor } = require('silkline/client');

/** Waits of a few milliseconds, so that what is tried again is so at once. */
export const quick = {
  rules: Object.fromEntries(
    silkline.FAILURE_CLASSES.map((name) => [name, { wait: { between: [5, 10] } }]),
  ),
};

export const extractor = (t, { endpoint }, options = {}) => {
  const made = new Extractor({
    apiKey: 'secret',
    endpoint,
    rate: Number.POSITIVE_INFINITY,
    policy: quick,
    ...options,
  });
  t.after(() => made.close({ grace: 0 }));
  return made;
};

export async function collect(outcomes, found = []) {
  for await (const outcome of outcomes) {
    found.push(outcome);
  }
  return found;
}
