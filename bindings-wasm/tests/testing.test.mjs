// The services inside the program: their machines, and fakes in the shape of `fetch`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { require, silkline } from './package.mjs';

const { Extractor } = require('silkline/client');
const { FakeExtraction, FakeProxy, Page } = require('silkline/testing');
const {
  basicAuthorization,
  ExtractionApi,
  ExtractionService,
  InvalidFaults,
  InvalidMethod,
  PAGE_TYPES,
  ProxyApi,
  ProxyEngine,
  ProxyOptions,
  ProxyService,
} = silkline;

const key = basicAuthorization('KEY');
const api = new ExtractionApi({ apiKey: 'KEY' });
const request = api.request([{ url: 'https://shop.example/1', pageType: 'product' }]);
const queries = (count) =>
  Array.from({ length: count }, (_, index) => ({
    url: `https://s${index % 9}.example/${index}`,
    pageType: 'product',
  }));

async function collect(outcomes) {
  const found = [];
  for await (const outcome of outcomes) {
    found.push(outcome);
  }
  return found;
}

const extractor = (t, { fetch, clock }, options = {}) => {
  const client = new Extractor({ apiKey: 'KEY', fetch, clock, seed: 1, ...options });
  t.after(() => client.close({ grace: 0 }));
  return client;
};

// --- the machines ---------------------------------------------------------------------------------

test('an extraction service asks for pages and answers', () => {
  const service = new ExtractionService({ keys: ['KEY'], seed: 1, rate: 2 });
  const step = service.handleRequest(request, 0);
  assert.equal(step.type, 'fetch');
  assert.deepEqual(step.queries, [
    {
      index: 0,
      url: 'https://shop.example/1',
      pageType: 'product',
      articleBodyRaw: true,
      fullHtml: false,
      customHtml: null,
    },
  ]);
  assert.deepEqual(service.poll(0), { type: 'waitUntil', at: 600_000 });
  const answer = service.handleFetched(step.ticket, 0, { item: { name: 'Lämp' } }, 500);
  assert.deepEqual([answer.type, answer.ticket, answer.status], ['answer', step.ticket, 200]);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  const [result] = api.results([{ url: 'https://shop.example/1', pageType: 'product' }], answer);
  assert.deepEqual(result.item, { name: 'Lämp' });
  assert.deepEqual(service.poll(500), { type: 'idle' });
  assert.equal(service.handleFetched(step.ticket, 0, 404, 500), null, 'it is answered already');
  const { billed, items, requests, inFlight, pageTypes } = service.stats();
  assert.deepEqual([billed, items, requests, inFlight], [1, 1, 1, 0]);
  assert.deepEqual(pageTypes, { product: 1 });
});

test('what an extraction service refuses', () => {
  const service = new ExtractionService({ keys: ['OTHER'], disabledKeys: ['KEY'] });
  const problem = (answer) => JSON.parse(Buffer.from(answer.body)).type.split(/[/.]/).at(-2);
  assert.equal(problem(service.handleRequest(request, 0)), 'account-disabled');
  const anonymous = { ...request, headers: [] };
  assert.equal(service.handleRequest(anonymous, 0).status, 401);
  assert.equal(service.handleRequest({ method: 'GET', url: '/', headers: {} }, 0).status, 404);
  assert.equal(service.handleMalformed(0).status, 400);
  assert.equal(service.stats().requests, 4);
});

test('outcomes of pages: a status, a failure, a page with its HTML', () => {
  const service = new ExtractionService({ rate: Number.POSITIVE_INFINITY });
  const whole = api.request([
    { url: 'http://a/1', pageType: 'article' },
    { url: 'http://a/2', pageType: 'article' },
    { url: 'http://a/3', pageType: 'article', fullHtml: true },
  ]);
  const { ticket } = service.handleRequest(whole, 0);
  assert.equal(service.handleFetched(ticket, 0, 404, 0), null);
  assert.equal(service.handleFetched(ticket, 1, 'connection_reset', 0), null);
  const page = { item: '{"headline":"A"}', webPage: { inLanguages: [] }, html: '<p>' };
  const answer = service.handleFetched(ticket, 2, page, 0);
  const results = JSON.parse(Buffer.from(answer.body));
  assert.deepEqual(
    results.map(({ error, html, article }) => [error, html, article?.headline]),
    [
      ['Downloader error: http404', undefined, undefined],
      ['Downloader error: ConnectionResetByPeer', undefined, undefined],
      [undefined, '<p>', 'A'],
    ],
  );
  assert.throws(() => service.handleFetched(ticket, 0, 'tired', 0), /these are: .*name_not_found/);
});

