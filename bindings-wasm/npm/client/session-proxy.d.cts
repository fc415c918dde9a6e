import type {
  Cost,
  ProxyDialect,
  ProxyOptions,
  ProxyOptionsFields,
  ProxyServiceError,
  ProxySessionLost,
  ProxyStats,
  RetryPolicy,
  RetryPolicyOptions,
  SilklineError,
  Usage,
} from '../index.cjs';
import type { Clock } from './driver.cjs';
import type { Signal } from './extractor.cjs';

/** The platform's own, where its types know of it. */
type StandardResponse = typeof globalThis extends { Response: { prototype: infer R } }
  ? R
  : { readonly status: number; readonly ok: boolean };

/** A URL, or the `Request` of a platform. */
export type FetchInput =
  | string
  | { readonly href: string }
  | { readonly url: string; readonly method: string; arrayBuffer(): PromiseLike<ArrayBuffer> };

/** How a response came. */
export interface ProxiedFacts {
  /** The session that it came through; `null` outside sessions. */
  readonly session: string | null;
  /** The name that the request gave its session. */
  readonly sessionName: string | null;
  /** The address that the request left from, if the service told. */
  readonly outgoing: string | null;
  /** How often the request was sent; of redirects, the last one. */
  readonly attempts: number;
  /** How many redirects led to it. */
  readonly redirects: number;
}

/** A `Response` of the platform, with what the service told of its way. */
export type ProxiedResponse = StandardResponse & { readonly proxied: ProxiedFacts };

/** Whether an answer is a ban in disguise. */
export type Verdict = (response: ProxiedResponse) => boolean | PromiseLike<boolean>;

/** What `fetch` takes beside a URL: what that of the platform takes, and through which session. */
export interface SessionRequestInit {
  readonly method?: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the platform's `fetch` takes.
  readonly headers?: any;
  /** Read as a whole before it is sent, since it may be sent again. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the platform's `fetch` takes.
  readonly body?: any;
  /** Defaults to `follow`: each redirect goes through the session of the request before it. */
  readonly redirect?: 'follow' | 'manual' | 'error' | undefined;
  readonly signal?: Signal | null | undefined;
  /**
   * A name: requests of one name go one after the other through one session, until `endSession`.
   * Without a name, any session of the pool is used.
   */
  readonly session?: string | null | undefined;
  /** Whether it may go through a new session if the one of that name is lost. */
  readonly replaceSession?: boolean | undefined;
  /** Whether the service chooses the address, and retries by itself. */
  readonly outsideSessions?: boolean | undefined;
  /** Higher ones go first, always. Defaults to 0. */
  readonly priority?: number | undefined;
  /** They win over those of the proxy. */
  readonly options?: ProxyOptions | ProxyOptionsFields | null | undefined;
  readonly banned?: Verdict | undefined;
  readonly maxRedirects?: number | undefined;
  /** As the platform's `fetch` wants it of a body that is a stream; nothing depends on it. */
  readonly duplex?: 'half' | undefined;
  // What is taken, and is the business of browsers.
  readonly cache?: string | undefined;
  readonly credentials?: string | undefined;
  readonly integrity?: string | undefined;
  readonly keepalive?: boolean | undefined;
  readonly mode?: string | undefined;
  readonly referrer?: string | undefined;
  readonly referrerPolicy?: string | undefined;
  readonly window?: null | undefined;
}

/** How a `SessionProxy` is set up. Only the key is needed. Times in milliseconds. */
export interface SessionProxyOptions {
  /** The key of the account. It is never shown. */
  readonly apiKey: string;
  /** The address of the service. Defaults to `ProxyApi.DEFAULT_ENDPOINT`. */
  readonly endpoint?: string | { readonly href: string } | null | undefined;
  /** Which service it is: Smart Proxy Manager, or Zyte API's proxy mode as `zyte_api`. */
  readonly dialect?: ProxyDialect | null | undefined;
  /** The service's certificate authority, as PEM: it opens the TLS of https targets itself. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** How many sessions there may be. */
  readonly sessions?: number | null | undefined;
  /** How far apart requests of one session are. */
  readonly sessionDelay?: number | null | undefined;
  /** The same for domains and their subdomains. */
  readonly domainDelays?: Readonly<Record<string, number>> | null | undefined;
  /** How much later than it was sent a request may arrive; `null`: as late as its answer. */
  readonly sessionMargin?: number | null | undefined;
  /** How long after its last request the service forgets a session. */
  readonly sessionIdle?: number | undefined;
  /** How long after its first request the service forgets a session. */
  readonly lifetime?: number | undefined;
  /** How long before that a session is not used any more. */
  readonly safety?: number | undefined;
  /** After how many bans a session is retired. */
  readonly maxBans?: number | undefined;
  /** After how many time-outs in a row a session is retired. */
  readonly maxTimeouts?: number | undefined;
  /** How much of the pool named sessions must leave to anonymous ones, in percent. */
  readonly anonymousPercent?: number | undefined;
  /** Whether sessions are made by the request that needs one, or by a call of the sessions API. */
  readonly creation?: 'header' | 'call' | null | undefined;
  /** How many sessions are made at once. */
  readonly warmUp?: number | null | undefined;
  /** How many requests may be under way at once. */
  readonly concurrency?: number | null | undefined;
  /** How many calls of the sessions API may be under way at once. */
  readonly callConcurrency?: number | null | undefined;
  /** How many requests may be unfinished at once. */
  readonly queueSize?: number | null | undefined;
  /** How long an answer may take, with its body; no limit of the client cuts it short. */
  readonly deadline?: number | null | undefined;
  /** Waits and budgets of failures. */
  readonly policy?: RetryPolicy | RetryPolicyOptions | null | undefined;
  /** Options of requests that say nothing else. */
  readonly options?: ProxyOptions | ProxyOptionsFields | null | undefined;
  /**
   * Says of an answer of a target whether it is a ban in disguise: then the request is tried again
   * through another session. Bodies are read as a whole for it.
   */
  readonly banned?: Verdict | undefined;
  /** Called when a named session is lost. Left out, there is a warning. */
  readonly onSessionLost?: ((lost: ProxySessionLost) => void) | undefined;
  /** How many bytes a body may have that is read as a whole. Defaults to 100 MB. */
  readonly maxBody?: number | undefined;
  /** Defaults to 20. */
  readonly maxRedirects?: number | undefined;
  /** How long what is under way may take when the proxy is closed. Defaults to 0. */
  readonly grace?: number | undefined;
  /** How long the deletion of the sessions may take after that. Defaults to 30 seconds. */
  readonly deleteTimeout?: number | undefined;
  /** Whether sessions are left to expire instead. */
  readonly keepSessions?: boolean | undefined;
  /** The same seed gives the same waits. Without one, any. */
  readonly seed?: number | bigint | null | undefined;
  /**
   * Sends what a `send` of `ProxyEngine` says, in place of sockets, and gives the answer:
   * `silkline/testing` has one.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a sender may take less than it is given.
  readonly send?: ((output: any, options: any) => PromiseLike<any>) | undefined;
  /** The time to go by; that of the machine by default. */
  readonly clock?: Clock | undefined;
}

