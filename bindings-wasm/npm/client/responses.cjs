// Requests and responses in the shape of `fetch`.
'use strict';

const { pipeline } = require('node:stream');
const { types } = require('node:util');
const zlib = require('node:zlib');

/** Statuses whose responses have no body. */
const BODILESS = new Set([101, 103, 204, 205, 304]);
const ENCODINGS = 'gzip, br';
/** What concerns a connection, which is the transport's to say. */
const OF_CONNECTION = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
// As far as it came is as far as it is read, as browsers do.
const LENIENT = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH };
const LENIENT_BROTLI = { flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH };
const CODINGS = {
  gzip: () => zlib.createGunzip(LENIENT),
  'x-gzip': () => zlib.createGunzip(LENIENT),
  deflate: () => zlib.createInflate(LENIENT),
  br: () => zlib.createBrotliDecompress(LENIENT_BROTLI),
};

const METHOD = /^[!#$%&'*+.^_`|~\w-]+$/;
const FORBIDDEN = /^(?:CONNECT|TRACE|TRACK)$/i;
const BODILESS_METHOD = /^(?:GET|HEAD)$/i;

/** What not every platform's `Request` refuses. */
function check({ method = 'GET', body }) {
  if (!METHOD.test(method) || FORBIDDEN.test(method)) {
    throw new TypeError(`${JSON.stringify(method)} is no method that can be sent`);
  }
  if (body != null && BODILESS_METHOD.test(method)) {
    throw new TypeError(`a request with method ${method} cannot have a body`);
  }
}

/** What `fetch` is called with, as a request with a body that can be sent more than once. */
async function requestOf(input, init) {
  const given = ['method', 'headers', 'body', 'redirect'].filter((name) => init[name] != null);
  check({ method: init.method ?? input?.method, body: init.body });
  const standard = new Request(input, {
    ...Object.fromEntries(given.map((name) => [name, init[name]])),
    ...(init.body == null ? {} : { duplex: 'half' }),
  });
  const isRequest = input instanceof Request;
  const headers = pairsOf(init.headers ?? (isRequest ? input.headers : [])).filter(
    ([name]) => !OF_CONNECTION.has(name.toLowerCase()),
  );
  const has = (wanted) => headers.some(([name]) => name.toLowerCase() === wanted);
  // Not every platform tells it of a text.
  const textType = typeof init.body === 'string' ? 'text/plain;charset=UTF-8' : null;
  const type = standard.headers.get('content-type') ?? textType;
  const signal = init.signal ?? (isRequest ? input.signal : new AbortController().signal);
  const body = await bodyOf(standard, signal);
  if (type !== null && !has('content-type')) {
    headers.push(['Content-Type', type]);
  }
  if (!has('accept')) {
    headers.push(['Accept', '*/*']);
  }
  if (!has('accept-encoding')) {
    headers.push(['Accept-Encoding', ENCODINGS]);
  }
  const { method, url, redirect } = standard;
  return { request: { method, url, headers, body }, redirect, signal };
}

/** All of a request's body; a source that is slow to give it does not outlast the signal. */
async function bodyOf({ body }, signal) {
  signal.throwIfAborted();
  if (body === null) {
    return new Uint8Array();
  }
  const chunks = [];
  const reader = body.getReader();
  const stop = () => reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) {
        return new Uint8Array(Buffer.concat(chunks));
      }
      if (!types.isUint8Array(value)) {
        throw new TypeError('a body that is a stream must give bytes, each part a Uint8Array');
      }
      chunks.push(value);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Names and values as they were written, where that can be told. */
function pairsOf(headers) {
  if (typeof headers[Symbol.iterator] === 'function') {
    return Array.from(headers, ([name, value]) => [String(name), String(value)]);
  }
  return Object.entries(headers).map(([name, value]) => [name, String(value)]);
}

/** The headers of an answer, in any form that transports give. */
function headersOf(received) {
  if (received instanceof Headers) {
    return received;
  }
  const headers = new Headers();
  const pairs =
    typeof received[Symbol.iterator] === 'function' ? received : Object.entries(received);
  for (const [name, values] of pairs) {
    for (const value of [values].flat()) {
      try {
        headers.append(name, value);
      } catch {
        // What no header can hold is left out, as browsers do.
      }
    }
  }
  return headers;
}

/** What undoes the content codings, in the order in which it is to be done. */
function decodersOf(headers) {
  const names = (headers.get('content-encoding') ?? '').toLowerCase().split(',');
  const known = names.map((name) => CODINGS[name.trim()]).filter(Boolean);
  return known.reverse().map((make) => make());
}

/** A `Response` whose body comes from a stream. */
function responseOf({ status, statusText = '', headers, body }, { method, url }, proxied) {
  const list = headersOf(headers);
  let content = null;
  if (BODILESS.has(status) || method === 'HEAD') {
    body.resume();
  } else {
    const decoders = decodersOf(list);
    // Errors reach the reader by the last one.
    const last = decoders.length === 0 ? body : pipeline([body, ...decoders], () => {});
    content = webStreamOf(last);
  }
  const isStandard = status >= 200 && status <= 599;
  const response = new Response(content, {
    status: isStandard ? status : 200,
    statusText: printable(statusText),
    headers: list,
  });
  const fields = { url: url.replace(/#.*$/s, ''), redirected: proxied.redirects > 0, proxied };
  if (!isStandard) {
    Object.assign(fields, { status, ok: false });
  }
  return dressed(response, fields);
}

/** A response that says more than the platform can be told to say, and so do its clones. */
function dressed(response, fields) {
  const clone = () => dressed(Response.prototype.clone.call(response), fields);
  for (const [name, value] of Object.entries({ ...fields, clone })) {
    Object.defineProperty(response, name, { value, enumerable: false, configurable: true });
  }
  return response;
}

/** A stream as `fetch` has it, which reads no further than it is read. */
function webStreamOf(stream) {
  // Who reads hears of it.
  stream.on('error', () => {});
  const chunks = stream[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) {
          controller.close();
        } else {
          controller.enqueue(new Uint8Array(value.buffer, value.byteOffset, value.length));
        }
      },
      cancel() {
        stream.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

const printable = (text) => String(text ?? '').replace(/[^\t\x20-\x7e\x80-\xff]/g, '');

exports.headersOf = headersOf;
exports.requestOf = requestOf;
exports.responseOf = responseOf;
