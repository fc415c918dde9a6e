import type { HttpResponse } from './extraction.cjs';
import type { HeaderList, HeadersInput } from './headers.cjs';
import type { Machine } from './machine.cjs';
import type {
  AnyProxyService,
  AnyServiceOptions,
  BanRule,
  ReceivedRequest,
  ServiceAnswer,
  ServiceIdle,
  ServiceWaitUntil,
} from './service.cjs';

/** What both services of Zyte API can be told. Rates are in requests a minute. */
interface AnyZyteApiServiceOptions extends AnyServiceOptions {
  /** Requests a minute for each key, a minute's worth of them at once; `Infinity` for no limit. */
  readonly rate?: number | null | undefined;
  /** Requests a minute for all keys together. */
  readonly systemRate?: number | null | undefined;
  /** Requests a minute for each website. */
  readonly domainRate?: number | null | undefined;
  /** Domains that are forbidden, with all below them. */
  readonly forbiddenDomains?: readonly string[] | null | undefined;
  /** What counts as a ban by a target. */
  readonly bans?: readonly BanRule[] | null | undefined;
}

/** How a `ZyteApiService` is set up; what is left out is as documented. Times in milliseconds. */
export interface ZyteApiServiceOptions extends AnyZyteApiServiceOptions {
  /** How long websites are over their limit, from the first request for them on. */
  readonly occupied?: { readonly [domain: string]: number } | null | undefined;
  /** How many bytes a request's body may have. */
  readonly maxPayload?: number | null | undefined;
  /** How long a request may take. */
  readonly timeout?: number | null | undefined;
}

/** A page for the host to fetch, and what it is wanted for. */
export interface ZyteApiFetch {
  readonly type: 'fetch';
  /** Names the request from here on. */
  readonly ticket: number;
  /** The page's URL; `null` if the answer is only held back. */
  readonly url: string | null;
  readonly method: string;
  /** Headers that the target is to see besides those of a browser. */
  readonly headers: HeaderList;
  /** The body to send. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly followRedirects: boolean;
  /** The item to extract, by Zyte API's name of it. */
  readonly item: string | null;
  /** Whether the page is wanted as a browser shows it. */
  readonly browserHtml: boolean;
}

/** What a target answered, whatever its status, and what was made of it. */
export interface ZyteApiPage {
  /** Where, after all redirects. */
  readonly url: string;
  readonly status: number;
  readonly headers?: HeadersInput | null | undefined;
  readonly body?: HttpResponse['body'];
  /** The page as a browser shows it, where the request asks for it. */
  readonly browserHtml?: string | null | undefined;
  /** The item in Zyte API's schema, as an object or its JSON text, where the request asks for it. */
  readonly item?: object | string | null | undefined;
}

/** Why Zyte API has no page. */
export type ZyteApiPageFailure =
  | 'forbidden'
  | 'internal'
  | 'name_not_found'
  | 'unreachable'
  | 'unusable';

/** The counts of a `ZyteApiService` since it was made. */
export interface ZyteApiServiceStats {
  /** Requests of any kind, good or bad. */
  readonly requests: number;
  readonly inFlight: number;
  /** Requests that passed all checks, by what they asked for. */
  readonly outputs: { readonly [output: string]: number };
  /** Successful answers by the target's status. */
  readonly statuses: { readonly [status: string]: number };
  /** Problems by type. */
  readonly problems: { readonly [type: string]: number };
  /** Requests that came faster than their key's rate allows. */
  readonly rateViolations: number;
  /** Successful answers, which cost money whatever the target's status. */
  readonly billed: number;
  readonly unbilled: number;
  /** Requests whose client went away before the answer was there. */
  readonly abandoned: number;
  /** Actions of the fault script that were carried out. */
  readonly faults: number;
}

/**
 * Zyte API's `POST /v1/extract`, without sockets and clock: for tests and simulations.
 *
 * @example
 * const service = new ZyteApiService({ keys: ['KEY'] });
 * const step = service.handleRequest(request, 0);
 * if (step.type === 'fetch' && step.url !== null) {
 *   const page = { url: step.url, status: 200, body: '<p>Hello', item: { name: 'Lamp' } };
 *   console.log(service.handleFetched(step.ticket, page, 500)?.status); // 200
 * }
 */
