// The list of errors that all languages share: codes, classes, fields.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { require, root, silkline } from './package.mjs';

const { ExtractionApi, ExtractionEngine, HeaderList, ProxyApi, ProxyOptions, Query, QueryError } =
  silkline;
const list = JSON.parse(readFileSync(new URL('tests/vectors/errors.json', root), 'utf8'));
// The planner is no part of the package.
const errors = list.errors.filter(({ feature }) => feature !== 'plan');
// A result's error is data, and has an object of functions instead of a class.
const DATA = 'QueryError';

/** A field as JavaScript has it: in camel case, and `name` is that of the class. */
const fieldNames = ({ fields, class: name }) =>
  fields.map((field) => {
    const renamed = { InvalidHeader: 'header', InvalidProblem: 'member' }[name];
    return field === 'name' ? renamed : field.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  });

test('the codes are those of the core, each once', () => {
  assert.deepEqual(
    errors.map(({ code }) => code),
    silkline.ERROR_CODES,
  );
  assert.equal(new Set(silkline.ERROR_CODES).size, silkline.ERROR_CODES.length);
});

test('every class is exported, and no other', () => {
  const listed = new Set(errors.map((error) => error.class));
  listed.delete(DATA);
  listed.add('SilklineError');
  const exported = Object.entries(silkline).filter(
    ([, value]) => value === silkline.SilklineError || value.prototype instanceof Error,
  );
  assert.deepEqual(exported.map(([name]) => name).sort(), [...listed].sort());
  for (const [name, value] of exported) {
    assert.equal(value.name, name);
  }
});

test('every class, code and field is in the types', () => {
  const types = readFileSync(
    require.resolve('silkline').replace('index.cjs', 'errors.d.cts'),
    'utf8',
  );
  const extraction =
    types +
    readFileSync(require.resolve('silkline').replace('index.cjs', 'lib/extraction.d.cts'), 'utf8');
  for (const error of errors) {
    const [, declared] =
      new RegExp(`(?:class|interface) ${error.class} [^{]*\\{(.*?)\\n\\}`, 's').exec(extraction) ??
      [];
    assert.ok(declared !== undefined, `${error.class} is not declared`);
    assert.ok(extraction.includes(`'${error.code}'`), `${error.code} is not declared`);
    for (const field of fieldNames(error)) {
      assert.match(declared, new RegExp(`readonly ${field}\\??:`), `${error.class}.${field}`);
    }
  }
});

const api = new ExtractionApi({ apiKey: 'secret' });
const query = { url: 'http://a/', pageType: 'article' };
const proxy = new ProxyApi({ apiKey: 'secret' });
const target = { url: 'http://a/' };
const read = (response) => api.results([query], { headers: [], body: '', ...response });

const engine = (options) => new ExtractionEngine({ api, now: 0, ...options });
const restore = (snapshot) => ExtractionEngine.restore({ api, now: 0, snapshot });
const refuse = (status, body) => {
  const refused = engine();
  refused.submit(query, { now: 0 });
  refused.handleResponse(refused.poll(0).id, { status, headers: {}, body }, 0);
  throw refused.poll(0).error;
};

