// `extraction` of the core.
'use strict';

const { defaultEndpoint, pageTypes } = require('../wasm/constants.json');
const wasm = require('../wasm/glue.cjs');
const { pairs } = require('./headers.cjs');
const { bytesOf } = require('./json.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { batch, Query } = require('./query.cjs');
const { requestOf } = require('./request.cjs');
const { resultsOf } = require('./result.cjs');
const { Usage } = require('./usage.cjs');

class ExtractionApi extends Machine {
  static DEFAULT_ENDPOINT = defaultEndpoint;

  constructor({ apiKey, endpoint } = {}) {
    if (typeof apiKey !== 'string') {
      throw new TypeError('apiKey must be a string');
    }
    const address = endpoint == null ? undefined : String(endpoint);
    super(new wasm.ExtractionApi(apiKey, address, address?.isWellFormed() ?? true));
  }

  get endpoint() {
    return rawOf(this).endpoint;
  }

  request(queries) {
    return requestOf(rawOf(this).request(batch(queries)));
  }

  results(queries, { status, headers, body }) {
    if (!Number.isInteger(status) || status < 0 || status > 65535) {
      throw new TypeError('status must be the number of an HTTP status');
    }
    const bytes = bytesOf(body);
    const text = JSON.stringify(pairs(headers).flat());
    const [rows, errors] = rawOf(this).results(batch(queries), status, text, bytes, bytes);
    return resultsOf([...queries], bytes, rows, JSON.parse(errors));
  }
}

/** The same shape as the `error` of a result. */
const QueryError = Object.freeze({
  fromText(text) {
    return JSON.parse(wasm.queryErrorFromText(String(text)));
  },
});

exports.ExtractionApi = ExtractionApi;
exports.PAGE_TYPES = Object.freeze(pageTypes);
exports.Query = Query;
exports.QueryError = QueryError;
exports.Usage = Usage;
