import type { BridgedQuery } from './bridge.cjs';
import type { HttpResponse, PageType } from './extraction.cjs';
import type { HeaderList, HeadersInput } from './headers.cjs';
import type { Machine } from './machine.cjs';

/** A request as a service receives it. */
export interface ReceivedRequest {
  readonly method: string;
  /** Absolute, or beginning with the path; of a CONNECT, host and port. */
  readonly url: string;
  readonly headers?: HeadersInput | null | undefined;
  readonly body?: HttpResponse['body'];
}

/** An answer for the host to send. */
export interface ServiceAnswer {
  readonly type: 'answer';
  /** The request that it answers; `null` if that was answered at once. */
  readonly ticket: number | null;
  readonly status: number;
  /** The host adds `Content-Length` and what else HTTP wants. */
  readonly headers: HeaderList;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Whether a fault script wants the connection closed without a byte. */
  readonly dropped: boolean;
  /** After how many bytes of the body a fault script wants it closed. */
  readonly truncated: number | null;
}

/** When to come back, unless something comes in before. */
export interface ServiceWaitUntil {
  readonly type: 'waitUntil';
  readonly at: number;
}

/** Nothing to do before something comes in. */
export interface ServiceIdle {
  readonly type: 'idle';
}

/**
 * Faults to show, as a JSON list of rules or its text; times in seconds, as the sandbox's own files
 * have them. What a rule holds is on the page of the sandbox in the project's documentation.
 *
 * @example
 * const faults = [
 *   { when: { request: 3 }, then: { problem: 'user-rate-limit-exceeded', retry_after: 2 } },
 *   { when: { probability: 0.01 }, then: { drop: true } },
 * ];
 */
export type FaultScript = string | readonly object[];

/** What all services can be told. */
export interface AnyServiceOptions {
  /** The good keys. Left out, any non-empty one. */
  readonly keys?: readonly string[] | null | undefined;
  /** Keys of accounts that are disabled. */
  readonly disabledKeys?: readonly string[] | null | undefined;
  readonly faults?: FaultScript | null | undefined;
  /** The same seed gives the same ids and chances. Without one, any. */
  readonly seed?: number | bigint | null | undefined;
}

/** How an extraction service is set up; what is left out is as documented. Times in milliseconds. */
export interface ExtractionServiceOptions extends AnyServiceOptions {
  /** Queries a second for each key; `Infinity` for no limit. */
  readonly rate?: number | null | undefined;
  /** How many of them at once. */
  readonly burst?: number | null | undefined;
  /** Queries a second for all keys together. */
  readonly systemRate?: number | null | undefined;
  readonly maxQueries?: number | null | undefined;
  readonly maxPayload?: number | null | undefined;
  readonly queryTimeout?: number | null | undefined;
  /** Domains that are refused. */
  readonly blacklist?: readonly string[] | null | undefined;
  /** How long domains are occupied, from the first query on. */
  readonly occupied?: { readonly [domain: string]: number } | null | undefined;
  /** Queries a second for each domain. */
  readonly domainRate?: number | null | undefined;
  /** How many queries of a domain may be in progress, else it is occupied for `domainWait`. */
  readonly domainConcurrency?: number | null | undefined;
  readonly domainWait?: number | null | undefined;
  /** Whether results come in any order. */
  readonly shuffle?: boolean | null | undefined;
  /** The time at moment zero, for the ids of queries: milliseconds since 1970, or a date. */
  readonly epoch?: number | Date | null | undefined;
  readonly algorithmVersion?: string | null | undefined;
}

/** A page that the host is asked to fetch and extract. */
export interface FetchQuery {
  /** Its place in the request, by which the outcome is told. */
  readonly index: number;
  readonly url: string;
  readonly pageType: PageType;
  readonly articleBodyRaw: boolean;
  readonly fullHtml: boolean;
  /** The page itself: nothing is fetched then. */
  readonly customHtml: string | null;
}

/** The pages that a request needs; none if its answer is only held back. */
export interface ServiceFetch {
  readonly type: 'fetch';
  readonly ticket: number;
  readonly queries: readonly FetchQuery[];
}

/** Why there is no page. */
export type PageFailure =
  | 'connect_timeout'
  | 'connection_reset'
  | 'forbidden'
  | 'internal'
  | 'name_not_found'
  | 'no_visible_elements'
  | 'redirects'
  | 'refused'
  | 'short_answer'
  | 'timeout'
  | 'tls'
  | 'unusable';

/** What was read from a page: item and page as objects or as JSON text. */
export interface FetchedPage {
  readonly item: object | string;
  readonly webPage?: object | string | undefined;
  readonly html?: string | null | undefined;
}

