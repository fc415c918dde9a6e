// The client of the Automatic Extraction API.
'use strict';

const { ExtractionApi, ExtractionEngine, NotSubmitted, Query } = require('../index.cjs');
const { known } = require('../lib/known.cjs');
const { millis } = require('../lib/numbers.cjs');
const { ASYNC_DISPOSE, Driver } = require('./driver.cjs');
const { AccountRefused, failureOf, hide, OutOfBudget } = require('./errors.cjs');
const { Outcome } = require('./outcome.cjs');
const { Results } = require('./results.cjs');
const { transportOf } = require('./transport.cjs');

/** What stands for a rate without limit: no sender comes near it. */
const NO_LIMIT = 1e6;
const QUEUE_SIZE = 1_000;
/** What an engine is told as it is given. */
const SETTINGS = ['rate', 'burst', 'concurrency', 'batchSize', 'deadline', 'policy', 'cap', 'seed'];
const OPTIONS = [
  ...SETTINGS,
  'apiKey',
  'endpoint',
  'dialect',
  'fetch',
  'dispatcher',
  'clock',
  'signal',
  'queueSize',
  'grace',
  'onUnmatched',
];

class Extractor {
  #api;
  #engine;
  #driver;
  #transport;
  #queueSize;
  #grace;
  #signal;
  #onUnmatched;
  /** Who wants to hear of each job. */
  #submitters = new Map();
  #iterations = new Set();
  #refusal;
  #breakdown;
  #closing;

  constructor(options = {}) {
    known(options, OPTIONS, 'Extractor');
    const { apiKey, endpoint, dialect, fetch, dispatcher, clock, signal, ...settings } = options;
    const { queueSize = QUEUE_SIZE, grace = 0, onUnmatched = warn, ...others } = settings;
    if (typeof onUnmatched !== 'function') {
      throw new TypeError('onUnmatched must be a function');
    }
    this.#queueSize = sizeOf(queueSize);
    this.#grace = millis(grace, 'grace');
    this.#onUnmatched = onUnmatched;
    this.#transport = transportOf({ fetch, dispatcher });
    this.#api = new ExtractionApi({ apiKey, endpoint, dialect });
    this.#engine = new ExtractionEngine({
      ...others,
      ...(others.rate === Number.POSITIVE_INFINITY && {
        rate: NO_LIMIT,
        burst: others.burst ?? NO_LIMIT,
      }),
      api: this.#api,
      now: 0,
    });
    this.#driver = new Driver({
      engine: this.#engine,
      clock,
      send: (output, request) => this.#send(output, request),
      tell: (output, failure) => this.#tell(output, failure),
      broken: (error) => this.#broken(error),
    });
    this.#signal = signal;
    if (signal?.aborted) {
      this.#giveUp();
    } else {
      signal?.addEventListener('abort', this.#giveUp);
    }
  }

  results(queries, options = {}) {
    const { signal, queueSize = this.#queueSize } = known(
      options,
      ['signal', 'queueSize'],
      'results',
    );
    if (typeof queries === 'string' || queries instanceof Query || !isIterable(queries)) {
      throw new TypeError('results() takes an iterable of queries');
    }
    if (this.#closing !== undefined) {
      const closed = new NotSubmitted('engine_closed', 'the extractor is closed');
      if (this.#signal?.aborted) {
        hide(closed, 'cause', this.#signal.reason);
      }
      throw closed;
    }
    const size = sizeOf(queueSize);
    const results = new Results(
      {
        driver: this.#driver,
        hasRoom: () => this.#engine.room > 0,
        submit: (query) => this.#submit(query, results),
        forget: (jobs) => this.#forget(jobs),
        begun: () => this.#iterations.add(results),
        left: () => this.#iterations.delete(results),
      },
      queries,
      { size, signal },
    );
    return results;
  }

  async extract(query, options) {
    const outcomes = this.results([query], options);
    try {
      return (await outcomes.next()).value;
    } finally {
      await outcomes.return();
    }
  }

  stats() {
    return this.#engine.stats();
  }

  resume() {
    this.#driver.command((engine, now) => engine.resume(now));
  }

  startCycle() {
    this.#driver.command((engine, now) => engine.startCycle(now));
  }

  async close({ grace = this.#grace } = {}) {
    this.#signal?.removeEventListener('abort', this.#giveUp);
    const ended = this.#driver.close(grace);
    for (const results of [...this.#iterations]) {
      results.stopFeeding();
    }
    this.#closing ??= ended.then(() => this.#transport.close());
    await this.#closing;
  }

  #submit(query, results) {
    if (this.#breakdown !== undefined) {
      throw this.#breakdown;
    }
    const job = this.#driver.command((engine, now) => engine.submit(query, { now }));
    this.#submitters.set(job, results);
    return job;
  }

  #forget(jobs) {
    for (const job of jobs) {
      this.#submitters.delete(job);
      this.#driver.command((engine, now) => engine.cancel(job, now));
    }
  }

  async #send({ request }, { signal, sent }) {
    return [await this.#transport.send(request, { signal, sent })];
  }

  #tell(output, failure) {
    switch (output.type) {
      case 'finished':
        this.#finished(output, failure);
        break;
      case 'stopped':
        this.#refusal = output.error;
        break;
      case 'unmatched':
        this.#onUnmatched(output);
        break;
      default:
        this.#idle(output.reason);
    }
  }

  #finished(output, failure) {
    const { job } = output;
    const results = this.#submitters.get(job);
    this.#submitters.delete(job);
    results?.finished(job, (input) => {
      const error = output.error === null ? null : failureOf(output, failure);
      return new Outcome(output, input, error);
    });
    for (const waiting of this.#iterations) {
      waiting.roomMade();
    }
  }

  #idle(reason) {
    const refusal = this.#refusal;
    if (reason === 'stopped' && refusal !== undefined) {
      this.#halt((unfinished) => new AccountRefused(refusal, unfinished));
    } else if (reason === 'out_of_budget') {
      this.#halt((unfinished) => new OutOfBudget(unfinished));
    }
  }

  #halt(reason) {
    for (const results of new Set(this.#submitters.values())) {
      results.halted(reason);
    }
  }

  #broken(error) {
    this.#breakdown = new Error('the extractor broke down', { cause: error });
    for (const results of [...this.#iterations]) {
      results.halted(() => this.#breakdown);
    }
  }

  #giveUp = () => {
    for (const results of [...this.#iterations]) {
      results.abort(this.#signal.reason);
    }
    this.close({ grace: 0 }).catch(() => {});
  };
}
Object.defineProperty(Extractor.prototype, ASYNC_DISPOSE, {
  value: async function dispose() {
    await this.close();
  },
  configurable: true,
  writable: true,
});

function isIterable(value) {
  return value?.[Symbol.asyncIterator] !== undefined || value?.[Symbol.iterator] !== undefined;
}

function sizeOf(size) {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new TypeError('queueSize must be a whole number from 1 on');
  }
  return size;
}

function warn({ result }) {
  const code = result.error?.code ?? 'no error';
  process.emitWarning(`a result belongs to no query: ${code}, ${result.url}`, 'SilklineWarning');
}

exports.Extractor = Extractor;
