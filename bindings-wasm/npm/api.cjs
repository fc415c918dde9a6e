// Everything that both entries give, by module of the core.
'use strict';

const { classes } = require('./errors.cjs');
const bridge = require('./lib/bridge.cjs');
const engine = require('./lib/engine.cjs');
const { argumentsOf: _, ...extraction } = require('./lib/extraction.cjs');
const { HeaderList } = require('./lib/headers.cjs');
const http = require('./lib/http.cjs');
const problem = require('./lib/problem.cjs');
const { headOf: ____, proxyArgumentsOf: _____, ...proxy } = require('./lib/proxy.cjs');
const proxyEngine = require('./lib/proxy-engine.cjs');
const {
  policyOf: __,
  POOL: ______,
  poolSettings: ___,
  ...schedule
} = require('./lib/schedule.cjs');
const zyteApi = require('./lib/zyte-api.cjs');
const service = require('./lib/service.cjs');
const zyteApiService = require('./lib/zyte-api-service.cjs');
const { errorCodes, version } = require('./wasm/constants.json');

module.exports = {
  ...classes,
  ...bridge,
  ...engine,
  ...extraction,
  ...http,
  ...problem,
  ...proxy,
  ...proxyEngine,
  ...schedule,
  ...service,
  ...zyteApiService,
  ERROR_CODES: Object.freeze(errorCodes),
  HeaderList,
  VERSION: version,
  zyteApi,
};
