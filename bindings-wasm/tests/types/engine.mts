// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import {
  type Budget,
  ExtractionApi,
  ExtractionEngine,
  type ExtractionOutput,
  type HttpRequest,
  Pace,
  Progress,
  RateLimiter,
  RetryPolicy,
  Rng,
  SessionPool,
} from 'silkline';

const api = new ExtractionApi({ apiKey: 'key' });
const policy = new RetryPolicy({ rules: { query: { budget: { retries: 1 } } } });
const engine = new ExtractionEngine({ api, rate: 5, policy, seed: 1n, now: 0 });
const other = ExtractionEngine.restore({ api, snapshot: engine.snapshot(0), now: 0, cap: 5 });
const id: number = engine.submit({ url: 'http://a/', pageType: 'article' }, { now: 0, key: 'a' });
const ids: number[] = engine.submitMany([{ query: { url: 'x', pageType: 'product' } }], 0);

export function act(output: ExtractionOutput): HttpRequest | number | string {
  switch (output.type) {
    case 'send':
      return output.request;
    case 'abort':
      return output.id;
    case 'finished':
      if (output.error === null) {
        return output.result.pageType === 'product' ? (output.result.item.name ?? '') : '';
      }
      return output.error.code;
    case 'stopped':
      return output.error.retry;
    case 'unmatched':
      return output.query?.url ?? '';
    case 'waitUntil':
      return output.at;
    case 'idle':
      return output.reason;
  }
}

const limiter = new RateLimiter({ rate: { count: 1, period: 60_000 }, burst: 1, now: 0 });
const notBefore: number | null = limiter.tryAcquire(1, 0);
const asked: number | null = policy.next(new Progress(0), 'network', { now: 0, rng: new Rng(1) });
const budget: Budget = policy.budget('query');
const pace = new Pace({ margin: null, ready: 0 });
pace.answered(pace.begin(12_000, 0), 100);
const pool = new SessionPool({ margin: null });
const use = pool.tryAcquire(12_000, 0);
const at: string | number =
  use.type === 'use' ? use.session : use.type === 'waitUntil' ? use.at : 0;

// @ts-expect-error: `now` is always given
engine.submit({ url: 'http://a/', pageType: 'article' });
// @ts-expect-error: there is no such class
policy.range('networks', 1);
// @ts-expect-error: there is no such failure
engine.handleFailure(1, 'not_sent', 0);
// @ts-expect-error: an engine needs an API
new ExtractionEngine({ now: 0 });

export { asked, at, budget, id, ids, notBefore, other };
