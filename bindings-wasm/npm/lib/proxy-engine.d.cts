import type {
  InvalidHeader,
  InvalidProxiedRequest,
  InvalidProxyOptions,
  ProxyJobError,
  ProxyServiceError,
} from '../errors.cjs';
import type { Abort, Cost, Failure, Idle, Receipt, WaitUntil } from './engine.cjs';
import type { HeaderList, HeadersInput } from './headers.cjs';
import type { Machine } from './machine.cjs';
import type {
  ProxiedHttpRequest,
  ProxyApi,
  ProxyOptions,
  ProxyOptionsFields,
  ProxyTarget,
  ProxyWarning,
} from './proxy.cjs';
import type {
  PoolStats,
  RetryPolicy,
  RetryPolicyOptions,
  SessionPoolOptions,
} from './schedule.cjs';

/** The proxy that a request goes through. */
export interface ProxyEndpoint {
  /** Its URL, without key. */
  readonly url: string;
  /**
   * The value of `Proxy-Authorization`. A secret; the request to a plain target, or its CONNECT, has
   * it already. It does not show when the object is printed, spread or logged as JSON.
   */
  readonly authorization: string;
}

/**
 * What a request is for: that of a job, or a call of the sessions API, which goes to the service
 * itself.
 */
export type ProxySendKind = 'create_session' | 'delete_session' | 'fetch' | 'list_sessions';

/** A request to send; its answer or failure is to be reported with its id. */
export interface ProxySend {
  readonly type: 'send';
  readonly id: number;
  readonly kind: ProxySendKind;
  /** The proxy to use; `null` for calls of the sessions API. */
  readonly proxy: ProxyEndpoint | null;
  /** What opens the tunnel, for an https target. */
  readonly connect: ProxiedHttpRequest | null;
  readonly request: ProxiedHttpRequest;
  /** What is allowed but hardly meant. */
  readonly warnings: readonly ProxyWarning[];
  /** When the engine gives it up. */
  readonly deadline: number;
  /** The job that it is for. */
  readonly job: number | null;
  /** The session in use, or the one to delete; `null` outside sessions or if it makes one. */
  readonly session: string | null;
  /** The name of the sequence of requests that the job belongs to. */
  readonly sessionName: string | null;
}

/** The answer of a target, as the driver gave it. */
export interface ProxyFetched {
  readonly status: number;
  readonly headers: HeaderList;
  /** What the driver gave of the body: its own bytes, not a copy. */
  readonly body: Uint8Array;
  /**
   * The request that it answers: the driver may have more of the body. `null` for an answer that
   * the application called a ban.
   */
  readonly id: number | null;
  /** The session that it came through. */
  readonly session: string | null;
  /** The address that the request left from, if the service told. */
  readonly outgoing: string | null;
}

interface AnyProxyFinished {
  readonly type: 'finished';
  readonly job: number;
  readonly key: string | null;
  /** The request as it was submitted. */
  readonly request: ProxiedHttpRequest;
  /** How often it was sent. */
  readonly attempts: number;
  readonly cost: Cost;
  /** How long it took since it was submitted, in milliseconds. */
  readonly elapsed: number;
}

/**
 * The end of a job: without an error, `response` is the target's. With one, `response` is the answer
 * that the application called a ban, if that is why.
 */
export type ProxyFinished =
  | (AnyProxyFinished & { readonly response: ProxyFetched; readonly error: null })
  | (AnyProxyFinished & {
      readonly response: ProxyFetched | null;
      readonly error:
        | InvalidHeader
        | InvalidProxiedRequest
        | InvalidProxyOptions
        | ProxyJobError
        | ProxyServiceError;
    });

/**
 * A job that came out of a snapshot without its secrets. It waits until `supply` or `cancel`.
 */
export interface ProxyIncomplete {
  readonly type: 'incomplete';
  readonly job: number;
  readonly key: string | null;
  /** Its request, less what is missing. */
  readonly request: ProxiedHttpRequest;
  /** The names of the headers that are missing. */
  readonly headers: readonly string[];
  /** Whether the body is missing. */
  readonly body: boolean;
  /** Whether the URL is missing: it held the key. */
  readonly url: boolean;
}

/** A named session was lost. */
export interface ProxySessionLost {
  readonly type: 'sessionLost';
  readonly name: string;
  readonly session: string;
  readonly cause: 'banned' | 'expired' | 'gone' | 'timed_out';
}

/** The account is refused: the engine keeps its queue until `resume` or `close`. */
export interface ProxyStopped {
  readonly type: 'stopped';
  readonly error: ProxyServiceError;
}

/** What to do next, told apart by `type`. */
export type ProxyOutput =
  | ProxySend
  | Abort
  | ProxyFinished
  | ProxyIncomplete
  | ProxySessionLost
  | ProxyStopped
  | WaitUntil
  | Idle;

/**
 * How an engine is set up; what is left out is as the service recommends. Times in milliseconds.
 * The members of `SessionPoolOptions` are those of its pool.
 */
