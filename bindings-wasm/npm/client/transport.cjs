// How a request travels: over undici, or by a function with the shape of `fetch`.
'use strict';

const zlib = require('node:zlib');
const { promisify } = require('node:util');
const { NotSent } = require('./driver.cjs');
const { isBun, NO_LIMITS, undici } = require('./undici.cjs');

/** What tells that there was no connection. */
const NO_CONNECTION = new Set([
  'ConnectionRefused',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'FailedToOpenSocket',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Sends over undici, with a dispatcher of the program's own or with one that is closed at the end. */
class UndiciTransport {
  #given;
  #own;

  constructor(dispatcher) {
    this.#given = dispatcher;
  }

  async send(request, { signal, sent }) {
    const { status, headers, chunks } = await this.#dispatch(request, signal, sent);
    return { status, headers, body: await decoded(joined(chunks), headers['content-encoding']) };
  }

  #dispatch({ method, url, headers, body }, signal, sent) {
    const { origin, pathname, search } = new URL(url);
    const head = { origin, path: pathname + search, method, headers: Array.from(headers).flat() };
    // A `Buffer`, which undici's mocks give to tests that read it as a text.
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const options = { ...head, body: bytes, ...NO_LIMITS };
    return new Promise((resolve, reject) => {
      let left = false;
      let give;
      const answer = { chunks: [] };
      const stop = () => {
        give?.abort(signal.reason);
        reject(signal.reason);
      };
      const end = (settle, value) => {
        signal.removeEventListener('abort', stop);
        settle(value);
      };
      signal.addEventListener('abort', stop);
      const handler = {
        onRequestStart: (controller) => {
          give = controller;
          if (signal.aborted) {
            controller.abort(signal.reason);
          } else {
            left = true;
            sent();
          }
        },
        onResponseStart: (_, status, received) => {
          answer.status = status;
          answer.headers = received;
        },
        onResponseData: (_, chunk) => {
          answer.chunks.push(chunk);
        },
        onResponseEnd: () => end(resolve, answer),
        onResponseError: (_, error) => end(reject, left ? error : notSent(error)),
      };
      this.#dispatcher().dispatch(options, handler);
    });
  }

  #dispatcher() {
    if (this.#given !== undefined) {
      return this.#given;
    }
    // How many connections there are is how many requests the engine lets out.
    this.#own ??= new (undici().Agent)({ ...NO_LIMITS, connections: null, pipelining: 1 });
    return this.#own;
  }

  async close() {
    const own = this.#own;
    this.#own = undefined;
    await own?.destroy();
  }
}

/** Sends by a `fetch`, which undoes content codings itself. */
class FetchTransport {
  #fetch;
  #options;

  constructor(fetch, options = {}) {
    this.#fetch = fetch;
    this.#options = options;
  }

  async send({ method, url, headers, body }, { signal }) {
    const options = { method, headers, body, signal, redirect: 'manual', ...this.#options };
    try {
      const response = await this.#fetch(url, options);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, body: bytes };
    } catch (error) {
      throw NO_CONNECTION.has(error?.cause?.code ?? error?.code) ? notSent(error) : error;
    }
  }

  async close() {}
}

/** The transport of what a client was given. */
function transportOf({ fetch, dispatcher }) {
  if (fetch !== undefined && fetch !== null) {
    if (typeof fetch !== 'function') {
      throw new TypeError('fetch must be a function');
    }
    return new FetchTransport(fetch, dispatcher == null ? {} : { dispatcher });
  }
  if (dispatcher !== undefined && dispatcher !== null) {
    if (typeof dispatcher.dispatch !== 'function') {
      throw new TypeError('dispatcher must have a method dispatch, as those of undici do');
    }
    return new UndiciTransport(dispatcher);
  }
  // There `timeout` is what switches the limit of 300 seconds off.
  return isBun
    ? new FetchTransport((url, options) => globalThis.fetch(url, options), { timeout: false })
    : new UndiciTransport();
}

function notSent(cause) {
  return new NotSent('there was no connection', { cause });
}

/** The chunks as one array with memory of its own. */
function joined(chunks) {
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

const gunzip = promisify(zlib.gunzip);
const inflate = promisify(zlib.inflate);
const CODINGS = {
  gzip: gunzip,
  'x-gzip': gunzip,
  // The name means a zlib stream; some servers leave its wrapping out.
  deflate: (bytes) =>
    inflate(bytes).catch((error) =>
      error.code === 'Z_DATA_ERROR' ? promisify(zlib.inflateRaw)(bytes) : Promise.reject(error),
    ),
  br: promisify(zlib.brotliDecompress),
  zstd: zlib.zstdDecompress && promisify(zlib.zstdDecompress),
};

/** A body with its content codings undone, the last one first; one that is not known is left. */
async function decoded(body, header) {
  const names = [header ?? ''].flat().join(',').toLowerCase().split(',');
  let bytes = body;
  for (const name of names.reverse().map((one) => one.trim())) {
    if (bytes.length > 0 && CODINGS[name] !== undefined) {
      const { buffer, byteOffset, length } = await CODINGS[name](bytes);
      bytes = new Uint8Array(buffer, byteOffset, length);
    }
  }
  return bytes;
}

exports.transportOf = transportOf;
