// `engine` of the core.
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
const { argumentsOf, ExtractionApi } = require('./extraction.cjs');
const { pairs } = require('./headers.cjs');
const { bytesOf } = require('./json.cjs');
const { flag, known } = require('./known.cjs');
const { Machine, rawOf } = require('./machine.cjs');
const { given, maybeMillis, millis, rateOf, seedOf, whole } = require('./numbers.cjs');
const { ExtractionOutputs } = require('./outputs.cjs');
const { batch, queryText } = require('./query.cjs');
const { policyOf } = require('./schedule.cjs');
const { ready } = require('./start.cjs');

const SETTINGS = [
  'api',
  'rate',
  'burst',
  'concurrency',
  'queueSize',
  'batchSize',
  'deadline',
  'cap',
  'requeue',
  'policy',
  'now',
];
const JOB = ['priority', 'key', 'now'];
const JOB_OF_MANY = ['query', 'priority', 'key'];

class ExtractionEngine extends Machine {
  #outputs = new ExtractionOutputs();

  constructor(options = {}, restored) {
    if (restored === RESTORED) {
      super(options);
      return;
    }
    known(options, [...SETTINGS, 'seed'], 'ExtractionEngine');
    const seed = seedOf(options.seed);
    const now = millis(options.now, 'now');
    super(made(options, (wasm, ...parts) => new wasm.ExtractionEngine(...parts, seed, now)));
  }

  static restore(given = {}) {
    const { snapshot, downtime, ...options } = known(
      given,
      [...SETTINGS, 'snapshot', 'downtime'],
      'ExtractionEngine.restore',
    );
    const away = maybeMillis(downtime, 'downtime');
    const [bytes, now] = [bytesOf(snapshot), millis(options.now, 'now')];
    const make = (wasm, ...parts) => wasm.ExtractionEngine.restore(...parts, bytes, now, away);
    return new ExtractionEngine(made(options, make), RESTORED);
  }

  submit(query, options = {}) {
    const { priority = 0, key, now } = known(options, JOB, 'submit');
    const moment = millis(now, 'now');
    return rawOf(this).submit(queryText(query), priorityOf(priority), keyOf(key), moment);
  }

  submitMany(jobs, now) {
    const moment = millis(now, 'now');
    const given = Array.from(jobs, (job) => known(job, JOB_OF_MANY, 'submitMany'));
    const queries = batch(given.map(({ query }) => query));
    const priorities = Int32Array.from(given, ({ priority = 0 }) => priorityOf(priority));
    const keys = JSON.stringify(given.map(({ key }) => keyOf(key) ?? null));
    return Array.from(rawOf(this).submitMany(queries, priorities, keys, moment));
  }

  cancel(job, now) {
    return rawOf(this).cancel(whole(job, 'job'), millis(now, 'now'));
  }

  contains(job) {
    return rawOf(this).contains(whole(job, 'job'));
  }

  get room() {
    return rawOf(this).room();
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
    const { status, headers, body } = answerOf(response);
    const [id, bytes, moment] = [whole(request, 'request'), bytesOf(body), millis(now, 'now')];
    const text = JSON.stringify(pairs(headers).flat());
    const place = rawOf(this).handleResponse(id, statusOf(status), text, bytes, moment);
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

  startCycle(now) {
    rawOf(this).startCycle(millis(now, 'now'));
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
}

/** Calls a maker of engines with what all of them take first. */
function made(options, make) {
  const { api, rate, burst, concurrency, queueSize, batchSize, deadline, cap, requeue } = options;
  if (!(api instanceof ExtractionApi)) {
    throw new TypeError('api must be an ExtractionApi');
  }
  const settings = new Float64Array([
    ...rateOf(rate),
    given(burst, 'burst', whole),
    given(concurrency, 'concurrency', whole),
    given(queueSize, 'queueSize', whole),
    given(batchSize, 'batchSize', whole),
    given(deadline, 'deadline', millis),
    given(cap, 'cap', whole),
    given(requeue, 'requeue', (value, name) => Number(flag(value, name))),
    options.policy == null ? Number.NaN : 1,
  ]);
  const wasm = ready('extractionEngine');
  const parts = [new wasm.ExtractionApi(...argumentsOf(api)), policyOf(options.policy, wasm)];
  try {
    return make(wasm, parts[0], settings, parts[1]);
  } finally {
    for (const part of parts) {
      part.free();
    }
  }
}

exports.ExtractionEngine = ExtractionEngine;
