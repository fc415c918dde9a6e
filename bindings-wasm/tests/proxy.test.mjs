// The border of `proxy`: types, spelling, secrets, values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { silkline } from './package.mjs';

const { ProxyApi, ProxyOptions, ProxyServiceError } = silkline;
const KEY = '0123456789abcdef0123456789abcdef';

const all = new ProxyOptions({
  session: '7',
  maxRetries: 1,
  timeout: 45_500.25,
  cookies: 'disable',
  profile: 'desktop',
  profilePass: ['Referer'],
  ua: 'mobile',
  noBancheck: true,
  state: 'Ohio',
  city: 'Dayton',
  jobId: 'j',
  client: 'a/1',
  debug: ['ua'],
  useHttps: true,
  extra: { 'X-Crawlera-New': '1' },
});

test('options are values that never change', () => {
  for (const again of [
    new ProxyOptions(all),
    new ProxyOptions({ ...all }),
    new ProxyOptions(JSON.parse(JSON.stringify(all))),
    all.replace({}),
    ProxyOptions.fromHeaders(all.headers()),
    ProxyOptions.fromHeaders(new Headers(all.headers())).replace({ extra: all.extra }),
  ]) {
    assert.deepEqual(again, all);
    assert.deepEqual(again.headers(), all.headers());
  }
  assert.equal(all.timeout, 45_500);
  assert.ok(Object.isFrozen(all) && Object.isFrozen(all.debug) && Object.isFrozen(all.extra));
  assert.equal(all.replace({ timeout: null }).timeout, null);
  assert.equal(new ProxyOptions().session, null);
});

test('options of other types are refused', () => {
  for (const fields of [
    { session: 7 },
    { maxRetries: '2' },
    { maxRetries: -1 },
    { timeout: Number.NaN },
    { timeout: Number.POSITIVE_INFINITY },
    { timeout: '60000' },
    { debug: 'ua' },
    { profilePass: [1] },
    { noBancheck: 1 },
    { nothing: 1 },
    [],
    null,
  ]) {
    assert.throws(() => new ProxyOptions(fields), TypeError, inspect(fields));
  }
  assert.throws(() => new ProxyOptions({ maxRetries: 1.5 }), { code: 'proxy_option_value' });
});

test('a request keeps its body and hides the key', () => {
  const api = new ProxyApi({ apiKey: KEY, endpoint: new URL('http://127.0.0.1:8011') });
  const body = new Uint8Array([1, 2]);
  const target = { method: 'POST', url: new URL('https://example.com/#x'), body };
  const proxied = api.request(target, { session: 'create' });
  assert.equal(proxied.request.body, body);
  assert.equal(proxied.request.url, 'https://example.com/');
  assert.equal(proxied.connect.url, 'example.com:443');
  assert.ok(!proxied.request.headers.get('Proxy-Authorization'));
  for (const shown of [inspect(proxied, { depth: 9 }), JSON.stringify(proxied), inspect(api)]) {
    assert.doesNotMatch(shown, new RegExp(`${KEY}|MDEy`));
  }
  assert.ok(api.endpointWithKey().includes(KEY));
  api.free();
  assert.throws(() => api.endpoint, TypeError);
});

test('the error of an answer is an error that can be thrown', () => {
  const api = new ProxyApi({ apiKey: KEY });
  const headers = new Headers({ 'x-crawlera-error': 'slavebanned', 'retry-after': '5' });
  const { error, billed, origin } = api.read({ status: 503, headers, body: 'Ban' });
  assert.ok(error instanceof ProxyServiceError && error instanceof Error);
  const { code, text, detail, action, retryAfter, isBan } = error;
  assert.deepEqual(
    { code, text, detail, action, retryAfter, isBan },
    {
      code: 'banned',
      text: 'slavebanned',
      detail: 'Ban',
      action: 'retry_elsewhere',
      retryAfter: 5000,
      isBan: true,
    },
  );
  assert.deepEqual([billed, origin], [false, 'service']);
  assert.equal(api.read({ status: 404, headers: {} }).error, null);
  assert.throws(() => api.read({ status: '200', headers: {} }), TypeError);
});

test('sessions make a map', () => {
  const body = new TextEncoder().encode('{"b": null, "a": "192.0.2.1"}');
  const list = new ProxyApi({ apiKey: KEY }).readSessionList({ status: 200, headers: {}, body });
  assert.deepEqual(
    [...new Map(list.sessions)],
    [
      ['b', null],
      ['a', '192.0.2.1'],
    ],
  );
});

test('what is stripped stays an object for fetch', () => {
  const api = new ProxyApi({ apiKey: KEY });
  const signal = new AbortController().signal;
  const request = { url: 'http://a/', headers: { 'X-Crawlera-Session': '7', A: 'b' }, signal };
  const stripped = api.stripLeaks(request);
  assert.deepEqual([...stripped.headers], [['A', 'b']]);
  assert.equal(stripped.signal, signal);
});
