// Tunnels through the proxy to targets with TLS: opened by a CONNECT of our own, so that what refuses
// one is heard, and kept for the next request of the same session to the same origin.
'use strict';

const http = require('node:http');
const net = require('node:net');
const tls = require('node:tls');
const { NotSent } = require('./driver.cjs');
const { NO_LIMITS, undici } = require('./undici.cjs');

/** What is read at most of the body of an answer that refuses a tunnel, and for how long. */
const REFUSAL = { bytes: 65_536, millis: 2_000 };
/** How long a tunnel waits for its session's next request: a few times the usual delay. */
const KEPT = 60_000;
/** So many wait at most; then the one that has waited longest is closed. */
const MOST_KEPT = 1_000;

/** A certificate, the proxy's or inside a tunnel, is not of an authority that is trusted. */
class Untrusted extends NotSent {
  constructor(cause) {
    super(`the certificate is not trusted: ${cause.message}`, { cause });
  }
}

/** The service does not open the tunnel. */
class Refused {
  constructor(status, headers, body) {
    Object.assign(this, { status, headers, body });
  }
}

/** An open tunnel with the TLS of its target, for one request at a time. */
class Tunnel {
  #socket;

  constructor(socket, origin, way) {
    this.#socket = socket;
    /** What it leads to, and how it was asked for. */
    this.way = way;
    /** Whose requests it carries. */
    this.owner = null;
    let given = socket;
    this.client = new (undici().Client)(origin, {
      ...NO_LIMITS,
      keepAliveTimeout: KEPT,
      keepAliveMaxTimeout: KEPT,
      // Not at once: the client is not ready for it before its call returns. And not twice.
      connect: (_, done) => {
        const [error, one] =
          given === undefined ? [new Error('the tunnel is closed')] : [null, given];
        given = undefined;
        queueMicrotask(() => done(error, one));
      },
    });
  }

  get isOpen() {
    return !this.#socket.destroyed && this.#socket.writable && !this.client.destroyed;
  }

  async close() {
    await this.client.destroy().catch(() => {});
    this.#socket.destroy();
  }
}

class Tunnels {
  #connector;
  #trust;
  #busy = new Set();
  /** Those that wait, the one that has waited longest first. */
  #kept = new Set();

  /** `connector()` connects to the proxy as undici does; `trust` says whose certificates are good. */
  constructor(connector, trust) {
    this.#connector = connector;
    this.#trust = trust;
  }

  /**
   * A tunnel for a request of an owner, a session or what stands for none: one that has carried its
   * requests to that origin before, or a new one. Or the answer that refuses it. Without an owner, a
   * new one.
   */
  async to(origin, { proxy, connect, owner }, signal) {
    // Whatever its opening said holds for all that goes through.
    const way = JSON.stringify([proxy.url, origin, connect.url, ...connect.headers]);
    const tunnel =
      this.#take(owner, way) ?? (await this.#opened(origin, way, proxy, connect, signal));
    if (tunnel instanceof Tunnel) {
      this.#busy.add(tunnel);
    }
    return tunnel;
  }

  /** Takes a tunnel back that is good for further requests of this owner. */
  keep(tunnel, owner) {
    if (!this.#busy.delete(tunnel) || !tunnel.isOpen) {
      tunnel.close();
      return;
    }
    tunnel.owner = owner;
    this.#kept.add(tunnel);
    if (this.#kept.size > MOST_KEPT) {
      this.drop(this.#kept.values().next().value);
    }
  }

  /** Closes a tunnel. */
  drop(tunnel) {
    this.#busy.delete(tunnel);
    this.#kept.delete(tunnel);
    return tunnel.close();
  }

  /** Closes the tunnels that wait for requests of an owner. */
  forget(owner) {
    for (const tunnel of this.#kept) {
      if (tunnel.owner === owner) {
        this.drop(tunnel);
      }
    }
  }

  async close() {
    await Promise.all([...this.#busy, ...this.#kept].map((tunnel) => this.drop(tunnel)));
  }

  #take(owner, way) {
    for (const tunnel of this.#kept) {
      if (!tunnel.isOpen) {
        this.drop(tunnel);
      } else if (tunnel.owner === owner && tunnel.way === way) {
        this.#kept.delete(tunnel);
        return tunnel;
      }
    }
    return undefined;
  }

  async #opened(origin, way, proxy, connect, signal) {
    const socket = await this.#connected(proxy.url, signal);
    // What uses it hears of it.
    socket.on('error', () => {});
    try {
      const refusal = await tunnelled(socket, connect, signal);
      if (refusal !== undefined) {
        return refusal;
      }
      return new Tunnel(await this.#secured(socket, new URL(origin), signal), origin, way);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** A connection to the proxy. */
  #connected(url, signal) {
    const { hostname, protocol, port } = new URL(url);
    const options = { hostname, host: hostname, protocol, port: port || portOf(protocol) };
    return abortable(signal, (resolve, reject) => {
      this.#connector()(options, (error, socket) => {
        if (error !== null) {
          reject(notSent(error));
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
    const options = { socket, servername, host, ALPNProtocols: ['http/1.1'], ...this.#trust };
    const secured = tls.connect(options);
    try {
      await abortable(signal, (resolve, reject) => {
        secured.once('secureConnect', resolve);
        secured.once('error', reject);
        secured.once('close', () => reject(new Error('the tunnel was closed')));
      });
    } catch (error) {
      secured.destroy();
      throw secured.authorizationError || isOfTrust(error) ? new Untrusted(error) : error;
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
        const refused = (body) => resolve(new Refused(status, pairsOf(rawHeaders), body));
        bodyOf(socket, head, response.headers).then(refused, reject);
      });
      request.end();
    });
  } catch (error) {
    request.destroy();
    throw error;
  }
}

/** What an answer to a CONNECT has for a body: its parser leaves that to us. */
function bodyOf(socket, head, headers) {
  const isChunked = /chunked/i.test(headers['transfer-encoding'] ?? '');
  const length = isChunked ? REFUSAL.bytes : Number(headers['content-length'] ?? REFUSAL.bytes);
  const most = Math.min(length, REFUSAL.bytes);
  let bytes = head;
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isChunked ? unchunked(bytes) : bytes.subarray(0, most));
    };
    const take = (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (
        bytes.length >= most ||
        (isChunked && /(?:^|\r\n)0\r\n\r\n$/.test(bytes.toString('latin1')))
      ) {
        end();
      }
    };
    const timer = setTimeout(end, REFUSAL.millis);
    socket.on('data', take);
    for (const event of ['end', 'close', 'error']) {
      socket.once(event, end);
    }
    take(Buffer.alloc(0));
  });
}

/** The chunks of a body in one, as far as they came. */
function unchunked(bytes) {
  const parts = [];
  for (let at = 0; ; ) {
    const start = bytes.indexOf('\r\n', at) + 2;
    const size = Number.parseInt(bytes.toString('latin1', at, start), 16);
    if (start < 2 || !(size > 0)) {
      return Buffer.concat(parts);
    }
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
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
/** Why there was no connection. */
const notSent = (cause) =>
  isOfTrust(cause) ? new Untrusted(cause) : new NotSent('there was no connection', { cause });
const isOfTrust = ({ code = '' }) =>
  /^(?:UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_|ERR_TLS_CERT)/.test(code);

exports.notSent = notSent;
exports.Refused = Refused;
exports.Tunnels = Tunnels;
exports.Untrusted = Untrusted;
exports.withHost = withHost;
