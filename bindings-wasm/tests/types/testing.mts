// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import { ExtractionService, type ProxyService } from 'silkline';
import { Extractor } from 'silkline/client';
import { FakeExtraction, FakeProxy, Page } from 'silkline/testing';

const service = new FakeExtraction({
  keys: ['KEY'],
  rate: Number.POSITIVE_INFINITY,
  occupied: { 'shop.example': 30_000 },
  epoch: new Date(0),
  faults: [{ when: { request: 3 }, then: { drop: true } }],
  items: async ({ url, pageType }) =>
    url.endsWith('404') ? 404 : new Page({ item: { name: pageType }, html: '<p>' }),
  time: 'virtual',
});
const { fetch, clock } = service;
const client = new Extractor({ apiKey: 'KEY', fetch, clock });
const billed: number = service.stats().billed + client.stats().usage.billed;
new FakeExtraction({ items: { 'http://a/': { name: 'x' }, 'http://b/': 'name_not_found' } });
new FakeExtraction({ items: new Map([['http://a/', 404]]), faults: '[]' });

const proxy = new FakeProxy({
  outgoing: ['127.0.0.2'],
  bans: [{ statuses: [503] }, { domain: 'a.example', texts: ['robot'] }],
  pages: ({ url, headers, outgoing }) =>
    headers.get('cookie') === null ? { status: 403 } : `${url} ${outgoing}`,
});
new FakeProxy({ pages: { 'http://a/': new Response('x'), 'http://b/': { failure: 'nxdomain' } } });
const early: number = proxy.stats().earlyRequests;

const newer = new FakeExtraction({
  dialect: 'zyte_api',
  forbiddenDomains: ['no.example'],
  items: ({ url, pageType, item }) =>
    pageType === null ? 'unreachable' : new Page({ itemNative: { name: `${item} ${url}` } }),
});
const outputs: number | undefined = newer.stats().outputs.product;
const sessions = new FakeProxy({ dialect: 'zyte_api', sessionBans: 3, pages: () => 404 });
const redirects: number = sessions.stats().redirects;
for (const dialect of ['automatic_extraction', 'zyte_api'] as const) {
  const either = new FakeExtraction({ dialect, keys: ['KEY'], items: ({ url }) => ({ url }) });
  console.log(either.stats().billed, outputs, redirects);
}

export async function ask(): Promise<number> {
  const response = await fetch(service.endpoint, { method: 'POST' });
  const other: Response = await proxy.fetch('http://a/');
  return response.status + other.status + billed + early;
}

export function act(machine: ExtractionService, targets: ProxyService): string {
  const step = machine.handleRequest({ method: 'POST', url: '/', headers: {}, body: '' }, 0);
  const output = machine.poll(0);
  if (step.type === 'fetch') {
    const answer = machine.handleFetched(step.ticket, step.queries[0]?.index ?? 0, 404, 5);
    return answer?.headers.get('a') ?? String(output.type === 'waitUntil' ? output.at : 0);
  }
  const tunnel = targets.handleConnect({ url: 'a:443' }, 0);
  if (tunnel.type === 'tunnel') {
    const fetched = targets.handleRequest({ method: 'GET', url: 'https://a/' }, 0, { tunnel });
    return fetched.type === 'fetch' ? fetched.outgoing : fetched.type;
  }
  return String(tunnel.truncated);
}

// @ts-expect-error: a setting of the older service
new FakeExtraction({ dialect: 'zyte_api', maxQueries: 5 });
// @ts-expect-error: a count of the newer service
new FakeProxy().stats().redirects;
// @ts-expect-error: there is no such dialect
new FakeProxy({ dialect: 'automatic_extraction' });
// @ts-expect-error: a page has an item
new Page({ html: '<p>' });
// @ts-expect-error: there is no such time
new FakeExtraction({ time: 'slow' });
// @ts-expect-error: there is no such failure
new FakeProxy({ pages: () => ({ failure: 'tired' }) });
// @ts-expect-error: an object of domains
new ExtractionService({ occupied: ['shop.example'] });
