// Headers on their way in and out.
'use strict';

const wasm = require('../wasm/silkline.js');

const SECRET = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);
const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const REDACTED = '[redacted]';

/** An array of pairs that shows no credentials when it is printed or logged as JSON. */
class HeaderList extends Array {
  static checked(headers) {
    const given = pairs(headers);
    wasm.checkHeaders(given.flat());
    return HeaderList.from(given);
  }

  get(name) {
    return this.getAll(name)[0] ?? null;
  }

  getAll(name) {
    const wanted = String(name).toLowerCase();
    return Array.from(this)
      .filter(([known]) => known.toLowerCase() === wanted)
      .map(([, value]) => value);
  }

  toJSON() {
    return Array.from(this, (pair) =>
      Array.isArray(pair) && SECRET.has(String(pair[0]).toLowerCase()) ? [pair[0], REDACTED] : pair,
    );
  }

  [INSPECT](_depth, options, inspect) {
    return inspect(this.toJSON(), options);
  }
}

/** Name and value of each header, from any of the forms that HTTP clients give. */
function pairs(headers) {
  if (headers === undefined || headers === null) {
    return [];
  }
  if (typeof headers !== 'object') {
    throw new TypeError('headers must be pairs, an object or a Headers instance');
  }
  if (typeof headers[Symbol.iterator] === 'function') {
    return Array.from(headers, (pair) => {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new TypeError('headers must be pairs of name and value');
      }
      return [text(pair[0]), text(pair[1])];
    });
  }
  // As Node's `http` and undici give them: several values of one name are an array.
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined) {
      return [];
    }
    return Array.isArray(value)
      ? value.map((one) => [text(name), text(one)])
      : [[text(name), text(value)]];
  });
}

/** Received text is not judged; what UTF-8 cannot hold becomes U+FFFD. */
function text(value) {
  return String(value).toWellFormed();
}

/** The pairs of lines that the core gives: names and values in turn. */
function listOf(lines) {
  const list = new HeaderList();
  const texts = lines === '' ? [] : lines.split('\n');
  for (let index = 0; index < texts.length; index += 2) {
    list.push([texts[index], texts[index + 1]]);
  }
  return list;
}

exports.HeaderList = HeaderList;
exports.pairs = pairs;
exports.INSPECT = INSPECT;
exports.listOf = listOf;
exports.text = text;
