import type { Clock } from '../client/driver.cjs';
import type {
  ExtractionDialect,
  ExtractionServiceOptions,
  ExtractionServiceStats,
  FetchQuery,
  Header,
  HeaderList,
  HeadersInput,
  PageFailure,
  PageType,
  ProxyDialect,
  ProxyServiceOptions,
  ProxyServiceStats,
  TargetFailure,
  ZyteApiPageFailure,
  ZyteApiServiceOptions,
  ZyteApiServiceStats,
  ZyteProxyServiceOptions,
  ZyteProxyServiceStats,
} from '../index.cjs';

/** The platform's own, where its types know of it. */
type PlatformResponse = typeof globalThis extends { Response: { prototype: infer R } } ? R : object;

/** The part of a `Response` that does not depend on the platform's types. */
export interface FakeResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly bodyUsed: boolean;
  readonly headers: Iterable<[string, string]> & { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
  // biome-ignore lint/suspicious/noExplicitAny: as `fetch` has it.
  json(): Promise<any>;
}

/** As `fetch`, without a socket. */
export type FakeFetch = (
  // biome-ignore lint/suspicious/noExplicitAny: a URL, a text or a `Request` of any platform.
  input: any,
  // biome-ignore lint/suspicious/noExplicitAny: whatever `fetch` takes.
  init?: any,
) => Promise<FakeResponse & PlatformResponse>;

/**
 * How time passes: `virtual` jumps to the next moment at which something happens, as soon as the
 * program rests, so that waits take no time; `real` is the machine's own, or what replaces its timers.
 */
export type Time = 'real' | 'virtual';

/** An item in the schema of Automatic Extraction, as an object or its JSON text, in Zyte API's, or both. */
type PageItem =
  | { readonly item: object | string; readonly itemNative?: object | string | undefined }
  | { readonly item?: undefined; readonly itemNative: object | string };

/** A page with more than its item. */
export class Page {
  constructor(parts: PageItem & { webPage?: object; html?: string | null });
  /** In the schema of Automatic Extraction. Left out, it comes of `itemNative`. */
  readonly item: object | string | undefined;
  /** In the schema of Zyte API, for that dialect. Left out, it comes of `item`. */
  readonly itemNative: object | string | undefined;
  readonly webPage: object;
  readonly html: string | null;
}

/**
 * What a page holds: its item in the schema of Automatic Extraction, whatever the dialect; its status
 * if it is none of success; why there is none. A failure that the dialect's service does not tell of
 * is the next best of its own.
 */
export type PageOutcome = object | number | PageFailure | ZyteApiPageFailure | null | undefined;

/** A page that Zyte API was asked for, as a query of Automatic Extraction, and as Zyte API has it. */
export interface ZyteApiQuery extends Omit<FetchQuery, 'pageType'> {
  /** `null` where no item is asked for. */
  readonly pageType: PageType | null;
  /** The item to extract, by Zyte API's name of it. */
  readonly item: string | null;
  readonly method: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What a dialect's `FakeExtraction` asks for, can be told, and counts. */
interface ExtractionFakes {
  automatic_extraction: {
    query: FetchQuery;
    options: ExtractionServiceOptions;
    stats: ExtractionServiceStats;
  };
  zyte_api: {
    query: ZyteApiQuery;
    options: ZyteApiServiceOptions;
    stats: ZyteApiServiceStats;
  };
}

/** How a `FakeExtraction` is set up, besides the settings of the service of its dialect. */
export type FakeExtractionOptions<D extends ExtractionDialect = 'automatic_extraction'> =
  ExtractionFakes[D]['options'] & {
    /** The service: the Automatic Extraction API, or Zyte API in its place. */
    readonly dialect?: D | undefined;
    /**
     * What is on the pages: a function, or items by URL (of which another page is a 404). Left out,
     * or for `null`, a small item of the type that is asked for.
     */
    readonly items?:
      | ((query: ExtractionFakes[D]['query']) => PageOutcome | PromiseLike<PageOutcome>)
      | ReadonlyMap<string, PageOutcome>
      | { readonly [url: string]: PageOutcome }
      | undefined;
    /** Defaults to `virtual`. */
    readonly time?: Time | undefined;
  };

/**
 * The Automatic Extraction API inside the program, or Zyte API in its place, with limits, errors and
 * counts. Faults are scripted.
 *
 * @example
 * const service = new FakeExtraction({ items: { 'https://shop.example/1': { name: 'Lamp' } } });
 * const { fetch, clock } = service;
 * await using extractor = new Extractor({ apiKey: 'KEY', fetch, clock });
 * …
 * assert.equal(service.stats().billed, 1);
 */
export class FakeExtraction<D extends ExtractionDialect = 'automatic_extraction'> {
  /** @throws {InvalidFaults} if the script cannot be read */
  constructor(options?: FakeExtractionOptions<D>);
  /** An address for those who need one; any is answered. */
  readonly endpoint: string;
  /** Answers requests of `ExtractionApi`, or of anything else. */
  readonly fetch: FakeFetch;
  /** The service's time: for clients to go by. */
  readonly clock: Clock;
  /** What the service counted, what is billed among it. */
  stats(): ExtractionFakes[D]['stats'];
}

/** A request as a target sees it. */
export interface TargetRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderList;
  /** The address that it comes from. */
  readonly outgoing: string;
  readonly body: Uint8Array | ArrayBuffer | string | null;
}

