import type { HeadersInput } from './headers.cjs';

/**
 * The value of `Authorization` for a key: the key as user name, with an empty password.
 *
 * @throws {InvalidApiKey} if the key is empty or holds a character that no key has
 * @example
 * basicAuthorization('secret'); // 'Basic c2VjcmV0Og=='
 */
export function basicAuthorization(apiKey: string): string;

/** User and password of a Basic authorization value; `null` if it is none. */
export function basicCredentials(value: string): { user: string; password: string } | null;

/**
 * The moment an HTTP date stands for, in milliseconds since 1970 as `Date` counts; `null` if the
 * text is no HTTP date in any of its three forms.
 */
export function parseHttpDate(text: string): number | null;

/**
 * The delay that `Retry-After` asks for, in milliseconds. A date is counted from the answer's own
 * `Date`, never from this machine's clock; `null` if the delay is unknown.
 */
export function retryAfter(headers: HeadersInput): number | null;
