// The entry for Node, Bun and Deno: finds the module beside itself and starts at once; the other
// modules start when they are first used.
'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { api, start } = require('./wasm/silkline.cjs');

const read = (name) => readFileSync(join(__dirname, 'wasm', `${name}_bg.wasm`));

start(read('silkline'), {
  extractionEngine: () => read('extraction_engine'),
  parts: () => read('parts'),
  proxy: () => read('proxy'),
  proxyEngine: () => read('proxy_engine'),
  services: () => read('services'),
  zyteApiServices: () => read('zyte_api_services'),
  bridge: () => read('bridge'),
});

module.exports = api;
