// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import {
  BridgedQuery,
  type ExtractionService,
  ProxyBridge,
  type Result,
  ZyteApiService,
  ZyteProxyService,
} from 'silkline';

const service = new ZyteApiService({
  keys: ['KEY'],
  rate: Number.POSITIVE_INFINITY,
  occupied: { 'shop.example': 30_000 },
  bans: [{ statuses: [503] }],
  faults: [{ when: { request: 3 }, then: { drop: true } }],
});
const proxy = new ZyteProxyService({ outgoing: ['127.0.0.2'], sessionLife: 900_000 });
const bridge = new ProxyBridge({ apiKey: 'KEY', endpoint: new URL('http://127.0.0.1:8021') });
const billed: number = service.stats().billed + proxy.stats().redirects + bridge.stats().abandoned;

export function extract(): number {
  const step = service.handleRequest({ method: 'POST', url: '/v1/extract', body: '{}' }, 0);
  if (step.type === 'fetch' && step.url !== null) {
    const made = { item: { name: step.item }, browserHtml: step.browserHtml ? '<p>' : null };
    const answer = service.handleFetched(step.ticket, { url: step.url, status: 200, ...made }, 1);
    return answer?.status ?? 0;
  }
  const output = service.poll(0);
  return output.type === 'waitUntil' ? output.at : billed;
}

export function relay(): string | null {
  const tunnel = proxy.handleConnect({ url: 'a:443' }, 0);
  if (tunnel.type === 'tunnel') {
    const step = proxy.handleRequest({ method: 'GET', url: 'https://a/' }, 0, { tunnel });
    return step.type === 'fetch' ? step.outgoing : step.type;
  }
  const sent = bridge.handleRequest({ method: 'GET', url: 'http://a/' }, 0);
  if (sent.type === 'send') {
    const passed = bridge.handleResponse(sent.ticket, { status: 200, bodyStart: '' }, 0);
    return passed.type === 'relay' ? passed.headers.get('a') : String(passed.ticket);
  }
  return sent.headers.get('X-Crawlera-Error');
}

export function answer(older: ExtractionService, result: Result): number | undefined {
  older.handleFetched(1, 0, BridgedQuery.ofError('unauthorized', 'no key', 5_000), 0);
  return older.handleFetched(1, 0, BridgedQuery.ofResult(result), 0)?.status;
}

// @ts-expect-error: there is no such failure
service.handleFetched(1, 'tired', 0);
// @ts-expect-error: a page has a status
service.handleFetched(1, { url: 'http://a/' }, 0);
// @ts-expect-error: queries of the older service
new ZyteApiService({ maxQueries: 5 });
// @ts-expect-error: a bridge needs a key
new ProxyBridge({});
// @ts-expect-error: it comes from its functions
new BridgedQuery();
// @ts-expect-error: of an answer, there is nothing to send
bridge.handleRequest({ method: 'GET', url: 'http://a/' }, 0).url;