export interface ProxyEngineOptions extends SessionPoolOptions {
  readonly api: ProxyApi;
  /** Whether sessions are made by the request that needs one, or by a call of the sessions API. */
  readonly creation?: 'header' | 'call' | null | undefined;
  /** How many sessions are made before any job needs them. */
  readonly warmUp?: number | null | undefined;
  /** How far apart requests of one session are. */
  readonly delay?: number | null | undefined;
  /** The same for domains and their subdomains. */
  readonly domainDelays?: Readonly<Record<string, number>> | null | undefined;
  /** How many requests may be under way at once. */
  readonly concurrency?: number | null | undefined;
  /** How many calls of the sessions API may be under way at once. */
  readonly callConcurrency?: number | null | undefined;
  /** How many jobs may be unfinished at once. */
  readonly queueSize?: number | null | undefined;
  /** How long an answer may take. */
  readonly deadline?: number | null | undefined;
  /** Waits and budgets of failures. */
  readonly policy?: RetryPolicy | RetryPolicyOptions | null | undefined;
  /** Options of requests whose job says nothing else. */
  readonly options?: ProxyOptions | ProxyOptionsFields | null | undefined;
  /** Whether jobs that were under way in a snapshot are tried again, or end as interrupted. */
  readonly requeue?: boolean | null | undefined;
  /** Whether a snapshot holds `Cookie`, `Authorization` and body of the jobs. */
  readonly keepSecrets?: boolean | null | undefined;
  /** Whether an engine takes over sessions of the account that its snapshot does not name. */
  readonly adoptAll?: boolean | null | undefined;
  /** Whether `close` deletes the sessions of this engine. */
  readonly deleteOnClose?: boolean | null | undefined;
  /** The moment on the caller's own clock, `performance.now()` say. */
  readonly now: number;
}

/** Through which session a request goes, and when. */
export interface ProxyJobOptions {
  /** They win over those of the engine. */
  readonly options?: ProxyOptions | ProxyOptionsFields | null | undefined;
  /**
   * A name: jobs of one name go one after the other, in the order of their submission, through one
   * session, until `endSession`. Without a name, any session of the pool is used.
   */
  readonly session?: string | null | undefined;
  /** Whether it may go through a new session if the one of that name is lost. */
  readonly replaceSession?: boolean | undefined;
  /** Whether the service chooses the address, and retries by itself. Not together with `session`. */
  readonly outsideSessions?: boolean | undefined;
  /**
   * The session that an earlier answer came through: for what belongs to that request, as its
   * redirect does. Another one of the pool if it is gone. Not together with `session`.
   */
  readonly stayIn?: string | null | undefined;
  /** Higher ones go first, always. Defaults to 0. */
  readonly priority?: number | undefined;
  /** A text that comes back with the end of the job, over snapshots too. */
  readonly key?: string | null | undefined;
}

/** A request through the proxy, or the URL of a page to get. */
export type ProxyRequestInput = ProxyTarget | string | { readonly href: string };

/** The answer to a request, with its body or the beginning of that. */
export interface ProxyReply {
  readonly status: number;
  readonly headers: HeadersInput;
  readonly body?: Uint8Array | ArrayBuffer | ArrayBufferView | string | null | undefined;
  /** The application's verdict: whether the answer is a ban in disguise. */
  readonly banned?: boolean | undefined;
  /** Whether it answers the CONNECT: no target can have given it. */
  readonly connect?: boolean | undefined;
}

export interface ProxyStats {
  readonly submitted: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly closed: number;
  /** Requests handed out for jobs. */
  readonly requests: number;
  /** Tries beyond the first of their job. */
  readonly retries: number;
  /** Calls of the sessions API handed out. */
  readonly calls: number;
  /** Answers that are billed. */
  readonly billed: number;
  /** Answers that are not: errors of the service. */
  readonly unbilled: number;
  /** Requests of which nobody knows, because their answer was lost. */
  readonly possiblyBilled: number;
  /** Answers that asked the whole engine to wait. */
  readonly throttled: number;
  /** Answers that asked for a slower pace of their session. */
  readonly slowed: number;
  /** Answers that were bans, by the service's or the application's word. */
  readonly bans: number;
  /** Requests given up at their deadline. */
  readonly timedOut: number;
  /** Answers that came after that. */
  readonly late: number;
  readonly sessionsCreated: number;
  /** Sessions taken over from an earlier process. */
  readonly sessionsAdopted: number;
  readonly sessionsDeleted: number;
  /** Sessions that the service did not know any more. */
  readonly sessionsGone: number;
  /** Sessions retired after bans or time-outs. */
  readonly sessionsRetired: number;
  /** Sessions dropped because nothing was sent through them for too long. */
  readonly sessionsExpired: number;
  /** Times that the service had no room for a further session. */
  readonly sessionLimits: number;
  /** Jobs that can be sent as soon as slots and sessions let them. */
  readonly queued: number;
  /** Jobs that wait before another try. */
  readonly waiting: number;
  readonly unfinished: number;
  /** Requests under way, with calls of the sessions API. */
  readonly inFlight: number;
  /** How many requests may be under way at the moment. */
  readonly concurrency: number;
  /** Names that have a session, or jobs. */
  readonly names: number;
  readonly pool: PoolStats;
  readonly paused: boolean;
  readonly stopped: boolean;
}

