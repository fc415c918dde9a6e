declare global {
  // As TypeScript's own libraries have it, for programs that compile without them.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** The time that a client goes by: `silkline/testing` gives one that passes at will. */
export interface Clock {
  /** Milliseconds since any moment; never goes back. */
  now(): number;
  setTimeout(callback: () => void, delay: number): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: whatever `setTimeout` gave.
  clearTimeout(timer: any): void;
}
