// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import { type Query, type QueryInput, RetryPolicy, ServiceError } from 'silkline';
import {
  AccountRefused,
  type ExtractionFailure,
  Extractor,
  type Outcome,
  OutOfBudget,
  QueryFailed,
} from 'silkline/client';

const extractor = new Extractor({
  apiKey: 'key',
  endpoint: new URL('http://localhost/'),
  rate: Number.POSITIVE_INFINITY,
  dialect: 'zyte_api',
  concurrency: 100,
  batchSize: 5,
  deadline: 605_000,
  cap: 1_000,
  policy: new RetryPolicy(),
  queueSize: 50,
  grace: 1_000,
  signal: AbortSignal.timeout(5_000),
  fetch,
  onUnmatched: ({ result, query }) => console.log(result.error?.code, query?.url),
});

async function* source(): AsyncGenerator<QueryInput<'product'>> {
  yield { url: 'http://a/', pageType: 'product', meta: 'sku' };
}

export async function read(): Promise<number> {
  for await (const outcome of extractor.results(source(), {
    signal: new AbortController().signal,
  })) {
    if (outcome.ok) {
      const name: string | undefined = outcome.item.name;
      const bytes: Uint8Array = outcome.itemBytes;
      const none: null = outcome.error;
      console.log(name, bytes, none, outcome.result.webPage);
    } else {
      const item: null = outcome.item;
      const cost: number = outcome.error.cost.billed + outcome.error.retryCost.unknown;
      console.log(item, cost, outcome.error.code, outcome.result?.error.text, told(outcome.error));
    }
    const query: Query<'product'> = outcome.query;
    console.log(query, outcome.input.url, outcome.attempts, outcome.billed, outcome.elapsed);
  }
  const one = await extractor.extract({ url: 'http://a/', pageType: 'vehicle' });
  console.log(one.ok ? one.item.name : one.error.attempts);
  const mixed = extractor.results([
    { url: 'http://a/', pageType: 'article' },
    Promise.resolve({ url: 'http://a/', pageType: 'vehicle' } as const),
  ]);
  const { value } = await mixed.next();
  if (value?.ok && value.pageType === 'article') {
    console.log(value.item.headline);
  }
  await mixed.return();
  await extractor.close({ grace: 5 });
  await extractor[Symbol.asyncDispose]();
  return extractor.stats().usage.billed;
}

function told(error: ExtractionFailure): string {
  if (error instanceof QueryFailed) {
    return error.domain ?? error.cause.text;
  }
  return error instanceof ServiceError ? error.retry : `${error.code} ${error.cause}`;
}

export function account(error: unknown): number {
  if (error instanceof AccountRefused) {
    return error.status + error.unfinished.length;
  }
  return error instanceof OutOfBudget ? error.unfinished.length : 0;
}

export const any = (outcome: Outcome): boolean => outcome.ok;

// @ts-expect-error: the key is needed
new Extractor({});
// @ts-expect-error: there is no such setting
new Extractor({ apiKey: 'key', queue: 5 });
// @ts-expect-error: there is no such page type
extractor.results([{ url: 'http://a/', pageType: 'page' }]);
// @ts-expect-error: not a single one
extractor.results({ url: 'http://a/', pageType: 'article' });
// @ts-expect-error: only the package makes them
new OutOfBudget();
