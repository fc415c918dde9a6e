// Smart Proxy Manager inside the program, or the proxy mode of Zyte API in its place.
'use strict';

const { HeaderList, ProxyService, ZyteProxyService } = require('../index.cjs');
const { clockOf } = require('./clock.cjs');
const { dialectOf } = require('./dialects.cjs');
const { answered, bytesOf, mistake, requestOf, responseOf } = require('./host.cjs');

const PROXY_AUTHORIZATION = 'Proxy-Authorization';
const SERVICES = { smart_proxy_manager: ProxyService, zyte_api: ZyteProxyService };

class FakeProxy {
  #service;
  #pages;
  #timer;
  /** Requests that the service works on: what is sent, who waits, what the target said. */
  #waiting = new Map();

  constructor({ dialect, pages = plain, time = 'virtual', ...settings } = {}) {
    const Service = dialectOf(dialect, SERVICES);
    this.#pages = pagesOf(pages);
    this.clock = clockOf(time);
    this.#service = new Service(settings);
    this.endpoint = 'http://proxy.test:8010';
    // Clients take them away from their object.
    this.fetch = async (input, init) => {
      const { signal, ...request } = await requestOf(input, init);
      const { connect: _, ...answer } = await this.#send(request, {}, signal);
      return responseOf(answer);
    };
    this.send = async ({ request, proxy, connect }, { signal, sent } = {}) => {
      sent?.();
      const answer = await this.#send(request, { proxy, connect }, signal);
      return { ...answer, body: bytesOf(answer) };
    };
  }

  stats() {
    return this.#service.stats();
  }

  async #send(request, { proxy, connect }, signal) {
    const now = this.clock.now();
    const headers = HeaderList.checked(request.headers);
    const authorization = proxy?.authorization ?? headers.get(PROXY_AUTHORIZATION);
    if (proxy === null || (authorization === null && this.#isOwn(request.url))) {
      const { pathname, search } = new URL(request.url, this.endpoint);
      const call = { method: request.method, url: pathname + search, headers };
      return { ...this.#service.handleApi(call, now), connect: false };
    }
    const given = { ...request, headers: withKey(headers, authorization) };
    let tunnel;
    if (new URL(request.url).protocol === 'https:') {
      const head = connect ?? connectOf(given);
      const opened = this.#service.handleConnect(
        { ...head, headers: withKey(HeaderList.checked(head.headers), authorization) },
        now,
      );
      if (opened.type === 'answer') {
        return { ...opened, connect: true };
      }
      tunnel = opened;
    }
    const ask = (resolve, reject) => this.#take(given, tunnel, resolve, reject);
    try {
      const answer = await answered(signal, ask, (ticket) => this.#gone(ticket));
      return { ...answer, connect: false };
    } finally {
      tunnel?.free();
    }
  }

  /** Whether a request without a key is for the service itself, any of the older one's is. */
  #isOwn(url) {
    return (
      this.#service instanceof ProxyService || new URL(url, this.endpoint).origin === this.endpoint
    );
  }

  #take(request, tunnel, resolve, reject) {
    const step = this.#service.handleRequest(request, this.clock.now(), { tunnel });
    const { ticket } = step;
    if (ticket !== null) {
      this.#waiting.set(ticket, { request, resolve, reject });
    }
    this.#do(step, resolve);
    this.#poll();
    return ticket;
  }

  #do(step, resolve) {
    switch (step.type) {
      case 'answer':
        resolve(step);
        break;
      case 'fetch':
        this.#fetch(step);
        break;
      case 'relay':
        this.#relay(step);
        break;
      default:
      // It is held back: `poll` gives its fetch.
    }
  }

  async #fetch({ ticket, outgoing, method, url, headers, inspectBody }) {
    const exchange = this.#waiting.get(ticket);
    if (exchange === undefined) {
      return;
    }
    try {
      // A redirect may have made another request of it, which has no body.
      const { request } = exchange;
      const body = request.method === method ? (request.body ?? null) : null;
      const target = { method, url, headers, outgoing, body };
      const page = await this.clock.during(async () => readPage(await this.#pages(target)));
      if (!this.#waiting.has(ticket)) {
        return;
      }
      const now = this.clock.now();
      exchange.body = page.body;
      const step =
        page.failure === undefined
          ? this.#service.handleResponded(
              ticket,
              { ...page, bodyStart: inspectBody ? page.body : undefined },
              now,
            )
          : this.#service.handleFailed(ticket, page.failure, now);
      this.#do(step, (answer) => {
        this.#waiting.delete(ticket);
        exchange.resolve(answer);
      });
      this.#poll();
    } catch (error) {
      exchange.reject(mistake(error));
      this.#gone(ticket);
    }
  }

  #relay({ ticket, status, headers, truncated, maxBodyBytes }) {
    const { body, resolve } = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    const cut = body.length > maxBodyBytes ? maxBodyBytes : null;
    const passed = Math.min(body.length, truncated ?? body.length, cut ?? body.length);
    this.#service.handleFinished(ticket, passed, this.clock.now());
    resolve({ status, headers, body, dropped: false, truncated: truncated ?? cut });
  }

  #gone(ticket) {
    if (this.#waiting.delete(ticket)) {
      this.#service.handleClosed(ticket, this.clock.now());
      this.#poll();
    }
  }

  #poll() {
    this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (;;) {
      const output = this.#service.poll(this.clock.now());
      if (output.type === 'waitUntil') {
        const delay = Math.max(output.at - this.clock.now(), 0);
        this.#timer = this.clock.setTimeout(() => this.#poll(), delay);
      }
      if (output.type !== 'fetch') {
        return;
      }
      this.#fetch(output);
    }
  }
}

/** The same headers with the key, if there is one, whoever gave it. */
function withKey(headers, authorization) {
  return headers.get(PROXY_AUTHORIZATION) === null && authorization !== null
    ? [...headers, [PROXY_AUTHORIZATION, authorization]]
    : headers;
}

/** What opens the tunnel of an https request: the service's options are for the CONNECT too. */
function connectOf({ url, headers }) {
  const { hostname, port } = new URL(url);
  const authority = `${hostname}:${port === '' ? 443 : port}`;
  const options = [...headers].filter(([name]) => /^(?:x-crawlera|zyte)-/i.test(name));
  return { method: 'CONNECT', url: authority, headers: options };
}

function plain({ url }) {
  return {
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: `<!doctype html><title>The page at ${url}</title>`,
  };
}

/** A function from a request to its target's answer. */
function pagesOf(pages) {
  if (typeof pages === 'function') {
    return pages;
  }
  if (typeof pages !== 'object' || pages === null) {
    throw new TypeError('pages must be a function, or answers by the URLs of their pages');
  }
  const known = pages instanceof Map ? pages : new Map(Object.entries(pages));
  return ({ url }) => (known.has(url) ? known.get(url) : 404);
}

async function readPage(page) {
  if (typeof page === 'number') {
    return { status: page, headers: [], body: new Uint8Array() };
  }
  if (typeof page === 'string' || page instanceof Uint8Array) {
    return { status: 200, headers: [], body: bytes(page) };
  }
  if (page instanceof Response) {
    const body = new Uint8Array(await page.arrayBuffer());
    return { status: page.status, headers: page.headers, body };
  }
  const { status = 200, headers = [], body = '', failure } = page ?? {};
  return { status, headers, body: bytes(body), failure };
}

function bytes(body) {
  return typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
}

exports.FakeProxy = FakeProxy;
