// Everything that both entries give, by module of the core.
'use strict';

const { classes } = require('./errors.cjs');
const { version: VERSION } = require('./package.json');
const http = require('./lib/http.cjs');

module.exports = { ...classes, ...http, VERSION };
