import type { HttpResponse, Result } from './extraction.cjs';
import type { HeaderList, HeadersInput } from './headers.cjs';
import type { Machine } from './machine.cjs';
import type { ReceivedRequest, ServiceAnswer, TargetFailure } from './service.cjs';

/**
 * What came of a query at Zyte API, for `ExtractionService.handleFetched`, which answers in the
 * words of the Automatic Extraction API.
 *
 * @example
 * const outcome = BridgedQuery.ofError('user_rate_limit_exceeded', 'too many requests', 7_000);
 * const answer = service.handleFetched(step.ticket, 0, outcome, now); // a 429
 */
export class BridgedQuery {
  private constructor();
  /** From the result of a query. */
  static ofResult(result: Result): BridgedQuery;
  /**
   * From an error that no result explains: its code, its message, and the milliseconds after which
   * the service asked to try again.
   */
  static ofError(code: string, message: string, retryAfter?: number | null): BridgedQuery;
}

/** How a `ProxyBridge` is set up. */
export interface ProxyBridgeOptions {
  /** The key of Zyte API. */
  readonly apiKey: string;
  /** Its proxy. Left out, the documented one. */
  readonly endpoint?: string | { toJSON(): string } | null | undefined;
  /** The keys that programs may use. Left out, any non-empty one. */
  readonly keys?: readonly string[] | null | undefined;
  /** The same seed gives the same ids of sessions. Without one, any. */
  readonly seed?: number | bigint | null | undefined;
}

/** An open tunnel: what its CONNECT said counts for each request inside. */
export interface BridgeTunnel extends Machine {
  readonly type: 'tunnel';
  /** Host and port of the target. */
  readonly authority: string;
  /** The headers of the 200 that answers the CONNECT. */
  readonly headers: HeaderList;
  free(): void;
  [Symbol.dispose](): void;
}

/** A request for the proxy behind a bridge. */
export interface BridgeSend {
  readonly type: 'send';
  /** By which to speak of it. */
  readonly ticket: number;
  readonly method: string;
  /** The target's URL, absolute. */
  readonly url: string;
  /** The headers: of the request in absolute form, or of the one inside the tunnel. */
  readonly headers: HeaderList;
  /** The headers of the CONNECT that opens the tunnel; `null` for a plain target. */
  readonly connectHeaders: HeaderList | null;
}

/** The head of a target's answer, to pass on before its body. */
export interface BridgeRelay {
  readonly type: 'relay';
  readonly status: number;
  readonly headers: HeaderList;
}

/** What the proxy behind answered, with the start of the body. */
export interface BridgedResponse {
  readonly status: number;
  readonly headers?: HeadersInput | null | undefined;
  readonly bodyStart?: HttpResponse['body'];
}

/** The counts of a `ProxyBridge` since it was made. */
export interface ProxyBridgeStats {
  /** Requests for a target. */
  readonly requests: number;
  /** Answers of targets passed on. */
  readonly relayed: number;
  /** Requests whose program went away before there was an answer. */
  readonly abandoned: number;
  /** Errors answered, by code, those to CONNECTs and to calls of the sessions API too. */
  readonly errors: { readonly [code: string]: number };
  readonly sessionsCreated: number;
  /** Sessions deleted by their owner. */
  readonly sessionsDeleted: number;
  /** Sessions that ended by time or that Zyte API ended. */
  readonly sessionsEnded: number;
  readonly sessionsLiving: number;
  /** Options that were not passed on, by what is said of them. */
  readonly unmapped: { readonly [warning: string]: number };
}

/**
 * Speaks Smart Proxy Manager with unchanged programs, for a host that sends through the proxy mode
 * of Zyte API. Sessions are made here and end with those of Zyte API.
 *
 * @example
 * const bridge = new ProxyBridge({ apiKey: 'NEW-KEY' });
 * const headers = { 'Proxy-Authorization': basicAuthorization('KEY'), 'X-Crawlera-JobId': '7' };
 * const step = bridge.handleRequest({ method: 'GET', url: 'http://a.example/', headers }, 0);
 * if (step.type === 'send') {
 *   console.log(step.headers.get('Zyte-JobId')); // 7
 *   const relay = bridge.handleResponse(step.ticket, { status: 404 }, 500);
 *   console.log(relay.status); // 404
 * }
 */
export class ProxyBridge implements Machine {
  /**
   * @throws {InvalidApiKey} if the key is empty or cannot be sent
   * @throws {InvalidEndpoint} if the endpoint is no address of a proxy
   */
  constructor(options: ProxyBridgeOptions);
  /** The proxy behind, without key. */
  readonly upstream: string;
  /** Takes a CONNECT to host and port. */
  handleConnect(
    request: Omit<ReceivedRequest, 'method'>,
    now: number,
  ): ServiceAnswer | BridgeTunnel;
  /**
   * Takes a request whose URL is absolute, with the tunnel it came through. The body stays with the
   * host.
   *
   * @throws {InvalidMethod} if its method is none
   */
  handleRequest(
    request: ReceivedRequest,
    now: number,
    options?: { readonly tunnel?: BridgeTunnel | null | undefined },
  ): ServiceAnswer | BridgeSend;
  /** Takes what the proxy behind answered: an answer of the service's own, or a head to pass on. */
  handleResponse(
    ticket: number,
    response: BridgedResponse,
    now: number,
  ): ServiceAnswer | BridgeRelay;
  /** Takes what the proxy behind answered to a CONNECT that it refused. */
  handleConnectRefused(ticket: number, response: BridgedResponse, now: number): ServiceAnswer;
  /** Takes note that a request has no answer. */
  handleFailed(ticket: number, failure: TargetFailure, now: number): ServiceAnswer;
  /** Takes note that the program went away. */
  handleClosed(ticket: number, now: number): void;
  /** Answers a call of the sessions API. */
  handleApi(request: ReceivedRequest, now: number): ServiceAnswer;
  /** Answers bytes that are no request, or one whose head is too large to be read. */
  handleUnreadable(isTooLarge: boolean, now: number): ServiceAnswer;
  stats(): ProxyBridgeStats;
  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free(): void;
  [Symbol.dispose](): void;
}
