// Zyte API's services; what they and the bridge refuse, and what they keep in memory.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { consumer, silkline } from './package.mjs';

const {
  basicAuthorization,
  BridgedQuery,
  ExtractionApi,
  InvalidApiKey,
  InvalidEndpoint,
  InvalidFaults,
  InvalidMethod,
  ProxyApi,
  ProxyBridge,
  ProxyService,
  ServiceError,
  ZyteApiService,
  ZyteProxyService,
} = silkline;

const dialect = 'zyte_api';
const apiKey = 'KEY';
const key = basicAuthorization(apiKey);
const api = new ExtractionApi({ apiKey, dialect });
const product = { url: 'https://shop.example/1', pageType: 'product' };
const [{ url, ...request }] = [api.request([product])];
const page = {
  url: 'https://shop.example/1',
  status: 200,
  headers: { 'Content-Type': 'text/html' },
  body: '<p>Lamp',
  item: { url: 'https://shop.example/1', name: 'Lämp', price: '3.50', currencyRaw: '€' },
};
const json = ({ body }) => JSON.parse(Buffer.from(body));
const kind = (answer) => json(answer).type;

// --- /v1/extract ----------------------------------------------------------------------------------

test('Zyte API asks for a page and answers, which a client reads', () => {
  const service = new ZyteApiService({ keys: [apiKey], seed: 1 });
  assert.equal(service.maxPayload, 32 * 1024 * 1024);
  const step = service.handleRequest({ ...request, url }, 0);
  assert.deepEqual(
    { ...step, headers: [...step.headers], body: [...step.body] },
    {
      type: 'fetch',
      ticket: step.ticket,
      url: 'https://shop.example/1',
      method: 'GET',
      headers: [],
      body: [],
      followRedirects: true,
      item: 'product',
      browserHtml: false,
    },
  );
  assert.deepEqual(service.poll(0), { type: 'waitUntil', at: 300_000 });
  const answer = service.handleFetched(step.ticket, page, 500);
  assert.deepEqual([answer.type, answer.ticket, answer.status], ['answer', step.ticket, 200]);
  assert.deepEqual([answer.dropped, answer.truncated], [false, null]);
  const [result] = api.results([product], answer);
  assert.deepEqual(
    [result.item.name, result.item.offers],
    ['Lämp', [{ price: '3.50', currency: '€' }]],
  );
  assert.equal(result.itemNative.price, '3.50');
  assert.deepEqual(service.poll(500), { type: 'idle' });
  assert.equal(service.handleFetched(step.ticket, page, 500), null, 'it is answered already');
  assert.deepEqual(service.stats(), {
    requests: 1,
    inFlight: 0,
    outputs: { product: 1 },
    statuses: { 200: 1 },
    problems: {},
    rateViolations: 0,
    billed: 1,
    unbilled: 0,
    abandoned: 0,
    faults: 0,
  });
});

test('what a page is wanted for, and what comes of it', () => {
  const service = new ZyteApiService({ forbiddenDomains: ['no.example'], seed: 1 });
  const ask = (body, others) =>
    service.handleRequest({ ...request, url, body: JSON.stringify(body), ...others }, 0);
  const posted = ask({
    url: 'http://a.example/',
    httpResponseBody: true,
    httpRequestMethod: 'POST',
    httpRequestText: 'q=1',
    customHttpRequestHeaders: [{ name: 'X-A', value: '1' }],
    followRedirect: false,
  });
  assert.deepEqual([posted.method, posted.followRedirects, posted.item], ['POST', false, null]);
  assert.deepEqual([Buffer.from(posted.body).toString(), posted.headers.get('x-a')], ['q=1', '1']);
  const gone = service.handleFetched(posted.ticket, { ...page, status: 404 }, 1);
  assert.deepEqual([gone.status, json(gone).statusCode], [200, 404]);
  assert.equal(Buffer.from(json(gone).httpResponseBody, 'base64').toString(), '<p>Lamp');
  const shown = ask({ url: 'http://a.example/', browserHtml: true });
  assert.equal(shown.browserHtml, true);
  const html = { url: 'http://a.example/', status: 200, browserHtml: '<p>shown' };
  assert.equal(json(service.handleFetched(shown.ticket, html, 1)).browserHtml, '<p>shown');
  const text = ask({ url: 'http://a.example/', article: true });
  const item = { url: 'http://a.example/', status: 200, item: '{"headline":"A"}' };
  assert.deepEqual(json(service.handleFetched(text.ticket, item, 1)).article, { headline: 'A' });
  for (const [failure, status] of [
    ['forbidden', 451],
    ['internal', 500],
    ['name_not_found', 421],
    ['unreachable', 520],
    ['unusable', 521],
  ]) {
    const { ticket } = ask({ url: 'http://a.example/', httpResponseBody: true });
    assert.equal(service.handleFetched(ticket, failure, 1).status, status, failure);
  }
  assert.equal(
    kind(ask({ url: 'http://no.example/', product: true })),
    '/download/domain-forbidden',
  );
  assert.equal(ask({}, { headers: { 'Content-Type': 'application/json' } }).status, 401);
  assert.equal(service.handleMalformed(1).status, 400);
  const left = ask({ url: 'http://a.example/', httpResponseBody: true });
  service.handleClosed(left.ticket, 2);
  const { abandoned, inFlight } = service.stats();
  assert.deepEqual([abandoned, inFlight], [1, 0]);
});