/** What a target answers: all of it, its body alone, its status alone, or why it does not. */
export type TargetAnswer =
  | {
      readonly status?: number;
      readonly headers?: HeadersInput;
      readonly body?: string | Uint8Array | ArrayBuffer;
    }
  | { readonly failure: TargetFailure }
  | string
  | Uint8Array
  | number
  | PlatformResponse;

/** What a dialect's `FakeProxy` can be told, and counts. */
interface ProxyFakes {
  smart_proxy_manager: { options: ProxyServiceOptions; stats: ProxyServiceStats };
  zyte_api: { options: ZyteProxyServiceOptions; stats: ZyteProxyServiceStats };
}

/** How a `FakeProxy` is set up, besides the settings of the service of its dialect. */
export type FakeProxyOptions<D extends ProxyDialect = 'smart_proxy_manager'> =
  ProxyFakes[D]['options'] & {
    /** The service: Smart Proxy Manager, or the proxy mode of Zyte API in its place. */
    readonly dialect?: D | undefined;
    /** What targets answer: a function, or answers by URL (of which another page is a 404). */
    readonly pages?:
      | ((request: TargetRequest) => TargetAnswer | PromiseLike<TargetAnswer>)
      | ReadonlyMap<string, TargetAnswer>
      | { readonly [url: string]: TargetAnswer }
      | undefined;
    /** Defaults to `virtual`. */
    readonly time?: Time | undefined;
  };

/** A request as `ProxyEngine` wants it sent. */
interface ToSend {
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: HeadersInput;
    readonly body?: Uint8Array | ArrayBuffer | string | null;
  };
  /** The proxy that it goes through; `null` for a call to the service itself. */
  readonly proxy: { readonly url: string; readonly authorization: string } | null;
  /** What opens the tunnel of an https target. */
  readonly connect: { readonly url: string; readonly headers: HeadersInput } | null;
}

/** An answer as `ProxyEngine.handleResponse` takes it. */
interface ProxiedAnswer {
  readonly status: number;
  readonly headers: Header[];
  readonly body: Uint8Array;
  /** Whether it refuses the tunnel. */
  readonly connect: boolean;
}

/**
 * Smart Proxy Manager inside the program, or the proxy mode of Zyte API in its place: sessions on
 * addresses, pace, bans, errors; of the older one, `/sessions`.
 */
export class FakeProxy<D extends ProxyDialect = 'smart_proxy_manager'> {
  /** @throws {InvalidFaults} if the script cannot be read */
  constructor(options?: FakeProxyOptions<D>);
  /** An address for those who need one; any is answered. */
  readonly endpoint: string;
  /**
   * Answers proxied requests, which have a `Proxy-Authorization`, with what the target says; and
   * without one calls to `/sessions` of the older service.
   */
  readonly fetch: FakeFetch;
  /** Sends what a `send` of `ProxyEngine` says, instead of sockets. */
  readonly send: (
    output: ToSend,
    // biome-ignore lint/suspicious/noExplicitAny: each platform has an `AbortSignal` of its own.
    options?: { readonly signal?: any; readonly sent?: () => void },
  ) => Promise<ProxiedAnswer>;
  /** The service's time: for clients to go by. */
  readonly clock: Clock;
  /** What the service counted: sessions with their addresses, early requests, bans. */
  stats(): ProxyFakes[D]['stats'];
}
