// How a request goes through the proxy: in absolute form for a plain target, through a tunnel for one
// with TLS.
'use strict';

const { Readable } = require('node:stream');
const { trusting } = require('./authorities.cjs');
const { notSent, Refused, Tunnels, withHost } = require('./tunnels.cjs');
const { NO_LIMITS, undici } = require('./undici.cjs');

/** Whose tunnels those are of requests outside sessions: no session has such an id. */
const OUTSIDE = '';
/** How long a connection to the proxy may take. */
const CONNECT_TIMEOUT = 30_000;

class ProxyTransport {
  #trust;
  #read;
  #connect;
  #pools = new Map();
  #tunnels;

  /** `read(answer)` tells the session of an answer, and the service's error if it is one. */
  constructor({ ca, read }) {
    this.#trust = trusting(ca);
    this.#read = read;
    this.#tunnels = new Tunnels(() => this.#connector(), this.#trust);
  }

  /**
   * Sends what a `send` of the engine says. The answer's body is a stream of the bytes as they come,
   * which waits for its reader; `connect` tells whether it answers the CONNECT.
   */
  async send(output, options) {
    const { request, proxy, connect, session } = output;
    if (connect !== null) {
      return this.#throughTunnel(output, options);
    }
    if (proxy === null && session !== null) {
      // The session is being deleted.
      this.#tunnels.forget(session);
    }
    const url = new URL(request.url);
    // In absolute form, unless it is for the service itself.
    const path = proxy === null ? url.pathname + url.search : withoutFragment(request.url);
    const pool = this.#pool(proxy === null ? url.origin : proxy.url);
    const headers = withHost(request.headers, url.host);
    return exchange(pool, { ...request, headers, path }, options);
  }

  async #throughTunnel({ request, session, ...way }, options) {
    const { origin, pathname, search } = new URL(request.url);
    const owner = session ?? (options.isOutside ? OUTSIDE : null);
    const tunnel = await this.#tunnels.to(origin, { ...way, owner }, options.signal);
    if (tunnel instanceof Refused) {
      const { status, headers, body } = tunnel;
      return whole({ status, headers, connect: true }, body);
    }
    const drop = () => this.#tunnels.drop(tunnel);
    try {
      const path = pathname + search;
      const answer = await exchange(tunnel.client, { ...request, path }, options);
      answer.ended.then(() => this.#served(tunnel, owner, answer), drop);
      return answer;
    } catch (error) {
      drop();
      throw error;
    }
  }

  /** A tunnel serves its session, which the first answer may name, as long as all goes well. */
  #served(tunnel, asked, { status, headers }) {
    const { session, error } = this.#read({ status, headers });
    const owner = session ?? asked;
    if (error === null && owner !== null) {
      this.#tunnels.keep(tunnel, owner);
    } else {
      this.#tunnels.drop(tunnel);
      this.#tunnels.forget(owner);
    }
  }

  async close() {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all([this.#tunnels.close(), ...pools.map((pool) => pool.destroy())]);
  }

  #pool(url) {
    const { origin } = new URL(url);
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      // How many connections there are is how many requests the engine lets out.
      const options = {
        ...NO_LIMITS,
        connections: null,
        pipelining: 1,
        connect: this.#connector(),
      };
      pool = new (undici().Pool)(origin, options);
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  #connector() {
    this.#connect ??= undici().buildConnector({ ...this.#trust, timeout: CONNECT_TIMEOUT });
    return this.#connect;
  }
}

/** Sends a request over a dispatcher; gives the answer as soon as its head is there. */
function exchange(dispatcher, { path, method, headers, body }, { signal, sent }) {
  const options = { path, method, headers: Array.from(headers).flat(), ...NO_LIMITS };
  if (body !== undefined && body !== null && body.length > 0) {
    options.body = body;
  }
  return new Promise((resolve, reject) => {
    let controller;
    let stream;
    let isOver = false;
    let settle;
    const ended = new Promise((done, fail) => {
      settle = { done, fail };
    });
    // Nobody has to ask.
    ended.catch(() => {});
    const stop = () => fail(signal.reason);
    const over = () => {
      isOver = true;
      signal.removeEventListener('abort', stop);
    };
    const fail = (error) => {
      if (isOver) {
        return;
      }
      over();
      controller?.abort(error);
      stream?.destroy(error);
      settle.fail(error);
      reject(controller === undefined && error !== signal.reason ? notSent(error) : error);
    };
    signal.addEventListener('abort', stop);
    const handler = {
      onRequestStart(given) {
        controller = given;
        if (signal.aborted) {
          stop();
          controller.abort(signal.reason);
        } else {
          sent();
        }
      },
      onResponseStart(_, status, received, statusText) {
        if (status < 200) {
          return;
        }
        stream = new Readable({
          read: () => controller.resume(),
          destroy(error, done) {
            // The reader wants no more of it.
            fail(error ?? new Error('the body was given up'));
            done(error);
          },
        });
        // Who reads hears of it.
        stream.on('error', () => {});
        const answer = { status, statusText, headers: received, connect: false, body: stream };
        resolve({ ...answer, ended });
      },
      onResponseData(_, chunk) {
        if (!stream.push(chunk)) {
          controller.pause();
        }
      },
      onResponseEnd() {
        over();
        stream.push(null);
        settle.done();
      },
      onResponseError: (_, error) => fail(error),
    };
    dispatcher.dispatch(options, handler);
  });
}

/** An answer whose body is there, in the shape of one whose body comes. */
function whole(answer, body) {
  const stream = Readable.from(body.length === 0 ? [] : [body], { objectMode: false });
  return { statusText: '', ...answer, body: stream, ended: Promise.resolve() };
}

const withoutFragment = (url) => url.replace(/#.*$/s, '');

exports.ProxyTransport = ProxyTransport;
exports.whole = whole;
