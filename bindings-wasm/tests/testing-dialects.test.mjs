// The fakes in the dialect of Zyte API: the same programs, the other service.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { require, silkline } from './package.mjs';

const { Extractor, SessionProxy } = require('silkline/client');
const { FakeExtraction, FakeProxy, Page } = require('silkline/testing');
const { basicAuthorization, ExtractionApi, InvalidFaults } = silkline;

const dialect = 'zyte_api';
const key = basicAuthorization('KEY');
const PAGE_TYPES = ['article', 'articleList', 'forumPosts', 'jobPosting', 'product', 'productList'];

const queries = (count) =>
  Array.from({ length: count }, (_, index) => ({
    url: `https://s${index % 9}.example/${index}`,
    pageType: 'product',
    meta: `m${index}`,
  }));

async function collect(outcomes) {
  const found = [];
  for await (const outcome of outcomes) {
    found.push(outcome);
  }
  return found;
}

const extractor = (t, { fetch, clock }, options = {}) => {
  const settings = { apiKey: 'KEY', dialect, fetch, clock, seed: 1, ...options };
  const client = new Extractor(settings);
  t.after(() => client.close({ grace: 0 }));
  return client;
};

// --- extraction -----------------------------------------------------------------------------------

test('every query ends once, whatever the service does, in no time of its own', async (t) => {
  const service = new FakeExtraction({
    dialect,
    seed: 1,
    faults: [
      { when: { every: 10 }, then: { drop: true } },
      { when: { request: 15 }, then: { problem: 'over-user-limit', retry_after: 30 } },
      { when: { request: 16 }, then: { problem: '/download/temporary-error' } },
      { when: { url: '*7' }, times: 5, then: { problem: 'timed-out' } },
      { when: { request: 33 }, then: { truncate: 5 } },
      { when: { request: 44 }, then: { delay: 200 } },
      { when: { request: 52 }, then: { status: 502, body: '<html>' } },
    ],
  });
  const client = extractor(t, service);
  const before = performance.now();
  const found = await collect(client.results(queries(200)));
  const took = performance.now() - before;
  assert.equal(found.length, 200);
  assert.equal(new Set(found.map(({ url }) => url)).size, 200);
  for (const { ok, item, url, result } of found) {
    assert.ok(ok, url);
    assert.deepEqual([item.url, item.name], [url, `The page at ${url}`]);
    assert.deepEqual(item.offers, [{ price: '10.00', currency: '$' }]);
    assert.deepEqual([result.itemNative.price, result.itemNative.currencyRaw], ['10.00', '$']);
    assert.equal(result.dialect, dialect);
  }
  assert.ok(service.clock.now() > 200_000, 'a slow answer was waited for');
  assert.ok(took < 5_000, `${took} ms`);
  const { billed, faults, inFlight, rateViolations, outputs, statuses } = service.stats();
  assert.ok(billed >= 200 && faults >= 25, `${billed} billed, ${faults} faults`);
  assert.deepEqual([inFlight, rateViolations, statuses[200]], [0, 0, billed]);
  assert.deepEqual(Object.keys(outputs), ['product']);
  assert.ok(client.stats().retries >= 25);
});

test('the same seeds give the same run', async (t) => {
  const run = async () => {
    const faults = [{ when: { probability: 0.2 }, then: { drop: true } }];
    const service = new FakeExtraction({ dialect, seed: 3, faults });
    const found = await collect(extractor(t, service).results(queries(60)));
    const told = found.map(({ url, attempts }) => [url, attempts]);
    return [service.clock.now(), service.stats(), told];
  };
  assert.deepEqual(await run(), await run());
});

