// Clients that send by themselves.
'use strict';

const { AccountRefused, OutOfBudget, QueryFailed } = require('./errors.cjs');
const { Extractor } = require('./extractor.cjs');

module.exports = { AccountRefused, Extractor, OutOfBudget, QueryFailed };
