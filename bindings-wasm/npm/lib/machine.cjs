// What all classes share that own something inside the WebAssembly memory.
'use strict';

/** The WebAssembly object of a machine. */
let rawOf;

class Machine {
  #raw;

  constructor(raw) {
    this.#raw = raw;
  }

  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free() {
    this.#raw?.free();
    this.#raw = undefined;
  }

  static {
    rawOf = (machine) => {
      if (machine.#raw === undefined) {
        throw new TypeError(`${machine.constructor.name} was used after free()`);
      }
      return machine.#raw;
    };
  }
}
Object.defineProperty(Machine.prototype, Symbol.dispose ?? Symbol.for('Symbol.dispose'), {
  value: Machine.prototype.free,
  configurable: true,
  writable: true,
});

exports.Machine = Machine;
exports.rawOf = rawOf;
