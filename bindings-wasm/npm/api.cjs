// Everything that both entries give, by module of the core.
'use strict';

const { classes } = require('./errors.cjs');
const { version: VERSION } = require('./package.json');
const extraction = require('./lib/extraction.cjs');
const http = require('./lib/http.cjs');

module.exports = { ...classes, ...extraction, ...http, VERSION };
