import type { SessionProxy, SessionRequestInit } from '../client/index.cjs';

/** Through which session a request goes: its `userData.silkline`. */
export type SilklineUserData = Pick<
  SessionRequestInit,
  'options' | 'outsideSessions' | 'priority' | 'replaceSession' | 'session'
>;

/** An HTTP client for Crawlee that sends everything through a `SessionProxy`. */
export class SilklineHttpClient {
  constructor(proxy: SessionProxy);
  // biome-ignore lint/suspicious/noExplicitAny: Crawlee's own type, which is not needed here.
  sendRequest(request: any): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: Crawlee's own type, which is not needed here.
  stream(request: any): Promise<any>;
}

/**
 * The options of an HTTP crawler of Crawlee (`HttpCrawler`, `CheerioCrawler`, …) that leave sessions,
 * pace and retries to Silkline: spread them before your own. Not for crawlers with browsers.
 *
 * @example
 * const crawler = new HttpCrawler({
 *   ...crawlerOptions(proxy),
 *   requestHandler({ request, response }) {
 *     console.log(request.url, response.proxied.session);
 *   },
 * });
 */
export function crawlerOptions(proxy: SessionProxy): {
  httpClient: SilklineHttpClient;
  maxRequestRetries: number;
  navigationTimeoutSecs: number;
  persistCookiesPerSession: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: Crawlee's own types, which are not needed here.
  preNavigationHooks: ((context: any, options: any) => void)[];
  retryOnBlocked: boolean;
  useSessionPool: boolean;
};