/** The counts of an extraction service since it was made. */
export interface ExtractionServiceStats {
  readonly requests: number;
  readonly inFlight: number;
  readonly queries: number;
  readonly pageTypes: { readonly [pageType: string]: number };
  readonly items: number;
  readonly requestErrors: { readonly [problem: string]: number };
  readonly queryErrors: { readonly [text: string]: number };
  /** Requests that came faster than their key's rate allows. */
  readonly rateViolations: number;
  readonly billed: number;
  readonly unbilled: number;
  /** Queries whose client went away before. */
  readonly abandoned: number;
  /** Actions of the fault script that were carried out. */
  readonly faults: number;
}

/**
 * The service behind `POST /v1/extract`, without sockets and clock: for tests and simulations.
 *
 * @example
 * const service = new ExtractionService({ keys: ['KEY'] });
 * const step = service.handleRequest(request, 0);
 * if (step.type === 'fetch') {
 *   const answer = service.handleFetched(step.ticket, 0, { item: { headline: 'Hello' } }, 500);
 *   console.log(answer?.status); // 200
 * }
 */
export class ExtractionService implements Machine {
  /** @throws {InvalidFaults} if the script cannot be read */
  constructor(options?: ExtractionServiceOptions);
  /** How many bytes a request's body may have. One more is enough to be told off. */
  readonly maxPayload: number;
  /** Takes a request: its answer, or pages to fetch first. */
  handleRequest(request: ReceivedRequest, now: number): ServiceAnswer | ServiceFetch;
  /** Answers what the host could not read as an HTTP request. */
  handleMalformed(now: number): ServiceAnswer;
  /**
   * Takes what came of a page: what it held, the target's status if it was none of success, the
   * name of a failure, or what came of it at Zyte API. Gives the answer if that was all it lacked.
   */
  handleFetched(
    ticket: number,
    index: number,
    outcome: FetchedPage | BridgedQuery | PageFailure | number,
    now: number,
  ): ServiceAnswer | null;
  /** The client of a request went away: nothing more is wanted for it. */
  handleClosed(ticket: number, now: number): void;
  /** What is to be done next. Call it after anything else, and at the moment that it names. */
  poll(now: number): ServiceAnswer | ServiceWaitUntil | ServiceIdle;
  stats(): ExtractionServiceStats;
  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free(): void;
  [Symbol.dispose](): void;
}

/** What a ban by a target looks like. */
export interface BanRule {
  /** The domain it is about, with all below it; any if none is given. */
  readonly domain?: string | null | undefined;
  readonly statuses?: readonly number[] | undefined;
  /** Texts in the body. */
  readonly texts?: readonly string[] | undefined;
}

/** How a proxy service is set up; what is left out is as documented. Times in milliseconds. */
export interface ProxyServiceOptions extends AnyServiceOptions {
  /** The addresses that sessions leave from. */
  readonly outgoing?: readonly string[] | null | undefined;
  readonly sessionsPerAddress?: number | null | undefined;
  readonly maxSessions?: number | null | undefined;
  /** How long after its last request a session expires. */
  readonly sessionIdle?: number | null | undefined;
  /** How far apart requests of one address have to be. */
  readonly delay?: number | null | undefined;
  readonly domainDelays?: { readonly [domain: string]: number } | null | undefined;
  /** How many delays each request that comes too early adds to the spacing. */
  readonly delayGrowth?: number | null | undefined;
  readonly retries?: number | null | undefined;
  /** How long one attempt to fetch may take. */
  readonly timeout?: number | null | undefined;
  readonly maxConnections?: number | null | undefined;
  readonly maxOutstanding?: number | null | undefined;
  readonly maxHeaderBytes?: number | null | undefined;
  readonly maxBodyBytes?: number | null | undefined;
  readonly bans?: readonly BanRule[] | null | undefined;
  readonly forbiddenDomains?: readonly string[] | null | undefined;
  /** `X-Crawlera-*` headers that the plan does not include. */
  readonly withheldHeaders?: readonly string[] | null | undefined;
}

/** An open tunnel: what its CONNECT said counts for each request inside. */
export interface ProxyTunnel extends Machine {
  readonly type: 'tunnel';
  /** Host and port of the target. */
  readonly authority: string;
  /** The headers of the 200 that answers the CONNECT. */
  readonly headers: HeaderList;
  free(): void;
  [Symbol.dispose](): void;
}

