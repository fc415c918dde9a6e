// What is given by mistake is told, by every class of the package.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { require, silkline } from './package.mjs';

const { ExtractionApi, ExtractionEngine, Pace, ProxyApi, ProxyEngine, Query, RateLimiter } =
  silkline;
const { RetryPolicy, SessionPool, Usage } = silkline;
const { Extractor, SessionProxy } = require('silkline/client');

const apiKey = 'KEY-OF-NOBODY';
const api = new ExtractionApi({ apiKey });
const proxyApi = new ProxyApi({ apiKey });
const page = { url: 'https://shop.example/1', pageType: 'product' };

const makers = {
  ExtractionApi: (extra) => new ExtractionApi({ apiKey, ...extra }),
  ExtractionEngine: (extra) => new ExtractionEngine({ api, now: 0, ...extra }),
  Extractor: (extra) => new Extractor({ apiKey, ...extra }),
  Pace: (extra) => new Pace({ ready: 0, ...extra }),
  ProxyApi: (extra) => new ProxyApi({ apiKey, ...extra }),
  ProxyEngine: (extra) => new ProxyEngine({ api: proxyApi, now: 0, ...extra }),
  Query: (extra) => new Query(page, { ...extra }),
  RateLimiter: (extra) => new RateLimiter({ rate: 5, burst: 1, now: 0, ...extra }),
  RetryPolicy: (extra) => new RetryPolicy({ ...extra }),
  SessionPool: (extra) => new SessionPool({ size: 1, ...extra }),
  SessionProxy: (extra) => new SessionProxy({ apiKey, ...extra }),
  Usage: (extra) => new Usage({ ...extra }),
};
for (const [name, make] of Object.entries(makers)) {
  test(`an option that ${name} does not have is refused`, () => {
    assert.ok(make({}));
    const message = `${name} has no option "pool"`;
    assert.throws(() => make({ pool: { size: 5 } }), { name: 'TypeError', message });
  });
}

const needy = { ExtractionApi, ExtractionEngine, Extractor, Pace, ProxyApi, ProxyEngine };
for (const [name, Class] of Object.entries({ ...needy, RateLimiter, SessionPool, SessionProxy })) {
  test(`${name} says that its options are no object`, () => {
    for (const wrong of [null, 5, 'KEY', []]) {
      const message = `the options of ${name} must be an object`;
      assert.throws(() => new Class(wrong), { name: 'TypeError', message });
    }
  });
}

const wrong = {
  'requeue must be a boolean': () => makers.ExtractionEngine({ requeue: 'no' }),
  'keepSecrets must be a boolean': () => makers.ProxyEngine({ keepSecrets: 'yes' }),
  'followRedirects must be a boolean': () => makers.ProxyApi({ followRedirects: 'false' }),
  'rate has no option "per"': () => makers.ExtractionEngine({ rate: { count: 5, per: 1 } }),
  'the options of RetryPolicy must be an object': () => makers.ExtractionEngine({ policy: 5 }),
  'rules has no option "nope"': () => makers.RetryPolicy({ rules: { nope: {} } }),
  'the rule of query has no option "retries"': () =>
    makers.RetryPolicy({ rules: { query: { retries: 5 } } }),
  "a budget is 'forever' or one of retries, sinceFirstAttempt, uninterrupted": () =>
    makers.RetryPolicy({ rules: { query: { budget: null } } }),
  'domainDelays must be an object of domains and their delays': () =>
    makers.ProxyEngine({ domainDelays: 5 }),
  'submit has no option "prio"': () => makers.ExtractionEngine().submit(page, { prio: 1, now: 0 }),
  'submitMany has no option "url"': () => makers.ProxyEngine().submitMany([page], 0),
  'replaceSession must be a boolean': () =>
    makers.ProxyEngine().submit(page.url, { replaceSession: 1, now: 0 }),
  'named must be a boolean': () => makers.SessionPool().reserve(0, { named: 'me' }),
  'billed must be a whole number from 0 on': () => makers.Usage({ billed: 'one' }),
  'the answer must be an object with status, headers and body': () => api.results([page]),
  'the settings of a service must be an object': () => new silkline.ProxyService(null),
  'onUnmatched must be a function': () => makers.Extractor({ onUnmatched: 'warn' }),
  'grace must be a number of milliseconds from 0 on': () => makers.Extractor({ grace: 'long' }),
  'results has no option "abort"': () => makers.Extractor().results([page], { abort: 1 }),
  'banned must be a function': () => makers.SessionProxy({ banned: true }),
  'maxRedirects must be a whole number from 0 on': () => makers.SessionProxy({ maxRedirects: -1 }),
  'sessions must be a whole number from 0 on': () => makers.SessionProxy({ sessions: 1.5 }),
  'sessionDelay must be a number of milliseconds from 0 on': () =>
    makers.SessionProxy({ sessionDelay: '12' }),
  'ca must be a certificate as PEM, or several': () => makers.SessionProxy({ ca: 5 }),
  'ca must be a certificate as PEM, or several: the text of the file, not its path': () =>
    makers.SessionProxy({ ca: 'zyte-smartproxy-ca.crt' }),
  'ca holds a certificate that cannot be read': () =>
    makers.SessionProxy({ ca: rootCertificates[0].replace(/\nMII/, '\nMIJ') }),
  'ExtractionEngine.restore has no option "seed"': () =>
    ExtractionEngine.restore({ api, snapshot: makers.ExtractionEngine().snapshot(0), seed: 1 }),
  'ProxyEngine.restore has no option "seed"': () =>
    ProxyEngine.restore({ api: proxyApi, snapshot: makers.ProxyEngine().snapshot(0), seed: 1 }),
  'results are made by ExtractionApi.results': () => new silkline.Result(),
};
for (const [message, call] of Object.entries(wrong)) {
  test(message, () => assert.throws(call, { name: 'TypeError', message }));
}

