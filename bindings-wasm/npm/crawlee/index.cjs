// Lets a crawler of Crawlee take its proxy and session from Silkline. Crawlee is not needed here: its
// crawlers take any object of this shape.
'use strict';

const { Readable } = require('node:stream');

/** Longer than any request waits for its session: Silkline has deadlines of its own. */
const NO_LIMIT = 7 * 86_400;

class SilklineHttpClient {
  #proxy;

  constructor(proxy) {
    if (typeof proxy?.fetch !== 'function') {
      throw new TypeError('proxy must be a SessionProxy');
    }
    this.#proxy = proxy;
  }

  async sendRequest(request) {
    const response = await this.#fetch(request);
    const bytes = Buffer.from(await response.arrayBuffer());
    const { responseType = 'text', encoding = 'utf8' } = request;
    const bodies = {
      buffer: () => bytes,
      json: () => JSON.parse(bytes.toString('utf8')),
      text: () => bytes.toString(encoding),
    };
    return { ...factsOf(request, response), complete: true, body: bodies[responseType]() };
  }

  async stream(request) {
    const response = await this.#fetch(request);
    const stream = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
    const facts = factsOf(request, response);
    const progress = { percent: 0, transferred: 0 };
    return Object.assign(stream, facts, {
      complete: false,
      stream,
      downloadProgress: progress,
      uploadProgress: progress,
    });
  }

  async #fetch({ url, method, headers, body, signal, followRedirect, maxRedirects, silkline }) {
    const follows = typeof followRedirect === 'boolean' ? followRedirect : true;
    return this.#proxy.fetch(url, {
      method,
      headers: pairsOf(headers ?? {}),
      body: body === '' ? undefined : await bodyOf(body),
      signal,
      redirect: follows ? 'follow' : 'manual',
      maxRedirects,
      ...silkline,
    });
  }
}

/** The options of a crawler that leaves sessions, pace and retries to Silkline. */
function crawlerOptions(proxy) {
  return {
    httpClient: new SilklineHttpClient(proxy),
    maxRequestRetries: 0,
    navigationTimeoutSecs: NO_LIMIT,
    persistCookiesPerSession: false,
    // What a request says of its session reaches the client.
    preNavigationHooks: [
      ({ request }, options) => {
        options.silkline = request.userData.silkline;
      },
    ],
    retryOnBlocked: false,
    useSessionPool: false,
  };
}

function pairsOf(headers) {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value) => [name, String(value)]),
  );
}

async function bodyOf(body) {
  if (body === undefined || body === null || typeof body === 'string' || ArrayBuffer.isView(body)) {
    return body ?? undefined;
  }
  const chunks = [];
  for await (const chunk of body) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** What Crawlee wants to know of an answer. */
function factsOf(request, { status, statusText, url, headers, redirected, proxied }) {
  const known = Object.fromEntries(headers);
  // Undone by now.
  delete known['content-encoding'];
  delete known['content-length'];
  const cookies = headers.getSetCookie();
  return {
    request,
    url,
    redirectUrls: redirected ? [new URL(url)] : [],
    ip: proxied.outgoing ?? undefined,
    statusCode: status,
    statusMessage: statusText,
    headers: cookies.length === 0 ? known : { ...known, 'set-cookie': cookies },
    trailers: {},
    proxied,
  };
}

exports.crawlerOptions = crawlerOptions;
exports.SilklineHttpClient = SilklineHttpClient;
