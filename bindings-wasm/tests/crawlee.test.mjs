// A crawler of Crawlee, the real one, whose proxy and sessions are Silkline's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Configuration, HttpCrawler, log } from '@crawlee/http';
import { require } from './package.mjs';

const { SessionProxy } = require('silkline/client');
const { crawlerOptions } = require('silkline/crawlee');
const { FakeProxy } = require('silkline/testing');

log.setLevel(log.LEVELS.OFF);
const outgoing = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];

function setUp(t, options, crawl) {
  const service = new FakeProxy({ outgoing, delay: 0.001, ...options });
  const { send, clock } = service;
  const proxy = new SessionProxy({
    apiKey: 'KEY',
    send,
    clock,
    sessions: 3,
    sessionDelay: 1,
    seed: 1,
  });
  t.after(() => proxy.close());
  const storage = new Configuration({ persistStorage: false, purgeOnStart: true });
  const crawler = new HttpCrawler({ ...crawlerOptions(proxy), ...crawl }, storage);
  return { service, proxy, crawler };
}

test('pages come through sessions, and nothing is retried twice', async (t) => {
  let broken = 3;
  const pages = ({ url, method, body }) => {
    if (url.endsWith('/banned') && broken > 0) {
      broken -= 1;
      return 403;
    }
    const { pathname } = new URL(url);
    if (pathname === '/moved') {
      return { status: 302, headers: { Location: '/1' } };
    }
    const content = `<html>${method} ${pathname} ${Buffer.from(body ?? []).toString()}</html>`;
    return { headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: content };
  };
  const seen = new Map();
  const failed = [];
  const { service, crawler } = setUp(
    t,
    { pages, bans: [{ domain: 'a.example', statuses: [403] }] },
    {
      async requestHandler({ request, response, body, sendRequest }) {
        const { session } = response.proxied;
        seen.set(request.url, { body: String(body), session, loaded: request.loadedUrl });
        if (request.url.endsWith('/1')) {
          const more = await sendRequest({ url: 'http://a.example/more' });
          seen.set('more', { body: more.body });
        }
      },
      failedRequestHandler: ({ request }) => failed.push([request.url, request.retryCount]),
    },
  );
  const silkline = { session: 'login' };
  await crawler.run([
    ...[1, 2, 3, 4, 5].map((page) => `http://a.example/${page}`),
    'https://a.example/secure',
    'http://a.example/banned',
    'http://a.example/moved',
    { url: 'http://a.example/post', method: 'POST', payload: 'x', userData: { silkline } },
    { url: 'http://a.example/after', userData: { silkline } },
  ]);
  assert.deepEqual(failed, []);
  assert.equal(seen.size, 11);
  assert.equal(seen.get('https://a.example/secure').body, '<html>GET /secure </html>');
  assert.equal(seen.get('http://a.example/post').body, '<html>POST /post x</html>');
  assert.equal(seen.get('http://a.example/moved').loaded, 'http://a.example/1');
  assert.equal(seen.get('more').body, '<html>GET /more </html>');
  const named = ['post', 'after'].map((page) => seen.get(`http://a.example/${page}`).session);
  assert.equal(named[0], named[1]);
  assert.equal(broken, 0);
  assert.equal(service.stats().bans, 3);
});

test('what is given up fails once', async (t) => {
  let asked = 0;
  const failed = [];
  const { crawler } = setUp(
    t,
    {
      pages: () => {
        asked += 1;
        return 500;
      },
    },
    {
      requestHandler() {},
      failedRequestHandler: ({ request }) => failed.push([request.url, request.retryCount]),
    },
  );
  await crawler.run(['http://a.example/']);
  assert.deepEqual([failed, asked], [[['http://a.example/', 0]], 1]);
});
