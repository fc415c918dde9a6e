import type { ProxyServiceError } from '../errors.cjs';
import type { HttpRequest, HttpResponse } from './extraction.cjs';
import type { HeaderList, HeadersInput } from './headers.cjs';
import type { Machine } from './machine.cjs';

/** Whose browser headers the target sees. */
export type Profile = 'pass' | 'desktop' | 'mobile';

/** What the service does with cookies. */
export type Cookies = 'enable' | 'disable' | 'discard';

/** A debug header that the answer should have. */
export type DebugField = 'request-time' | 'ua';

/**
 * Something that is allowed but hardly meant. `cookie_dropped`: the service drops the request's
 * `Cookie` unless cookies are disabled; `key_exposed`: the target would see the key;
 * `ua_deprecated`: the profile takes the same values; `ua_ignored`: a profile is given, too.
 */
export type ProxyWarning =
  | 'cookie_dropped'
  | 'cookies_unmapped'
  | 'debug_unmapped'
  | 'extra_unmapped'
  | 'key_exposed'
  | 'max_retries_unmapped'
  | 'no_bancheck_unmapped'
  | 'profile_pass_unmapped'
  | 'timeout_unmapped'
  | 'ua_deprecated'
  | 'ua_ignored';

/** The service that requests go through: Smart Proxy Manager, or its successor's proxy mode. */
export type ProxyDialect = 'smart_proxy_manager' | 'zyte_api';

/** The options of a proxied request: what is left out (or `null`) leaves the service's default. */
export interface ProxyOptionsFields {
  /** `'create'`, or the id of a session. Not together with `region`. */
  readonly session?: string | null | undefined;
  /** How many times the service itself retries, 0 to 5; in a session it does not unless told. */
  readonly maxRetries?: number | null | undefined;
  /** How long it waits for the target in each attempt, 30,000 to 180,000 milliseconds. */
  readonly timeout?: number | null | undefined;
  readonly cookies?: Cookies | null | undefined;
  readonly profile?: Profile | null | undefined;
  /** The names of the request's own headers that pass in spite of the profile. */
  readonly profilePass?: readonly string[] | null | undefined;
  /** @deprecated `profile` takes the same values; with both, this one is ignored */
  readonly ua?: Profile | null | undefined;
  /** Whether the service passes any answer on instead of looking for bans. */
  readonly noBancheck?: boolean | null | undefined;
  /** The country to leave from: a code of ISO 3166-1 alpha-2, in any case. */
  readonly region?: string | null | undefined;
  /** The state to leave from, on residential plans. */
  readonly state?: string | null | undefined;
  /** The city to leave from, on residential plans. */
  readonly city?: string | null | undefined;
  /** A name under which the service's logs show the request. */
  readonly jobId?: string | null | undefined;
  /** The program that sends, as `name/version`; this package names itself otherwise. */
  readonly client?: string | null | undefined;
  readonly debug?: readonly DebugField[] | null | undefined;
  /** Whether the service fetches an `http` target over `https`. */
  readonly useHttps?: boolean | null | undefined;
  /** `X-Crawlera-*` headers that have no option here. */
  readonly extra?: HeadersInput | null | undefined;
}

/**
 * The options of a proxied request: one for each request header of the service. They are checked
 * when they are made, so those that exist can be sent; and they never change. Wherever options are
 * taken, objects with the same members are too.
 *
 * @example
 * const options = new ProxyOptions({ session: 'create', cookies: 'disable' });
 * options.headers().get('X-Crawlera-Session'); // 'create'
 */
export class ProxyOptions {
  /** The most retries that can be asked for. */
  static readonly MAX_RETRIES: number;
  /** The shortest time-out of an attempt, in milliseconds: shorter ones count as this one. */
  static readonly MIN_TIMEOUT: number;
  /** The longest time-out of an attempt, in milliseconds: longer ones count as this one. */
  static readonly MAX_TIMEOUT: number;
  /** @throws {InvalidProxyOptions} if the service would refuse them */
  constructor(fields?: ProxyOptionsFields | ProxyOptions);
  /**
   * Reads the options from the `X-Crawlera-*` headers of a request; other headers are passed over.
   *
   * @throws {InvalidProxyOptions} if the service would refuse them
   */
  static fromHeaders(headers: HeadersInput): ProxyOptions;
  readonly session: string | null;
  readonly maxRetries: number | null;
  /** In milliseconds. */
  readonly timeout: number | null;
  readonly cookies: Cookies | null;
  readonly profile: Profile | null;
  readonly profilePass: readonly string[];
  readonly ua: Profile | null;
  readonly noBancheck: boolean;
  /** In upper case. */
  readonly region: string | null;
  readonly state: string | null;
  readonly city: string | null;
  readonly jobId: string | null;
  readonly client: string | null;
  readonly debug: readonly DebugField[];
  readonly useHttps: boolean;
  readonly extra: readonly (readonly [name: string, value: string])[];
  /** What is allowed in these options but hardly meant. */
  readonly warnings: readonly ProxyWarning[];
  /** The headers of these options, spelled as the documentation does; only what is set. */
  headers(): HeaderList;
  /** The same options with others set; `null` unsets one. */
  replace(changes: ProxyOptionsFields): ProxyOptions;
  /** These options, with what is not set here taken from others. */
  withDefaults(defaults: ProxyOptionsFields | ProxyOptions): ProxyOptions;
}