test('rates are in requests a minute, and faults are scripted', () => {
  const service = new ZyteApiService({
    rate: 2,
    faults: [
      { when: { request: 1 }, then: { delay: 2 } },
      { when: { request: 2 }, then: { problem: 'over-domain-limit', retry_after: 4, delay: 1 } },
      { when: { request: 3 }, then: { drop: true } },
    ],
    seed: 1,
  });
  const ask = (now) => service.handleRequest({ ...request, url }, now);
  const slow = ask(0);
  assert.equal(service.handleFetched(slow.ticket, page, 10), null);
  const held = ask(10);
  assert.deepEqual([held.type, held.url, held.method], ['fetch', null, 'GET']);
  const refused = ask(0);
  assert.deepEqual(
    [kind(refused), refused.headers.get('retry-after')],
    ['/limits/over-user-limit', '30'],
  );
  assert.throws(() => api.results([product], refused), ServiceError);
  assert.deepEqual(service.poll(20), { type: 'waitUntil', at: 1_010 });
  const limited = service.poll(1_010);
  assert.deepEqual([limited.ticket, kind(limited)], [held.ticket, '/limits/over-domain-limit']);
  assert.equal(service.poll(2_000).ticket, slow.ticket);
  const dropped = service.handleFetched(ask(30_000).ticket, page, 30_001);
  assert.equal(dropped.dropped, true);
  const { rateViolations, faults } = service.stats();
  assert.deepEqual([rateViolations, faults], [1, 3]);
});

// --- proxy mode -----------------------------------------------------------------------------------

test('proxy mode: redirects, retries, and sessions that end by bans', () => {
  const service = new ZyteProxyService({
    outgoing: ['127.0.0.2', '127.0.0.3'],
    bans: [{ statuses: [503] }],
    sessionBans: 2,
    seed: 1,
  });
  const client = new ProxyApi({ apiKey, dialect });
  const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
  const ask = (session, now, url = 'http://a.example/') => {
    const sent = client.request({ method: 'GET', url, headers: [] }, session ? { session } : {});
    return service.handleRequest({ ...sent.request, body: undefined }, now);
  };
  const first = ask(id, 0);
  assert.deepEqual([first.type, first.outgoing, first.timeout], ['fetch', '127.0.0.2', 30_000]);
  assert.equal(first.headers.get('Zyte-Session-ID'), null);
  const moved = { status: 302, headers: { Location: '/b' } };
  const followed = service.handleResponded(first.ticket, moved, 1);
  assert.equal(
    client.request({ url: 'http://a/' }).request.headers.get('Zyte-Disable-Follow-Redirect'),
    'true',
  );
  assert.deepEqual([followed.type, followed.status], ['relay', 302]);
  service.handleFinished(first.ticket, 7, 2);
  const banned = { status: 503, headers: {} };
  const again = ask(null, 3);
  const retried = service.handleResponded(again.ticket, banned, 3);
  assert.deepEqual([retried.type, retried.ticket], ['fetch', again.ticket]);
  service.handleClosed(again.ticket, 4);
  for (const now of [5, 6]) {
    let step = ask(id, now);
    while (step.type === 'fetch') {
      step = service.handleResponded(step.ticket, banned, now);
    }
    assert.equal(kind(step), '/download/temporary-error');
  }
  const ended = ask(id, 7);
  assert.equal(client.read(ended).error.code, 'bad_session_id');
  const failed = service.handleFailed(ask(null, 8).ticket, 'nxdomain', 8);
  assert.equal(failed.status, 421);
  assert.equal(service.handleApi({ method: 'GET', url: '/sessions' }, 9).status, 400);
  assert.equal(service.handleUnreadable(true, 9).type, 'answer');
  assert.deepEqual(service.poll(9), { type: 'idle' });
  const { relayedBytes, sessionsBanned, sessionsLiving, clientsGone, sessions } = service.stats();
  assert.deepEqual([relayedBytes, sessionsBanned, sessionsLiving, clientsGone], [7, 1, 0, 1]);
  assert.deepEqual(sessions[id].address, '127.0.0.2');
});