test('an engine takes nothing that was given back', () => {
  const freed = new ExtractionApi({ apiKey });
  freed.free();
  const message = 'ExtractionApi was used after free()';
  assert.throws(() => new ExtractionEngine({ api: freed, now: 0 }), { message });

  const proxy = new ProxyApi({ apiKey });
  proxy.free();
  assert.throws(() => new ProxyEngine({ api: proxy, now: 0 }), /ProxyApi was used after free/);

  const policy = new RetryPolicy();
  policy.free();
  assert.throws(() => makers.ExtractionEngine({ policy }), /RetryPolicy was used after free/);
});

test('authorities are taken in each of their forms', () => {
  const [first, second] = rootCertificates;
  const bundle = `# a comment\n${first}\n${second}\n`;
  const bytes = new TextEncoder().encode(first);
  for (const ca of [first, bundle, Buffer.from(bundle), bytes, [first, bytes], null, undefined]) {
    assert.ok(makers.SessionProxy({ ca }));
  }
  for (const wrong of ['', 'nonsense', [], [first, 'nonsense'], new Uint8Array(9), {}]) {
    assert.throws(() => makers.SessionProxy({ ca: wrong }), { name: 'TypeError', message: /^ca / });
  }
});

test('limits are those that are checked', () => {
  const long = (size) => 'x'.repeat(size);
  const { MAX_URL, MAX_META, MAX_CUSTOM_HTML } = Query;
  const fits = (fields) => new Query({ ...page, ...fields });
  const limits = {
    url: ['http://a/', MAX_URL - 'http://a/'.length],
    meta: ['', MAX_META],
    customHtml: ['', MAX_CUSTOM_HTML],
  };
  for (const [name, [start, size]] of Object.entries(limits)) {
    assert.ok(fits({ [name]: start + long(size) }));
    assert.throws(() => fits({ [name]: start + long(size + 1) }), silkline.InvalidQuery);
  }
  const pages = Array(ExtractionApi.MAX_QUERIES).fill(page);
  assert.ok(api.request(pages));
  assert.throws(() => api.request([...pages, page]), silkline.InvalidBatch);
  const { MAX_RETRIES, MIN_TIMEOUT, MAX_TIMEOUT } = silkline.ProxyOptions;
  assert.ok(new silkline.ProxyOptions({ maxRetries: MAX_RETRIES }));
  const wrong = { maxRetries: MAX_RETRIES + 1 };
  assert.throws(() => new silkline.ProxyOptions(wrong), silkline.InvalidProxyOptions);
  assert.deepEqual([MIN_TIMEOUT, MAX_TIMEOUT], [30_000, 180_000]);
});

test('results have a class', () => {
  const body = '[{"query":{"userQuery":{"url":"https://shop.example/1","pageType":"product"}}}]';
  const [result] = api.results([page], { status: 200, headers: [], body });
  assert.ok(result instanceof silkline.Result);
  assert.equal({} instanceof silkline.Result, false);
});
