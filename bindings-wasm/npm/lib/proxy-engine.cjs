// `engine` of the core: the one for proxied requests.
'use strict';

const {
  answerOf,
  failureOf,
  keyOf,
  priorityOf,
  receiptOf,
  RESTORED,
  statusOf,
} = require('./contract.cjs');
const { pairs, text } = require('./headers.cjs');
const { bytesOf } = require('./json.cjs');
const { flag, known } = require('./known.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { given, maybeMillis, millis, seedOf, whole } = require('./numbers.cjs');
const { written } = require('./options.cjs');
const { ProxyOutputs } = require('./outputs.cjs');
const { headOf, ProxyApi, proxyArgumentsOf } = require('./proxy.cjs');
const { policyOf, POOL, poolSettings } = require('./schedule.cjs');
const { ready } = require('./start.cjs');

const CREATIONS = ['header', 'call'];

const SETTINGS = [
  ...POOL,
  'api',
  'creation',
  'warmUp',
  'delay',
  'domainDelays',
  'concurrency',
  'callConcurrency',
  'queueSize',
  'deadline',
  'policy',
  'options',
  'requeue',
  'keepSecrets',
  'adoptAll',
  'deleteOnClose',
  'now',
];
const JOB = [
  'options',
  'session',
  'replaceSession',
  'outsideSessions',
  'stayIn',
  'priority',
  'key',
];

class ProxyEngine extends Machine {
  #outputs = new ProxyOutputs();

  constructor(options = {}, restored) {
    if (restored === RESTORED) {
      super(options);
      return;
    }
    known(options, [...SETTINGS, 'seed'], 'ProxyEngine');
    const seed = seedOf(options.seed);
    const now = millis(options.now, 'now');
    super(made(options, (wasm, ...parts) => new wasm.ProxyEngine(...parts, seed, now)));
  }

  static restore(given = {}) {
    const { snapshot, downtime, ...options } = known(
      given,
      [...SETTINGS, 'snapshot', 'downtime'],
      'ProxyEngine.restore',
    );
    const away = maybeMillis(downtime, 'downtime');
    const [bytes, now] = [bytesOf(snapshot), millis(options.now, 'now')];
    const make = (wasm, ...parts) => wasm.ProxyEngine.restore(...parts, bytes, now, away);
    return new ProxyEngine(made(options, make), RESTORED);
  }

  submit(request, options = {}) {
    const { now, ...job } = known(options, [...JOB, 'now'], 'submit');
    return this.#take(request, job, millis(now, 'now'));
  }

  submitMany(jobs, now) {
    const moment = millis(now, 'now');
    const ids = [];
    for (const given of jobs) {
      const { request, ...job } = known(given, [...JOB, 'request'], 'submitMany');
      // The first one that there is no room for says so.
      if (ids.length > 0 && rawOf(this).room() === 0) {
        break;
      }
      ids.push(this.#take(request, job, moment));
    }
    return ids;
  }

  get room() {
    return rawOf(this).room();
  }

  cancel(job, now) {
    return rawOf(this).cancel(whole(job, 'job'), millis(now, 'now'));
  }

  supply(job, request, now) {
    const target = targetOf(request);
    return rawOf(this).supply(
      whole(job, 'job'),
      ...headOf(target),
      bytesOf(target.body),
      millis(now, 'now'),
    );
  }

  endSession(name, now) {
    return rawOf(this).endSession(text(name), millis(now, 'now'));
  }

  contains(job) {
    return rawOf(this).contains(whole(job, 'job'));
  }

  poll(now) {
    return this.#outputs.read(rawOf(this).poll(millis(now, 'now'), 1))[0];
  }

  pollBatch(now, most) {
    return this.#outputs.read(rawOf(this).poll(millis(now, 'now'), whole(most, 'most')));
  }

  handleSent(request, now) {
    return receiptOf(rawOf(this).handleSent(whole(request, 'request'), millis(now, 'now')));
  }

  handleResponse(request, response, now) {
    const { status, headers, body, banned = false, connect = false } = answerOf(response);
    const [id, bytes, moment] = [whole(request, 'request'), bytesOf(body), millis(now, 'now')];
    const lines = JSON.stringify(pairs(headers).flat());
    const verdict = (banned ? 1 : 0) + (connect ? 2 : 0);
    const raw = rawOf(this);
    const place = raw.handleResponse(id, statusOf(status), lines, bytes, verdict, moment);
    if (place === undefined) {
      return 'late';
    }
    this.#outputs.keep(place, bytes);
    return 'accepted';
  }

  handleFailure(request, failure, now) {
    const kind = failureOf(failure);
    const [id, moment] = [whole(request, 'request'), millis(now, 'now')];
    return receiptOf(rawOf(this).handleFailure(id, kind, moment));
  }

  resume(now) {
    rawOf(this).resume(millis(now, 'now'));
  }

  close(now, grace = 0) {
    rawOf(this).close(millis(now, 'now'), millis(grace, 'grace'));
  }

  snapshot(now) {
    return rawOf(this).snapshot(millis(now, 'now'));
  }

  stats() {
    return JSON.parse(rawOf(this).stats());
  }

  #take(request, job, moment) {
    const { options = {}, priority = 0, key } = job;
    const [kind, name] = sessionOf(job);
    const target = targetOf(request);
    return rawOf(this).submit(
      ...headOf(target),
      bytesOf(target.body),
      ...written(options ?? {}),
      kind,
      name,
      priorityOf(priority),
      keyOf(key),
      moment,
    );
  }
}

/** Through which session a job goes, as it crosses. */
function sessionOf({ session, replaceSession = false, outsideSessions = false, stayIn }) {
  const isGiven = (name) => name !== undefined && name !== null;
  flag(replaceSession, 'replaceSession');
  flag(outsideSessions, 'outsideSessions');
  if ([isGiven(session), isGiven(stayIn), outsideSessions].filter(Boolean).length > 1) {
    throw new TypeError('session, stayIn and outsideSessions exclude each other');
  }
  if (isGiven(session)) {
    return [replaceSession ? 3 : 2, text(session)];
  }
  return isGiven(stayIn) ? [4, text(stayIn)] : [Number(outsideSessions), ''];
}

/** A request, or the URL of a page to get. */
function targetOf(request) {
  if (typeof request === 'string' || request instanceof URL) {
    return { url: String(request) };
  }
  if (typeof request !== 'object' || request === null) {
    throw new TypeError('request must be a URL or an object with one');
  }
  return request;
}

/** Calls a maker of engines with what all of them take first. */
function made(options, make) {
  const { api, creation, domainDelays } = options;
  if (!(api instanceof ProxyApi)) {
    throw new TypeError('api must be a ProxyApi');
  }
  const way =
    creation === undefined || creation === null ? Number.NaN : CREATIONS.indexOf(creation);
  if (way < 0) {
    throw new TypeError("creation must be 'header' or 'call'");
  }
  const yes = (value, name) => Number(flag(value, name));
  const settings = new Float64Array([
    ...poolSettings(options),
    way,
    given(options.warmUp, 'warmUp', whole),
    given(options.delay, 'delay', millis),
    given(options.concurrency, 'concurrency', whole),
    given(options.callConcurrency, 'callConcurrency', whole),
    given(options.queueSize, 'queueSize', whole),
    given(options.deadline, 'deadline', millis),
    given(options.requeue, 'requeue', yes),
    given(options.keepSecrets, 'keepSecrets', yes),
    given(options.adoptAll, 'adoptAll', yes),
    given(options.deleteOnClose, 'deleteOnClose', yes),
  ]);
  if (domainDelays != null && (typeof domainDelays !== 'object' || Array.isArray(domainDelays))) {
    throw new TypeError('domainDelays must be an object of domains and their delays');
  }
  const delays = Object.entries(domainDelays ?? {});
  const waits = Float64Array.from(delays, ([, delay]) => millis(delay, 'domainDelays'));
  const wasm = ready('proxyEngine');
  const parts = [];
  const part = (one) => {
    parts.push(one);
    return one;
  };
  try {
    const own = part(new wasm.ProxyApi(...proxyArgumentsOf(api)));
    const config = part(
      new wasm.ProxySettings(
        settings,
        options.margin !== null,
        JSON.stringify(delays.map(([domain]) => text(domain))),
        waits,
        // It goes over into the settings.
        options.policy == null ? undefined : policyOf(options.policy, wasm),
        ...written(options.options ?? {}),
      ),
    );
    return make(wasm, own, config);
  } finally {
    for (const one of parts) {
      one.free();
    }
  }
}

exports.ProxyEngine = ProxyEngine;
