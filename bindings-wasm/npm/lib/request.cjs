// `http::Request` of the core, as a plain object.
'use strict';

const { listOf } = require('./headers.cjs');

/** The request that crossed as an array of its parts. */
function requestOf([method, url, lines, body]) {
  return { method, url, headers: listOf(lines), body };
}

exports.requestOf = requestOf;
