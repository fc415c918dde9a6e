// `extraction::Query` of the core.
'use strict';

const { extractionDialects, maxCustomHtml, maxMeta, maxUrl } = require('../wasm/constants.json');
const wasm = require('../wasm/silkline.js');
const { INSPECT } = require('./headers.cjs');
const { known } = require('./known.cjs');

const CHECKED = Symbol('a text that the core has written');
const OPTIONAL = ['meta', 'articleBodyRaw', 'fullHtml', 'customHtml'];

/** The JSON text of a query. */
let textOf;

class Query {
  #text;
  #members;

  static MAX_URL = maxUrl;
  static MAX_META = maxMeta;
  static MAX_CUSTOM_HTML = maxCustomHtml;

  constructor(members, options) {
    if (options === CHECKED) {
      this.#text = members;
    } else if (members instanceof Query) {
      this.#text = members.#text;
    } else {
      this.#text = wasm.query(written(members), extraOf(members), dialectIn(options));
    }
  }

  static fromJson(text, options) {
    if (typeof text !== 'string') {
      throw new TypeError('text must be a string');
    }
    // Half of a surrogate pair cannot cross; as an escape it can, and the core reports it.
    const escaped = text.replace(/\p{Surrogate}/gu, (half) => JSON.stringify(half).slice(1, -1));
    return new Query(wasm.queryFromJson(escaped, dialectIn(options)), CHECKED);
  }

  get url() {
    return this.#read().url;
  }

  get pageType() {
    return this.#read().pageType;
  }

  get meta() {
    return this.#read().meta ?? null;
  }

  get articleBodyRaw() {
    return this.#read().articleBodyRaw ?? null;
  }

  get fullHtml() {
    return this.#read().fullHtml ?? null;
  }

  get customHtml() {
    return this.#read().customHtml ?? null;
  }

  get extra() {
    const { url, pageType, meta, articleBodyRaw, fullHtml, customHtml, ...extra } = this.#read();
    return extra;
  }

  toJson() {
    return this.#text;
  }

  toJSON() {
    return JSON.parse(this.#text);
  }

  [INSPECT](_depth, options, inspect) {
    return `Query ${inspect(this.toJSON(), options)}`;
  }

  #read() {
    this.#members ??= JSON.parse(this.#text);
    return this.#members;
  }

  static {
    textOf = (query) => query.#text;
  }
}

/** The index of a dialect; the first is what is left out. */
function dialectOf(name) {
  const index = name == null ? 0 : extractionDialects.indexOf(name);
  if (index < 0) {
    throw new TypeError(`dialect must be one of ${extractionDialects.join(', ')}`);
  }
  return index;
}

const dialectIn = (options) => dialectOf(known(options ?? {}, ['dialect'], 'Query').dialect);

/** One query, or an object that describes one, as JSON text. */
function queryText(query) {
  if (query instanceof Query) {
    return textOf(query);
  }
  return isObject(query) && query.extra != null ? textOf(new Query(query)) : written(query);
}

/** The query of a text that the core has written. */
function queryOf(text) {
  return text === null ? null : new Query(text, CHECKED);
}

/** A list of queries, or of objects that describe some, as one JSON text. */
function batch(queries) {
  if (!Array.isArray(queries)) {
    throw new TypeError('queries must be an array');
  }
  return `[${queries.map(queryText).join(',')}]`;
}

/** What was given as JSON, less what has a place of its own. The core judges it. */
function written(members) {
  let given = members;
  if (isObject(given)) {
    if ('extra' in given) {
      const { extra: _, ...others } = given;
      given = others;
    }
    if (OPTIONAL.some((name) => given[name] === null)) {
      const kept = ([name, value]) => value !== null || !OPTIONAL.includes(name);
      given = Object.fromEntries(Object.entries(given).filter(kept));
    }
  }
  return JSON.stringify(given) ?? 'null';
}

function extraOf(members) {
  const extra = members?.extra ?? {};
  if (!isObject(extra)) {
    throw new TypeError('extra must be an object of members and their values');
  }
  return JSON.stringify(extra, (name, value) => {
    const unwritable =
      typeof value === 'function' || typeof value === 'symbol' || Number.isNaN(value);
    if (unwritable || value === Infinity || value === -Infinity) {
      throw new TypeError(`extra member ${JSON.stringify(name)} is not JSON`);
    }
    return value;
  });
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

exports.batch = batch;
exports.dialectOf = dialectOf;
exports.Query = Query;
exports.queryOf = queryOf;
exports.queryText = queryText;