/** Calls that fail, by the code they must fail with. */
const failures = {
  account_disabled: () => read({ status: 403, body: '{"type": "http://x/account-disabled"}' }),
  answer_empty: () => read({ status: 200 }),
  api_key_empty: () => new ExtractionApi({ apiKey: '' }),
  api_key_invalid: () => new ExtractionApi({ apiKey: 'sec:ret' }),
  bad_session_id: () => {
    throw proxy.read({ status: 400, headers: { 'X-Crawlera-Error': 'bad_session_id' } }).error;
  },
  batch_empty: () => api.request([]),
  batch_too_large: () => api.request(Array(101).fill(query)),
  engine_closed: () => {
    const closed = engine();
    closed.close(0);
    closed.submit(query, { now: 0 });
  },
  endpoint_credentials: () => new ExtractionApi({ apiKey: 'x', endpoint: 'http://sec:ret@a/' }),
  endpoint_not_origin: () => new ProxyApi({ apiKey: 'x', endpoint: 'http://a/b' }),
  endpoint_invalid: () => new ExtractionApi({ apiKey: 'x', endpoint: 'http://a/\ud800' }),
  invalid_header_name: () => HeaderList.checked([['a b', 'c']]),
  invalid_header_value: () => HeaderList.checked({ a: 'b\n' }),
  item_no_counterpart: () => silkline.zyteApi.fromZyteApi('vehicle', {}),
  item_not_object: () => silkline.zyteApi.fromZyteApi('article', []),
  item_syntax: () => silkline.zyteApi.toZyteApi('article', '{'),
  job_cancelled: () => {
    const one = engine();
    one.cancel(one.submit(query, { now: 0 }), 0);
    throw one.poll(0).error;
  },
  method_not_allowed: () =>
    read({
      status: 405,
      body: '{"type": "http://errors.xod.scrapinghub.com/method-not-allowed.html"}',
    }),
  pool_anonymous_invalid: () => new silkline.SessionPool({ anonymousPercent: 101 }),
  pool_size_invalid: () => new silkline.SessionPool({ size: 5001 }),
  problem_json: () => silkline.readProblem('['),
  problem_member: () => silkline.buildProblem({ memberTexts: [['x', '1 2']] }),
  problem_not_object: () => silkline.readProblem('[]'),
  problem_reserved: () => silkline.buildProblem({ members: { title: 1 } }),
  problem_too_large: () => silkline.readProblem(new Uint8Array(2 ** 20 + 1)),
  proxied_headers_too_large: () =>
    proxy.request({ ...target, headers: { 'X-Big': 'x'.repeat(102_400) } }),
  proxy_max_retries_range: () => new ProxyOptions({ maxRetries: 6 }),
  proxy_option_contradiction: () =>
    proxy.request({ ...target, headers: { 'X-Crawlera-Session': '1' } }, { session: '2' }),
  proxy_option_control_character: () => new ProxyOptions({ city: 'a\r\nb' }),
  proxy_option_repeated: () => ProxyOptions.fromHeaders({ 'X-Crawlera-City': ['a', 'b'] }),
  proxy_option_unknown: () => new ProxyOptions({ extra: { session: 'a' } }),
  proxy_option_value: () => new ProxyOptions({ profile: 'tablet' }),
  proxy_session_with_region: () => new ProxyOptions({ session: 'create', region: 'us' }),
  proxy_timeout_range: () => new ProxyOptions({ timeout: 1000 }),
  query_custom_html_too_long: () => new Query({ ...query, customHtml: 'x'.repeat(2_000_001) }),
  query_extra_reserved: () => new Query({ ...query, extra: { url: 1 } }),
  query_extra_too_deep: () =>
    new Query({ ...query, extra: { x: JSON.parse('['.repeat(126) + ']'.repeat(126)) } }),
  query_field_duplicate: () => new Query({ ...query, x: 1, extra: { x: 2 } }),
  query_field_missing: () => new Query({ url: 'http://a/' }),
  query_field_type: () => new Query({ ...query, fullHtml: 1 }),
  query_json: () => Query.fromJson('{'),
  query_lone_surrogate: () => new Query({ ...query, meta: 'a\udfff' }),
  query_meta_too_long: () => new Query({ ...query, meta: 'é'.repeat(2049) }),
  query_not_object: () => api.request([5]),
  query_page_type: () => new Query({ ...query, pageType: 'Article' }),
  query_url_invalid: () => new Query({ ...query, url: 'a' }),
  query_url_scheme: () => new Query({ ...query, url: 'ftp://a/' }),
  queue_full: () => {
    const full = engine({ queueSize: 1 });
    assert.equal(full.submitMany([{ query }, { query }], 0).length, 1);
    full.submitMany([{ query }], 0);
  },
  rate_burst_invalid: () => engine({ burst: 0 }),
  rate_invalid: () => new silkline.RateLimiter({ rate: 0, burst: 1, now: 0 }),
  setting_invalid: () => engine({ batchSize: 101 }),
  snapshot_content: () => restore('{"silkline_snapshot":"extraction_engine","version":1}\n{'),
  snapshot_machine: () => restore('{"silkline_snapshot":"a","version":1}\n{}'),
  snapshot_unknown: () => restore(''),
  snapshot_version: () => restore('{"silkline_snapshot":"extraction_engine","version":99}\n{}'),
  session_answer_malformed: () => proxy.readCreatedSession({ status: 200, headers: {}, body: '' }),
  session_id_invalid: () => proxy.deleteSession('..'),
  target_url_invalid: () => proxy.request({ url: 'a' }),
  target_url_scheme: () => proxy.request({ url: 'ftp://sec:ret@a/' }),
  unauthorized: () => refuse(401, '{"type": "http://x/unauthorized"}'),
  unknown_request: () => engine().handleFailure(7, 'network', 0),
  user_suspended: () =>
    proxy.readDeletedSession({
      status: 403,
      headers: { 'X-Crawlera-Error': 'user_suspended' },
      body: '',
    }),
  query_url_too_long: () => new Query({ ...query, url: `http://a/${'x'.repeat(4096)}` }),
};

for (const [code, fail] of Object.entries(failures)) {
  test(code, () => {
    const listed = errors.find((error) => error.code === code);
    let thrown;
    assert.throws(fail, (error) => {
      thrown = error;
      return true;
    });
    assert.equal(thrown.code, code, thrown);
    assert.ok(thrown instanceof silkline[listed.class] && thrown instanceof Error);
    assert.equal(thrown.name, listed.class);
    assert.match(thrown.stack, /errors\.test\.mjs/);
    for (const field of fieldNames(listed)) {
      assert.ok(thrown[field] !== undefined, `${field} is missing`);
    }
    const known = ['code', ...fieldNames(listed)];
    for (const key of Object.keys(thrown)) {
      assert.ok(known.includes(key), `${key} is not listed`);
    }
    for (const shown of [inspect(thrown), JSON.stringify(thrown), thrown.stack]) {
      assert.doesNotMatch(shown, /sec:ret|secret|c2VjcmV0/);
    }
  });
}

test('an error of a query is data with all its fields', () => {
  const error = QueryError.fromText('Domain a.b is occupied, please retry in 2 seconds');
  const listed = errors.find(({ code }) => code === error.code);
  assert.deepEqual(Object.keys(error).sort(), ['code', ...fieldNames(listed)].sort());
  assert.deepEqual([error.code, error.domain, error.retryAfter], ['domain_occupied', 'a.b', 2000]);
});