/**
 * Decides which request to send through which session when. It sends nothing itself and reads no
 * clock: `now` is the caller's, in milliseconds, and never goes back.
 *
 * @example
 * using engine = new ProxyEngine({ api, size: 20, now: performance.now() });
 * engine.submit('http://example.com/', { now: performance.now() });
 * const output = engine.poll(performance.now());
 * if (output.type === 'send') {
 *   // Sends `output.request` through `output.proxy`, and when its body has been read:
 *   engine.handleResponse(output.id, { status, headers, body }, performance.now());
 * }
 */
export class ProxyEngine implements Machine {
  /**
   * @throws {InvalidPool} if the service would not keep the pool
   * @throws {InvalidProxyOptions} if the options are wrong, or name a session
   * @throws {InvalidSetting} if no engine can work with a setting
   */
  constructor(
    options: ProxyEngineOptions & {
      /** The same seed gives the same waits in every language. Without one, any. */
      readonly seed?: number | bigint | null | undefined;
    },
  );
  /**
   * An engine that goes on where a snapshot was taken, `downtime` ago if that is known. Its sessions
   * are used again once the service has listed them.
   *
   * @throws {InvalidSnapshot} if the bytes are no snapshot of such an engine
   */
  static restore(
    options: ProxyEngineOptions & {
      readonly snapshot: Uint8Array | ArrayBuffer | string;
      readonly downtime?: number | null | undefined;
    },
  ): ProxyEngine;
  /**
   * Takes a job in, and gives its id.
   *
   * @throws {NotSubmitted} if the queue is full or the engine closed
   * @throws {InvalidSessionId} if no session can have the id to stay in
   * @throws {InvalidProxiedRequest | InvalidProxyOptions | InvalidHeader | InvalidMethod} if the
   *   request could not be sent
   */
  submit(request: ProxyRequestInput, options: ProxyJobOptions & { readonly now: number }): number;
  /**
   * Takes many in, and gives the ids of those that there was room for. One that is wrong throws;
   * those before it are taken in.
   *
   * @throws {NotSubmitted} if there was no room at all
   */
  submitMany(
    jobs: Iterable<ProxyJobOptions & { readonly request: ProxyRequestInput }>,
    now: number,
  ): number[];
  /** How many further jobs are taken in; none once it is closed. */
  readonly room: number;
  /** Ends a job as cancelled; `false` if it has ended. What it cost still counts. */
  cancel(job: number, now: number): boolean;
  /**
   * Gives a job the request that a snapshot did not keep whole; `false` if none is waited for.
   *
   * @throws {InvalidProxiedRequest | InvalidProxyOptions} if the request could not be sent
   */
  supply(job: number, request: ProxyRequestInput, now: number): boolean;
  /**
   * Ends a named session after the jobs that it has so far, and deletes it. A job submitted under
   * the name from here on begins another one. `false` if there is none of that name.
   */
  endSession(name: string, now: number): boolean;
  /** Whether a job is unfinished. */
  contains(job: number): boolean;
  /** What to do next. Call until it says `waitUntil` or `idle`. */
  poll(now: number): ProxyOutput;
  /** The same for many at once: the last one is `waitUntil` or `idle`, unless there are more. */
  pollBatch(now: number, most: number): ProxyOutput[];
  /**
   * Says that a request left, if the driver knows: its session's rest begins with that moment.
   * Optional.
   *
   * @throws {UnknownRequest} if no such request is under way
   */
  handleSent(request: number, now: number): Receipt;
  /**
   * Takes the answer of a request, when its body has been read: its session is free again. Of a
   * target's body the beginning is enough, as much as the application wants in the event.
   *
   * @throws {UnknownRequest} if no such request is under way
   */
  handleResponse(request: number, response: ProxyReply, now: number): Receipt;
  /**
   * Takes the failure of a request: there will be no answer. One that was not sent gives session,
   * pace and cost back.
   *
   * @throws {UnknownRequest} if no such request is under way
   */
  handleFailure(request: number, failure: Failure, now: number): Receipt;
  /** Goes on after a stop, as if the account were well again; also ends a pause. */
  resume(now: number): void;
  /**
   * Ends all jobs; what is under way may finish until the grace has passed. Defaults to none. Then
   * the sessions of this engine are deleted.
   */
  close(now: number, grace?: number): void;
  /** Everything that a new process needs to go on; the API key is not in it. */
  snapshot(now: number): Uint8Array<ArrayBuffer>;
  stats(): ProxyStats;
  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free(): void;
  [Symbol.dispose](): void;
}