test('a tunnel is one of the machine that opened it', () => {
  const service = new ZyteProxyService({ seed: 1 });
  const other = new ProxyService({ seed: 1 });
  const bridge = new ProxyBridge({ apiKey, seed: 1 });
  const head = { url: 'a.example:443', headers: { 'Proxy-Authorization': key } };
  const inside = { method: 'GET', url: 'https://a.example/', headers: {} };
  const machines = [service, other, bridge];
  const tunnels = machines.map((machine) => machine.handleConnect(head, 0));
  machines.forEach((machine, index) => {
    assert.deepEqual([tunnels[index].type, tunnels[index].authority], ['tunnel', 'a.example:443']);
    for (const [place, tunnel] of [...tunnels, {}, 'a', machine].entries()) {
      if (place === index) {
        const { type } = machine.handleRequest(inside, 0, { tunnel });
        assert.ok(['fetch', 'send'].includes(type), type);
      } else {
        const call = () => machine.handleRequest(inside, 0, { tunnel });
        assert.throws(call, { name: 'TypeError', message: /^tunnel must be one that/ });
      }
    }
    assert.equal(machine.handleConnect({ ...head, headers: {} }, 0).status, 407);
  });
  machines.forEach((machine, index) => {
    tunnels[index].free();
    const freed = () => machine.handleRequest(inside, 0, { tunnel: tunnels[index] });
    assert.throws(freed, /Tunnel was used after free/);
  });
});

// --- bad input, memory, loading -------------------------------------------------------------------

test('settings and calls that make no sense are refused', () => {
  for (const [Service, wrong] of [
    [ZyteApiService, null],
    [ZyteApiService, []],
    [ZyteApiService, { rate: 0 }],
    [ZyteApiService, { burst: 1 }],
    [ZyteApiService, { timeout: -1 }],
    [ZyteApiService, { occupied: 'a.example' }],
    [ZyteApiService, { bans: [{ statuses: 503 }] }],
    [ZyteApiService, { bans: [{ texts: [1] }] }],
    [ZyteApiService, { seed: 1.5 }],
    [ZyteProxyService, { outgoing: ['localhost'] }],
    [ZyteProxyService, { delay: 1 }],
    [ZyteProxyService, { sessionBans: -1 }],
    [ProxyBridge, {}],
    [ProxyBridge, { apiKey, keys: 'KEY' }],
    [ProxyBridge, { apiKey, rate: 1 }],
    [ProxyBridge, null],
  ]) {
    assert.throws(() => new Service(wrong), TypeError, `${Service.name} ${inspect(wrong)}`);
  }
  for (const Service of [ZyteApiService, ZyteProxyService]) {
    for (const faults of ['{', [{ then: {} }], [{ when: { url: 5 }, then: { drop: true } }]]) {
      assert.throws(
        () => new Service({ faults }),
        InvalidFaults,
        `${Service.name} ${inspect(faults)}`,
      );
    }
  }
  const keyError = { code: 'api_key_invalid', position: 1, length: 3 };
  assert.throws(() => new ProxyBridge({ apiKey: 'a\nb' }), InvalidApiKey);
  assert.throws(() => new ProxyBridge({ apiKey: 'a\nb' }), keyError);
  assert.throws(() => new ProxyBridge({ apiKey, endpoint: 'http://a/b' }), InvalidEndpoint);
  assert.throws(() => new ProxyBridge({ apiKey, endpoint: 'http://\ud800/' }), InvalidEndpoint);
  assert.throws(() => new BridgedQuery(), TypeError);
  assert.throws(() => BridgedQuery.ofResult({ error: null, itemBytes: null }), TypeError);
  assert.throws(() => BridgedQuery.ofError('a', 'b', -1), TypeError);

  const extract = new ZyteApiService({ seed: 1 });
  const proxy = new ZyteProxyService({ seed: 1 });
  const bridge = new ProxyBridge({ apiKey, seed: 1 });
  const { ticket } = extract.handleRequest({ ...request, url }, 0);
  for (const call of [
    () => extract.handleRequest({ ...request, url, body: 5 }, 0),
    () => extract.handleRequest({ ...request, url: 5 }, 0),
    () => extract.handleRequest({ ...request, url }, -1),
    () => extract.handleRequest(undefined, 0),
    () => extract.handleFetched(ticket, 'tired', 0),
    () => extract.handleFetched(ticket, null, 0),
    () => extract.handleFetched(ticket, 404, 0),
    () => extract.handleFetched(ticket, { ...page, status: 1e6 }, 0),
    () => extract.handleFetched(ticket, { ...page, item: 5 }, 0),
    () => extract.handleFetched('1', page, 0),
    () => extract.handleClosed(0.5, 0),
    () => extract.poll('now'),
    () => proxy.handleFailed(1, 'tired', 0),
    () => proxy.handleResponded(1, {}, 0),
    () => bridge.handleResponse(1, {}, 0),
    () => bridge.handleFailed(1, 'tired', 0),
    () => bridge.handleConnect({ headers: [] }, 0),
  ]) {
    assert.throws(call, TypeError, String(call));
  }
  for (const machine of [extract, proxy, bridge]) {
    const wrong = { method: 'G T', url: 'http://a/', headers: {} };
    assert.throws(() => machine.handleRequest(wrong, 0), InvalidMethod);
  }
  // Tickets of nobody change nothing.
  assert.equal(extract.handleFetched(2 ** 53 - 1, page, 0), null);
  assert.equal(proxy.handleFailed(99, 'timeout', 0).type, 'answer');
  assert.equal(bridge.handleResponse(99, { status: 200 }, 0).type, 'relay');
  bridge.handleClosed(99, 0);
  // Bodies and items that are none are told, never thrown.
  const broken = extract.handleFetched(ticket, { ...page, item: '{' }, 0);
  assert.equal(broken.status, 500);
  for (const body of ['', '[', '[]', '{"url":5}', new Uint8Array([0xff])]) {
    assert.equal(extract.handleRequest({ ...request, url, body }, 0).status, 400, String(body));
  }
  for (const machine of [extract, proxy, bridge]) {
    machine.free();
    machine.free();
    assert.throws(() => machine.stats(), /was used after free\(\)/);
  }
});

