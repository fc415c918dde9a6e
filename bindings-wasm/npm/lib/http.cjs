// `http` of the core.
'use strict';

const { pairs } = require('./headers.cjs');
const { ready } = require('./start.cjs');

const wasm = () => ready('parts');

function basicAuthorization(apiKey) {
  return wasm().basicAuthorization(string(apiKey, 'apiKey'));
}

function basicCredentials(value) {
  const found = wasm().basicCredentials(string(value, 'value'));
  return found === undefined ? null : { user: found[0], password: found[1] };
}

function parseHttpDate(text) {
  return wasm().parseHttpDate(string(text, 'text')) ?? null;
}

function retryAfter(headers) {
  return wasm().retryAfter(JSON.stringify(pairs(headers).flat())) ?? null;
}

function string(value, name) {
  if (typeof value !== 'string') {
    throw new TypeError(`${name} must be a string`);
  }
  return value;
}

exports.basicAuthorization = basicAuthorization;
exports.basicCredentials = basicCredentials;
exports.parseHttpDate = parseHttpDate;
exports.retryAfter = retryAfter;
