// How a request goes through the proxy: in absolute form for a plain target, through a tunnel of our
// own for one with TLS, so that what refuses the tunnel is heard.
'use strict';

const http = require('node:http');
const net = require('node:net');
const { Readable } = require('node:stream');
const tls = require('node:tls');
const { NotSent } = require('./driver.cjs');
const { NO_LIMITS, undici } = require('./undici.cjs');

/** What is read at most of the body of an answer that refuses a tunnel, and for how long. */
const REFUSAL = { bytes: 65_536, millis: 2_000 };
/** How long a connection to the proxy may take. */
const CONNECT_TIMEOUT = 30_000;

/** The certificate of a target is not of an authority that is trusted. */
class Untrusted extends Error {}

class ProxyTransport {
  #ca;
  #connect;
  #pools = new Map();
  #open = new Set();

  constructor({ ca } = {}) {
    this.#ca = ca;
  }

  /**
   * Sends what a `send` of the engine says. The answer's body is a stream of the bytes as they come,
   * which waits for its reader; `connect` tells whether it answers the CONNECT.
   */
  async send({ request, proxy, connect }, { signal, sent }) {
    if (connect === null) {
      const url = new URL(request.url);
      // In absolute form, unless it is for the service itself.
      const path = proxy === null ? url.pathname + url.search : withoutFragment(request.url);
      const pool = this.#pool(proxy === null ? url.origin : proxy.url);
      const headers = withHost(request.headers, url.host);
      return exchange(pool, { ...request, headers, path }, { signal, sent });
    }
    const socket = await this.#connected(proxy.url, signal);
    // What uses it hears of it.
    socket.on('error', () => {});
    try {
      const refusal = await tunnelled(socket, connect, signal);
      if (refusal !== undefined) {
        return refusal;
      }
      const url = new URL(request.url);
      const secured = await this.#secured(socket, url, signal);
      const client = new (undici().Client)(url.origin, {
        ...NO_LIMITS,
        // Not at once: the client is not ready for it before its call returns.
        connect: (_, done) => queueMicrotask(() => done(null, secured)),
      });
      this.#open.add(client);
      try {
        const path = url.pathname + url.search;
        const answer = await exchange(client, { ...request, path }, { signal, sent });
        answer.ended.then(
          () => this.#end(client),
          () => this.#end(client),
        );
        return answer;
      } catch (error) {
        this.#end(client);
        throw error;
      }
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async close() {
    const open = [...this.#pools.values(), ...this.#open];
    this.#pools.clear();
    this.#open.clear();
    await Promise.all(open.map((one) => one.destroy()));
  }

  #end(client) {
    this.#open.delete(client);
    client.destroy().catch(() => {});
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
    this.#connect ??= undici().buildConnector({ ...this.#trust(), timeout: CONNECT_TIMEOUT });
    return this.#connect;
  }

  #trust() {
    // The service's authority beside the usual ones.
    return this.#ca == null ? {} : { ca: [...tls.rootCertificates, ...[this.#ca].flat()] };
  }

  /** A connection to the proxy. */
  #connected(url, signal) {
    const { hostname, protocol, port } = new URL(url);
    const options = { hostname, host: hostname, protocol, port: port || portOf(protocol) };
    return abortable(signal, (resolve, reject) => {
      this.#connector()(options, (error, socket) => {
        if (error !== null) {
          reject(error instanceof Untrusted ? error : notSent(error));
        } else if (signal.aborted) {
          socket.destroy();
        } else {
          resolve(socket);
        }
      });
    });
  }

  /** The TLS with the target, inside the tunnel. */
  async #secured(socket, { hostname }, signal) {
    const host = hostname.replace(/^\[|\]$/g, '');
    const servername = net.isIP(host) === 0 ? host : undefined;
    const options = { socket, servername, host, ALPNProtocols: ['http/1.1'], ...this.#trust() };
    const secured = tls.connect(options);
    try {
      await abortable(signal, (resolve, reject) => {
        secured.once('secureConnect', resolve);
        secured.once('error', reject);
        secured.once('close', () => reject(new Error('the tunnel was closed')));
      });
    } catch (error) {
      secured.destroy();
      throw secured.authorizationError || isOfTrust(error)
        ? new Untrusted('the certificate is of no trusted authority', { cause: error })
        : error;
    }
    return secured;
  }
}

/** Opens a tunnel; gives the answer if it is refused. */
async function tunnelled(socket, { url, headers }, signal) {
  const request = http.request({
    method: 'CONNECT',
    path: url,
    headers: withHost(headers, url).flat(),
    setHost: false,
    createConnection: () => socket,
  });
  try {
    return await abortable(signal, (resolve, reject) => {
      request.once('error', reject);
      request.once('connect', (response, _, head) => {
        const { statusCode: status, rawHeaders } = response;
        if (status >= 200 && status < 300) {
          if (head.length > 0) {
            socket.unshift(head);
          }
          resolve();
          return;
        }
        const answer = { status, headers: pairsOf(rawHeaders), connect: true };
        const length = Number(response.headers['content-length'] ?? Number.NaN);
        bodyOf(socket, head, length).then((body) => resolve(whole(answer, body)), reject);
      });
      request.end();
    });
  } catch (error) {
    request.destroy();
    throw error;
  }
}

/** What an answer to a CONNECT has for a body: its parser leaves that to us. */
function bodyOf(socket, head, length) {
  const chunks = [head];
  let size = head.length;
  const most = Math.min(Number.isNaN(length) ? REFUSAL.bytes : length, REFUSAL.bytes);
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).subarray(0, most));
    };
    const timer = setTimeout(end, REFUSAL.millis);
    if (size >= most) {
      end();
      return;
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= most) {
        end();
      }
    });
    socket.once('end', end);
    socket.once('close', end);
    socket.once('error', end);
  });
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

/** Waits for something, and no longer once the signal is aborted. */
function abortable(signal, start) {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    const end = (settle) => (value) => {
      signal.removeEventListener('abort', stop);
      settle(value);
    };
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop);
    start(end(resolve), end(reject));
  });
}

/** Headers with the one that HTTP asks for. */
function withHost(headers, host) {
  const pairs = Array.from(headers);
  const has = pairs.some(([name]) => name.toLowerCase() === 'host');
  return has ? pairs : [['Host', host], ...pairs];
}

function pairsOf(raw) {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]]] : []));
}

const portOf = (protocol) => (protocol === 'https:' ? 443 : 80);
const withoutFragment = (url) => url.replace(/#.*$/s, '');
const notSent = (cause) => new NotSent('there was no connection', { cause });
const isOfTrust = ({ code = '' }) =>
  /^(?:UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_|ERR_TLS_CERT)/.test(code);

exports.ProxyTransport = ProxyTransport;
exports.Untrusted = Untrusted;
exports.whole = whole;
