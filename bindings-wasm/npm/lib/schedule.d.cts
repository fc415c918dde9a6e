import type { Machine } from './machine.cjs';

/** A number of times a second, or so many times in a period of milliseconds. */
export type Rate = number | { readonly count: number; readonly period: number };

/**
 * A token bucket. A taker of several tokens at once needs one and takes all, leaving a debt that
 * the next one waits for.
 *
 * @example
 * const limiter = new RateLimiter({ rate: 5, burst: 1, now: performance.now() });
 * const notBefore = limiter.tryAcquire(1, performance.now()); // null: go
 */
export class RateLimiter implements Machine {
  /** @throws {InvalidRate} if nothing could ever be taken */
  constructor(options: { readonly rate: Rate; readonly burst: number; readonly now: number });
  /** Takes tokens: `null`, or the moment before which there is none. */
  tryAcquire(count: number, now: number): number | null;
  /** Undoes the latest taking, because its use never happened; `false` if that is not possible. */
  giveBack(): boolean;
  /** When the next token is there: `now` if one is. */
  readyAt(now: number): number;
  free(): void;
  [Symbol.dispose](): void;
}

/** A seeded generator: the same seed gives the same waits in every language. */
export class Rng implements Machine {
  /** Without a seed, any. */
  constructor(seed?: number | bigint | null);
  free(): void;
  [Symbol.dispose](): void;
}

/** Why something did not succeed, as far as waits and budgets differ. */
export type FailureClass =
  | 'account'
  | 'ban'
  | 'billed_query'
  | 'download'
  | 'download_internal'
  | 'garbled'
  | 'network'
  | 'occupied'
  | 'query'
  | 'server'
  | 'target'
  | 'throttled';

/** All classes. */
export const FAILURE_CLASSES: readonly FailureClass[];

/** What one piece of work has been through: failures by class, and since when. */
export class Progress implements Machine {
  /** Begins with the moment of the first attempt. */
  constructor(firstAttempt: number);
  /** Failures of a class so far. */
  failures(failureClass: FailureClass): number;
  free(): void;
  [Symbol.dispose](): void;
}

/** A wait with full jitter, in milliseconds. */
export interface Wait {
  /** The least, and the most that jitter makes of it. */
  readonly between: readonly [number, number];
  /** A further part that doubles from the first number with each try, up to the second. */
  readonly growing?: readonly [number, number] | undefined;
  /** The first waits, where they are different. */
  readonly first?:
    | { readonly tries: number; readonly between: readonly [number, number] }
    | undefined;
}

/** When to give up: never, after so many retries, or by time in milliseconds. */
export type Budget =
  | 'forever'
  | { readonly retries: number }
  | { readonly sinceFirstAttempt: number }
  | { readonly uninterrupted: number };

export interface RetryPolicyOptions {
  /** What the rules begin with. Defaults to `default`: what the services' own clients do. */
  readonly preset?:
    | 'default'
    | 'smart_proxy'
    | 'zyte_api'
    | 'zyte_api_aggressive'
    | 'aggressive'
    | undefined;
  /** Waits and budgets of classes that are to be different. */
  readonly rules?: {
    readonly [C in FailureClass]?: {
      readonly wait?: Wait | undefined;
      readonly budget?: Budget | undefined;
    };
  };
}

/**
 * Which failures are worth another try, and when.
 *
 * @example
 * const policy = new RetryPolicy({ rules: { query: { budget: { retries: 1 } } } });
 * const progress = new Progress(now);
 * const wait = policy.next(progress, 'query', { now, rng: new Rng(1) }); // null: give up
 */
export class RetryPolicy implements Machine {
  constructor(options?: RetryPolicyOptions);
  /** The budget of a class. */
  budget(failureClass: FailureClass): Budget;
  /** The shortest and the longest wait after so many failures of a class. */
  range(failureClass: FailureClass, failures: number): [number, number];
  /**
   * Counts a failure: how long to wait before the next try, never less than the service asked for;
   * `null` to give up.
   */
  next(
    progress: Progress,
    failureClass: FailureClass,
    options: { readonly asked?: number | null; readonly now: number; readonly rng: Rng },
  ): number | null;
  free(): void;
  [Symbol.dispose](): void;
}

/** A request under way, as `Pace.begin` counted it. */
export interface Turn {
  readonly number: number;
  /** When it was sent, as far as known. */
  readonly sent: number;
  /** How long the address has to wait after it. */
  readonly delay: number;
}

/**
 * The pace of one session or address. The service counts a request when it arrives, so the next one
 * is ready at min(answer, sent + margin) + delay.
 *
 * @example
 * const pace = new Pace({ margin: 250, ready: 0 });
 * const turn = pace.begin(12_000, 0);
 * pace.answered(turn, 100);
 * pace.readyAt(); // 12100
 */
export class Pace implements Machine {
  /** Without a margin, the wait begins with the answer. */
  constructor(options: { readonly margin?: number | null; readonly ready: number });
  /** Steps by which it is slowed down; each adds half of the plain delay. */
  readonly steps: number;
  /** When the next request may be sent; `Infinity` while only an answer can tell. */
  readyAt(): number;
  /** Counts a request sent now, whose domain asks for a delay afterwards. */
  begin(delay: number, now: number): Turn;
  /** The request left later than it was handed out: the turn as it is then. */
  sent(turn: Turn, now: number): Turn;
  /** The request's answer was there. */
  answered(turn: Turn, now: number): void;
  /** No answer came in time: it cools from now on. */
  timedOut(turn: Turn, now: number): void;
  /** The request never left: as if it had not begun. */
  notSent(turn: Turn): void;
  /** The service says it is too fast. */
  slowDown(now: number, options?: { readonly asked?: number | null }): void;
  /** A good answer that asked for nothing: back towards the plain delay by one step. */
  recover(): void;
  /** Waits at least until a moment. */
  notBefore(at: number): void;
  free(): void;
  [Symbol.dispose](): void;
}

