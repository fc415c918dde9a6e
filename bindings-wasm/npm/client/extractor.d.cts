import type {
  Extracted,
  ExtractionDialect,
  ExtractionJobError,
  ExtractionStats,
  ExtractionUnmatched,
  Failed,
  PageType,
  Query,
  QueryError,
  QueryErrorCode,
  QueryInput,
  Rate,
  RetryPolicy,
  RetryPolicyOptions,
  ServiceError,
  SilklineError,
  Usage,
} from '../index.cjs';
import type { Clock } from './driver.cjs';

/** The part of an `AbortSignal` that is used. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The part of `fetch` that is used. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: [name: string, value: string][];
    body: Uint8Array<ArrayBuffer>;
    redirect: 'manual';
    // biome-ignore lint/suspicious/noExplicitAny: each platform has an `AbortSignal` of its own.
    signal: any;
  },
) => PromiseLike<{
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  arrayBuffer(): PromiseLike<ArrayBuffer>;
}>;

/** A dispatcher of undici: `Agent`, `Pool`, `EnvHttpProxyAgent`, `MockAgent`, …. */
export interface Dispatcher {
  // biome-ignore lint/suspicious/noExplicitAny: undici's own types differ between its versions.
  dispatch(options: any, handler: any): boolean;
}

/** How an `Extractor` is set up. Only the key is needed. Times in milliseconds. */
export interface ExtractorOptions {
  /** The key of the account. It is never shown. */
  readonly apiKey: string;
  /** The address of the service. Defaults to `ExtractionApi.DEFAULT_ENDPOINT`. */
  readonly endpoint?: string | { readonly href: string } | null | undefined;
  /** The service that is spoken to; items come in the schema of the older one. */
  readonly dialect?: ExtractionDialect | null | undefined;
  /** Queries a second, or so many in a period; `Infinity` for no limit. Defaults to 5. */
  readonly rate?: Rate | null | undefined;
  /** How many queries may be sent at once after a rest. Defaults to 1. */
  readonly burst?: number | null | undefined;
  /** How many requests may be under way at once. Defaults to 100. */
  readonly concurrency?: number | null | undefined;
  /** How many queries a request may carry. Defaults to 1, as the service recommends. */
  readonly batchSize?: number | null | undefined;
  /** How long an answer may take. Defaults to 605 seconds; no limit of the client cuts it short. */
  readonly deadline?: number | null | undefined;
  /** Waits and budgets of failures. */
  readonly policy?: RetryPolicy | RetryPolicyOptions | null | undefined;
  /** How many queries may be billed in a cycle; what is under way or unknown counts as billed. */
  readonly cap?: number | null | undefined;
  /** How many queries are taken from a source ahead of what its reader took out. Defaults to 1000. */
  readonly queueSize?: number | undefined;
  /** How long what is under way may take when the extractor is closed. Defaults to 0. */
  readonly grace?: number | undefined;
  /** The same seed gives the same waits. Without one, any. */
  readonly seed?: number | bigint | null | undefined;
  /** Closes the extractor, and ends its iterations with the signal's reason. */
  readonly signal?: Signal | undefined;
  /** Called with each result that belongs to no query. Left out, there is a warning. */
  readonly onUnmatched?: ((unmatched: ExtractionUnmatched) => void) | undefined;
  /** Sends instead of undici: for tests (see `silkline/testing`), or for another HTTP client. */
  readonly fetch?: Fetch | null | undefined;
  /** A dispatcher of undici to send with. It stays open. */
  readonly dispatcher?: Dispatcher | null | undefined;
  /** The time that it goes by, for tests. */
  readonly clock?: Clock | undefined;
}

/** How one iteration goes. */
export interface ResultsOptions {
  /** Ends the iteration at once, with the signal's reason. */
  readonly signal?: Signal | undefined;
  /** As of the extractor. */
  readonly queueSize?: number | undefined;
}

/** Where queries come from. A plain iterable must not block; promises in it are waited for. */
export type QuerySource<Q> = Iterable<Q | PromiseLike<Q>> | AsyncIterable<Q>;

/** What the error of every query tells besides what went wrong. */
export interface FailureFacts {
  /** How often the query was sent. */
  readonly attempts: number;
  /** What that cost: attempts that are billed, and those of which nobody knows. */
  readonly cost: { readonly billed: number; readonly possiblyBilled: number };
  /** What one more attempt costs that ends in the same way; one that gives an item is billed. */
  readonly retryCost: Usage;
}

/** The service answered the query with an error, the last time that it was tried. */
export class QueryFailed extends SilklineError implements QueryError {
  readonly code: QueryErrorCode;
  readonly text: string;
  readonly billed: boolean;
  readonly retry: boolean;
  readonly maxRetries: number | null;
  readonly retryAfter: number | null;
  readonly domain: string | null;
  readonly status: number | null;
  /** The error as the result has it. */
  readonly cause: QueryError;
}

/**
 * Why a query has no item: the service's error of the query, its refusal of the request, or an end
 * without an answer, whose `cause` is what the HTTP client said.
 */
export type ExtractionFailure = (QueryFailed | ServiceError | ExtractionJobError) & FailureFacts;

