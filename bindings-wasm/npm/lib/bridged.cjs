// `bridge::BridgedQuery` of the core.
'use strict';

const { INSPECT } = require('./headers.cjs');
const { string } = require('./hosting.cjs');
const { maybeMillis } = require('./numbers.cjs');
const { Result } = require('./result.cjs');
const { ready } = require('./start.cjs');

// Beside the service that takes it.
const wasm = () => ready('services');
const OWN = Symbol('an outcome that the core has written');

/** What the service's module takes it by: a function, and its arguments there. */
let outcomeOf;

class BridgedQuery {
  #outcome;

  constructor(own, outcome) {
    if (own !== OWN) {
      throw new TypeError('a BridgedQuery comes from ofResult() or ofError()');
    }
    this.#outcome = outcome;
  }

  static ofResult(result) {
    if (!(result instanceof Result)) {
      throw new TypeError('result must be one of ExtractionApi or ExtractionEngine');
    }
    const { error, itemBytes, html } = result;
    const outcome =
      error === null
        ? wasm().bridgedItem(itemBytes ?? new Uint8Array(), html ?? undefined)
        : wasm().bridgedQueryError(error.code, error.text, error.billed);
    return new BridgedQuery(OWN, outcome);
  }

  static ofError(code, message, retryAfter) {
    const parts = [string(code, 'code'), string(message, 'message')];
    const outcome = wasm().bridgedError(...parts, maybeMillis(retryAfter, 'retryAfter'));
    return new BridgedQuery(OWN, outcome);
  }

  [INSPECT]() {
    const [method, what] = this.#outcome;
    return `BridgedQuery(${method === 'handlePage' ? '<item>' : JSON.stringify(what)})`;
  }

  static {
    outcomeOf = (query) => query.#outcome;
  }
}

exports.BridgedQuery = BridgedQuery;
exports.outcomeOf = outcomeOf;
