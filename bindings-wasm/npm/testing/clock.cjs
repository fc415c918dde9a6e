// Time that passes when nothing else happens.
'use strict';

/** So many turns of the event loop have to be quiet before time moves. */
const QUIET = 3;

/** A clock whose timers ring at once, in their order, as soon as the program rests. */
class VirtualClock {
  #now = 0;
  #timers = new Set();
  #busy = 0;
  #turns = 0;
  #isTurning = false;

  now() {
    return this.#now;
  }

  setTimeout(callback, delay) {
    const timer = { at: this.#now + Math.max(delay, 0), callback };
    this.#timers.add(timer);
    this.#turns = 0;
    this.#turn();
    return timer;
  }

  clearTimeout(timer) {
    this.#timers.delete(timer);
    this.#turns = 0;
  }

  /** Stops time while something goes on that takes none, as a page that a test makes. */
  async during(work) {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#turns = 0;
      this.#turn();
    }
  }

  #turn() {
    if (!this.#isTurning && this.#busy === 0 && this.#timers.size > 0) {
      this.#isTurning = true;
      setImmediate(() => this.#tick());
    }
  }

  #tick() {
    this.#isTurning = false;
    this.#turns += 1;
    if (this.#turns > QUIET && this.#busy === 0) {
      this.#turns = 0;
      this.#ring();
    }
    this.#turn();
  }

  #ring() {
    let next;
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at) {
        next = timer;
      }
    }
    if (next !== undefined && next.at !== Number.POSITIVE_INFINITY) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
  }
}

/** The machine's own time; what replaces the globals in tests replaces it too. */
class RealClock {
  now() {
    return performance.now();
  }

  setTimeout(callback, delay) {
    return setTimeout(callback, delay);
  }

  clearTimeout(timer) {
    clearTimeout(timer);
  }

  async during(work) {
    return await work();
  }
}

/** The clock that a test asks for. */
function clockOf(time) {
  if (time === 'virtual') {
    return new VirtualClock();
  }
  if (time === 'real') {
    return new RealClock();
  }
  throw new TypeError("time must be 'virtual' or 'real'");
}

exports.clockOf = clockOf;
