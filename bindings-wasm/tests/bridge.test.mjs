// The bridge from the older services to Zyte API's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { silkline } from './package.mjs';

const {
  basicAuthorization,
  BridgedQuery,
  ExtractionApi,
  ExtractionService,
  ProxyApi,
  ProxyBridge,
  ZyteApiService,
  ZyteProxyService,
} = silkline;

const apiKey = 'KEY';
const key = basicAuthorization(apiKey);
const api = new ExtractionApi({ apiKey, dialect: 'zyte_api' });
const page = {
  url: 'https://shop.example/1',
  status: 200,
  browserHtml: '<p>Lamp',
  item: { url: 'https://shop.example/1', name: 'Lämp', price: '3.50', currencyRaw: '€' },
};
const json = ({ body }) => JSON.parse(Buffer.from(body));

test('a program of the older proxy runs through the bridge onto the newer one', () => {
  const bridge = new ProxyBridge({ apiKey: 'NEW', endpoint: 'http://127.0.0.1:8021', seed: 1 });
  const upstream = new ZyteProxyService({ keys: ['NEW'], seed: 2 });
  assert.equal(bridge.upstream, 'http://127.0.0.1:8021');
  const client = new ProxyApi({ apiKey });
  const ask = (options, now, url = 'http://a.example/') => {
    const { request } = client.request({ method: 'GET', url, headers: [] }, options);
    const step = bridge.handleRequest(request, now);
    if (step.type === 'answer') {
      return [step];
    }
    const headers = [...step.headers];
    const proxied = upstream.handleRequest({ method: step.method, url: step.url, headers }, now);
    return [step, proxied];
  };
  const [send, fetch] = ask({ session: 'create', jobId: '7' }, 0);
  assert.deepEqual(
    [send.type, send.method, send.url, send.connectHeaders],
    ['send', 'GET', 'http://a.example/', null],
  );
  assert.equal(send.headers.get('Zyte-JobId'), '7');
  assert.equal(send.headers.get('Proxy-Authorization'), basicAuthorization('NEW'));
  const relay = upstream.handleResponded(fetch.ticket, { status: 404, headers: { A: '1' } }, 1);
  const passed = bridge.handleResponse(send.ticket, relay, 1);
  assert.deepEqual([passed.type, passed.status, passed.headers.get('a')], ['relay', 404, '1']);
  const session = passed.headers.get('X-Crawlera-Session');
  assert.equal(session, send.headers.get('Zyte-Session-ID'));

  const [once, twice] = ask({ session }, 2);
  const failed = upstream.handleFailed(twice.ticket, 'nxdomain', 3);
  const refused = bridge.handleResponse(once.ticket, { ...failed, bodyStart: failed.body }, 3);
  assert.equal(client.read(refused).error.code, 'nxdomain');
  const [lost] = ask({ session }, 4);
  const timeout = bridge.handleFailed(lost.ticket, 'timeout', 5);
  assert.deepEqual([timeout.status, timeout.headers.get('X-Crawlera-Error')], [504, 'timeout']);
  const [left] = ask({ session }, 6);
  bridge.handleClosed(left.ticket, 7);
  assert.equal(client.read(ask({ session: 'nobody' }, 8)[0]).error.code, 'bad_session_id');

  const headers = { Authorization: key };
  const listed = bridge.handleApi({ method: 'GET', url: '/sessions', headers }, 9);
  assert.deepEqual(Object.keys(json(listed)), [session]);
  const deleted = { method: 'DELETE', url: `/sessions/${session}`, headers };
  assert.equal(bridge.handleApi(deleted, 9).status, 204);
  assert.equal(bridge.handleUnreadable(true, 9).status, 413);
  const { requests, relayed, abandoned, sessionsCreated, sessionsDeleted } = bridge.stats();
  assert.deepEqual(
    [requests, relayed, abandoned, sessionsCreated, sessionsDeleted],
    [5, 1, 1, 1, 1],
  );
});

