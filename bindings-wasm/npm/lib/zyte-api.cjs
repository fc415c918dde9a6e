// `zyte_api` of the core.
'use strict';

const { bytesOf, decode } = require('./json.cjs');
const { rawOf } = require('./machine.cjs');
const { Rng } = require('./schedule.cjs');
const { ready } = require('./start.cjs');

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** An item's JSON: as it is, or of an object. */
function itemBytes(item) {
  if (typeof item === 'string' || ArrayBuffer.isView(item) || item instanceof ArrayBuffer) {
    return bytesOf(item);
  }
  return bytesOf(JSON.stringify(item) ?? 'null');
}

function convert(outOf, pageType, item) {
  const { bytes, text } = ready('parts').convertItem(outOf, String(pageType), itemBytes(item));
  const unmapped = JSON.parse(text).map(({ path, valueJson }) => ({
    path,
    value: decode(bytesOf(valueJson)),
    valueJson,
  }));
  return { item: decode(bytes), itemJson: utf8.decode(bytes), unmapped };
}

/** The id of a new session of the proxy mode. */
function sessionId(rng) {
  if (!(rng instanceof Rng)) {
    throw new TypeError('rng must be an Rng');
  }
  return rawOf(rng).sessionId();
}

exports.fromZyteApi = (pageType, item) => convert(true, pageType, item);
exports.toZyteApi = (pageType, item) => convert(false, pageType, item);
exports.sessionId = sessionId;
