// The entry for Node, Bun and Deno: finds the module beside itself and starts at once.
'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { start } = require('./lib/start.cjs');

start(readFileSync(join(__dirname, 'wasm', 'silkline_bg.wasm')));

module.exports = require('./api.cjs');
