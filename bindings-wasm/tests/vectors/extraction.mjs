// The vectors of `extraction`.
import assert from 'node:assert/strict';
import { silkline } from '../package.mjs';
import { body, bodyText, checkKeys, micros, outcome, requestJson, told } from './given.mjs';
import { problemJson } from './problem.mjs';

const { ExtractionApi, InvalidQuery, Query, ServiceError, Usage } = silkline;

export const operations = {
  'extraction.count': (given) =>
    read(given, (results) => {
      const counts = {};
      for (const { error } of results) {
        const code = error?.code ?? 'ok';
        counts[code] = (counts[code] ?? 0) + 1;
      }
      return counts;
    }),
  'extraction.lone_surrogate'(given) {
    checkKeys(given, ['utf16']);
    const meta = String.fromCharCode(...given.utf16);
    try {
      assert.equal(new Query({ url: 'http://a/', pageType: 'article', meta }).meta, meta);
      return null;
    } catch (error) {
      assert.ok(error instanceof InvalidQuery && error.code === 'query_lone_surrogate', error);
      return error.position;
    }
  },
  'extraction.query': (given) => outcome(() => query(given).toJSON()),
  'extraction.query_size': (given) => outcome(() => Buffer.byteLength(query(given).toJson())),
  'extraction.query_from_json'(given) {
    checkKeys(given, ['text']);
    return outcome(() => Query.fromJson(bodyText(given.text)).toJson());
  },
  'extraction.raw': (given) => read(given, (results) => results.map(rawJson)),
  'extraction.request': (given) =>
    outcome(() => {
      checkKeys(given, ['key', 'endpoint', 'queries', 'dialect']);
      const { key: apiKey = 'key', endpoint, dialect } = given;
      const api = new ExtractionApi({ apiKey, endpoint, dialect });
      return requestJson(api.request(queries(given.queries)));
    }),
  'extraction.results': (given) => read(given, (results) => results.map(resultJson)),
  'extraction.usage'(given) {
    try {
      return { ...Usage.ofResults(results(given)) };
    } catch (error) {
      return { ...Usage.ofError(error) };
    }
  },
};

// The same in the dialect of the successor.
for (const op of ['request', 'results', 'usage']) {
  operations[`zyte_api.${op}`] = (given) =>
    operations[`extraction.${op}`]({ ...given, dialect: 'zyte_api' });
}
operations['zyte_api.json'] = (given) =>
  read({ ...given, dialect: 'zyte_api' }, (results) =>
    results.map((result) => JSON.parse(result.toJson())),
  );

function query(given) {
  const optional = ['meta', 'article_body_raw', 'full_html', 'custom_html', 'extra'];
  checkKeys(given, ['url', 'page_type', ...optional]);
  const text = (value) => (value === undefined || value === null ? undefined : bodyText(value));
  return new Query({
    url: bodyText(given.url),
    pageType: given.page_type,
    meta: text(given.meta),
    articleBodyRaw: given.article_body_raw,
    fullHtml: given.full_html,
    customHtml: text(given.custom_html),
    extra: given.extra,
  });
}

/** A list of queries as they are sent, or `{"repeat": [query, count]}`. */
const queries = (value) =>
  Array.isArray(value) ? value : new Array(value.repeat[1]).fill(value.repeat[0]);

function results(given) {
  checkKeys(given, ['queries', 'status', 'headers', 'body', 'dialect']);
  const api = new ExtractionApi({ apiKey: 'key', dialect: given.dialect });
  const { status, headers } = given;
  const bytes = body(given.body);
  try {
    return api.results(queries(given.queries), { status, headers, body: bytes });
  } catch (error) {
    assert.equal(error.body, bytes, 'the raw body is kept');
    throw error;
  } finally {
    api.free();
  }
}

function read(given, show) {
  try {
    return show(results(given));
  } catch (error) {
    if (!(error instanceof ServiceError)) {
      throw error;
    }
    const { code, message, status, retry, retryAfter, billed, billingKnown, problem } = error;
    return {
      error: told({
        code,
        message,
        status,
        retry,
        retry_after_us: micros(retryAfter),
        billed,
        billing_known: billingKnown,
        problem: problem && problemJson(problem),
      }),
    };
  }
}

function resultJson(result) {
  const { ok, error, item, id, domain, url, meta, html, unknown } = result;
  const native = result.dialect !== 'automatic_extraction';
  assert.ok(native || result.itemNative === result.item);
  return told({
    item_native: native ? result.itemNative : null,
    unmapped: result.unmapped,
    query_index: result.queryIndex,
    ok,
    error: error && errorJson(error),
    page_type: result.pageType,
    item,
    id,
    domain,
    url,
    meta,
    web_page: result.webPage,
    html,
    algorithm_version: result.algorithmVersion,
    unknown,
  });
}

const errorJson = ({ maxRetries, retryAfter, ...others }) =>
  told({ ...others, max_retries: maxRetries, retry_after_us: micros(retryAfter) });

/** The same parts as the very texts of the answer. */
function rawJson({ itemBytes, queryBytes, webPageBytes, raw, unknownBytes }) {
  const text = (bytes) => bytes && Buffer.from(bytes).toString();
  const unknown = Object.entries(unknownBytes).map(([name, bytes]) => [name, text(bytes)]);
  return told({
    item: text(itemBytes),
    query: text(queryBytes),
    web_page: text(webPageBytes),
    raw: text(raw),
    unknown: Object.fromEntries(unknown),
  });
}
