// Clients that send by themselves.
'use strict';

const { AccountRefused, OutOfBudget, QueryFailed } = require('./errors.cjs');
const { Extractor } = require('./extractor.cjs');
const sessions = require('./session-proxy.cjs');

module.exports = { AccountRefused, Extractor, OutOfBudget, QueryFailed, ...sessions };
