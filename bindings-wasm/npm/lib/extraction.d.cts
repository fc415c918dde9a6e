import type { ServiceError } from '../errors.cjs';
import type { HeaderList, HeadersInput } from './headers.cjs';
import type { Items } from './items.cjs';
import type { Machine } from './machine.cjs';

/** What kind of page a query expects; also the name of the item in the result. */
export type PageType = keyof Items;

/** All page types, in the order of the service's documentation. */
export const PAGE_TYPES: readonly PageType[];

/** A page to extract, and how. */
export interface QueryFields<P extends PageType = PageType> {
  /** An absolute http or https URL of at most 4096 UTF-16 units. It is sent as given. */
  readonly url: string | { toJSON(): string };
  /** What kind of item the page holds. */
  readonly pageType: P;
  /** A text that comes back with the result; at most 4096 bytes of UTF-8. */
  readonly meta?: string | null | undefined;
  /** Whether the article's HTML is wanted; the service includes it by default. */
  readonly articleBodyRaw?: boolean | null | undefined;
  /** Whether the whole page's HTML is wanted; the service leaves it out by default. */
  readonly fullHtml?: boolean | null | undefined;
  /** The HTML to extract from, instead of what the URL gives; at most 2,000,000 code points. */
  readonly customHtml?: string | null | undefined;
  /** Members that the service's documentation does not name; anything that JSON can hold. */
  readonly extra?: { readonly [name: string]: unknown } | null | undefined;
}

/** For which service a query is made. */
export interface QueryOptions {
  /** The successor takes longer URLs. Defaults to `'automatic_extraction'`. */
  readonly dialect?: ExtractionDialect | null | undefined;
}

/**
 * A page to extract, and how. It is checked when it is made, so one that exists can be sent; and it
 * never changes. Wherever queries are taken, objects with the same members are too.
 *
 * @example
 * const query = new Query({ url: 'https://example.com/', pageType: 'article', meta: 'first' });
 */
export class Query<P extends PageType = PageType> {
  /** The most UTF-16 units that a URL may have, for the Automatic Extraction API. */
  static readonly MAX_URL: number;
  /** The most bytes of UTF-8 that `meta` may have. */
  static readonly MAX_META: number;
  /** The most code points that `customHtml` may have. */
  static readonly MAX_CUSTOM_HTML: number;
  /** @throws {InvalidQuery} if the service would refuse it */
  constructor(fields: QueryFields<P> | Query<P>, options?: QueryOptions);
  /**
   * Reads a query from JSON text in the service's own spelling. Unknown members become extra ones.
   *
   * @throws {InvalidQuery} if the text is no query
   */
  static fromJson(text: string, options?: QueryOptions): Query;
  /** The URL as given. */
  readonly url: string;
  /** What kind of item the page holds. */
  readonly pageType: P;
  /** The text that comes back with the result. */
  readonly meta: string | null;
  /** Whether the article's HTML is wanted; `null` leaves it to the service. */
  readonly articleBodyRaw: boolean | null;
  /** Whether the whole page's HTML is wanted; `null` leaves it to the service. */
  readonly fullHtml: boolean | null;
  /** The HTML to extract from. */
  readonly customHtml: string | null;
  /** The members that the service's documentation does not name. */
  readonly extra: { readonly [name: string]: unknown };
  /** The query as compact JSON text, as it is sent. */
  toJson(): string;
  /** For `JSON.stringify`. */
  toJSON(): { readonly url: string; readonly pageType: P; readonly [member: string]: unknown };
}

/** A query, or an object that describes one. */
export type QueryInput<P extends PageType = PageType> = Query<P> | QueryFields<P>;

/**
 * A request to send with any HTTP client, which adds `Host` and `Content-Length`.
 *
 * @example
 * const response = await fetch(request.url, request);
 */
export interface HttpRequest {
  /** The HTTP method. */
  method: string;
  /** Where it goes. */
  url: string;
  /** The headers, with the key among them; inspected or as JSON they hide it. */
  headers: HeaderList;
  /** The body as it is sent. */
  body: Uint8Array<ArrayBuffer>;
}

/** An answer, with any content coding undone. */
export interface HttpResponse {
  /** The HTTP status. */
  readonly status: number;
  /** The headers, in any of the usual forms. */
  readonly headers: HeadersInput;
  /** Results keep the bytes and are views of them: do not change them afterwards. */
  readonly body: Uint8Array | ArrayBuffer | string | null | undefined;
}