test('settings are checked, scripts by the core', () => {
  for (const [Service, wrong] of [
    [ExtractionService, { rate: 0 }],
    [ExtractionService, { speed: 5 }],
    [ExtractionService, { keys: 'KEY' }],
    [ExtractionService, { shuffle: 1 }],
    [ProxyService, { outgoing: ['localhost'] }],
    [ProxyService, { outgoing: [] }],
    [ProxyService, { delayGrowth: -1 }],
    [ProxyService, { bans: {} }],
  ]) {
    assert.throws(() => new Service(wrong), TypeError, inspect(wrong));
  }
  for (const Service of [ExtractionService, ProxyService]) {
    for (const faults of ['{', [{ then: {} }], [{ when: { url: 5 }, then: { drop: true } }]]) {
      assert.throws(() => new Service({ faults }), InvalidFaults);
    }
  }
  const service = new ExtractionService();
  assert.throws(() => service.handleRequest({ ...request, method: 'G T' }, 0), InvalidMethod);
  service.free();
  assert.throws(() => service.stats(), /after free/);
});

test('a proxy service keeps the spacing of a session', () => {
  const service = new ProxyService({ outgoing: ['127.0.0.2'], delay: 10_000, seed: 1 });
  const made = service.handleApi(
    { method: 'POST', url: '/sessions', headers: { Authorization: key } },
    0,
  );
  const session = Buffer.from(made.body).toString();
  const headers = { 'Proxy-Authorization': key, 'X-Crawlera-Session': session };
  const target = { method: 'GET', url: 'http://example.com/', headers };
  const fetch = service.handleRequest(target, 1_000);
  assert.deepEqual([fetch.type, fetch.outgoing, fetch.timeout], ['fetch', '127.0.0.2', 30_000]);
  assert.equal(fetch.headers.get('X-Crawlera-Session'), null);
  const relay = service.handleResponded(fetch.ticket, { status: 404, headers: {} }, 1_500);
  assert.deepEqual([relay.type, relay.status, relay.truncated], ['relay', 404, null]);
  assert.equal(relay.headers.get('X-Crawlera-Session'), session);
  service.handleFinished(fetch.ticket, 7, 1_600);
  const wait = service.handleRequest(target, 2_000);
  assert.equal(wait.type, 'wait');
  assert.deepEqual(service.poll(2_000), { type: 'waitUntil', at: 11_000 });
  assert.equal(service.poll(11_000).ticket, wait.ticket);
  const failed = service.handleFailed(wait.ticket, 'nxdomain', 11_000);
  assert.equal(failed.headers.get('X-Crawlera-Error'), 'nxdomain');
  assert.throws(() => service.handleFailed(wait.ticket, 'tired', 11_000), TypeError);
  const { earlyRequests, relayedBytes, sessionsLiving, sessions } = service.stats();
  assert.deepEqual([earlyRequests, relayedBytes, sessionsLiving], [1, 7, 1]);
  assert.deepEqual(sessions[session], { address: '127.0.0.2', requests: 2, living: true });
});

test('a tunnel hands its session on', () => {
  const service = new ProxyService({ seed: 1 });
  const headers = { 'Proxy-Authorization': key, 'X-Crawlera-Session': 'create' };
  const tunnel = service.handleConnect({ url: 'example.com:443', headers }, 0);
  assert.deepEqual([tunnel.type, tunnel.authority], ['tunnel', 'example.com:443']);
  const session = tunnel.headers.get('x-crawlera-session');
  const inside = { method: 'GET', url: 'https://example.com/', headers: {} };
  const fetch = service.handleRequest(inside, 0, { tunnel });
  const relay = service.handleResponded(fetch.ticket, { status: 200, headers: {} }, 0);
  assert.equal(relay.headers.get('x-crawlera-session'), session);
  tunnel.free();
  assert.equal(service.handleConnect({ url: 'example.com:443', headers: {} }, 0).status, 407);
});

// --- extraction -----------------------------------------------------------------------------------