/** What errors tell of a request that was given up. */
export interface ProxyFailure {
  /** How often it was sent. */
  readonly attempts: number;
  readonly cost: Cost;
  /** What one more attempt costs that ends in the same way. */
  readonly retryCost: Usage;
}

/**
 * Fetches through sessions of the proxy service: a pool of them fills and paces itself, each request
 * waits for one that is ready, and what can be tried again is.
 *
 * @example
 * await using proxy = new SessionProxy({ apiKey: 'KEY', sessions: 20 });
 * const response = await proxy.fetch('http://example.com/');
 * console.log(response.status, response.proxied.session, await response.text());
 */
export class SessionProxy {
  /**
   * @throws {InvalidApiKey | InvalidEndpoint} if key or address cannot be used
   * @throws {InvalidPool | InvalidProxyOptions | InvalidSetting} if a setting cannot be
   */
  constructor(options: SessionProxyOptions);
  /**
   * Sends a request, and gives the answer of the target, whatever its status, as soon as its head is
   * there. The session is free again when the body has come: read it, or `cancel()` it.
   *
   * Rejects with what ended it otherwise, with the members of `ProxyFailure`: `ProxyServiceError` or
   * `ProxyJobError`. And with `ProxyAccountRefused`, `UntrustedCertificate`, `RedirectRefused`,
   * `BodyTooLarge`, `NotSubmitted`, or the reason of its signal; for what cannot be sent, before
   * anything is, with `InvalidProxiedRequest`, `InvalidProxyOptions` or `InvalidHeader`.
   */
  fetch(input: FetchInput, init?: SessionRequestInit): Promise<ProxiedResponse>;
  /**
   * A sequence of requests through one session. Left out, the name is one that nobody has. With
   * `replace` the session may be replaced by another one if it is lost.
   */
  session(name?: string, options?: { readonly replace?: boolean | undefined }): NamedSession;
  /** Ends a named session after the requests that it has so far; `false` if there is none. */
  endSession(name: string): boolean;
  /** The engine's numbers. */
  stats(): ProxyStats;
  /** Goes on after `ProxyAccountRefused`, as if the account were well again. */
  resume(): void;
  /**
   * Takes and sends nothing more, gives up what is under way after a grace, and deletes the
   * sessions. Requests that are waited for end as `job_closed`.
   */
  close(options?: { readonly grace?: number | undefined }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A sequence of requests, one after the other through one session; see `SessionProxy.session`. */
export class NamedSession {
  private constructor();
  readonly name: string;
  /** As `SessionProxy.fetch`. */
  fetch(input: FetchInput, init?: SessionRequestInit): Promise<ProxiedResponse>;
  /** Ends the session after the requests that it has so far; `false` if there is none. */
  end(): boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The account is refused: nothing is sent until `resume`. */
export class ProxyAccountRefused extends ProxyServiceError {}

/**
 * The certificate of the proxy, or of a target, is not trusted: pass the service's authority as `ca`.
 */
export class UntrustedCertificate extends SilklineError {
  readonly code: 'untrusted_certificate';
}

/** Redirects lead on and on (`too_many_redirects`), or were not wanted (`redirect_unwanted`). */
export class RedirectRefused extends SilklineError {
  readonly code: 'redirect_unwanted' | 'too_many_redirects';
  /** Where the last one leads. */
  readonly location: string;
}

/** A body that had to be read as a whole is larger than allowed. */
export class BodyTooLarge extends SilklineError {
  readonly code: 'body_too_large';
  readonly limit: number;
}
