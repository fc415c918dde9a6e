// JSON texts, cut from the bytes of an answer.
'use strict';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const SURROGATE = /\\u[dD][89a-fA-F]/;

/** The text of bytes. */
function text(bytes) {
  return utf8.decode(bytes);
}

/** The value of JSON bytes that the core has found to be well-formed. */
function decode(bytes) {
  const text = utf8.decode(bytes);
  const value = JSON.parse(text);
  // As in every language: half of a surrogate pair becomes U+FFFD.
  return SURROGATE.test(text) ? wellFormed(value) : value;
}

function wellFormed(value) {
  if (typeof value === 'string') {
    return value.toWellFormed();
  }
  if (Array.isArray(value)) {
    return value.map(wellFormed);
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, one]) => [key.toWellFormed(), wellFormed(one)]));
  }
  return value;
}

/** The bytes of a body, in any of the forms that HTTP clients give. */
function bytesOf(body) {
  if (body instanceof Uint8Array) {
    return body;
  }
  if (typeof body === 'string') {
    return new TextEncoder().encode(body);
  }
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  // That of another realm too, such as a test's.
  if (body instanceof ArrayBuffer || body?.[Symbol.toStringTag] === 'ArrayBuffer') {
    return new Uint8Array(body);
  }
  if (body === undefined || body === null) {
    return new Uint8Array();
  }
  throw new TypeError('body must be a Uint8Array, an ArrayBuffer or a string');
}

exports.bytesOf = bytesOf;
exports.decode = decode;
exports.text = text;