export class ZyteApiService implements Machine {
  /** @throws {InvalidFaults} if the script cannot be read */
  constructor(options?: ZyteApiServiceOptions);
  /** How many bytes a request's body may have. One more is enough to be told off. */
  readonly maxPayload: number;
  /**
   * Takes a request: its answer, or a page to fetch first.
   *
   * @throws {InvalidMethod} if its method is none
   */
  handleRequest(request: ReceivedRequest, now: number): ServiceAnswer | ZyteApiFetch;
  /** Answers what the host could not read as an HTTP request. */
  handleMalformed(now: number): ServiceAnswer;
  /** Takes what came of a page, or why there is none. Gives the answer if nothing holds it back. */
  handleFetched(
    ticket: number,
    outcome: ZyteApiPage | ZyteApiPageFailure,
    now: number,
  ): ServiceAnswer | null;
  /** The client of a request went away: nothing more is wanted for it. */
  handleClosed(ticket: number, now: number): void;
  /** What is to be done next. Call it after anything else, and at the moment that it names. */
  poll(now: number): ServiceAnswer | ServiceWaitUntil | ServiceIdle;
  stats(): ZyteApiServiceStats;
  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free(): void;
  [Symbol.dispose](): void;
}

/** How a `ZyteProxyService` is set up; what is left out is as documented. Times in milliseconds. */
export interface ZyteProxyServiceOptions extends AnyZyteApiServiceOptions {
  /** The addresses that sessions leave from. */
  readonly outgoing?: readonly string[] | null | undefined;
  readonly sessionsPerAddress?: number | null | undefined;
  readonly maxSessions?: number | null | undefined;
  /** How long a session lives in all. */
  readonly sessionLife?: number | null | undefined;
  /** How long it lives after a request. */
  readonly sessionIdle?: number | null | undefined;
  /** How many bans in a row end it. */
  readonly sessionBans?: number | null | undefined;
  /** Retries on other addresses, of requests outside sessions. */
  readonly retries?: number | null | undefined;
  readonly maxRedirects?: number | null | undefined;
  /** How long one attempt to fetch may take. */
  readonly timeout?: number | null | undefined;
  readonly maxHeaderBytes?: number | null | undefined;
  readonly maxBodyBytes?: number | null | undefined;
}

/** The counts of a `ZyteProxyService` since it was made. */
export interface ZyteProxyServiceStats {
  /** Requests for a target, answered with a problem or not. */
  readonly requests: number;
  readonly tunnels: number;
  /** Attempts to fetch from a target. */
  readonly fetches: number;
  /** Redirects that were followed. */
  readonly redirects: number;
  /** Answers of targets passed on, each of which costs money. */
  readonly relayed: number;
  readonly relayedBytes: number;
  /** Attempts that were banned. */
  readonly bans: number;
  readonly retries: number;
  /** Requests that came faster than their key's rate allows. */
  readonly rateViolations: number;
  /** Requests with `X-Crawlera-*` headers. */
  readonly oldHeaders: number;
  readonly clientsGone: number;
  /** Problems by type. */
  readonly problems: { readonly [type: string]: number };
  readonly sessionsCreated: number;
  /** Sessions ended by time. */
  readonly sessionsExpired: number;
  /** Sessions ended by bans. */
  readonly sessionsBanned: number;
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
 * Zyte API's proxy mode, without sockets and clock: for tests and simulations. It is driven as
 * `ProxyService` is.
 *
 * @example
 * const service = new ZyteProxyService({ outgoing: ['127.0.0.2'] });
 * const headers = { 'Proxy-Authorization': basicAuthorization('KEY') };
 * const step = service.handleRequest({ method: 'GET', url: 'http://a.example/', headers }, 0);
 * if (step.type === 'fetch') {
 *   const relay = service.handleResponded(step.ticket, { status: 200 }, 500);
 *   console.log(relay.type); // relay
 * }
 */
export class ZyteProxyService {
  /** @throws {InvalidFaults} if the script cannot be read */
  constructor(options?: ZyteProxyServiceOptions);
}
export interface ZyteProxyService extends AnyProxyService<ZyteProxyServiceStats> {}
