// The vectors of `engine`.
import assert from 'node:assert/strict';
import { silkline } from '../package.mjs';
import { body, checkKeys, headersJson, micros, outcome, told } from './given.mjs';
import { options, pairs } from './proxy.mjs';
import { millis, policy, poolConfig, rate } from './schedule.mjs';

const { ExtractionApi, ExtractionEngine, ProxyApi, ProxyEngine } = silkline;

export const operations = {
  'engine.extraction.run': (given) => outcome(() => new ExtractionRun(given).run()),
  'engine.proxy.run': (given) => outcome(() => new ProxyRun(given).run()),
};

const NAMES = {
  burst: 'burst',
  concurrency: 'concurrency',
  queue_size: 'queueSize',
  batch_size: 'batchSize',
  cap: 'cap',
  requeue: 'requeue',
};

function config(given = {}) {
  checkKeys(given, [...Object.keys(NAMES), 'rate', 'deadline_us', 'policy']);
  const options = { deadline: millis(given.deadline_us), rate: given.rate && rate(given.rate) };
  for (const [name, option] of Object.entries(NAMES)) {
    options[option] = given[name];
  }
  if (given.policy !== undefined) {
    checkKeys(given.policy, ['preset', 'rules']);
    options.policy = policy(given.policy);
  }
  return options;
}

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

class ExtractionRun {
  /** The queries of each request, by its id. */
  #sent = new Map();
  #engine;
  #options;
  #steps;

  constructor(given) {
    checkKeys(given, ['config', 'seed', 'now_us', 'steps', 'dialect']);
    const api = new ExtractionApi({ apiKey: 'key', dialect: given.dialect });
    this.#options = { ...config(given.config), api };
    const { seed, now_us } = given;
    this.#engine = new ExtractionEngine({ ...this.#options, seed, now: millis(now_us) });
    this.#steps = given.steps;
  }

  /** The outcome of each step, in order. */
  run() {
    try {
      return this.#steps.map((step) => outcome(() => this.#step(step)));
    } finally {
      this.#engine.free();
    }
  }

  #step(step) {
    const engine = this.#engine;
    const [now, request] = [millis(step.at_us), step.request];
    const known = (...keys) => checkKeys(step, ['at_us', 'call', ...keys]);
    const show = (output) => this.#show(output);
    const calls = {
      submit() {
        known('query', 'priority', 'key');
        return engine.submit(step.query, { priority: step.priority, key: step.key, now });
      },
      cancel() {
        known('job');
        return engine.cancel(step.job, now);
      },
      poll() {
        known();
        return show(engine.poll(now));
      },
      drain() {
        known('most');
        return engine.pollBatch(now, step.most ?? 1_000).map(show);
      },
      sent() {
        known('request');
        return engine.handleSent(request, now);
      },
      respond() {
        known('request', 'status', 'headers', 'body');
        const { status, headers } = step;
        const response = { status, headers, body: body(step.body) };
        return engine.handleResponse(request, response, now);
      },
      answer: () => {
        known('request', 'results');
        return engine.handleResponse(request, this.#answer(step), now);
      },
      fail() {
        known('request', 'failure');
        return engine.handleFailure(request, camel(step.failure), now);
      },
      stats() {
        known();
        return statsJson(engine.stats());
      },
      resume() {
        known();
        return nothing(engine.resume(now));
      },
      start_cycle() {
        known();
        return nothing(engine.startCycle(now));
      },
      close() {
        known('grace_us');
        return nothing(engine.close(now, millis(step.grace_us)));
      },
      // The process ends, and another one goes on at `to_us` of its own clock.
      restart: () => {
        known('to_us', 'downtime_us');
        const snapshot = engine.snapshot(now);
        const [to, downtime] = [millis(step.to_us), millis(step.downtime_us)];
        this.#engine = ExtractionEngine.restore({ ...this.#options, snapshot, now: to, downtime });
        return nothing(engine.free());
      },
    };
    return calls[step.call]();
  }