/** Why a query has no item: data, since the other queries of the answer have theirs. */
export interface QueryError {
  /** What went wrong, in a word that keeps its meaning. */
  readonly code: QueryErrorCode;
  /** The service's own text, or what is wrong with its result. */
  readonly text: string;
  /** Whether the service charges for the query nevertheless. */
  readonly billed: boolean;
  /** Whether another attempt can succeed. */
  readonly retry: boolean;
  /** How often at most to try again, where the error itself limits that. */
  readonly maxRetries: number | null;
  /** How long the service wants to be left alone, in milliseconds. */
  readonly retryAfter: number | null;
  /** The domain that is occupied: a statement about the domain, not about this query. */
  readonly domain: string | null;
  /** The HTTP status that the page was answered with. */
  readonly status: number | null;
}

/** Makes what a text of the service says. */
export const QueryError: {
  /**
   * What a text of the service says, as a result's `error` member has it.
   *
   * @example
   * QueryError.fromText('Downloader error: http404').status; // 404
   */
  fromText(text: string): QueryError;
};

/** Every code of a `QueryError`. */
export type QueryErrorCode =
  | 'ambiguous_result'
  | 'domain_occupied'
  | 'downloader_connection_reset'
  | 'downloader_global_timeout'
  | 'downloader_http'
  | 'downloader_internal'
  | 'downloader_no_response'
  | 'downloader_no_visible_elements'
  | 'downloader_other'
  | 'extraction_internal'
  | 'extraction_not_permitted'
  | 'foreign_result'
  | 'malformed_url'
  | 'missing_result'
  | 'proxy_error_banned'
  | 'proxy_error_connect_timeout'
  | 'proxy_error_domain_forbidden'
  | 'proxy_error_econnrefused'
  | 'proxy_error_internal'
  | 'proxy_error_msgtimeout'
  | 'proxy_error_nxdomain'
  | 'proxy_error_other'
  | 'proxy_error_ssl_tunnel'
  | 'proxy_error_timeout'
  | 'query_timed_out'
  | 'result_without_item'
  | 'scheme_not_allowed'
  | 'surplus_result'
  | 'unknown_query_error'
  | 'url_too_long';

/** What every result has. A part that the answer does not have is `null`. */
interface AnyResult {
  /** The index of the query that it belongs to; `null` if it belongs to none. */
  readonly queryIndex: number | null;
  /** The very query that was given, at that index. */
  readonly query: QueryInput | null;
  /** The service's id of the query. */
  readonly id: string | null;
  /** The domain that the service counts the query to. */
  readonly domain: string | null;
  /** The URL that the result repeats. */
  readonly url: string | null;
  /** The meta that the result repeats. */
  readonly meta: string | null;
  /** The JSON text of what the result says of its query, as a view of the answer's body. */
  readonly queryBytes: Uint8Array | null;
  /** What the service knows of the page, such as its languages. */
  readonly webPage: WebPage | null;
  /** The same as JSON text, as a view of the answer's body. */
  readonly webPageBytes: Uint8Array | null;
  /** The HTML of the whole page, if it was asked for. */
  readonly html: string | null;
  /** The version of the service's extraction, if it tells. */
  readonly algorithmVersion: string | null;
  /** Each member that none of the others gives; looked for and decoded each time. */
  readonly unknown: { readonly [name: string]: unknown };
  /** The same as views of the answer's body. */
  readonly unknownBytes: { readonly [name: string]: Uint8Array };
  /** The JSON text of the whole result; `null` if the answer has none for the query. */
  readonly raw: Uint8Array | null;
  /**
   * The item as the service sent it, in the schema of its dialect; also one that came with an
   * error. The same as `item` where the schema is the same.
   */
  readonly itemNative: { readonly [member: string]: unknown } | null;
  /** The same as JSON text, as a view of the answer's body. */
  readonly itemNativeBytes: Uint8Array | null;
  /** What `item` has no room for: parts of `itemNative` by their place in it, a JSON pointer. */
  readonly unmapped: { readonly [pointer: string]: unknown };
  /** The service that answered. */
  readonly dialect: ExtractionDialect;
  /** The result as JSON text, as the Automatic Extraction API would have written it. */
  toJson(): string;
  /** All parts as plain data, the item among them. */
  toJSON(): object;
}

/** A result that has an item. */
export interface Extracted<P extends PageType> extends AnyResult {
  /** There is an item. */
  readonly ok: true;
  /** The index of its query. */
  readonly queryIndex: number;
  /** Its query, as it was given. */
  readonly query: QueryInput;
  /** What the item is. */
  readonly pageType: P;
  /** The item. It is decoded when it is first asked for, and kept. */
  readonly item: Items[P];
  /** The item's JSON text, as a view of the answer's body unless it was converted. */
  readonly itemBytes: Uint8Array;
  /** There is none. */
  readonly error: null;
}

