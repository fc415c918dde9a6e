// All of the package, for both entries; the build makes one file of it, `wasm/silkline.cjs`.
'use strict';

exports.api = require('./api.cjs');
exports.start = require('./lib/start.cjs').start;
