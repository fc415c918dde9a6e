// Where a redirect leads, as browsers understand it.
'use strict';

const STATUSES = new Set([301, 302, 303, 307, 308]);
const OF_BODY = new Set([
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
  'transfer-encoding',
]);
const SECRET = new Set(['authorization', 'cookie']);

/** The request that follows an answer to another one; `null` if that leads nowhere. */
function followed(request, status, location) {
  if (!STATUSES.has(status) || location === null) {
    return null;
  }
  let url;
  const before = new URL(request.url);
  try {
    url = new URL(location, before);
  } catch {
    return null;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return null;
  }
  url.hash ||= before.hash;
  const dropped = new Set(['host']);
  const add = (names) => {
    for (const name of names) {
      dropped.add(name);
    }
  };
  const { method } = request;
  const asksAnew =
    (status === 303 && method !== 'HEAD') ||
    ((status === 301 || status === 302) && method === 'POST');
  if (asksAnew) {
    add(OF_BODY);
  }
  if (isElsewhere(before, url)) {
    add(SECRET);
  }
  return {
    method: asksAnew ? 'GET' : method,
    url: url.href,
    headers: request.headers.filter(([name]) => !dropped.has(name.toLowerCase())),
    body: asksAnew ? new Uint8Array() : request.body,
  };
}

/** Whether the origin changes; from http to https on one host it does not. */
function isElsewhere(before, after) {
  const isUpgrade = before.protocol === 'http:' && after.protocol === 'https:';
  const hasPorts = before.port !== '' || after.port !== '';
  return (
    before.origin !== after.origin &&
    !(before.hostname === after.hostname && isUpgrade && !hasPorts)
  );
}

exports.followed = followed;
exports.isRedirect = (status) => STATUSES.has(status);