export interface SessionPoolOptions {
  /** How many sessions there may be at once. */
  readonly size?: number | undefined;
  /** How much later than it was sent a request may arrive; `null`: as late as its answer. */
  readonly margin?: number | null | undefined;
  /** How long after its last request the service forgets a session. */
  readonly idle?: number | undefined;
  /** How long after its first request the service forgets a session. Defaults to never for that. */
  readonly lifetime?: number | undefined;
  /** How long before that a session is not used any more. */
  readonly safety?: number | undefined;
  /** After how many bans a session is retired. */
  readonly maxBans?: number | undefined;
  /** After how many time-outs in a row a session is retired. */
  readonly maxTimeouts?: number | undefined;
  /** How much of the pool named sessions must leave to anonymous ones, in percent. */
  readonly anonymousPercent?: number | undefined;
}

/** A place in the pool for a session that is being created. It is handed in once. */
export interface Place {
  readonly named: boolean;
}

/** A session in use by one request. It is handed in once. */
export interface SessionUse {
  readonly type: 'use';
  /** The id of the session. */
  readonly session: string;
}

/** Why no session can be had: all are in use, there is none, or not before a moment. */
export type NoSession =
  | { readonly type: 'busy' }
  | { readonly type: 'empty' }
  | { readonly type: 'waitUntil'; readonly at: number };

/**
 * How a use ended; `broken`: nobody knows whether the service saw the request; `gone`: it does not
 * know the session; `refused`: it let the request not pass.
 */
export type SessionEnding =
  | 'answered'
  | 'banned'
  | 'broken'
  | 'gone'
  | 'notSent'
  | 'refused'
  | 'slower'
  | 'timedOut';

export interface PoolStats {
  readonly sessions: number;
  readonly inUse: number;
  readonly named: number;
  readonly reserved: number;
  readonly lost: number;
  /** How many sessions there may be at the moment. */
  readonly limit: number;
}

/**
 * A pool of sessions: pure scheduling, without any request of its own.
 *
 * @example
 * const pool = new SessionPool({ size: 100 });
 * const place = pool.reserve(now);
 * if (place !== null) {
 *   pool.add(place, createdId, { now });
 * }
 * const use = pool.tryAcquire(12_000, now);
 * if (use.type === 'use') {
 *   pool.finish(use, 'answered', later);
 * }
 */
export class SessionPool implements Machine {
  /** @throws {InvalidPool} if the service would not keep it */
  constructor(options?: SessionPoolOptions);
  /** Reserves a place; `null` if there is none. */
  reserve(now: number, options?: { readonly named?: boolean | undefined }): Place | null;
  /** Fills a place with the session that the service made. */
  add(
    place: Place,
    session: string,
    options: {
      readonly address?: string | null | undefined;
      /** The request that created the session, if it already went through it. */
      readonly first?: { readonly sent: number; readonly delay: number } | null | undefined;
      readonly now: number;
    },
  ): void;
  /** Takes in a session that the service lists, as if used at this moment. */
  adopt(
    session: string,
    options: {
      readonly address?: string | null | undefined;
      readonly delay: number;
      readonly now: number;
    },
  ): void;
  /** Gives back the place of a creation that failed. */
  cancel(place: Place): void;
  /** Keeps the place of a creation whose answer was lost, until the session must be forgotten. */
  lose(place: Place, now: number): void;
  /** Whether an anonymous session can be had. */
  readyAt(now: number): { readonly type: 'ready' } | NoSession;
  /**
   * Takes the anonymous session that has been ready longest, or a certain one, for a request to a
   * domain that asks for a delay afterwards.
   */
  tryAcquire(
    delay: number,
    now: number,
    options?: { readonly session?: string | null | undefined },
  ): SessionUse | NoSession;
  /** The request left later than it was handed out. */
  sent(use: SessionUse, now: number): void;
  /** Ends a use; `true` if the session is retired. */
  finish(
    use: SessionUse,
    ending: SessionEnding,
    now: number,
    options?: { readonly asked?: number | null | undefined },
  ): boolean;
  /** Counts a ban that was learned outside of the end of a use; `true` if the session is retired. */
  ban(session: string): boolean;
  /** Takes a session out of the pool; `false` if there is none of that id. */
  remove(session: string): boolean;
  /** A session past its idle time, each given once. */
  takeExpired(now: number): string | null;
  /** When the next session that nobody uses is past its idle time. */
  nextExpiry(): number | null;
  /** Gives a session a name: from then on only asking for that session hands it out. */
  setName(session: string, name: string): boolean;
  /** Takes a name away, and gives the id of its session. */
  endName(name: string): string | null;
  /** The id of the session of a name. */
  named(name: string): string | null;
  /** What is known of a session; `readyAt` is `null` while only an answer can tell. */
  session(session: string): {
    readonly name: string | null;
    readonly address: string | null;
    readonly readyAt: number | null;
  } | null;
  /** Says from which address a session leaves: it shares the pace of others there. */
  setAddress(session: string, address: string): boolean;
  /** The service keeps no more sessions than there are: the limit falls to that. */
  shrink(): void;
  /** Raises the limit again, up to the configured size. */
  grow(by: number): void;
  /** The ids of all sessions. */
  ids(): string[];
  stats(): PoolStats;
  free(): void;
  [Symbol.dispose](): void;
}
