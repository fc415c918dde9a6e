// Drives an engine: sends what it says, tells it what came back, wakes it when it asks to be. Every
// decision is the engine's.
'use strict';

/** So many outputs are dealt with before the rest of the program gets its turn. */
const OUTPUTS = 64;
/** The longest time that a timer can take. */
const LONGEST = 2 ** 31 - 1;

const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** Codes of errors that another attempt would meet again. */
const BUGS = new Set([
  'ERR_ASSERTION',
  'ERR_TEST_FAILURE',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_INVALID_ARG',
]);

/** A request that never left, so that it cost nothing. */
class NotSent extends Error {}

/** The machine's own time. What replaces the globals in tests replaces it too. */
const realClock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer),
};

class Driver {
  #engine;
  #clock;
  #zero;
  #send;
  #tell;
  #timer;
  #clearTimer;
  #isDue = false;
  #isOver = false;
  /** Who waits for something: as long as anybody does, timers keep the process alive. */
  #holds = 0;
  /** What gives up each request that is under way, by its id. */
  #requests = new Map();
  #failure;
  #breakdown;
  #closed = Promise.withResolvers?.() ?? withResolvers();

  /**
   * - `engine` was made at moment 0 of its clock.
   * - `send(output, { signal, sent })` does what a `send` says: it gives the arguments that
   *   `engine.handleResponse` takes behind the id, or rejects, with `NotSent` if the request never
   *   left. `sent()` tells that it did. When the signal is aborted, nobody waits any more.
   * - `tell(output, failure)` takes all other outputs, and with those that the failure of a request
   *   led to, what `send` rejected with.
   * - `broken(error)` hears of a mistake in all that.
   */
  constructor({ engine, clock = realClock, send, tell, broken }) {
    this.#engine = engine;
    this.#clock = clock;
    this.#zero = clock.now();
    this.#send = send;
    this.#tell = tell;
    this.#breakdown = broken;
  }

  /** The moment on the engine's clock. */
  now() {
    return this.#clock.now() - this.#zero;
  }

  /** Passes a command on, as `(engine, now) => …`, and asks the engine soon what to do next. */
  command(command) {
    const answer = command(this.#engine, this.now());
    this.wake();
    return answer;
  }

  /** Asks the engine what to do next, once the program rests. */
  wake() {
    if (!this.#isDue && !this.#isOver) {
      this.#isDue = true;
      queueMicrotask(() => this.#run());
    }
  }

  /** Keeps the process alive until `release`: somebody waits. */
  hold() {
    this.#holds += 1;
    if (this.#holds === 1) {
      this.#timer?.ref?.();
    }
  }

  release() {
    this.#holds -= 1;
    if (this.#holds === 0) {
      this.#timer?.unref?.();
    }
  }

  /** Begins to end everything, and waits for that; what is under way has so long to finish. */
  async close(grace) {
    this.hold();
    try {
      this.command((engine, now) => engine.close(now, grace));
      await this.#closed.promise;
    } finally {
      this.release();
    }
  }

  /** Ends at once, whatever is left to do. */
  stop() {
    this.#end();
  }

  #run() {
    this.#isDue = false;
    if (this.#isOver) {
      return;
    }
    this.#stopTimer();
    try {
      const outputs = this.#engine.pollBatch(this.now(), OUTPUTS);
      for (const output of outputs) {
        this.#do(output);
      }
      const { type } = outputs.at(-1);
      if (type !== 'waitUntil' && type !== 'idle' && !this.#isDue) {
        this.#isDue = true;
        setImmediate(() => this.#run());
      }
    } catch (error) {
      this.#break(error);
    }
  }

  #do(output) {
    switch (output.type) {
      case 'send':
        this.#perform(output);
        break;
      case 'abort':
        this.#abort(output.id);
        break;
      case 'waitUntil':
        this.#startTimer(output.at);
        break;
      case 'idle':
        this.#tell(output);
        if (output.reason === 'closed') {
          this.#end();
        }
        break;
      default:
        this.#tell(output, this.#failure);
    }
  }

  async #perform(output) {
    const { id } = output;
    const controller = new AbortController();
    const { signal } = controller;
    this.#requests.set(id, controller);
    const sent = () => {
      if (!signal.aborted) {
        this.#engine.handleSent(id, this.now());
      }
    };
    let answer;
    let kind;
    try {
      answer = await this.#send(output, { signal, sent });
    } catch (error) {
      kind = error instanceof NotSent ? 'notSent' : 'network';
      this.#failure = error instanceof NotSent ? (error.cause ?? error) : error;
    }
    try {
      if (signal.aborted || this.#isOver) {
        return;
      }
      this.#requests.delete(id);
      if (kind === undefined) {
        this.#engine.handleResponse(id, ...answer, this.now());
        this.wake();
      } else if (isBug(this.#failure)) {
        this.#break(this.#failure);
      } else {
        this.#engine.handleFailure(id, kind, this.now());
        // At once, so that what ends now is known to end for this reason.
        this.#run();
      }
    } catch (error) {
      this.#break(error);
    } finally {
      this.#failure = undefined;
    }
  }

  #abort(id) {
    this.#requests.get(id)?.abort();
    this.#requests.delete(id);
  }

  #startTimer(at) {
    if (at === Number.POSITIVE_INFINITY) {
      return;
    }
    const delay = Math.min(Math.max(at - this.now(), 0), LONGEST);
    const run = () => this.#run();
    // A real timer takes a millisecond at least, in which high rates send several requests.
    if (delay < 1 && this.#clock === realClock) {
      this.#timer = setImmediate(run);
      this.#clearTimer = clearImmediate;
    } else {
      this.#timer = this.#clock.setTimeout(run, delay);
      this.#clearTimer = (timer) => this.#clock.clearTimeout(timer);
    }
    if (this.#holds === 0) {
      this.#timer?.unref?.();
    }
  }

  #stopTimer() {
    if (this.#timer !== undefined) {
      this.#clearTimer(this.#timer);
      this.#timer = undefined;
    }
  }

  #break(error) {
    if (!this.#isOver) {
      this.#end();
      this.#breakdown(error);
    }
  }

  #end() {
    this.#isOver = true;
    this.#stopTimer();
    for (const id of [...this.#requests.keys()]) {
      this.#abort(id);
    }
    this.#closed.resolve();
  }
}

/** Whether what was thrown is no failure of a network (those of `fetch` are `TypeError`s). */
function isBug(error) {
  const kinds = [EvalError, RangeError, ReferenceError, SyntaxError];
  return kinds.some((kind) => error instanceof kind) || BUGS.has(error?.code);
}

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

exports.ASYNC_DISPOSE = ASYNC_DISPOSE;
exports.Driver = Driver;
exports.NotSent = NotSent;
exports.withResolvers = withResolvers;