test('through a tunnel of the bridge, and a CONNECT that is refused behind', () => {
  const bridge = new ProxyBridge({ apiKey: 'NEW', keys: [apiKey], seed: 1 });
  const headers = { 'Proxy-Authorization': key, 'X-Crawlera-Session': 'create' };
  const tunnel = bridge.handleConnect({ url: 'a.example:443', headers }, 0);
  const session = tunnel.headers.get('X-Crawlera-Session');
  const inside = { method: 'GET', url: 'https://a.example/', headers: {} };
  const send = bridge.handleRequest(inside, 0, { tunnel });
  assert.equal(send.headers.get('Zyte-Session-ID'), session);
  assert.equal(send.connectHeaders.get('Proxy-Authorization'), basicAuthorization('NEW'));
  const refused = { status: 401, headers: {}, bodyStart: '{"type":"/auth/key-not-found"}' };
  const answer = bridge.handleConnectRefused(send.ticket, refused, 1);
  assert.deepEqual(
    [answer.status, answer.headers.get('X-Crawlera-Error')],
    [407, 'bad_proxy_auth'],
  );
  const others = { 'Proxy-Authorization': basicAuthorization('OTHER') };
  assert.equal(bridge.handleConnect({ url: 'a.example:443', headers: others }, 1).status, 407);
});

test('a program of the older extraction service is answered from the newer one', () => {
  const service = new ExtractionService({ seed: 1 });
  const upstream = new ZyteApiService({ keys: [apiKey], seed: 1 });
  const old = new ExtractionApi({ apiKey });
  const queries = ['/1', '/2', '/3'].map((path) => ({
    url: `https://shop.example${path}`,
    pageType: 'product',
    fullHtml: true,
  }));
  const outcomes = { '/1': page, '/2': { ...page, status: 404 }, '/3': 'unreachable' };
  const step = service.handleRequest(old.request(queries), 0);
  let answer = null;
  for (const { index, url, pageType } of step.queries) {
    const query = { url, pageType };
    const asked = upstream.handleRequest(api.request([query]), 1);
    const outcome = outcomes[new URL(url).pathname];
    const given = upstream.handleFetched(asked.ticket, outcome, 2);
    const [result] = api.results([query], given);
    answer = service.handleFetched(step.ticket, index, BridgedQuery.ofResult(result), 3);
  }
  const results = old.results(queries, answer);
  assert.equal(results[0].item.offers[0].price, '3.50');
  assert.deepEqual(
    results.map(({ error }) => error?.text),
    [undefined, 'Downloader error: http404', 'Proxy error: banned'],
  );
  assert.equal(service.stats().billed, 2, 'the last one cost nothing');
});

test('an error that no result explains is about the request, or about its query', () => {
  const old = new ExtractionApi({ apiKey });
  const ask = (...error) => {
    const service = new ExtractionService({ seed: 1 });
    const query = { url: 'http://a.example/', pageType: 'article' };
    const { ticket } = service.handleRequest(old.request([query]), 0);
    const answer = service.handleFetched(ticket, 0, BridgedQuery.ofError(...error), 1);
    return [answer.status, answer.headers.get('retry-after'), json(answer)];
  };
  const limit = ask('user_rate_limit_exceeded', 'too many', 7_000);
  assert.deepEqual(limit.slice(0, 2), [429, '7']);
  assert.equal(ask('unauthorized', 'no key')[0], 401);
  assert.equal(ask('network_failure', 'reset')[2][0].error, 'InternalError');
  assert.equal(ask('job_closed', 'closed')[2][0].error, 'query timed out');
  assert.equal(ask('query_page_type', 'no `reviews`')[2][0].error, 'no `reviews`');
  const shown = BridgedQuery.ofError('user_rate_limit_exceeded', 'too many');
  assert.equal(inspect(shown), 'BridgedQuery("user-rate-limit-exceeded")');
});
