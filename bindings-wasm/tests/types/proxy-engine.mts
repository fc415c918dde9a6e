// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import {
  ProxyApi,
  ProxyEngine,
  type ProxyFetched,
  type ProxyOutput,
  type ProxyReply,
  type ProxyStats,
} from 'silkline';

const api = new ProxyApi({ apiKey: 'key' });
const engine = new ProxyEngine({
  api,
  size: 20,
  margin: null,
  creation: 'call',
  domainDelays: { 'example.com': 3_000 },
  options: { cookies: 'disable' },
  policy: { preset: 'smart_proxy' },
  seed: 1,
  now: 0,
});
const other = ProxyEngine.restore({ api, snapshot: engine.snapshot(0), now: 0, downtime: 5 });
const id: number = engine.submit('http://a/', { now: 0, session: 'login', replaceSession: true });
const ids: number[] = engine.submitMany(
  [{ request: { method: 'POST', url: 'http://a/', body: 'x' }, priority: 1, key: 'a' }],
  0,
);
const stats: ProxyStats = engine.stats();
const limit: number = stats.pool.limit;

export function act(output: ProxyOutput): ProxyFetched | string | number | null {
  switch (output.type) {
    case 'send':
      return output.connect?.url ?? output.request.headers.get('X-Crawlera-Session');
    case 'abort':
      return output.id;
    case 'finished':
      return output.error === null ? output.response : output.error.code;
    case 'incomplete':
      return output.headers.join();
    case 'sessionLost':
      return output.cause === 'expired' ? output.name : output.session;
    case 'stopped':
      return output.error.action;
    case 'waitUntil':
      return output.at;
    case 'idle':
      return output.reason;
  }
}

const reply: ProxyReply = { status: 200, headers: new Map(), body: 'x', banned: true };
engine.handleResponse(1, reply, 0);
// @ts-expect-error: `now` is always given
engine.submit('http://a/', {});
// @ts-expect-error: sessions are made in one of two ways
new ProxyEngine({ api, creation: 'post', now: 0 });
// @ts-expect-error: an engine needs an API
new ProxyEngine({ now: 0 });

export { id, ids, limit, other };