test('the same pages for both dialects', async (t) => {
  const items = {
    'http://a/1': { name: 'Lamp', brand: 'Acme' },
    'http://a/2': 404,
    'http://a/3': 'name_not_found',
    'http://a/4': 'connection_reset',
    'http://a/5': 'no_visible_elements',
    'http://a/6': new Page({ item: { name: 'old' }, itemNative: { name: 'new' } }),
    'http://a/7': new Page({ itemNative: { name: 'new', brand: { name: 'Acme' } } }),
    'http://a/8': new Page({ item: '{"name":"text"}', html: '<p>8' }),
  };
  const given = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((page) => {
    return { url: `http://a/${page}`, pageType: 'product', fullHtml: page === 8 };
  });
  const none = { budget: { retries: 0 } };
  const rules = Object.fromEntries(
    ['billed_query', 'download', 'query', 'server'].map((name) => [name, none]),
  );
  const ask = async (which) => {
    const service = new FakeExtraction({ dialect: which, items });
    const client = extractor(t, service, { dialect: which, policy: { rules } });
    const found = await collect(client.results(given));
    const billed = service.stats().billed;
    const sorted = found.sort((one, other) => (one.url < other.url ? -1 : 1));
    const told = sorted.map(({ item, error, result }) => [item ?? error.code, result.html]);
    return { billed, found: told };
  };
  const newer = await ask(dialect);
  const older = await ask('automatic_extraction');
  // An item of Zyte API's that does not tell how probable it is, is certain.
  const probability = 1;
  assert.deepEqual(newer.found, [
    [{ name: 'Lamp', brand: 'Acme', probability }, null],
    ['downloader_http', null],
    ['proxy_error_nxdomain', null],
    ['proxy_error_banned', null],
    [{ url: 'http://a/5', probability: 0 }, null],
    [{ name: 'new', probability }, null],
    [{ name: 'new', brand: 'Acme', probability }, null],
    [{ name: 'text', probability }, '<p>8'],
    ['downloader_http', null],
  ]);
  assert.deepEqual(older.found, [
    [{ name: 'Lamp', brand: 'Acme' }, null],
    ['downloader_http', null],
    ['proxy_error_nxdomain', null],
    ['downloader_connection_reset', null],
    ['downloader_no_visible_elements', null],
    [{ name: 'old' }, null],
    [{ name: 'new', brand: 'Acme', probability }, null],
    [{ name: 'text' }, '<p>8'],
    ['downloader_http', null],
  ]);
  assert.equal(newer.billed, 7, 'answers are billed whatever the status of their page');
});

test('a function is asked as for the older service, and hears what the newer one adds', async (t) => {
  const asked = [];
  const items = (query) => {
    asked.push(query);
    return null;
  };
  const service = new FakeExtraction({ dialect, items });
  const client = extractor(t, service);
  for (const pageType of PAGE_TYPES) {
    const { ok, item } = await client.extract({ url: `http://a/${pageType}`, pageType });
    assert.ok(ok && Object.keys(item).length >= 2, pageType);
  }
  assert.deepEqual(
    asked.map(({ index, url, pageType, item }) => [index, url, pageType, item]),
    PAGE_TYPES.map((pageType) => {
      const item = pageType === 'forumPosts' ? 'forumThread' : pageType;
      return [0, `http://a/${pageType}`, pageType, item];
    }),
  );
  await assert.rejects(client.extract({ url: 'http://a/', pageType: 'vehicle' }), {
    code: 'query_unsupported',
  });
});

test('fetch alone, with what only Zyte API has', async () => {
  const headers = { Authorization: key, 'Content-Type': 'application/json' };
  const asked = [];
  const items = (query) => {
    asked.push(query);
    return new Page({ item: {}, html: '<p>' });
  };
  const { fetch, endpoint } = new FakeExtraction({ dialect, keys: ['KEY'], items });
  const ask = async (body, given = headers) => {
    const init = { method: 'POST', headers: given, body: JSON.stringify(body) };
    const response = await fetch(endpoint, init);
    return [response.status, await response.json()];
  };
  const url = 'http://a.example/';
  const [status, got] = await ask({ url, httpResponseBody: true, httpResponseHeaders: true });
  assert.deepEqual([status, atob(got.httpResponseBody), got.statusCode], [200, '<p>', 200]);
  assert.equal(got.httpResponseHeaders[0].value, 'text/html; charset=utf-8');
  assert.deepEqual([asked[0].pageType, asked[0].item, asked[0].method], [null, null, 'GET']);
  const posted = { httpResponseBody: true, httpRequestMethod: 'POST', httpRequestText: 'q' };
  await ask({ url, ...posted });
  assert.deepEqual([asked[1].method, Buffer.from(asked[1].body).toString()], ['POST', 'q']);
  assert.equal((await ask({ url, browserHtml: true }))[1].browserHtml, '<p>');
  const [refused, problem] = await ask({ url, product: true }, { Authorization: 'Basic eDo=' });
  assert.deepEqual([refused, problem.type], [401, '/auth/key-not-found']);
});

test('real time, a deadline, and a client that gives up', async (t) => {
  const faults = [{ times: 1, then: { delay: 0.2 } }];
  const service = new FakeExtraction({ dialect, time: 'real', faults });
  const before = performance.now();
  const { ok } = await extractor(t, service).extract(queries(1)[0]);
  const took = performance.now() - before;
  assert.ok(ok && took >= 195, `${took} ms`);

  const slow = new FakeExtraction({ dialect, faults: [{ then: { delay: 5_000 } }] });
  const policy = { rules: { network: { budget: { retries: 0 } } } };
  const [late] = await collect(extractor(t, slow, { policy }).results(queries(1)));
  assert.deepEqual([late.error.code, late.possiblyBilled], ['request_timed_out', 1]);
  assert.equal(slow.clock.now(), 320_000, 'as clients of Zyte API are advised');

  const never = new FakeExtraction({ dialect, time: 'real', items: () => new Promise(() => {}) });
  const controller = new AbortController();
  const [request] = [new ExtractionApi({ apiKey: 'KEY', dialect }).request(queries(1))];
  const asked = never.fetch(never.endpoint, { ...request, signal: controller.signal });
  setTimeout(() => controller.abort(), 10);
  await assert.rejects(asked, { name: 'AbortError' });
  assert.deepEqual([never.stats().abandoned, never.stats().inFlight], [1, 0]);
});

