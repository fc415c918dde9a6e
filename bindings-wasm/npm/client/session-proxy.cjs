// The client for requests through sessions.
'use strict';

const { setMaxListeners } = require('node:events');
const { NotSubmitted, ProxyApi, ProxyEngine } = require('../index.cjs');
const { flag, known } = require('../lib/known.cjs');
const numbers = require('../lib/numbers.cjs');
const { ASYNC_DISPOSE, Driver, NotSent } = require('./driver.cjs');
const { ProxyTransport, whole } = require('./proxy-transport.cjs');
const { followed, isRedirect } = require('./redirects.cjs');
const { headersOf, requestOf, responseOf } = require('./responses.cjs');
const {
  BodyTooLarge,
  failureOf,
  ProxyAccountRefused,
  RedirectRefused,
  UntrustedCertificate,
} = require('./session-errors.cjs');
const { Untrusted } = require('./tunnels.cjs');

/** What an engine is told as it is given. */
const SETTINGS = [
  'domainDelays',
  'lifetime',
  'safety',
  'maxBans',
  'maxTimeouts',
  'anonymousPercent',
  'creation',
  'warmUp',
  'concurrency',
  'callConcurrency',
  'queueSize',
  'deadline',
  'policy',
  'options',
  'seed',
];
const OPTIONS = [
  ...SETTINGS,
  'apiKey',
  'endpoint',
  'dialect',
  'sessions',
  'sessionDelay',
  'sessionMargin',
  'sessionIdle',
  'ca',
  'send',
  'clock',
  'banned',
  'onSessionLost',
  'keepSessions',
  'maxBody',
  'maxRedirects',
  'grace',
  'deleteTimeout',
];
/** What a call takes: what any `fetch` does, and what is ours. */
const INIT = [
  'method',
  'headers',
  'body',
  'redirect',
  'signal',
  'duplex',
  'cache',
  'credentials',
  'integrity',
  'keepalive',
  'mode',
  'referrer',
  'referrerPolicy',
  'window',
  'session',
  'replaceSession',
  'outsideSessions',
  'priority',
  'options',
  'banned',
  'maxRedirects',
];
const MAX_BODY = 100_000_000;
const MAX_REDIRECTS = 20;
const DELETE_TIMEOUT = 30_000;

class SessionProxy {
  #api;
  #engine;
  #driver;
  #transport;
  #banned;
  #onSessionLost;
  #maxBody;
  #maxRedirects;
  #grace;
  #deleteTimeout;
  #clock;
  /** Who waits, by job. */
  #calls = new Map();
  #names = 0;
  #refusal;
  #breakdown;
  #closing;

