// The entry for workers and bundlers: the program brings the module.
'use strict';

const { api, start } = require('./wasm/silkline.cjs');

module.exports = { ...api, start };
