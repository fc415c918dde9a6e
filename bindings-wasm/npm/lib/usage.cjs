// `extraction::Usage` of the core.
'use strict';

const { classes, USAGE } = require('../errors.cjs');
const { known } = require('./known.cjs');
const { whole } = require('./numbers.cjs');
const { billingOf, Result } = require('./result.cjs');

const { ServiceError } = classes;
const KINDS = [null, 'billed', 'unbilled', 'unknown'];

class Usage {
  constructor(counts = {}) {
    known(counts, ['queries', 'billed', 'unbilled', 'unknown'], 'Usage');
    const { billed = 0, unbilled = 0, unknown = 0 } = counts;
    for (const [name, count] of Object.entries({ billed, unbilled, unknown })) {
      whole(count, name);
    }
    this.queries = billed + unbilled + unknown;
    this.billed = billed;
    this.unbilled = unbilled;
    this.unknown = unknown;
  }

  static ofResults(results) {
    const counts = { billed: 0, unbilled: 0, unknown: 0 };
    for (const result of results) {
      if (!(result instanceof Result)) {
        throw new TypeError('results must be those of an answer');
      }
      const kind = KINDS[billingOf(result)];
      if (kind !== null) {
        counts[kind] += 1;
      }
    }
    return new Usage(counts);
  }

  static ofError(error) {
    if (!(error instanceof ServiceError) || error[USAGE] === undefined) {
      throw new TypeError('error must be the ServiceError of an answer');
    }
    return new Usage(error[USAGE]);
  }

  plus(other) {
    return new Usage({
      billed: this.billed + other.billed,
      unbilled: this.unbilled + other.unbilled,
      unknown: this.unknown + other.unknown,
    });
  }
}

exports.Usage = Usage;