test('mistakes of a test show at once', async (t) => {
  for (const wrong of [() => 'tired', () => new Page({ item: '[' }), () => new Page({})]) {
    const client = extractor(t, new FakeExtraction({ dialect, items: wrong }));
    const error = await client.extract(queries(1)[0]).then(assert.fail, (thrown) => thrown);
    assert.match(String(error.cause.message), /a function of the test failed/, String(wrong));
  }
  for (const [Fake, options] of [
    [FakeExtraction, { dialect: 'smart_proxy_manager' }],
    [FakeExtraction, { dialect: 'zyte' }],
    [FakeExtraction, { dialect, maxQueries: 5 }],
    [FakeExtraction, { burst: 5, dialect }],
    [FakeProxy, { dialect: 'automatic_extraction' }],
    [FakeProxy, { dialect, delay: 0 }],
    [FakeProxy, { sessionLife: 5 }],
  ]) {
    assert.throws(() => new Fake(options), TypeError, JSON.stringify(options));
  }
  const older = [{ then: { error: 'query timed out' } }];
  assert.throws(() => new FakeExtraction({ dialect, faults: older }), InvalidFaults);
});

// --- sessions -------------------------------------------------------------------------------------

const outgoing = Array.from({ length: 6 }, (_, index) => `127.0.0.${index + 2}`);
const pages = ({ method, url, headers, outgoing, body }) => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({
    method,
    url,
    outgoing,
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(body ?? []).toString(),
  }),
});

function sessions(t, { send, clock }, options = {}) {
  const settings = { apiKey: 'KEY', dialect, send, clock, seed: 1, ...options };
  const proxy = new SessionProxy(settings);
  t.after(() => proxy.close());
  return proxy;
}