  /** An answer whose results repeat the queries of their request, in its order. */
  #answer({ request, results }) {
    const queries = this.#sent.get(request);
    const told = results
      .slice(0, queries.length)
      .map((result, index) => ({ ...result, query: { userQuery: queries[index] } }));
    const headers = [['Content-Type', 'application/json']];
    return { status: 200, headers, body: JSON.stringify(told) };
  }

  #show(output) {
    switch (output.type) {
      case 'send': {
        const body = JSON.parse(Buffer.from(output.request.body).toString());
        const queries = Array.isArray(body) ? body : [body];
        assert.equal(queries.length, output.queries);
        this.#sent.set(output.id, queries);
        const urls = queries.map(({ url }) => url);
        return { send: { request: output.id, deadline_us: micros(output.deadline), urls } };
      }
      case 'abort':
        return { abort: output.id };
      case 'finished':
        return { finished: finishedJson(output) };
      case 'stopped':
        return { stopped: output.error.code };
      case 'unmatched': {
        const { result, query } = output;
        return { unmatched: told({ error: result.error?.code ?? null, url: query?.url ?? null }) };
      }
      case 'waitUntil':
        return { wait_until: { at_us: micros(output.at), reason: output.reason } };
      case 'idle':
        return { idle: output.reason };
      default:
        throw new Error(`no output is of type ${output.type}`);
    }
  }
}

const PROXY_NAMES = {
  creation: 'creation',
  warm_up: 'warmUp',
  concurrency: 'concurrency',
  call_concurrency: 'callConcurrency',
  queue_size: 'queueSize',
  requeue: 'requeue',
  keep_secrets: 'keepSecrets',
  adopt_all: 'adoptAll',
  delete_on_close: 'deleteOnClose',
};

function proxyConfig(given = {}) {
  const others = ['pool', 'delay_us', 'domain_delays_us', 'deadline_us', 'policy', 'options'];
  checkKeys(given, [...Object.keys(PROXY_NAMES), ...others]);
  const config = { ...poolConfig(given.pool), deadline: millis(given.deadline_us) };
  config.delay = millis(given.delay_us);
  for (const [name, option] of Object.entries(PROXY_NAMES)) {
    config[option] = given[name];
  }
  const delays = Object.entries(given.domain_delays_us ?? {});
  config.domainDelays = Object.fromEntries(delays.map(([name, delay]) => [name, millis(delay)]));
  if (given.policy !== undefined) {
    checkKeys(given.policy, ['preset', 'rules']);
    config.policy = policy(given.policy);
  }
  if (given.options !== undefined) {
    config.options = options(given.options);
  }
  return config;
}

/** A request: a URL, or an object with more. */
function target(given) {
  if (typeof given === 'string') {
    return given;
  }
  checkKeys(given, ['method', 'url', 'headers', 'body']);
  const { method, url } = given;
  return { method, url, headers: pairs(given.headers), body: body(given.body) };
}

function proxyJob({ session, priority, key, options: chosen }) {
  const job = { priority, key, options: chosen && options(chosen) };
  if (session === undefined) {
    return job;
  }
  if (session === 'outside') {
    return { ...job, outsideSessions: true };
  }
  if (session.stay !== undefined) {
    checkKeys(session, ['stay']);
    return { ...job, stayIn: session.stay };
  }
  checkKeys(session, ['name', 'replace']);
  return { ...job, session: session.name, replaceSession: session.replace };
}

class ProxyRun {
  #engine;
  #options;
  #steps;

  constructor(given) {
    checkKeys(given, ['config', 'seed', 'now_us', 'steps', 'dialect']);
    const config = proxyConfig(given.config ?? {});
    const api = new ProxyApi({ apiKey: 'key', dialect: given.dialect });
    this.#options = { ...config, api };
    const { seed, now_us } = given;
    this.#engine = new ProxyEngine({ ...this.#options, seed, now: millis(now_us) });
    this.#steps = given.steps;
  }

  run() {
    try {
      return this.#steps.map((step) => outcome(() => this.#step(step)));
    } finally {
      this.#engine.free();
    }
  }

