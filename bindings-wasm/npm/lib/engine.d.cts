import type { ExtractionJobError, ServiceError } from '../errors.cjs';
import type {
  ExtractionApi,
  HttpRequest,
  HttpResponse,
  Query,
  QueryError,
  QueryInput,
  Result,
} from './extraction.cjs';
import type { Machine } from './machine.cjs';
import type { Rate, RetryPolicy, RetryPolicyOptions } from './schedule.cjs';

/** Why a request has no answer; `notSent`: it never left, and costs nothing. */
export type Failure = 'network' | 'notSent' | 'timeout';

/** Whether an answer was still waited for; what a late one says of costs counts. */
export type Receipt = 'accepted' | 'late';

/** Why nothing can be sent before a moment. */
export type WaitReason =
  | 'answers'
  | 'back_off'
  | 'budget'
  | 'domain_occupied'
  | 'rate'
  | 'session_cooling'
  | 'slots_busy';

/** Why nothing will happen before the next command. */
export type IdleReason = 'closed' | 'empty' | 'incomplete' | 'out_of_budget' | 'stopped';

/** Attempts known to be billed, and those of which nobody knows. */
export interface Cost {
  readonly billed: number;
  readonly possiblyBilled: number;
}

/** A request to send; its answer or failure is to be reported with its id. */
export interface ExtractionSend {
  readonly type: 'send';
  readonly id: number;
  readonly request: HttpRequest;
  /** When the engine gives it up. */
  readonly deadline: number;
  /** How many queries it carries. */
  readonly queries: number;
}

/** A request to give up: nobody waits for its answer. */
export interface Abort {
  readonly type: 'abort';
  readonly id: number;
}

/** What every end of a job tells. */
interface AnyFinished {
  readonly type: 'finished';
  readonly job: number;
  readonly key: string | null;
  readonly query: Query;
  /** How often it was sent. */
  readonly attempts: number;
  readonly cost: Cost;
  /** How long it took since it was submitted, in milliseconds. */
  readonly elapsed: number;
}

/**
 * The end of a job: without an error, `result` has the item. With one, `result` is what the service
 * answered the query with, or `null` if it did not get that far.
 */
export type ExtractionFinished =
  | (AnyFinished & { readonly result: Result & { readonly ok: true }; readonly error: null })
  | (AnyFinished & {
      readonly result: (Result & { readonly ok: false }) | null;
      readonly error: QueryError | ServiceError | ExtractionJobError;
    });

/** The account is refused: the engine keeps its queue until `resume` or `close`. */
export interface ExtractionStopped {
  readonly type: 'stopped';
  readonly error: ServiceError;
}

/** A result that no query of its request asked for; `query` is the one whose second result it is. */
export interface ExtractionUnmatched {
  readonly type: 'unmatched';
  readonly result: Result;
  readonly query: Query | null;
}

/** Nothing before this moment, unless a command or an answer comes. */
export interface WaitUntil {
  readonly type: 'waitUntil';
  readonly at: number;
  readonly reason: WaitReason;
}

/** Nothing before the next command. */
export interface Idle {
  readonly type: 'idle';
  readonly reason: IdleReason;
}

/** What to do next, told apart by `type`. */
export type ExtractionOutput =
  | ExtractionSend
  | Abort
  | ExtractionFinished
  | ExtractionStopped
  | ExtractionUnmatched
  | WaitUntil
  | Idle;

/** How an engine is set up; what is left out is as the service recommends. Times in milliseconds. */
export interface ExtractionEngineOptions {
  readonly api: ExtractionApi;
  /** How many queries may be sent on average. */
  readonly rate?: Rate | null | undefined;
  /** How many queries may be sent at once after a rest. */
  readonly burst?: number | null | undefined;
  /** How many requests may be under way at once. */
  readonly concurrency?: number | null | undefined;
  /** How many jobs may be unfinished at once. */
  readonly queueSize?: number | null | undefined;
  /** How many queries a request may carry. */
  readonly batchSize?: number | null | undefined;
  /** How long an answer may take. */
  readonly deadline?: number | null | undefined;
  /** How many queries may be billed in a cycle; what is under way or unknown counts as billed. */
  readonly cap?: number | null | undefined;
  /** Whether jobs that were under way in a snapshot are tried again, or end as interrupted. */
  readonly requeue?: boolean | null | undefined;
  /** Waits and budgets of failures. */
  readonly policy?: RetryPolicy | RetryPolicyOptions | null | undefined;
  /** The moment on the caller's own clock, `performance.now()` say. */
  readonly now: number;
}

export interface ExtractionJob {
  readonly query: QueryInput;
  /** Higher ones go first, always. Defaults to 0. */
  readonly priority?: number | undefined;
  /** A text that comes back with the end of the job, over snapshots too. */
  readonly key?: string | null | undefined;
}

