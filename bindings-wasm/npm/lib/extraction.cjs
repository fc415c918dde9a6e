// `extraction` of the core.
'use strict';

const wasm = require('../wasm/silkline.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { batch, Query } = require('./query.cjs');
const { requestOf } = require('./request.cjs');

class ExtractionApi extends Machine {
  constructor({ apiKey, endpoint } = {}) {
    if (typeof apiKey !== 'string') {
      throw new TypeError('apiKey must be a string');
    }
    super(new wasm.ExtractionApi(apiKey, endpoint == null ? undefined : String(endpoint)));
  }

  get endpoint() {
    return rawOf(this).endpoint;
  }

  request(queries) {
    return requestOf(rawOf(this).request(batch(queries)));
  }
}

exports.ExtractionApi = ExtractionApi;
exports.Query = Query;