/** A request to a target. */
export interface ProxyTarget {
  /** `GET` unless given. */
  readonly method?: string | undefined;
  /** An absolute http or https URL. */
  readonly url: string | { toJSON(): string };
  readonly headers?: HeadersInput | null | undefined;
  readonly body?: Uint8Array | ArrayBuffer | string | null | undefined;
}

/** A request as it goes through the proxy. */
export interface ProxiedRequest {
  /**
   * For an https target, what opens the tunnel: its `url` is `host:port`. `null` for a plain
   * target.
   */
  connect: HttpRequest | null;
  /**
   * The request itself. For a plain target it goes to the proxy in absolute form, with the
   * authorization; for an https target it goes through the tunnel, without.
   */
  request: ProxiedHttpRequest;
  warnings: ProxyWarning[];
}

/** A request to send, with the body that was given. */
export interface ProxiedHttpRequest {
  method: string;
  url: string;
  headers: HeaderList;
  body: Uint8Array;
}

/** What the head of an answer through the proxy says about session, pace and error. */
export interface ProxyAnswer {
  /**
   * Whose answer it is: `service`: the service's own, an error; `target`: the target's, whatever
   * its status; `other`: nothing in the headers names the service.
   */
  readonly origin: 'service' | 'target' | 'other';
  /** The id of the session that the request went through. */
  readonly session: string | null;
  /** The address that the request left from, as the service spells it, mostly `ip:port`. */
  readonly outgoing: string | null;
  /** The address without the port: what sessions that share an address have in common. */
  readonly outgoingHost: string | null;
  readonly outgoingPort: number | null;
  /** The version of the service. */
  readonly version: string | null;
  /** How long the next request of the session has to wait, in milliseconds. */
  readonly nextRequestIn: number | null;
  /** What `Retry-After` says, in milliseconds. */
  readonly retryAfter: number | null;
  /** How long the target took, in milliseconds, if asked for. */
  readonly debugRequestTime: number | null;
  /** Which user agent the target saw, if asked for. */
  readonly debugUa: string | null;
  /** Whether the answer costs money. */
  readonly billed: boolean;
  /** The service's error, to be looked at or thrown. */
  readonly error: ProxyServiceError | null;
}

/** The sessions of an account. */
export interface ProxySessionList {
  /**
   * Each session's id and outgoing address, in the answer's order; `null`: it has none yet.
   *
   * @example
   * new Map(list.sessions).get('1836172');
   */
  readonly sessions: (readonly [id: string, address: string | null])[];
  /** The sessions that the answer names more than once; the last address counts. */
  readonly duplicates: string[];
}

/** Something that must not reach a target. Its value is not told: it may be a key. */
export interface Leak {
  /** The header's name, or `url`. */
  readonly name: string;
  readonly kind: 'key' | 'option' | 'proxy_authorization';
}

/**
 * Builds requests to Smart Proxy Manager and reads its answers. It sends nothing.
 *
 * @example
 * const api = new ProxyApi({ apiKey: 'KEY' });
 * const { connect, request } = api.request({ url: 'https://example.com/' }, { session: 'create' });
 */
