// The end of a query, as a reader of results gets it.
'use strict';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

class Outcome {
  constructor(finished, input, error) {
    const { query, result, attempts, cost, elapsed } = finished;
    this.input = input;
    this.query = query;
    this.result = result;
    this.error = error;
    this.attempts = attempts;
    this.billed = cost.billed;
    this.possiblyBilled = cost.possiblyBilled;
    this.elapsed = elapsed;
  }

  get ok() {
    return this.error === null;
  }

  get url() {
    return this.query.url;
  }

  get meta() {
    return this.query.meta;
  }

  get pageType() {
    return this.query.pageType;
  }

  get item() {
    return this.result?.item ?? null;
  }

  get itemBytes() {
    return this.result?.itemBytes ?? null;
  }

  toJSON() {
    const { ok, query, item, error, attempts, billed, possiblyBilled, elapsed } = this;
    const { code, message } = error ?? {};
    const known = error === null ? null : { code, message };
    return { ok, query, item, error: known, attempts, billed, possiblyBilled, elapsed };
  }

  // Without the item, which would have to be decoded for it.
  [INSPECT](_depth, options, inspect) {
    const { ok, pageType, url, error, attempts, billed, possiblyBilled, elapsed } = this;
    const facts = { attempts, billed, possiblyBilled, elapsed };
    const shown = ok ? { ok, pageType, url, ...facts } : { ok, pageType, url, error, ...facts };
    return `Outcome ${inspect(shown, options)}`;
  }
}

exports.Outcome = Outcome;