test('the modules are loaded where they are first used, and memory stays flat', () => {
  const program = `
    const loaded = [];
    const { Instance } = WebAssembly;
    WebAssembly.Instance = class extends Instance {
      constructor(...parts) {
        super(...parts);
        loaded.push(this.exports.memory);
      }
    };
    const silkline = require('silkline');
    const counts = [loaded.length];
    const { ZyteApiService, ZyteProxyService, ProxyBridge, basicAuthorization } = silkline;
    const extract = new ZyteApiService({ rate: Infinity, seed: 1 });
    counts.push(loaded.length);
    const proxy = new ZyteProxyService({ rate: Infinity, seed: 1 });
    counts.push(loaded.length);
    const bridge = new ProxyBridge({ apiKey: 'KEY', seed: 1 });
    counts.push(loaded.length);
    const key = basicAuthorization('KEY');
    const asked = {
      method: 'POST',
      url: '/v1/extract',
      headers: { Authorization: key, 'Content-Type': 'application/json' },
      body: '{"url": "http://a.example/", "product": true}',
    };
    const target = { method: 'GET', url: 'http://a.example/', headers: { 'Proxy-Authorization': key } };
    const connect = { ...target, url: 'a.example:443' };
    const page = { url: 'http://a.example/', status: 200, body: 'x'.repeat(4096), item: {} };
    function round(now) {
      extract.handleFetched(extract.handleRequest(asked, now).ticket, page, now);
      const { ticket } = proxy.handleRequest(target, now);
      proxy.handleResponded(ticket, { status: 200 }, now);
      proxy.handleFinished(ticket, 1, now);
      bridge.handleResponse(bridge.handleRequest(target, now).ticket, { status: 200 }, now);
      // Half of them are freed by hand, half by the finaliser.
      const machines = [bridge.handleConnect(connect, now), new ZyteApiService({ seed: 1 })];
      if (now % 2 === 0) {
        machines.forEach((machine) => machine.free());
      }
    }
    const used = () => loaded.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    const run = async (from, to) => {
      for (let now = from; now < to; now += 1) {
        round(now);
        if (now % 250 === 0) {
          globalThis.gc();
          await new Promise(setImmediate);
        }
      }
    };
    (async () => {
      await run(0, 2_000);
      const before = used();
      await run(2_000, 8_000);
      console.log(JSON.stringify([counts, used() - before]));
    })();`;
  const options = { cwd: consumer, encoding: 'utf8' };
  const shown = execFileSync(process.execPath, ['--expose-gc', '--eval', program], options);
  const [counts, grown] = JSON.parse(shown);
  assert.deepEqual(counts, [1, 2, 2, 3]);
  assert.ok(grown <= 2 * 65_536, `grew by ${grown} bytes`);
});
