// What both fakes share: a machine, its time, and answers in the shape of `fetch`.
'use strict';

/** An answer whose bytes are there already, so that reading them takes no turn of the event loop. */
class ReadyResponse extends Response {
  #bytes;
  #isRead = false;

  constructor(bytes, init) {
    super(bytes.length === 0 ? null : bytes, init);
    this.#bytes = bytes;
  }

  get bodyUsed() {
    return this.#isRead || super.bodyUsed;
  }

  async arrayBuffer() {
    const { buffer, byteOffset, byteLength } = this.#read();
    return buffer.slice(byteOffset, byteOffset + byteLength);
  }

  async bytes() {
    return this.#read().slice();
  }

  async text() {
    return new TextDecoder().decode(this.#read());
  }

  async json() {
    return JSON.parse(await this.text());
  }

  #read() {
    if (this.bodyUsed) {
      throw new TypeError('Body is unusable: Body has already been read');
    }
    this.#isRead = true;
    return this.#bytes;
  }
}

/** What `fetch` makes of an answer of a machine. */
function responseOf({ status, headers, body, dropped, truncated }) {
  if (dropped) {
    throw lost('fetch failed');
  }
  const init = { status, headers: [...headers] };
  if (truncated === null || truncated >= body.length) {
    return new ReadyResponse(body, init);
  }
  const part = body.subarray(0, truncated);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(part);
      controller.error(lost('terminated'));
    },
  });
  return new Response(stream, init);
}

/** What becomes of an answer where it is read whole: its bytes, or the loss of the connection. */
function bytesOf({ body, dropped, truncated }) {
  if (dropped || (truncated !== null && truncated < body.length)) {
    throw lost('other side closed');
  }
  return body;
}

/** The error that `fetch` gives when the other side closes the connection. */
function lost(message) {
  const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  return new TypeError(message, { cause });
}

/** A request as `fetch` takes it. */
async function requestOf(input, init = {}) {
  const given = input instanceof Request ? input : {};
  const { method = given.method ?? 'GET', headers = given.headers, signal = given.signal } = init;
  const body = init.body ?? (given.body == null ? undefined : await given.arrayBuffer());
  const isPlain = body == null || typeof body === 'string' || body instanceof ArrayBuffer;
  const bytes = isPlain || ArrayBuffer.isView(body) ? body : await new Response(body).arrayBuffer();
  const url = String(given.url ?? input);
  return { method: method.toUpperCase(), url, headers, body: bytes, signal };
}

/** A mistake in what a test gave: no failure of a network, so nobody tries again. */
function mistake(cause) {
  const error = new Error(`a function of the test failed: ${cause}`, { cause });
  return Object.assign(error, { code: 'ERR_TEST_FAILURE' });
}

/** Waits for what a machine is to answer; `gone` hears of a client that gives up. */
async function answered(signal, ask, gone) {
  signal?.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const ticket = ask(resolve, reject);
    signal?.addEventListener(
      'abort',
      () => {
        gone(ticket);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}

exports.answered = answered;
exports.bytesOf = bytesOf;
exports.mistake = mistake;
exports.requestOf = requestOf;
exports.responseOf = responseOf;