test('a client is answered in-process, in no time of its own', async (t) => {
  const service = new FakeExtraction({
    seed: 1,
    faults: [
      { when: { every: 10 }, then: { drop: true } },
      { when: { request: 15 }, then: { problem: 'user-rate-limit-exceeded', retry_after: 30 } },
      { when: { url: '*7' }, times: 5, then: { error: 'query timed out' } },
      { when: { request: 33 }, then: { truncate: 5 } },
      { when: { request: 44 }, then: { delay: 500 } },
    ],
  });
  const client = extractor(t, service);
  const before = performance.now();
  const found = await collect(client.results(queries(100)));
  const took = performance.now() - before;
  assert.equal(new Set(found.map(({ url }) => url)).size, 100);
  for (const { ok, item, url } of found) {
    assert.ok(ok);
    assert.deepEqual([item.url, item.name], [url, `The page at ${url}`]);
  }
  assert.ok(service.clock.now() > 500_000, 'a slow answer was waited for');
  assert.ok(took < 5_000, `${took} ms`);
  const { billed, faults, inFlight, rateViolations } = service.stats();
  assert.ok(billed >= 100 && faults >= 17, `${billed} billed, ${faults} faults`);
  assert.deepEqual([inFlight, rateViolations], [0, 0]);
  const { retries, requests } = client.stats();
  assert.ok(retries >= 15 && requests > 115);
});

test('the same seeds give the same run', async (t) => {
  const run = async () => {
    const service = new FakeExtraction({
      seed: 3,
      faults: [{ when: { probability: 0.2 }, then: { drop: true } }],
    });
    const found = await collect(extractor(t, service).results(queries(60)));
    return [
      service.clock.now(),
      service.stats(),
      found.map(({ url, attempts }) => [url, attempts]),
    ];
  };
  assert.deepEqual(await run(), await run());
});

test('a deadline passes in virtual time too', async (t) => {
  const service = new FakeExtraction({ faults: [{ then: { delay: 5_000 } }] });
  const policy = { rules: { network: { budget: { retries: 0 } } } };
  const [outcome] = await collect(extractor(t, service, { policy }).results(queries(1)));
  assert.deepEqual([outcome.error.code, outcome.possiblyBilled], ['request_timed_out', 1]);
  assert.equal(service.clock.now(), 605_000);
  assert.equal(service.stats().inFlight, 0);
});

test('pages are what the test says: a function, a table, or something plausible', async (t) => {
  const items = async ({ url, pageType }) =>
    ({ 'http://a/1': { name: pageType }, 'http://a/2': 404, 'http://a/3': 'name_not_found' })[url];
  const given = [1, 2, 3, 4].map((page) => ({ url: `http://a/${page}`, pageType: 'product' }));
  const tell = ({ url, item, error }) => [url.at(-1), item?.name ?? error.code];
  const policy = { rules: { billed_query: { budget: { retries: 0 } } } };
  const ask = async (options) => {
    const client = extractor(t, new FakeExtraction(options), { policy });
    return (await collect(client.results(given))).map(tell).sort();
  };
  assert.deepEqual(await ask({ items }), [
    ['1', 'product'],
    ['2', 'downloader_http'],
    ['3', 'proxy_error_nxdomain'],
    ['4', 'The page at http://a/4'],
  ]);
  const table = {
    'http://a/1': { name: 'one' },
    'http://a/4': new Page({ item: { name: 'four' } }),
  };
  const expected = [
    ['1', 'one'],
    ['2', 'downloader_http'],
    ['3', 'downloader_http'],
    ['4', 'four'],
  ];
  assert.deepEqual(await ask({ items: table }), expected);
  assert.deepEqual(await ask({ items: new Map(Object.entries(table)) }), expected);
  for (const pageType of PAGE_TYPES) {
    const client = extractor(t, new FakeExtraction());
    const [{ item }] = await collect(client.results([{ url: 'http://a/', pageType }]));
    assert.ok(Object.keys(item).length > 2, pageType);
  }
});

test('a mistake of a test shows at once', async (t) => {
  const items = (query) => query.missing.name;
  const client = extractor(t, new FakeExtraction({ items }));
  const error = await collect(client.results(queries(1))).then(assert.fail, (thrown) => thrown);
  assert.match(String(error.cause.cause), /TypeError: .* undefined/);
  assert.throws(() => new FakeExtraction({ items: 5 }), TypeError);
  assert.throws(() => new FakeExtraction({ time: 'slow' }), TypeError);
});

