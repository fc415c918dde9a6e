// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import {
  connectStatus,
  type Leak,
  type ProxiedRequest,
  type ProxyAction,
  ProxyApi,
  ProxyOptions,
  ProxyServiceError,
  type ProxyWarning,
  proxyLeaks,
  readConnectFailure,
  stripProxyLeaks,
} from 'silkline';

const api = new ProxyApi({
  apiKey: 'key',
  endpoint: new URL('http://a:1/'),
  optionPlace: 'connect',
});
const options = new ProxyOptions({ session: 'create', debug: ['ua'], extra: new Headers() });
const proxied: ProxiedRequest = api.request({ url: 'https://a/' }, options);
const warnings: ProxyWarning[] = proxied.warnings;
const authority: string | undefined = proxied.connect?.url;

export async function send(): Promise<string | null> {
  const { method, url, headers } = api.createSession();
  const response = await fetch(url, { method, headers });
  const body = await response.arrayBuffer();
  return api.readCreatedSession({ status: response.status, headers: response.headers, body });
}

export function next(error: unknown): ProxyAction | null {
  return error instanceof ProxyServiceError ? error.action : null;
}

const answer = api.read({ status: 200, headers: { a: 'b' } });
const wait: number | null = answer.nextRequestIn;
const again: ProxyAction | undefined = answer.error?.action;
const places = new Map<string, string | null>(
  api.readSessionList({ status: 200, headers: {}, body: '{}' }).sessions,
);
const leaks: Leak[] = proxyLeaks({ a: 'b' });
const clean: Headers = new Headers(stripProxyLeaks({ a: 'b' }));
const method: string = api.stripLeaks({ url: 'http://a/', method: 'GET' }).method;
const failed: number | undefined = readConnectFailure(407)?.status;
const status: number | null = connectStatus('x');

// @ts-expect-error: there is no such profile
new ProxyOptions({ profile: 'tablet' });
// @ts-expect-error: a misspelt option
api.request({ url: 'http://a/' }, { maxRetry: 2 });
// @ts-expect-error: options never change
options.session = null;
// @ts-expect-error: there is no such place
new ProxyApi({ apiKey: 'key', optionPlace: 'outside' });

export { again, authority, clean, failed, leaks, method, places, status, wait, warnings };