test('each session of the proxy mode has one address, plain and https', async (t) => {
  const service = new FakeProxy({ dialect, outgoing, pages, seed: 1 });
  const proxy = sessions(t, service, { sessions: 4 });
  const urls = Array.from({ length: 40 }, (_, index) =>
    index % 2 === 0 ? `http://s${index % 5}.example/${index}` : `https://a.example/${index}`,
  );
  const responses = await Promise.all(urls.map((url) => proxy.fetch(url)));
  const addresses = new Map();
  for (const [index, response] of responses.entries()) {
    const { session } = response.proxied;
    const seen = await response.json();
    assert.deepEqual([response.status, seen.url, response.url], [200, urls[index], urls[index]]);
    assert.match(session, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    assert.equal(
      Object.keys(seen.headers).find((name) => /zyte|crawlera/.test(name)),
      undefined,
    );
    addresses.set(session, (addresses.get(session) ?? new Set()).add(seen.outgoing));
  }
  assert.equal(addresses.size, 4);
  for (const seen of addresses.values()) {
    assert.equal(seen.size, 1);
  }
  const { relayed, tunnels, sessionsCreated, sessions: used } = service.stats();
  assert.deepEqual([relayed, tunnels, sessionsCreated], [40, 20, 4]);
  assert.deepEqual(Object.keys(used).sort(), [...addresses.keys()].sort());
});

test('a name keeps its session, and redirects stay in it', async (t) => {
  const service = new FakeProxy({
    dialect,
    outgoing,
    pages: (request) =>
      request.url.endsWith('/moved')
        ? { status: 302, headers: { Location: '/end' } }
        : pages(request),
  });
  const proxy = sessions(t, service, { sessions: 3 });
  const session = proxy.session();
  const init = { method: 'POST', body: 'x' };
  const found = [
    await session.fetch('https://shop.example/login', init),
    await session.fetch('https://shop.example/moved', init),
    await session.fetch('http://shop.example/1'),
  ];
  const bodies = await Promise.all(found.map((response) => response.json()));
  assert.equal(new Set(found.map(({ proxied }) => proxied.session)).size, 1);
  assert.equal(new Set(bodies.map(({ outgoing }) => outgoing)).size, 1);
  assert.deepEqual([bodies[0].method, bodies[0].body], ['POST', 'x']);
  assert.deepEqual([bodies[1].method, bodies[1].url], ['GET', 'https://shop.example/end']);
  assert.ok(found[1].redirected);
  session.end();
});

test('bans, lost connections and sessions that end: every request ends once', async (t) => {
  const service = new FakeProxy({
    dialect,
    outgoing,
    pages,
    seed: 1,
    faults: [
      { when: { every: 9 }, then: { drop: true } },
      { when: { every: 7 }, then: { ban: true } },
      { when: { request: 11 }, then: { end_session: true } },
      { when: { request: 13 }, then: { problem: 'over-user-limit', retry_after: 5 } },
      { when: { request: 15 }, then: { delay: 10 } },
      { when: { request: 16 }, then: { truncate: 3 } },
      { when: { request: 17 }, then: { problem: '/problem/session-expired' } },
      { when: { request: 19 }, then: { fail: 'timeout' } },
    ],
  });
  const lost = [];
  const onSessionLost = (event) => lost.push(event);
  const proxy = sessions(t, service, { sessions: 4, onSessionLost });
  const urls = Array.from(
    { length: 60 },
    (_, index) => `http${index % 2 ? 's' : ''}://a.example/${index}`,
  );
  const ended = await Promise.allSettled(
    urls.map(async (url) => (await (await proxy.fetch(url)).json()).url),
  );
  assert.equal(ended.length, 60);
  for (const [index, { status, value, reason }] of ended.entries()) {
    if (status === 'fulfilled') {
      assert.equal(value, urls[index]);
    } else {
      // A body that breaks off is told to who reads it.
      assert.ok(reason instanceof Error);
    }
  }
  const good = ended.filter(({ status }) => status === 'fulfilled').length;
  assert.ok(good >= 59, `${good} of 60`);
  const { problems, bans, sessionsCreated } = service.stats();
  assert.ok(bans >= 8 && sessionsCreated > 4, `${bans} bans, ${sessionsCreated} sessions`);
  for (const name of ['/download/temporary-error', '/limits/over-user-limit']) {
    assert.ok(problems[name] >= 1, name);
  }
});

test('a session ends by the third ban, and by time', async () => {
  const proxy = new FakeProxy({ dialect, bans: [{ statuses: [503] }], pages: () => 503 });
  const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
  const headers = { 'Proxy-Authorization': key, 'Zyte-Session-ID': id };
  const ask = async (given = headers) => {
    const response = await proxy.fetch('http://a.example/', { headers: given });
    return [response.status, response.headers.get('zyte-error-type')];
  };
  for (let bans = 0; bans < 3; bans += 1) {
    assert.deepEqual(await ask(), [520, '/download/temporary-error']);
  }
  assert.deepEqual(await ask(), [422, '/problem/session-expired']);
  assert.deepEqual(await ask({}), [407, '/auth/proxy-auth-not-valid']);
  assert.equal((await proxy.fetch('https://a.example/', {})).status, 407);
  assert.equal((await proxy.fetch(`${proxy.endpoint}/sessions`)).status, 400);
  assert.equal(proxy.stats().sessionsBanned, 1);
});

test('the service follows redirects itself where it is let', async () => {
  const seen = [];
  const proxy = new FakeProxy({
    dialect,
    pages: ({ method, url, body }) => {
      seen.push([method, url, Buffer.from(body ?? []).toString()]);
      return url.endsWith('/a') ? { status: 302, headers: { Location: '/b' } } : 'here';
    },
  });
  const headers = { 'Proxy-Authorization': key };
  const init = { method: 'POST', headers, body: 'x' };
  const response = await proxy.fetch('http://a.example/a', init);
  assert.deepEqual([response.status, await response.text()], [200, 'here']);
  assert.deepEqual(seen, [
    ['POST', 'http://a.example/a', 'x'],
    ['GET', 'http://a.example/b', ''],
  ]);
  assert.equal(proxy.stats().redirects, 1);
});

test('real time in the proxy mode', async (t) => {
  const faults = [{ times: 1, then: { delay: 0.2 } }];
  const service = new FakeProxy({ dialect, time: 'real', outgoing, faults });
  const before = performance.now();
  const response = await sessions(t, service, { sessions: 1 }).fetch('http://a.example/');
  await response.text();
  const took = performance.now() - before;
  assert.ok(response.ok && took >= 195, `${took} ms`);
  const controller = new AbortController();
  const never = new FakeProxy({ dialect, time: 'real', pages: () => new Promise(() => {}) });
  const { signal } = controller;
  const asked = never.fetch('https://a.example/', {
    headers: { 'Proxy-Authorization': key },
    signal,
  });
  setTimeout(() => controller.abort(), 10);
  await assert.rejects(asked, { name: 'AbortError' });
  assert.equal(never.stats().clientsGone, 1);
});
