// The services inside the program: for tests without sockets.
'use strict';

const { FakeExtraction, Page } = require('./extraction.cjs');
const { FakeProxy } = require('./proxy.cjs');

module.exports = { FakeExtraction, FakeProxy, Page };