/** A result without an item, and why. */
export interface Failed<P extends PageType = PageType> extends AnyResult {
  /** There is no item. */
  readonly ok: false;
  /** `null` only for a result that belongs to no query and does not tell. */
  readonly pageType: P | null;
  /** There is none. */
  readonly item: null;
  /** There are none. */
  readonly itemBytes: null;
  /** Why there is no item. */
  readonly error: QueryError;
}

/**
 * What the service found out about one query. `ok` tells whether there is an item, and then
 * `pageType` what it is.
 *
 * @example
 * if (!result.ok) {
 *   console.warn(result.error.code, result.error.retry);
 * } else if (result.pageType === 'product') {
 *   console.log(result.item.name);
 * }
 */
export type Result<P extends PageType = PageType> = { [T in P]: Extracted<T> }[P] | Failed;

/** The class of results, for `instanceof`; `ExtractionApi.results` makes them. */
export const Result: abstract new (madeBy: never) => Result;

/** What the service knows of a page. */
export interface WebPage {
  /** The languages of the page, most prominent first. */
  readonly inLanguages?: readonly { readonly code: string }[];
  readonly [member: string]: unknown;
}

/** Queries counted by whether the service charges for them. */
export class Usage {
  constructor(counts?: { billed?: number; unbilled?: number; unknown?: number });
  /** All queries: the sum of the others. */
  readonly queries: number;
  /** Queries that are charged: items, and errors of fetching the page. */
  readonly billed: number;
  /** Queries that are not charged: all other errors. */
  readonly unbilled: number;
  /** Queries of which nobody can tell, because the service's answer does not. */
  readonly unknown: number;
  /** What the results of an answer cost. */
  static ofResults(results: Iterable<Result>): Usage;
  /** What a request cost that has no results. */
  static ofError(error: ServiceError): Usage;
  /** The sum of both. */
  plus(other: Usage): Usage;
}

/** The service that queries go to: the Automatic Extraction API, or its successor. */
export type ExtractionDialect = 'automatic_extraction' | 'zyte_api';

/** What an `ExtractionApi` is made with. */
export interface ExtractionApiOptions {
  /** The key of the account. It is never shown. */
  readonly apiKey: string;
  /** The address of the service. Defaults to `ExtractionApi.DEFAULT_ENDPOINT`. */
  readonly endpoint?: string | { readonly href: string } | null | undefined;
  /**
   * The service that is spoken to: with `'zyte_api'` the same queries go to the successor, whose
   * answers are read as if they were the older service's. Defaults to `'automatic_extraction'`.
   */
  readonly dialect?: ExtractionDialect | null | undefined;
}

/**
 * The client's side of the protocol: queries to a request, and its answer to results. It sends
 * nothing itself. The key shows in the request's `Authorization` only.
 *
 * @example
 * const api = new ExtractionApi({ apiKey });
 * const queries = [{ url: 'https://example.com/', pageType: 'article' }];
 * const request = api.request(queries);
 * const response = await fetch(request.url, request);
 * const { status, headers } = response;
 * const results = api.results(queries, { status, headers, body: await response.arrayBuffer() });
 */
export class ExtractionApi implements Machine {
  /** The service's own address. */
  static readonly DEFAULT_ENDPOINT: string;
  /** The most queries that a request carries. */
  static readonly MAX_QUERIES: number;
  /**
   * @throws {InvalidApiKey} if the key cannot be sent
   * @throws {InvalidEndpoint} if the address is not an absolute http(s) URL without credentials
   */
  constructor(options: ExtractionApiOptions);
  /** The address that requests go to. */
  readonly endpoint: string;
  /** The service that is spoken to. */
  readonly dialect: ExtractionDialect;
  /**
   * The request that carries 1 to 100 queries.
   *
   * @throws {InvalidQuery} if the service would refuse a query
   * @throws {InvalidBatch} if there are too few or too many
   */
  request(queries: readonly QueryInput[]): HttpRequest;
  /**
   * Reads the answer to a request of these queries: one result for each, in their order, then the
   * results that belong to none of them. Nothing of the answer is decoded before it is asked for.
   *
   * @throws {ServiceError} if there are no results at all; an error of one query is `result.error`
   */
  results<P extends PageType>(
    queries: readonly QueryInput<P>[],
    response: HttpResponse,
  ): Result<P>[];
  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free(): void;
  [Symbol.dispose](): void;
}
