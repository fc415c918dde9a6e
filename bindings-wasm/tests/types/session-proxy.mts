// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import { ProxyServiceError } from 'silkline';
import {
  ProxyAccountRefused,
  type ProxyFailure,
  RedirectRefused,
  SessionProxy,
  UntrustedCertificate,
} from 'silkline/client';
import { FakeProxy } from 'silkline/testing';

const { send, clock } = new FakeProxy();
const proxy = new SessionProxy({
  apiKey: 'key',
  endpoint: new URL('http://localhost:8011'),
  ca: 'PEM',
  dialect: 'zyte_api',
  sessions: 20,
  lifetime: 900_000,
  sessionDelay: 1_000,
  sessionMargin: null,
  domainDelays: { 'example.com': 3_000 },
  banned: async (response) => response.status === 403 && (await response.text()) === 'robot',
  onSessionLost: ({ name, cause }) => console.warn(name, cause),
  send,
  clock,
});

export async function fetched(): Promise<string> {
  const response: Response = await proxy.fetch('http://a/', {
    method: 'POST',
    body: new URLSearchParams({ a: 'b' }),
    headers: new Headers(),
    signal: AbortSignal.timeout(5),
    session: 'login',
    redirect: 'manual',
    options: { cookies: 'disable' },
  });
  const again = await proxy.fetch(new Request('http://a/'));
  const session: string | null = again.proxied.session;
  return `${session} ${await response.text()}`;
}

export async function named(): Promise<number> {
  const session = proxy.session('login', { replace: true });
  const { status } = await session.fetch(new URL('http://a/'));
  session.end();
  await session[Symbol.asyncDispose]();
  await proxy.close({ grace: 5 });
  return status;
}

export function told(error: unknown): string | number {
  if (error instanceof ProxyAccountRefused) {
    return error.action;
  }
  if (error instanceof RedirectRefused) {
    return error.location;
  }
  if (error instanceof UntrustedCertificate) {
    return error.code;
  }
  return error instanceof ProxyServiceError
    ? (error as ProxyServiceError & ProxyFailure).retryCost.billed
    : 0;
}

// @ts-expect-error: a key is needed
new SessionProxy({});
// @ts-expect-error: a redirect is dealt with in one of three ways
proxy.fetch('http://a/', { redirect: 'never' });

// What is written for the platform's `fetch` is taken.
const init: RequestInit = { method: 'POST', mode: 'cors' };
const body = new ReadableStream<Uint8Array>();
proxy.fetch('http://a/', init);
proxy.fetch('http://a/', { method: 'POST', body, duplex: 'half', credentials: 'omit' });
// @ts-expect-error: nobody reads this
proxy.fetch('http://a/', { dispatcher: null });
