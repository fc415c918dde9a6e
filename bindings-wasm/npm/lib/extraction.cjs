// `extraction` of the core.
'use strict';

const {
  defaultEndpoint,
  extractionDialects,
  maxQueries,
  pageTypes,
} = require('../wasm/constants.json');
const wasm = require('../wasm/silkline.js');
const { pairs } = require('./headers.cjs');
const { answerOf } = require('./contract.cjs');
const { bytesOf } = require('./json.cjs');
const { known } = require('./known.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { batch, dialectOf, Query } = require('./query.cjs');
const { requestOf } = require('./request.cjs');
const { Result, resultsOf } = require('./result.cjs');
const { Usage } = require('./usage.cjs');

/** What an engine makes an API of its own from. */
let argumentsOf;

class ExtractionApi extends Machine {
  #arguments;

  static DEFAULT_ENDPOINT = defaultEndpoint;
  static MAX_QUERIES = maxQueries;

  constructor(options = {}) {
    const names = ['apiKey', 'endpoint', 'dialect'];
    const { apiKey, endpoint, dialect } = known(options, names, 'ExtractionApi');
    if (typeof apiKey !== 'string') {
      throw new TypeError('apiKey must be a string');
    }
    const address = endpoint == null ? undefined : String(endpoint);
    const given = [apiKey, address, address?.isWellFormed() ?? true, dialectOf(dialect)];
    super(new wasm.ExtractionApi(...given));
    this.#arguments = given;
  }

  get endpoint() {
    return rawOf(this).endpoint;
  }

  get dialect() {
    return extractionDialects[this.#arguments[3]];
  }

  request(queries) {
    return requestOf(rawOf(this).request(batch(queries)));
  }

  results(queries, response) {
    const { status, headers, body } = answerOf(response);
    if (!Number.isInteger(status) || status < 0 || status > 65535) {
      throw new TypeError('status must be the number of an HTTP status');
    }
    const bytes = bytesOf(body);
    const text = JSON.stringify(pairs(headers).flat());
    const told = rawOf(this).results(batch(queries), status, text, bytes, bytes);
    const [rows, errors, heads] = told;
    return resultsOf([...queries], bytes, rows, JSON.parse(errors), JSON.parse(heads));
  }

  static {
    argumentsOf = (api) => rawOf(api) && api.#arguments;
  }
}

/** The same shape as the `error` of a result. */
const QueryError = Object.freeze({
  fromText(text) {
    return JSON.parse(wasm.queryErrorFromText(String(text)));
  },
});

exports.argumentsOf = argumentsOf;
exports.ExtractionApi = ExtractionApi;
exports.PAGE_TYPES = Object.freeze(pageTypes);
exports.Query = Query;
exports.QueryError = QueryError;
exports.Result = Result;
exports.Usage = Usage;
