// `zyte_api` of the core.
'use strict';

const wasm = require('../wasm/silkline.glue.cjs');
const { bytesOf, decode } = require('./json.cjs');

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** An item's JSON: as it is, or of an object. */
function itemBytes(item) {
  if (typeof item === 'string' || ArrayBuffer.isView(item) || item instanceof ArrayBuffer) {
    return bytesOf(item);
  }
  return bytesOf(JSON.stringify(item) ?? 'null');
}

function convert(outOf, pageType, item) {
  const { bytes, text } = wasm.convertItem(outOf, String(pageType), itemBytes(item));
  const unmapped = JSON.parse(text).map(({ path, valueJson }) => ({
    path,
    value: decode(bytesOf(valueJson)),
    valueJson,
  }));
  return { item: decode(bytes), itemJson: utf8.decode(bytes), unmapped };
}

exports.fromZyteApi = (pageType, item) => convert(true, pageType, item);
exports.toZyteApi = (pageType, item) => convert(false, pageType, item);