  constructor(options = {}) {
    known(options, OPTIONS, 'SessionProxy');
    const { apiKey, endpoint, dialect, sessions, sessionDelay, sessionMargin, sessionIdle } =
      options;
    const { ca, send, clock, banned, onSessionLost = warn, keepSessions = false } = options;
    const { maxBody = MAX_BODY, maxRedirects = MAX_REDIRECTS, grace = 0 } = options;
    const { deleteTimeout = DELETE_TIMEOUT } = options;
    const functions = { send, banned, onSessionLost };
    for (const [name, one] of Object.entries(functions)) {
      if (one != null && typeof one !== 'function') {
        throw new TypeError(`${name} must be a function`);
      }
    }
    const limits = { maxBody, maxRedirects };
    for (const [name, limit] of Object.entries(limits)) {
      if (limit !== Number.POSITIVE_INFINITY) {
        numbers.whole(limit, name);
      }
    }
    // By the names that they have here.
    for (const [name, time] of Object.entries({ sessionDelay, sessionMargin, sessionIdle })) {
      if (time != null) {
        numbers.millis(time, name);
      }
    }
    if (sessions != null) {
      numbers.whole(sessions, 'sessions');
    }
    flag(keepSessions, 'keepSessions');
    const read = (answer) => this.#api.read(answer);
    const sockets = new ProxyTransport({ ca, read });
    this.#transport = send == null ? sockets : new Sender(send);
    this.#banned = banned;
    this.#onSessionLost = onSessionLost;
    this.#maxBody = maxBody;
    this.#maxRedirects = maxRedirects;
    this.#grace = numbers.millis(grace, 'grace');
    this.#deleteTimeout = numbers.millis(deleteTimeout, 'deleteTimeout');
    this.#clock = clock;
    this.#api = new ProxyApi({ apiKey, endpoint: endpoint?.href ?? endpoint, dialect });
    this.#engine = new ProxyEngine({
      ...Object.fromEntries(SETTINGS.map((name) => [name, options[name]])),
      api: this.#api,
      size: sessions,
      delay: sessionDelay,
      margin: sessionMargin,
      idle: sessionIdle,
      deleteOnClose: !keepSessions,
      now: 0,
    });
    this.#driver = new Driver({
      engine: this.#engine,
      clock,
      send: (output, request) => this.#send(output, request),
      tell: (output, failure) => this.#tell(output, failure),
      broken: (error) => this.#broken(error),
    });
    if (options.warmUp > 0) {
      this.#driver.wake();
    }
  }

  async fetch(input, given) {
    const init = known(given ?? {}, INIT, 'fetch');
    const { request, redirect, signal } = await requestOf(input, init);
    const { maxRedirects = this.#maxRedirects } = init;
    let target = request;
    let stayIn;
    for (let redirects = 0; ; redirects += 1) {
      const call = { ...init, target, redirect, signal, stayIn, redirects };
      const response = await this.#submit(call);
      const next =
        redirect === 'manual'
          ? null
          : followed(target, response.status, response.headers.get('location'));
      if (next === null) {
        return response;
      }
      await response.arrayBuffer();
      if (redirect === 'error' || redirects === maxRedirects) {
        const text = `\`${target.url}\` redirects for the ${ordinal(redirects + 1)} time`;
        const code = redirect === 'error' ? 'redirect_unwanted' : 'too_many_redirects';
        throw new RedirectRefused(code, text, { location: next.url });
      }
      target = next;
      stayIn = init.session == null ? response.proxied.session : undefined;
    }
  }

  session(name, { replace = false } = {}) {
    this.#names += 1;
    return new NamedSession(this, name ?? `session-${this.#names}`, replace);
  }

  endSession(name) {
    return this.#driver.command((engine, now) => engine.endSession(name, now));
  }

  stats() {
    return this.#engine.stats();
  }

  resume() {
    this.#refusal = undefined;
    this.#driver.command((engine, now) => engine.resume(now));
  }

  async close({ grace = this.#grace } = {}) {
    const ended = this.#driver.close(grace);
    this.#closing ??= this.#end(ended, grace);
    await this.#closing;
  }

  async #end(ended, grace) {
    // A service that cannot be reached keeps nobody.
    const clock = this.#clock ?? globalThis;
    const timer = clock.setTimeout(() => this.#driver.stop(), grace + this.#deleteTimeout);
    await ended;
    clock.clearTimeout(timer);
    await this.#transport.close();
  }

  /** Has a request sent; gives the response to the last attempt. */
  #submit({ target, options, session, replaceSession, outsideSessions, priority, ...call }) {
    if (this.#breakdown !== undefined) {
      return Promise.reject(this.#breakdown);
    }
    if (this.#closing !== undefined) {
      return Promise.reject(new NotSubmitted('engine_closed', 'the session proxy is closed'));
    }
    const { signal, stayIn } = call;
    if (signal.aborted) {
      return Promise.reject(signal.reason);
    }
    return new Promise((resolve, reject) => {
      const job = { options, session, replaceSession, outsideSessions, priority, stayIn };
      if (outsideSessions) {
        job.stayIn = undefined;
      }
      const id = this.#driver.command((engine, now) => engine.submit(target, { ...job, now }));
      const banned = call.banned ?? this.#banned;
      const isOutside = outsideSessions === true;
      const own = { ...call, id, target, session, isOutside, banned, resolve, reject, attempts: 0 };
      own.stop = () => this.#giveUp(own, signal.reason);
      // One signal may be that of many requests.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', own.stop);
      this.#calls.set(id, own);
      this.#driver.hold();
    });
  }

  /** Ends a call before its job has ended. */
  #giveUp(call, reason) {
    if (this.#calls.get(call.id) === call) {
      this.#forget(call);
      this.#driver.command((engine, now) => engine.cancel(call.id, now));
      call.reject(reason);
      call.stream?.destroy(reason);
    }
  }

  #forget(call) {
    this.#calls.delete(call.id);
    call.signal.removeEventListener('abort', call.stop);
    this.#driver.release();
  }

  async #send(output, request) {
    const { job, kind } = output;
    const call = this.#calls.get(job);
    if (kind === 'fetch' && call !== undefined) {
      call.attempts += 1;
    }
    let answer;
    try {
      const { isOutside = false } = call ?? {};
      answer = await this.#transport.send(output, { ...request, isOutside });
    } catch (error) {
      if (call !== undefined && error instanceof Untrusted) {
        this.#giveUp(call, new UntrustedCertificate(error));
      } else if (call !== undefined && error.code === 'UND_ERR_INVALID_ARG') {
        // Of no use to anybody else, and sent by nobody.
        this.#giveUp(call, error);
        throw new NotSent('the request cannot be sent', { cause: new Error(error.message) });
      }
      throw error;
    }
    const { status, headers, connect } = answer;
    const head = { status, headers, connect };
    if (call !== undefined && this.#passes(call, answer)) {
      await this.#pass(call, answer, output);
      return [head];
    }
    const body = await bytesOf(answer.body, this.#maxBody);
    if (body === undefined) {
      if (call !== undefined) {
        this.#giveUp(call, new BodyTooLarge(this.#maxBody));
      }
      return [head];
    }
    const banned = await this.#isBanned(call, head, body, output);
    return [{ ...head, body, banned }];
  }

  /** Whether an answer is the target's last word, so that its body is for the caller to read. */
  #passes({ banned, redirect }, { status, headers, connect }) {
    return (
      !connect &&
      banned == null &&
      (redirect === 'manual' || !isRedirect(status)) &&
      this.#api.read({ status, headers }).error === null
    );
  }

  /** Hands an answer on, and waits until its body has been read. */
  async #pass(call, answer, output) {
    call.stream = answer.body;
    call.resolve(this.#response(call, answer, this.#facts(call, answer, output)));
    try {
      await answer.ended;
    } catch (error) {
      // Nobody can be given another answer.
      this.#giveUp(call, error);
      throw error;
    }
  }

  async #isBanned(call, { status, headers, connect }, body, output) {
    if (call?.banned == null || connect || this.#api.read({ status, headers }).error !== null) {
      return false;
    }
    const answer = whole({ status, headers }, body);
    const facts = this.#facts(call, answer, output);
    try {
      return Boolean(await call.banned(this.#response(call, answer, facts)));
    } catch (error) {
      this.#giveUp(call, error);
      return false;
    }
  }

  /** How an answer came. Where clients make the sessions, only the request tells which it was. */
  #facts({ attempts }, { status, headers }, { session: asked }) {
    const { session, outgoing } = this.#api.read({ status, headers });
    return { session: session ?? asked, outgoing, attempts };
  }

  #response({ target, session: sessionName = null, redirects }, answer, facts) {
    const proxied = Object.freeze({ ...facts, sessionName, redirects });
    return responseOf(answer, target, proxied);
  }

  #tell(output, failure) {
    switch (output.type) {
      case 'finished':
        this.#finished(output, failure);
        break;
      case 'sessionLost':
        this.#onSessionLost(output);
        break;
      case 'stopped':
        this.#refusal = output.error;
        break;
      default:
        if (output.reason === 'stopped' && this.#refusal !== undefined) {
          for (const call of [...this.#calls.values()]) {
            this.#giveUp(call, new ProxyAccountRefused(this.#refusal));
          }
        }
    }
  }

  #finished({ job, response, error, attempts, cost }, failure) {
    const call = this.#calls.get(job);
    if (call === undefined) {
      return;
    }
    this.#forget(call);
    if (error !== null) {
      call.reject(failureOf(error, attempts, cost, failure));
    } else if (call.stream === undefined) {
      const { status, headers, body, session, outgoing } = response;
      const answer = whole({ status, headers: headersOf(headers) }, body);
      call.resolve(this.#response(call, answer, { session, outgoing, attempts }));
    }
  }

  #broken(error) {
    this.#breakdown = new Error('the session proxy broke down', { cause: error });
    for (const call of [...this.#calls.values()]) {
      this.#forget(call);
      call.reject(this.#breakdown);
      call.stream?.destroy(this.#breakdown);
    }
  }
}

/** A sequence of requests, one after the other through one session. */
class NamedSession {
  #proxy;
  #replaces;

  constructor(proxy, name, replaces) {
    this.#proxy = proxy;
    this.#replaces = replaces;
    this.name = name;
  }

  fetch(input, init) {
    const named = { replaceSession: this.#replaces, ...init, session: this.name };
    return this.#proxy.fetch(input, named);
  }

  end() {
    return this.#proxy.endSession(this.name);
  }
}

/** Sends by a function that gives whole answers. */
class Sender {
  #send;

  constructor(send) {
    this.#send = send;
  }

  async send(output, request) {
    const { body, ...answer } = await this.#send(output, request);
    return whole(answer, body ?? new Uint8Array());
  }

  async close() {}
}

/** All of a body; `undefined` if it is too large. */
async function bytesOf(stream, most) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > most) {
      return undefined;
    }
  }
  return Buffer.concat(chunks);
}

function warn({ name, session, cause }) {
  process.emitWarning(`session ${name} (${session}) was lost: ${cause}`, 'SilklineWarning');
}

const ordinal = (count) => `${count}${{ 1: 'st', 2: 'nd', 3: 'rd' }[count] ?? 'th'}`;

const disposes = (prototype, dispose) =>
  Object.defineProperty(prototype, ASYNC_DISPOSE, {
    value: dispose,
    configurable: true,
    writable: true,
  });
disposes(SessionProxy.prototype, async function dispose() {
  await this.close();
});
disposes(NamedSession.prototype, async function dispose() {
  this.end();
});

exports.BodyTooLarge = BodyTooLarge;
exports.NamedSession = NamedSession;
exports.ProxyAccountRefused = ProxyAccountRefused;
exports.RedirectRefused = RedirectRefused;
exports.SessionProxy = SessionProxy;
exports.UntrustedCertificate = UntrustedCertificate;
