declare global {
  // As TypeScript's own libraries have it, for programs that compile without them.
  interface SymbolConstructor {
    readonly dispose: unique symbol;
  }
}

/** Something that owns memory on the other side of the border; `using` gives it back. */
export interface Machine {
  /** Gives the memory back at once; the garbage collector does it otherwise. */
  free(): void;
  [Symbol.dispose](): void;
}
