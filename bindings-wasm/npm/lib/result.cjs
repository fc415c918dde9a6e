// `extraction::QueryResult` of the core: offsets into the caller's own bytes.
'use strict';

const { extractionDialects, pageTypes } = require('../wasm/constants.json');
const wasm = require('../wasm/silkline.js');
const { INSPECT } = require('./headers.cjs');
const { bytesOf, decode, text } = require('./json.cjs');
const { queryText } = require('./query.cjs');

// The columns of a row, as `bindings-wasm/src/extraction.rs` writes them. Indexes count from 1 and
// a part that is not there has an empty span, so that 0 stands for none.
const ROW = 27;
const QUERY_INDEX = 0;
const PAGE_TYPE = 1;
const ERROR = 2;
const BILLING = 3;
const RAW = 4;
const ITEM = 6;
const QUERY = 8;
const ID = 10;
const DOMAIN = 12;
const URL = 14;
const META = 16;
const WEB_PAGE = 18;
const HTML = 20;
const ALGORITHM_VERSION = 22;
const HEAD = 26;

/** What a result costs: 1 billed, 2 unbilled, 3 unknown, 0 nobody's. */
let billingOf;

class Result {
  #answer;
  #row;
  #item;
  #itemNative;
  #webPage;
  /** The item in another schema than the service's, and what was lost. */
  #converted;

  constructor(answer, row) {
    if (row === undefined) {
      throw new TypeError('results are made by ExtractionApi.results');
    }
    this.#answer = answer;
    this.#row = row;
  }

  get ok() {
    return this.#number(ERROR) === 0;
  }

  get queryIndex() {
    const number = this.#number(QUERY_INDEX);
    return number === 0 ? null : number - 1;
  }

  get query() {
    return this.#answer.queries[this.#number(QUERY_INDEX) - 1] ?? null;
  }

  get pageType() {
    return pageTypes[this.#number(PAGE_TYPE) - 1] ?? null;
  }

  get error() {
    return this.#answer.errors[this.#number(ERROR) - 1] ?? null;
  }

  get item() {
    if (this.#item === undefined) {
      const bytes = this.itemBytes;
      this.#item = bytes === null ? null : decode(bytes);
    }
    return this.#item;
  }

  get itemBytes() {
    return this.ok ? (this.#conversion()?.bytes ?? this.#bytes(ITEM)) : null;
  }

  get itemNative() {
    if (this.ok && this.#conversion() === undefined) {
      return this.item;
    }
    this.#itemNative ??= this.#value(ITEM);
    return this.#itemNative;
  }

  get itemNativeBytes() {
    return this.#bytes(ITEM);
  }

  get unmapped() {
    return JSON.parse(this.#conversion()?.unmapped ?? '{}');
  }

  get dialect() {
    return extractionDialects[this.#head()?.dialect ?? 0];
  }

  get id() {
    return this.#told('id', ID);
  }

  get domain() {
    return this.#told('domain', DOMAIN);
  }

  get url() {
    return this.#told('url', URL);
  }

  get meta() {
    return this.#value(META);
  }

  get queryBytes() {
    return this.#bytes(QUERY);
  }

  get webPage() {
    this.#webPage ??= this.#value(WEB_PAGE);
    return this.#webPage;
  }

  get webPageBytes() {
    return this.#bytes(WEB_PAGE);
  }

  get html() {
    return this.#value(HTML);
  }

  get algorithmVersion() {
    return this.#value(ALGORITHM_VERSION);
  }

  get unknown() {
    return Object.fromEntries(this.#unknown().map(([name, bytes]) => [name, decode(bytes)]));
  }

  get unknownBytes() {
    return Object.fromEntries(this.#unknown());
  }

  get raw() {
    return this.#bytes(RAW);
  }

  toJson() {
    const head = this.#head();
    if (head === undefined && this.raw !== null) {
      return text(this.raw);
    }
    const { query, error, itemBytes, html, pageType } = this;
    const userQuery = query === null ? {} : JSON.parse(queryText(query));
    const { id, domain } = head ?? { id: null, domain: null };
    const told = { id: id ?? undefined, domain: domain ?? undefined, userQuery };
    const parts = [`"query":${JSON.stringify(told)}`];
    if (error !== null) {
      parts.push(`"error":${JSON.stringify(error.text)}`);
    } else if (itemBytes !== null) {
      parts.push(`"${pageType}":${text(itemBytes)}`);
    }
    if (html !== null) {
      parts.push(`"html":${JSON.stringify(html)}`);
    }
    return `{${parts.join(',')}}`;
  }

  toJSON() {
    const { ok, queryIndex, pageType, error, item, id, domain, url, meta, webPage, html } = this;
    const { algorithmVersion, unknown, unmapped } = this;
    const query = { queryIndex, pageType, id, domain, url, meta };
    return { ok, error, item, unmapped, ...query, webPage, html, algorithmVersion, unknown };
  }

  // Without the parts that are big, or would have to be decoded for it.
  [INSPECT](_depth, options, inspect) {
    const { ok, queryIndex, pageType, url, error } = this;
    const shown = ok ? { ok, queryIndex, pageType, url } : { ok, queryIndex, pageType, url, error };
    return `Result ${inspect(shown, options)}`;
  }

  #number(column) {
    return this.#answer.rows[this.#row + column];
  }

  #bytes(column) {
    const [start, end] = [this.#number(column), this.#number(column + 1)];
    return end === 0 ? null : this.#answer.body.subarray(start, end);
  }

  #value(column) {
    const bytes = this.#bytes(column);
    return bytes === null ? null : decode(bytes);
  }

  #head() {
    return this.#answer.heads[this.#number(HEAD) - 1];
  }

  #told(name, column) {
    const head = this.#head();
    return head === undefined ? this.#value(column) : head[name];
  }

  #conversion() {
    if (this.#converted === undefined && this.#head() !== undefined) {
      const native = this.#bytes(ITEM);
      if (native !== null) {
        const { dialect } = this.#head();
        const told = wasm.convertNative(dialect, this.#number(PAGE_TYPE) - 1, native);
        this.#converted = told && { bytes: bytesOf(told[0]), unmapped: told[1] };
      }
    }
    return this.#converted;
  }

  #unknown() {
    const raw = this.raw;
    if (raw === null) {
      return [];
    }
    const hasItem = this.#number(ITEM + 1) !== 0;
    const item = hasItem ? this.#number(ITEM) - this.#number(RAW) : undefined;
    const spans = JSON.parse(wasm.unknownMembers(raw, item, this.#head()?.dialect ?? 0));
    return spans.map(([name, start, end]) => [name, raw.subarray(start, end)]);
  }

  static {
    billingOf = (result) => result.#number(BILLING);
  }
}

/** The results of rows that the core wrote. */
function resultsOf(queries, body, rows, errors, heads) {
  const answer = { queries, body, rows, errors, heads };
  return Array.from({ length: rows.length / ROW }, (_, index) => new Result(answer, index * ROW));
}

/** The one result of a row, whose query stands alone. */
function resultOf(query, body, rows, errors, heads) {
  const index = rows[QUERY_INDEX] - 1;
  return new Result({ queries: { [index]: query }, body, rows, errors, heads }, 0);
}

exports.billingOf = billingOf;
exports.Result = Result;
exports.resultOf = resultOf;
exports.resultsOf = resultsOf;
exports.ROW = ROW;
