// The entry for workers and bundlers: the program brings the module.
'use strict';

const { start } = require('./lib/start.cjs');

module.exports = { ...require('./api.cjs'), start };
