// One iteration: its source, its jobs, and the outcomes that nobody took yet.
'use strict';

const { ASYNC_DISPOSE, withResolvers } = require('./driver.cjs');

/** A source that never waits gives way to the rest of the program after so many queries. */
const TURN = 50;

class Results {
  #extractor;
  #source;
  #size;
  #signal;
  #isStarted = false;
  /** What is not done: the queries as they were given, by their jobs. */
  #jobs = new Map();
  #outcomes = [];
  /** Calls of `next` that wait. */
  #readers = [];
  /** Where the next query comes from; nothing once it gives no more. */
  #iterator;
  #isPulling = false;
  #isFed = false;
  #isOver = false;
  /** An error that comes behind the outcomes. */
  #end;
  #space;

  /**
   * The extractor has `driver`, `hasRoom()`, `submit(query)`, `forget(jobs)`, `begun()` and `left()`,
   * and calls `finished`, `halted`, `roomMade`, `stopFeeding` and `abort`.
   */
  constructor(extractor, source, { size, signal }) {
    this.#extractor = extractor;
    this.#source = source;
    this.#size = size;
    this.#signal = signal;
  }

  // --- the reader -------------------------------------------------------------------------------

  async next() {
    this.#start();
    if (this.#outcomes.length > 0) {
      const value = this.#outcomes.shift();
      this.roomMade();
      return { value, done: false };
    }
    if (this.#isOver) {
      return this.#last();
    }
    const reader = withResolvers();
    this.#readers.push(reader);
    this.#extractor.driver.hold();
    this.#serve();
    try {
      return await reader.promise;
    } finally {
      this.#extractor.driver.release();
    }
  }

  async return(value) {
    await this.#leave();
    return { value, done: true };
  }

  async throw(error) {
    await this.#leave();
    throw error;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** Hands outcomes to those who wait for them, and the end to all. */
  #serve() {
    while (this.#readers.length > 0 && this.#outcomes.length > 0) {
      const value = this.#outcomes.shift();
      this.#readers.shift().resolve({ value, done: false });
      this.roomMade();
    }
    if (this.#isFed && this.#jobs.size === 0 && this.#outcomes.length === 0) {
      if (!this.#isOver) {
        this.#close();
      }
      for (const reader of this.#readers.splice(0)) {
        reader.resolve(this.#last());
      }
    }
  }

  /** What comes behind the last outcome: the error, once. */
  async #last() {
    const end = this.#end;
    this.#end = undefined;
    if (end !== undefined) {
      throw end.error;
    }
    return { value: undefined, done: true };
  }

  // --- what the extractor says ------------------------------------------------------------------

  finished(job, make) {
    const input = this.#jobs.get(job);
    this.#jobs.delete(job);
    this.#outcomes.push(make(input));
    this.#serve();
  }

  /** Nothing more will be sent; the reason is told of the queries that are left. */
  halted(reason) {
    this.#end = { error: reason([...this.#jobs.values()]) };
    this.#drop();
    this.stopFeeding();
  }

  roomMade() {
    this.#space?.resolve();
    this.#space = undefined;
  }

  /** Takes nothing more from the source. */
  stopFeeding() {
    this.#isStarted = true;
    this.#giveUpSource();
    this.#isFed = true;
    this.roomMade();
    this.#serve();
  }

  // --- the source -------------------------------------------------------------------------------

  #start() {
    if (this.#isStarted) {
      return;
    }
    this.#isStarted = true;
    this.#extractor.begun();
    if (this.#signal?.aborted) {
      this.#aborted();
      return;
    }
    this.#signal?.addEventListener('abort', this.#aborted);
    this.#feed();
  }

  async #feed() {
    try {
      this.#iterator = this.#source[Symbol.asyncIterator]?.() ?? this.#source[Symbol.iterator]();
      await this.#pull(this.#iterator);
    } catch (error) {
      this.#end ??= { error };
      this.#giveUpSource();
    }
    this.#isFed = true;
    this.#serve();
  }

  async #pull(iterator) {
    for (let turn = 1; ; turn += 1) {
      while (!this.#isFed && !this.#hasRoom()) {
        this.#space ??= withResolvers();
        await this.#space.promise;
      }
      if (this.#isFed) {
        return;
      }
      this.#isPulling = true;
      let step;
      try {
        step = iterator.next();
        step = isPromise(step) ? await step : step;
        if (!step.done && isPromise(step.value)) {
          step = { value: await step.value, done: false };
        }
      } catch (error) {
        // What failed to give is not asked to end.
        this.#iterator = undefined;
        throw error;
      } finally {
        this.#isPulling = false;
      }
      if (step.done) {
        this.#iterator = undefined;
        return;
      }
      if (this.#isFed) {
        return;
      }
      this.#jobs.set(this.#extractor.submit(step.value), step.value);
      if (turn % TURN === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  #hasRoom() {
    return this.#jobs.size + this.#outcomes.length < this.#size && this.#extractor.hasRoom();
  }

  /** Tells the source that nothing more is wanted; one that is asked at the moment may take its time. */
  async #giveUpSource() {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    const isBusy = this.#isPulling;
    const left = Promise.resolve()
      .then(() => iterator?.return?.())
      .catch((error) => {
        this.#end ??= { error };
      });
    if (!isBusy) {
      await left;
    }
  }

  // --- the end ----------------------------------------------------------------------------------

  /** Ends at once, with this error. */
  abort(error) {
    this.#end = { error };
    this.#outcomes.length = 0;
    this.#drop();
    this.stopFeeding();
  }

  #aborted = () => this.abort(this.#signal.reason);

  async #leave() {
    this.#isStarted = true;
    this.#outcomes.length = 0;
    this.#drop();
    this.#isFed = true;
    this.#end = undefined;
    await this.#giveUpSource();
    const { error } = this.#end ?? {};
    const hasFailed = this.#end !== undefined;
    this.#end = undefined;
    this.#serve();
    if (hasFailed) {
      throw error;
    }
  }

  #drop() {
    const jobs = [...this.#jobs.keys()];
    this.#jobs.clear();
    this.#extractor.forget(jobs);
    this.roomMade();
  }

  #close() {
    this.#isOver = true;
    this.#signal?.removeEventListener('abort', this.#aborted);
    this.#extractor.left();
  }
}
Object.defineProperty(Results.prototype, ASYNC_DISPOSE, {
  value: async function dispose() {
    await this.return();
  },
  configurable: true,
  writable: true,
});

function isPromise(value) {
  return typeof value?.then === 'function';
}

exports.Results = Results;