/** Something for the host to fetch from a target. */
export interface ProxyFetch {
  readonly type: 'fetch';
  readonly ticket: number;
  /** The local address to leave from. */
  readonly outgoing: string;
  readonly method: string;
  readonly url: string;
  /** The headers that the target is to see. */
  readonly headers: HeaderList;
  /** How long until the attempt fails with `timeout`. */
  readonly timeout: number;
  /** Whether ban rules look into the body, so that its start is wanted with the outcome. */
  readonly inspectBody: boolean;
}

/** The head of a target's answer to pass on, with the service's headers; the body follows. */
export interface ProxyRelay {
  readonly type: 'relay';
  readonly ticket: number;
  readonly status: number;
  readonly headers: HeaderList;
  /** After how many bytes of the body a fault script wants the connection closed. */
  readonly truncated: number | null;
  /** A body of more bytes is too large: the connection is closed. */
  readonly maxBodyBytes: number;
}

/** A request that is held back: its fetch comes from `poll`. */
export interface ProxyWait {
  readonly type: 'wait';
  readonly ticket: number;
}

/** Why a fetch failed. */
export type TargetFailure =
  | 'connect_timeout'
  | 'domain_forbidden'
  | 'econnrefused'
  | 'econnreset'
  | 'ehostunreach'
  | 'internal_error'
  | 'msgtimeout'
  | 'nxdomain'
  | 'send_failed'
  | 'socket_closed_remotely'
  | 'ssl_tunnel_error'
  | 'timeout';

/** The counts of a proxy service since it was made. */
export interface ProxyServiceStats {
  readonly requests: number;
  readonly tunnels: number;
  /** Attempts to fetch from a target. */
  readonly fetches: number;
  /** Answers of targets passed on. */
  readonly relayed: number;
  readonly relayedBytes: number;
  /** Requests that came before the spacing allowed. */
  readonly earlyRequests: number;
  readonly delayedRequests: number;
  readonly bans: number;
  readonly retries: number;
  readonly clientsGone: number;
  readonly errors: { readonly [code: string]: number };
  readonly sessionsCreated: number;
  readonly sessionsDeleted: number;
  readonly sessionsExpired: number;
  readonly sessionsLiving: number;
  readonly addresses: number;
  readonly sessions: {
    readonly [id: string]: {
      readonly address: string;
      readonly requests: number;
      readonly living: boolean;
    };
  };
}

/**
 * How a proxy service is driven. The host passes every request in, fetches from the address that a
 * fetch names, tells what came of it, and passes the target's answer on.
 */
export interface AnyProxyService<Stats> extends Machine {
  /** Takes a CONNECT to host and port. */
  handleConnect(request: Omit<ReceivedRequest, 'method'>, now: number): ServiceAnswer | ProxyTunnel;
  /**
   * Takes a request whose URL is absolute, with the tunnel it came through.
   *
   * @throws {InvalidMethod} if its method is none
   */
  handleRequest(
    request: ReceivedRequest,
    now: number,
    options?: { readonly tunnel?: ProxyTunnel | null | undefined },
  ): ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait;
  /** Takes a target's answer, with the start of its body if the fetch asked for it. */
  handleResponded(
    ticket: number,
    response: {
      readonly status: number;
      readonly headers?: HeadersInput | null | undefined;
      readonly bodyStart?: HttpResponse['body'];
    },
    now: number,
  ): ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait;
  /** Takes the failure of a fetch. */
  handleFailed(
    ticket: number,
    failure: TargetFailure,
    now: number,
  ): ServiceAnswer | ProxyFetch | ProxyRelay | ProxyWait;
  /** Takes note that an answer was passed on, with how many bytes of body. */
  handleFinished(ticket: number, bodyBytes: number, now: number): void;
  /** The client of a request went away. */
  handleClosed(ticket: number, now: number): void;
  /** Answers a request for the service itself: the calls to `/sessions`, if it has them. */
  handleApi(request: ReceivedRequest, now: number): ServiceAnswer;
  /** Answers bytes that are no request, or one whose head is too large to be read. */
  handleUnreadable(isTooLarge: boolean, now: number): ServiceAnswer;
  /** What is to be done next. Call it after anything else, and at the moment that it names. */
  poll(now: number): ProxyFetch | ServiceWaitUntil | ServiceIdle;
  stats(): Stats;
}

/** The proxy service of Smart Proxy Manager, without sockets and clock: for tests and simulations. */
export class ProxyService {
  /** @throws {InvalidFaults} if the script cannot be read */
  constructor(options?: ProxyServiceOptions);
}
export interface ProxyService extends AnyProxyService<ProxyServiceStats> {}