export class ProxyApi implements Machine {
  /** The address of the service, unless another is given. */
  static readonly DEFAULT_ENDPOINT: string;
  /** The most bytes that the headers of a request may have in all. */
  static readonly MAX_HEADERS_SIZE: number;
  /**
   * @throws {InvalidApiKey} if the key cannot be sent
   * @throws {InvalidEndpoint} if the endpoint is not that of a proxy
   */
  constructor(config: {
    readonly apiKey: string;
    /** `http://host:port` or `https://host:port`. */
    readonly endpoint?: string | { toJSON(): string } | null | undefined;
    /**
     * Where the options of requests to https targets go: inside the tunnel, or on the CONNECT for
     * clients that cannot add headers inside.
     */
    readonly optionPlace?: 'inside' | 'connect' | undefined;
    /**
     * The service that requests go through: with `'zyte_api'` the same options go out as headers of
     * the successor. Errors of both are understood in any. Defaults to `'smart_proxy_manager'`.
     */
    readonly dialect?: ProxyDialect | null | undefined;
    /** Whether the service follows redirects, if it can. Defaults to no. */
    readonly followRedirects?: boolean | undefined;
  });
  /** The proxy's URL, without the key. */
  readonly endpoint: string;
  /** The service that requests go through. */
  readonly dialect: ProxyDialect;
  /** The value of `Proxy-Authorization`. A secret. */
  authorization(): string;
  /** The proxy's URL with the key as user, for clients that take it in no other way. A secret. */
  endpointWithKey(): string;
  /**
   * A request to a target as it goes through the proxy. `X-Crawlera-*` headers of the target's
   * request count as options, and must not contradict those given.
   *
   * @throws {InvalidProxiedRequest} if it cannot go through the proxy
   * @throws {InvalidProxyOptions} if the service would refuse the options
   */
  request(target: ProxyTarget, options?: ProxyOptionsFields | ProxyOptions): ProxiedRequest;
  /**
   * `POST /sessions`: asks for a new session.
   *
   * @throws {InvalidProxyOptions} in the dialect of Zyte API, which has no such calls
   */
  createSession(): HttpRequest;
  /**
   * `GET /sessions`: asks for the sessions of the account.
   *
   * @throws {InvalidProxyOptions} in the dialect of Zyte API, which has no such calls
   */
  listSessions(): HttpRequest;
  /**
   * `DELETE /sessions/<id>`: ends a session.
   *
   * @throws {InvalidSessionId} if no service can have made the id
   * @throws {InvalidProxyOptions} in the dialect of Zyte API, which has no such calls
   */
  deleteSession(session: string): HttpRequest;
  /**
   * Reads the head of an answer to a proxied request, and of an error's body the beginning.
   * Whatever the status, an answer without `X-Crawlera-Error` is the target's and a successful
   * fetch, but for two errors that a proxy may send without a code: 407, and 413 of a request that
   * no outgoing node has passed on.
   */
  read(response: ProxyResponse): ProxyAnswer;
  /** Reads the answer to a CONNECT; `null` if the tunnel is open. */
  readConnect(response: ProxyResponse): ProxyServiceError | null;
  /**
   * Reads the answer to `createSession`: the id.
   *
   * @throws {ProxyServiceError} if the service refused
   * @throws {SessionCallFailed} if the answer is not what the service gives
   */
  readCreatedSession(response: HttpResponse): string;
  /**
   * Reads the answer to `listSessions`.
   *
   * @throws {ProxyServiceError} if the service refused
   * @throws {SessionCallFailed} if the answer is not what the service gives
   */
  readSessionList(response: HttpResponse): ProxySessionList;
  /**
   * Reads the answer to `deleteSession`.
   *
   * @throws {ProxyServiceError} if the service refused, with `bad_session_id` for an unknown one
   */
  readDeletedSession(response: HttpResponse): void;
  /** Finds what must not leave on a request that will not be proxied. */
  leaks(request: ProxyTarget): Leak[];
  /** The same request without what `leaks` finds. */
  stripLeaks<R extends ProxyTarget>(
    request: R,
  ): Omit<R, 'url' | 'headers'> & { url: string; headers: HeaderList };
  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free(): void;
  [Symbol.dispose](): void;
}

/** The head of an answer, with the beginning of its body if it was read. */
export interface ProxyResponse {
  readonly status: number;
  readonly headers: HeadersInput;
  readonly body?: Uint8Array | ArrayBuffer | string | null | undefined;
}

/**
 * Finds the headers that must not reach a target: options of the service and of its successor
 * (`X-Crawlera-*`, `Zyte-*`) and what authorizes at a proxy.
 */
export function proxyLeaks(headers: HeadersInput): Leak[];

/** The same headers without those that `proxyLeaks` finds. */
export function stripProxyLeaks(headers: HeadersInput): HeaderList;

/** The error behind a CONNECT of which only the status is known; `null` if that is a success. */
export function readConnectFailure(status: number): ProxyServiceError | null;

/**
 * The status of a failed CONNECT in an HTTP client's error message; `null` if there is none.
 *
 * @example
 * connectStatus('Proxy response (407) !== 200 when HTTP Tunneling'); // 407
 */
export function connectStatus(message: string): number | null;
