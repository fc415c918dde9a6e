// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import {
  type Extracted,
  ExtractionApi,
  type Failed,
  type PageType,
  Query,
  QueryError,
  Result,
  ServiceError,
  Usage,
} from 'silkline';

const api = new ExtractionApi({ apiKey: 'key', endpoint: new URL('http://a/') });
const query = new Query({ url: new URL('http://a/'), pageType: 'article', meta: null });
const request = api.request([query, { url: 'http://a/', pageType: 'product', extra: { x: [1] } }]);

// A request is what `fetch` takes.
export async function send(): Promise<Result[]> {
  const response = await fetch(request.url, request);
  const { status, headers } = response;
  return api.results([query], { status, headers, body: await response.arrayBuffer() });
}

export function show(result: Result): string | undefined {
  if (!result.ok) {
    const failed: Failed = result;
    const code: 'missing_result' | 'domain_occupied' | null =
      failed.error.code === 'missing_result' || failed.error.code === 'domain_occupied'
        ? failed.error.code
        : null;
    // @ts-expect-error: a failed result has no item
    failed.item.name;
    return code ?? failed.error.text;
  }
  switch (result.pageType) {
    case 'product': {
      const product: Extracted<'product'> = result;
      // @ts-expect-error: an article has a headline, a product has none of that type
      const headline: string = product.item.headline;
      return product.item.offers?.[0]?.price ?? headline;
    }
    case 'article':
      return result.item.headline;
    default:
      return result.item.url;
  }
}

// Page types narrow the results to those that were asked for.
const [first] = api.results([query], { status: 200, headers: {}, body: null });
if (first?.ok) {
  const headline: string | undefined = first.item.headline;
  console.log(headline);
}

export function cost(error: unknown, results: Result[]): Usage {
  return error instanceof ServiceError && error.retry === 'throttling'
    ? Usage.ofError(error).plus(Usage.ofResults(results))
    : new Usage({ unknown: 1 });
}

const types: readonly PageType[] = ['article', 'vehicle'];
const status: number | null = QueryError.fromText('x').status;
const agent: string | null = request.headers.get('User-Agent');
const init: Headers = new Headers(request.headers);
{
  const short = new ExtractionApi({ apiKey: 'key' });
  short[Symbol.dispose]();
}

// @ts-expect-error: there is no such page type
api.request([{ url: 'http://a/', pageType: 'Article' }]);
// @ts-expect-error: a misspelt member
api.request([{ url: 'http://a/', pageType: 'article', fullHTML: true }]);
// @ts-expect-error: the key is needed
new ExtractionApi({});
// @ts-expect-error: queries never change
query.url = 'http://b/';

export { agent, init, status, types };

export function itemOf(value: unknown): unknown {
  return value instanceof Result && value.ok ? value.item : null;
}

// @ts-expect-error: only an API makes results
new Result();

export const limits: readonly number[] = [Query.MAX_URL, ExtractionApi.MAX_QUERIES];