test('real time, with real waits', async (t) => {
  const service = new FakeExtraction({ time: 'real', faults: [{ then: { delay: 0.2 } }] });
  const before = performance.now();
  const [{ ok }] = await collect(extractor(t, service).results(queries(1)));
  const took = performance.now() - before;
  assert.ok(ok && took >= 195, `${took} ms`);
});

test('fetch alone, as programs use it that have no client', async () => {
  const { fetch, endpoint } = new FakeExtraction({ items: () => ({ name: 'Lamp' }) });
  const response = await fetch(endpoint, request);
  assert.ok(response instanceof Response && response.ok);
  assert.equal(response.headers.get('content-type'), 'application/json');
  const [{ product }] = await response.json();
  assert.deepEqual(product, { name: 'Lamp' });
  assert.ok(response.bodyUsed);
  await assert.rejects(response.text(), TypeError);
  const again = await fetch(new Request(request.url, request));
  assert.equal(JSON.parse(await again.text())[0].product.name, 'Lamp');
  assert.equal((await fetch(`${endpoint}/nowhere`)).status, 404);
  const lost = new FakeExtraction({
    faults: [{ times: 1, then: { drop: true } }, { then: { truncate: 3 } }],
  });
  await assert.rejects(lost.fetch(endpoint, request), {
    name: 'TypeError',
    message: 'fetch failed',
  });
  const cut = await lost.fetch(endpoint, request);
  await assert.rejects(cut.arrayBuffer(), { message: 'terminated' });
});

test('a client that gives up is gone for the service', async () => {
  const service = new FakeExtraction({ time: 'real', items: () => new Promise(() => {}) });
  const controller = new AbortController();
  const { signal } = controller;
  const asked = service.fetch(service.endpoint, { ...request, signal });
  setTimeout(() => controller.abort(), 10);
  await assert.rejects(asked, { name: 'AbortError' });
  assert.deepEqual([service.stats().abandoned, service.stats().inFlight], [1, 0]);
  await assert.rejects(service.fetch(service.endpoint, { ...request, signal }), {
    name: 'AbortError',
  });
});

// --- sessions -------------------------------------------------------------------------------------

const proxied = (options = {}) => ({
  method: 'GET',
  headers: [['Proxy-Authorization', key], ...new ProxyOptions(options).headers()],
});

test('sessions, targets and counts', async () => {
  const proxy = new FakeProxy({
    outgoing: ['127.0.0.2', '127.0.0.3'],
    pages: ({ url, headers, outgoing }) => ({
      headers: { 'Content-Type': 'text/plain' },
      body: `${url} from ${outgoing} ${headers.get('x-crawlera-session')}`,
    }),
  });
  const make = { method: 'POST', headers: { Authorization: key } };
  const session = await (await proxy.fetch(`${proxy.endpoint}/sessions`, make)).text();
  for (const url of ['http://a.example/1', 'https://a.example/2']) {
    const response = await proxy.fetch(url, proxied({ session }));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), `${url} from 127.0.0.2 null`);
    assert.equal(response.headers.get('x-crawlera-session'), session);
  }
  assert.ok(proxy.clock.now() >= 12_000, 'the second was held back');
  const { earlyRequests, tunnels, sessionsLiving, relayed } = proxy.stats();
  assert.deepEqual([earlyRequests, tunnels, sessionsLiving, relayed], [1, 1, 1, 2]);
  const gone = await proxy.fetch(`${proxy.endpoint}/sessions/${session}`, {
    ...make,
    method: 'DELETE',
  });
  assert.equal(gone.status, 204);
  const refused = await proxy.fetch('http://a.example/3', proxied({ session }));
  assert.equal(refused.headers.get('x-crawlera-error'), 'bad_session_id');
});

