// The services inside the program: for tests without sockets.
'use strict';

const { FakeExtraction } = require('./extraction.cjs');
const { Page } = require('./items.cjs');
const { FakeProxy } = require('./proxy.cjs');

module.exports = { FakeExtraction, FakeProxy, Page };
