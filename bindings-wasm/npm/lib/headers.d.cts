/** Name and value of one header. */
export type Header = [name: string, value: string];

/**
 * Headers in the order to send them. It is an array of pairs, as `fetch` and `new Headers()` take
 * it; for clients that want an object, `Object.fromEntries(request.headers)`. Credentials do not
 * show when it is printed or written as JSON.
 */
export class HeaderList extends Array<Header> {
  /**
   * Takes headers to send.
   *
   * @throws {InvalidHeader} if one of them could split a message
   */
  static checked(headers: HeadersInput): HeaderList;
  /** The first value under a name, in any case; `null` if there is none. */
  get(name: string): string | null;
  /** All values under a name, in order. */
  getAll(name: string): string[];
  /** The pairs, with credentials replaced by `[redacted]`. */
  toJSON(): Header[];
}

/** Received headers, in any form that HTTP clients give: `Headers`, pairs, or an object. */
export type HeadersInput =
  | Iterable<readonly [name: string, value: string]>
  | { readonly [name: string]: string | readonly string[] | undefined };
