// What the WebAssembly half calls to make errors and to hand out bytes and numbers: it passes views
// of its memory, which are valid during the call only.
'use strict';

const { createError, createServiceError } = require('../errors.cjs');

exports.createError = createError;
exports.createServiceError = createServiceError;
exports.copyBytes = (bytes) => bytes.slice();
exports.copyNumbers = (numbers) => numbers.slice();

const NOTHING = new Uint8Array();

/** Several things at once: numbers, bytes, a text. */
exports.deliver = (numbers, bytes, text) => ({
  numbers: numbers.slice(),
  bytes: bytes.length === 0 ? NOTHING : bytes.slice(),
  text,
});

/** The ASCII form of a domain, which holds no character that would end it in a URL. */
exports.domainToAscii = (domain) => {
  try {
    return new URL(`http://${domain}/`).hostname;
  } catch {
    return undefined;
  }
};