  #step(step) {
    const engine = this.#engine;
    const [now, request] = [millis(step.at_us), step.request];
    const known = (...keys) => checkKeys(step, ['at_us', 'call', ...keys]);
    const calls = {
      submit() {
        known('job', 'options', 'session', 'priority', 'key');
        return engine.submit(target(step.job), { ...proxyJob(step), now });
      },
      supply() {
        known('id', 'job');
        return engine.supply(step.id, target(step.job), now);
      },
      cancel() {
        known('id');
        return engine.cancel(step.id, now);
      },
      end_session() {
        known('name');
        return engine.endSession(step.name, now);
      },
      poll() {
        known();
        return proxyShown(engine.poll(now));
      },
      drain() {
        known('most');
        return engine.pollBatch(now, step.most ?? 1_000).map(proxyShown);
      },
      sent() {
        known('request');
        return engine.handleSent(request, now);
      },
      respond() {
        known('request', 'status', 'headers', 'body', 'banned', 'connect');
        const { status, banned, connect } = step;
        const answer = { status, headers: pairs(step.headers), body: body(step.body) };
        return engine.handleResponse(request, { ...answer, banned, connect }, now);
      },
      fail() {
        known('request', 'failure');
        return engine.handleFailure(request, camel(step.failure), now);
      },
      stats() {
        known();
        const { pool, ...numbers } = engine.stats();
        const shown = Object.entries({ ...numbers, sessions: pool.sessions });
        const told = shown.filter(([, value]) => value);
        return Object.fromEntries(told.map(([name, value]) => [snake(name), Number(value)]));
      },
      resume() {
        known();
        return nothing(engine.resume(now));
      },
      close() {
        known('grace_us');
        return nothing(engine.close(now, millis(step.grace_us)));
      },
      restart: () => {
        known('to_us', 'downtime_us');
        const snapshot = engine.snapshot(now);
        const [to, downtime] = [millis(step.to_us), millis(step.downtime_us)];
        this.#engine = ProxyEngine.restore({ ...this.#options, snapshot, now: to, downtime });
        engine.free();
        return { has_secret: Buffer.from(snapshot).includes('secret') };
      },
    };
    return calls[step.call]();
  }
}

function proxyShown(output) {
  switch (output.type) {
    case 'send':
      return { send: sendJson(output) };
    case 'abort':
      return { abort: output.id };
    case 'finished':
      return { finished: fetchedJson(output) };
    case 'incomplete': {
      const { job, key, request, headers, body, url } = output;
      const missing = { missing_headers: headers, missing_body: body, missing_url: url };
      const shown = { job, key, url: request.url, headers: headersJson(request.headers) };
      return { incomplete: told({ ...shown, ...missing }) };
    }
    case 'sessionLost': {
      const { name, session, cause } = output;
      return { session_lost: { name, session, cause } };
    }
    case 'stopped':
      return { stopped: output.error.code };
    case 'waitUntil':
      return { wait_until: { at_us: micros(output.at), reason: output.reason } };
    case 'idle':
      return { idle: output.reason };
    default:
      throw new Error(`no output is of type ${output.type}`);
  }
}

/** What a send says; of its request, method, URL and the header of its session. */
function sendJson({ id, kind, job, request, connect, proxy, session, sessionName, deadline }) {
  const names = ['X-Crawlera-Session', 'Zyte-Session-ID'];
  const header = [request, connect].flatMap((part) => names.map((name) => part?.headers.get(name)));
  return told({
    request: id,
    kind,
    job,
    method: request.method,
    url: request.url,
    connect: connect?.url ?? null,
    proxy: proxy?.url ?? null,
    session_header: header.find((value) => value != null) ?? null,
    session,
    session_name: sessionName,
    deadline_us: micros(deadline),
  });
}

function fetchedJson({ job, key, request, response, error, attempts, cost, elapsed }) {
  const fetched = error === null ? response : null;
  return told({
    job,
    key,
    url: request.url,
    error: error?.code ?? null,
    request: fetched?.id ?? null,
    status: fetched?.status ?? null,
    session: fetched?.session ?? null,
    outgoing: fetched?.outgoing ?? null,
    attempts,
    billed: cost.billed,
    possibly_billed: cost.possiblyBilled,
    elapsed_us: micros(elapsed),
  });
}

const nothing = () => null;

function finishedJson({ job, key, query, result, error, attempts, cost, elapsed }) {
  return told({
    job,
    key,
    url: query.url,
    error: error?.code ?? null,
    item: result?.item ?? null,
    attempts,
    billed: cost.billed,
    possibly_billed: cost.possiblyBilled,
    elapsed_us: micros(elapsed),
  });
}

/** The numbers that are not zero. */
function statsJson({ usage, ...numbers }) {
  const { queries: _, ...bills } = usage;
  const shown = Object.entries({ ...numbers, ...bills }).filter(([, value]) => value);
  return Object.fromEntries(shown.map(([name, value]) => [snake(name), value]));
}
