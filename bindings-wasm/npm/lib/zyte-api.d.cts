import type { PageType } from './extraction.cjs';
import type { Rng } from './schedule.cjs';

/** An item in the schema of the other service. */
export interface Converted {
  /** The item. */
  readonly item: { readonly [field: string]: unknown };
  /** The item's JSON text, in which what merely moved stands as it was written. */
  readonly itemJson: string;
  /** What of the original has no place in it, in the order of the original. */
  readonly unmapped: readonly Unmapped[];
}

/** A part of an item that the other schema has no place for. */
export interface Unmapped {
  /** Where it stands in the original: a JSON pointer (RFC 6901). */
  readonly path: string;
  /** The value. */
  readonly value: unknown;
  /** The value's JSON text, as it was written. */
  readonly valueJson: string;
}

/** An item, or its JSON text. */
export type ItemInput = object | Uint8Array | ArrayBuffer | string;

/**
 * An item of Zyte API in the schema of Automatic Extraction. `pageType` is the older name:
 * `forumPosts` reads a `forumThread`.
 *
 * @throws {InvalidItem} if Zyte API has no items of that page type, or the item is no object
 * @throws {InvalidQuery} if there is no such page type
 * @example
 * zyteApi.fromZyteApi('product', { brand: { name: 'Acme' } }).item.brand; // 'Acme'
 */
export function fromZyteApi(pageType: PageType, item: ItemInput): Converted;

/**
 * An item of Automatic Extraction in the schema of Zyte API.
 *
 * @throws {InvalidItem} if Zyte API has no items of that page type, or the item is no object
 * @throws {InvalidQuery} if there is no such page type
 * @example
 * zyteApi.toZyteApi('product', { brand: 'Acme' }).item.brand; // { name: 'Acme' }
 */
export function toZyteApi(pageType: PageType, item: ItemInput): Converted;

/**
 * The id of a new session of the proxy mode, a UUID that its caller makes: the same for the same
 * seed in every language.
 *
 * @example
 * zyteApi.sessionId(new Rng(1)); // '910a2dec-8902-4cc1-beeb-8da1658eec67'
 */
export function sessionId(rng: Rng): string;