test('what targets answer, and bans and faults', async () => {
  const proxy = new FakeProxy({
    delay: 0,
    bans: [{ texts: ['are you a robot'] }, { domain: 'b.example', statuses: [503] }],
    faults: [{ when: { url: '*/cut' }, then: { truncate: 2 } }],
    pages: {
      'http://a.example/text': 'text',
      'http://a.example/robot': 'Well, are you a robot?',
      'http://a.example/post': new Response('posted', { status: 201, headers: { A: 'b' } }),
      'http://b.example/busy': 503,
      'http://a.example/gone': { failure: 'econnrefused' },
      'http://a.example/cut': new TextEncoder().encode('whole'),
    },
  });
  const ask = async (path) => {
    const response = await proxy.fetch(`http://${path}`, proxied());
    return [response.status, response.headers.get('x-crawlera-error')];
  };
  assert.deepEqual(await ask('a.example/text'), [200, null]);
  assert.deepEqual(await ask('a.example/post'), [201, null]);
  assert.deepEqual(await ask('a.example/nothing'), [404, null]);
  assert.deepEqual(await ask('a.example/robot'), [503, 'banned']);
  assert.deepEqual(await ask('b.example/busy'), [503, 'banned']);
  assert.equal((await ask('a.example/gone'))[1], 'econnrefused');
  const cut = await proxy.fetch('http://a.example/cut', proxied());
  await assert.rejects(cut.text(), { message: 'terminated' });
  assert.ok(proxy.stats().bans > 2);
});

test('send does what an engine says', async () => {
  const proxy = new FakeProxy({ pages: () => 'here' });
  const { send } = proxy;
  const connection = { url: 'http://proxy.test:8010', authorization: key };
  const target = (url) => ({ method: 'GET', url, headers: [] });
  let left = 0;
  const sent = () => {
    left += 1;
  };
  const plain = { request: target('http://a.example/'), proxy: connection, connect: null };
  const answer = await send(plain, { sent });
  assert.deepEqual([answer.status, answer.connect, left], [200, false, 1]);
  assert.equal(Buffer.from(answer.body).toString(), 'here');
  const connect = {
    method: 'CONNECT',
    url: 'a.example:443',
    headers: [['X-Crawlera-Session', 'x']],
  };
  const inside = { request: target('https://a.example/'), proxy: connection, connect };
  const refused = await send(inside, { sent });
  assert.deepEqual(
    [refused.connect, refused.headers.get('x-crawlera-error')],
    [true, 'bad_session_id'],
  );
  const list = { ...target(`${proxy.endpoint}/sessions`), headers: [['Authorization', key]] };
  const sessions = await send({ request: list, proxy: null, connect: null }, { sent });
  assert.equal(Buffer.from(sessions.body).toString(), '{}');
});

test('an engine and its service go by one clock', async () => {
  const proxy = new FakeProxy({
    seed: 1,
    outgoing: ['127.0.0.2', '127.0.0.3', '127.0.0.4'],
    faults: [
      { when: { request: 7 }, then: { drop: true } },
      { when: { request: 11 }, then: { end_session: true } },
    ],
    pages: ({ outgoing }) => outgoing,
  });
  const engine = new ProxyEngine({
    api: new ProxyApi({ apiKey: 'KEY' }),
    size: 3,
    seed: 1,
    now: 0,
  });
  const { clock, send } = proxy;
  for (let page = 0; page < 30; page += 1) {
    const url = `http${page % 2 ? 's' : ''}://example.com/${page}`;
    engine.submit({ method: 'GET', url }, { key: url, now: 0 });
  }
  const finished = new Map();
  const addresses = new Set();
  let wake = () => {};
  const perform = async (output) => {
    try {
      const sent = () => engine.handleSent(output.id, clock.now());
      engine.handleResponse(output.id, await send(output, { sent }), clock.now());
    } catch (error) {
      assert.equal(error.name, 'TypeError');
      engine.handleFailure(output.id, 'network', clock.now());
    }
    wake();
  };
  for (;;) {
    const output = engine.poll(clock.now());
    if (output.type === 'send') {
      perform(output);
    } else if (output.type === 'finished') {
      assert.equal(output.error, null);
      finished.set(output.key, output.response);
      addresses.add(Buffer.from(output.response.body).toString());
    } else if (output.type === 'waitUntil') {
      let timer;
      await new Promise((resolve) => {
        wake = resolve;
        timer = clock.setTimeout(resolve, output.at - clock.now());
      });
      clock.clearTimeout(timer);
    } else if (output.type === 'idle') {
      break;
    }
  }
  assert.equal(finished.size, 30);
  assert.equal(addresses.size, 3);
  const { earlyRequests, tunnels, sessionsLiving, sessionsCreated } = proxy.stats();
  assert.equal(earlyRequests, 0, 'the spacing is kept by the count of the service');
  assert.ok(tunnels >= 15 && sessionsCreated >= 4, `${tunnels}, ${sessionsCreated}`);
  assert.ok(sessionsLiving <= 3);
  assert.ok(clock.now() > 100_000, `${clock.now()} ms for 30 requests in 3 sessions`);
});