/** What every outcome tells. */
interface AnyOutcome<P extends PageType> {
  /** The query as it was given. */
  readonly input: QueryInput<P>;
  /** The query as it was sent. */
  readonly query: Query<P>;
  readonly url: string;
  readonly meta: string | null;
  readonly pageType: P;
  /** How often it was sent. */
  readonly attempts: number;
  /** Attempts known to be billed. */
  readonly billed: number;
  /** Attempts whose answer was lost: nobody knows. */
  readonly possiblyBilled: number;
  /** How long it took since it was taken from the source, in milliseconds. */
  readonly elapsed: number;
  /** The outcome as plain data, the item among it. */
  toJSON(): object;
}

/** A query that has its item. */
export interface Succeeded<P extends PageType> extends AnyOutcome<P> {
  readonly ok: true;
  /** All that the service says: the web page, ids, unknown members. */
  readonly result: Extracted<P>;
  /** The item. It is decoded when it is first asked for, and kept. */
  readonly item: Extracted<P>['item'];
  /** The item's JSON text, as a view of the answer's body. */
  readonly itemBytes: Uint8Array;
  readonly error: null;
}

/** A query that has none, and why. */
export interface Unsuccessful<P extends PageType = PageType> extends AnyOutcome<P> {
  readonly ok: false;
  /** What the service answered the query with; `null` if it did not get that far. */
  readonly result: Failed<P> | null;
  readonly item: null;
  readonly itemBytes: null;
  readonly error: ExtractionFailure;
}

/** The end of one query. `ok` tells whether there is an item, `pageType` what it is. */
export type Outcome<P extends PageType = PageType> =
  | { [T in P]: Succeeded<T> }[P]
  | Unsuccessful<P>;

/** An iteration over outcomes. Leaving it cancels what it waits for. */
export interface Outcomes<P extends PageType = PageType> extends AsyncIterableIterator<Outcome<P>> {
  return(): Promise<IteratorResult<Outcome<P>, undefined>>;
  throw(error: unknown): Promise<IteratorResult<Outcome<P>, undefined>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Extracts pages: takes queries from any source, sends them at the pace that the service wants,
 * tries again what is worth it, and gives the outcome of each.
 *
 * @example
 * await using extractor = new Extractor({ apiKey });
 * for await (const outcome of extractor.results(queries)) {
 *   if (outcome.ok) {
 *     console.log(outcome.url, outcome.item);
 *   } else {
 *     console.warn(outcome.url, outcome.error.code, outcome.attempts, outcome.billed);
 *   }
 * }
 */
export class Extractor {
  /**
   * @throws {InvalidApiKey} if the key cannot be sent
   * @throws {InvalidEndpoint} if the address is not an absolute http(s) URL without credentials
   * @throws {InvalidRate} if nothing could ever be sent
   * @throws {InvalidSetting} if no engine can work with a setting
   */
  constructor(options: ExtractorOptions);
  /**
   * The outcome of each query as soon as it is there, in any order. A query is taken from the source
   * when there is room for it; several iterations at a time share one pace and one budget.
   *
   * An error of the source (a query that cannot be sent among them) is thrown behind the outcomes of
   * what it had given.
   *
   * @throws {AccountRefused} behind the outcomes, if the service refuses the account
   * @throws {OutOfBudget} likewise, if the cap is reached
   */
  results<P extends PageType>(
    queries: QuerySource<QueryInput<P>>,
    options?: ResultsOptions,
  ): Outcomes<P>;
  /**
   * The outcome of one query, at the same pace as all others.
   *
   * @throws {InvalidQuery} if the service would refuse it
   * @throws {AccountRefused} if the service refuses the account
   * @throws {OutOfBudget} if the cap is reached
   */
  extract<P extends PageType>(
    query: QueryInput<P>,
    options?: Omit<ResultsOptions, 'queueSize'>,
  ): Promise<Outcome<P>>;
  /** The engine's numbers, of all iterations together. */
  stats(): ExtractionStats;
  /** Goes on after `AccountRefused`, as if the account were well again. */
  resume(): void;
  /** Begins a billing cycle: what was billed counts no longer against the cap. */
  startCycle(): void;
  /**
   * Takes and sends nothing more, and gives up what is under way when the grace is over. Iterations
   * end with what they took in: with items, or with the error `job_closed`. A second call can
   * shorten the grace of the first.
   */
  close(options?: { readonly grace?: number }): Promise<void>;
  /** The same, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The service refuses the account: a bad key, a disabled account, a quota that is used up. Nothing
 * more is sent until `Extractor.resume`.
 */
export class AccountRefused extends ServiceError {
  /** The queries that were taken from the source and have no outcome, as they were given. */
  readonly unfinished: readonly QueryInput[];
  /** The answer that says so. */
  readonly cause: ServiceError;
}

/** The cap leaves no room for a further query, until `Extractor.startCycle`. */
export class OutOfBudget extends SilklineError {
  readonly code: 'out_of_budget';
  /** The queries that were taken from the source and have no outcome, as they were given. */
  readonly unfinished: readonly QueryInput[];
}
