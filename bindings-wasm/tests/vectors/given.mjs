// How vectors write bodies, headers and objects, and how outcomes are told.
import assert from 'node:assert/strict';
import { silkline } from '../package.mjs';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Fails on a member that the operation does not know, so that no case tests less than it says. */
export function checkKeys(given, known) {
  for (const key of Object.keys(given)) {
    assert.ok(known.includes(key), `unknown key ${key}, not one of ${known}`);
  }
}

/**
 * A body: a string, or `{"base64": …}`, `{"json": …}`, `{"repeat": [body, count]}`,
 * `{"concat": [body, …]}`. Nothing is an empty body.
 */
export function body(value) {
  if (value === undefined || value === null) {
    return Buffer.alloc(0);
  }
  if (typeof value === 'string') {
    return Buffer.from(value);
  }
  const [[kind, content], ...others] = Object.entries(value);
  assert.equal(others.length, 0, 'a body has one form');
  switch (kind) {
    case 'base64':
      return Buffer.from(content, 'base64');
    case 'json':
      return Buffer.from(JSON.stringify(content));
    case 'repeat': {
      const part = body(content[0]);
      return Buffer.alloc(part.length * content[1], part);
    }
    case 'concat':
      return Buffer.concat(content.map(body));
    default:
      throw new Error(`no body is called ${kind}`);
  }
}

/** The same as text. */
export const bodyText = (value) => utf8.decode(body(value));

/** Headers as pairs; the version of the package is written as `VERSION`. */
export const headersJson = (headers) =>
  Array.from(headers, ([name, value]) => [
    name,
    value.replace(`silkline/${silkline.VERSION}`, 'silkline/VERSION'),
  ]);

/** A request whose body is JSON. */
export const requestJson = ({ method, url, headers, body }) => ({
  method,
  url,
  headers: headersJson(headers),
  body: JSON.parse(utf8.decode(body)),
});

/** Milliseconds as whole microseconds. */
export const micros = (millis) => (millis === null ? null : Math.round(millis * 1000));

/** The members that say something: what is null or an empty object is left out. */
export const told = (members) =>
  Object.fromEntries(
    Object.entries(members).filter(([name, value]) => {
      const isEmpty =
        ['members', 'unknown', 'unmapped'].includes(name) && Object.keys(value).length === 0;
      return value !== null && !isEmpty;
    }),
  );

/** An outcome, or the error instead of it. */
export function outcome(run) {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof silkline.SilklineError)) {
      throw error;
    }
    return { error: { code: error.code, message: error.message } };
  }
}
