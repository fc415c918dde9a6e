// The entry for Node, Bun and Deno: finds the module beside itself and starts at once.
'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { api, start } = require('./wasm/silkline.cjs');

start(readFileSync(join(__dirname, 'wasm', 'silkline_bg.wasm')));

module.exports = api;