export interface ExtractionStats {
  readonly submitted: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly closed: number;
  /** Jobs that can be sent as soon as rate, slots, budget and their domain let them. */
  readonly queued: number;
  /** Jobs that wait before another try. */
  readonly waiting: number;
  readonly requestsInFlight: number;
  readonly queriesInFlight: number;
  /** Requests handed out. */
  readonly requests: number;
  readonly retries: number;
  readonly billedRetries: number;
  /** Answers that asked the whole engine to wait. */
  readonly throttled: number;
  /** Answers that said a domain is occupied. */
  readonly occupied: number;
  readonly timedOut: number;
  /** Answers that came after that. */
  readonly late: number;
  /** Queries whose answer had no result for them. */
  readonly missing: number;
  /** Results that belong to no query. */
  readonly unmatched: number;
  /** Queries that are not under way any more, by billing. */
  readonly usage: {
    readonly queries: number;
    readonly billed: number;
    readonly unbilled: number;
    readonly unknown: number;
  };
  /** What counts against the cap of this cycle. */
  readonly spent: number;
  readonly paused: boolean;
  readonly stopped: boolean;
}

/**
 * Decides which queries to send when. It sends nothing itself and reads no clock: `now` is the
 * caller's, in milliseconds, and never goes back.
 *
 * @example
 * using engine = new ExtractionEngine({ api, now: performance.now() });
 * engine.submit({ url: 'https://example.com/', pageType: 'article' }, { now: performance.now() });
 * const output = engine.poll(performance.now());
 * if (output.type === 'send') {
 *   const response = await fetch(output.request.url, output.request);
 *   const { status, headers } = response;
 *   const body = await response.arrayBuffer();
 *   engine.handleResponse(output.id, { status, headers, body }, performance.now());
 * }
 */
export class ExtractionEngine implements Machine {
  /**
   * @throws {InvalidRate} if nothing could ever be sent
   * @throws {InvalidSetting} if no engine can work with a setting
   */
  constructor(
    options: ExtractionEngineOptions & {
      /** The same seed gives the same waits in every language. Without one, any. */
      readonly seed?: number | bigint | null | undefined;
    },
  );
  /**
   * An engine that goes on where a snapshot was taken, `downtime` ago if that is known.
   *
   * @throws {InvalidSnapshot} if the bytes are no snapshot of such an engine
   */
  static restore(
    options: ExtractionEngineOptions & {
      readonly snapshot: Uint8Array | ArrayBuffer | string;
      readonly downtime?: number | null | undefined;
    },
  ): ExtractionEngine;
  /**
   * Takes a job in, and gives its id.
   *
   * @throws {NotSubmitted} if the queue is full or the engine closed
   */
  submit(
    query: QueryInput,
    options: Omit<ExtractionJob, 'query'> & { readonly now: number },
  ): number;
  /**
   * Takes many in at once. The ids of those that were taken, which are fewer than were given when
   * the queue gets full.
   *
   * @throws {NotSubmitted} if none was taken
   */
  submitMany(jobs: Iterable<ExtractionJob>, now: number): number[];
  /** Ends a job as cancelled; `false` if it has ended. What it cost still counts. */
  cancel(job: number, now: number): boolean;
  /** Whether a job is unfinished. */
  contains(job: number): boolean;
  /** How many further jobs are taken in; none once the engine is closed. */
  readonly room: number;
  /** What to do next. Call until it says `waitUntil` or `idle`. */
  poll(now: number): ExtractionOutput;
  /** The same for many at once: the last one is `waitUntil` or `idle`, unless there are more. */
  pollBatch(now: number, most: number): ExtractionOutput[];
  /**
   * Says that a request left. Optional.
   *
   * @throws {UnknownRequest} if no such request is under way
   */
  handleSent(request: number, now: number): Receipt;
  /**
   * Takes the answer of a request. Results are views of its body: do not change that afterwards.
   *
   * @throws {UnknownRequest} if no such request is under way
   */
  handleResponse(request: number, response: HttpResponse, now: number): Receipt;
  /**
   * Takes the failure of a request: there will be no answer.
   *
   * @throws {UnknownRequest} if no such request is under way
   */
  handleFailure(request: number, failure: Failure, now: number): Receipt;
  /** Goes on after a stop, as if the account were well again; also ends a pause. */
  resume(now: number): void;
  /** Begins a billing cycle: what was billed counts no longer against the cap. */
  startCycle(now: number): void;
  /** Ends all jobs; what is under way may finish until the grace has passed. Defaults to none. */
  close(now: number, grace?: number): void;
  /** Everything that a new process needs to go on; the API key is not in it. */
  snapshot(now: number): Uint8Array<ArrayBuffer>;
  stats(): ExtractionStats;
  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free(): void;
  [Symbol.dispose](): void;
}
