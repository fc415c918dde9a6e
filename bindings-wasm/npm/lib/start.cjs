// Starts the WebAssembly modules, each once: what every program needs at once, the others when they
// are first used.
'use strict';

const protocol = require('../wasm/silkline.js');
const { known } = require('./known.cjs');

// Required where they are first used, since running one takes a part of a millisecond.
const LATER = {
  extractionEngine: () => require('../wasm/extraction_engine.cjs'),
  parts: () => require('../wasm/parts.cjs'),
  proxy: () => require('../wasm/proxy.cjs'),
  proxyEngine: () => require('../wasm/proxy_engine.cjs'),
  services: () => require('../wasm/services.cjs'),
  zyteApiServices: () => require('../wasm/zyte_api_services.cjs'),
  bridge: () => require('../wasm/bridge.cjs'),
};

const started = new Map();
/** The modules, or what reads them, by their names. */
const found = {};

/** Takes a compiled module, or its bytes, and the others'; a second call does nothing. */
function start(source, others = {}) {
  for (const [name, module] of Object.entries(known(others, Object.keys(LATER), 'start()'))) {
    found[name] ??= module;
  }
  startOne('protocol', protocol, source);
}

function startOne(name, glue, source) {
  if (!started.has(name)) {
    const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
    glue.initSync({ module });
    started.set(name, glue);
  }
  return glue;
}

/** One of the others, started. */
function ready(name) {
  const glue = started.get(name);
  if (glue !== undefined) {
    return glue;
  }
  const source = found[name];
  if (source === undefined) {
    throw new TypeError(`start() was not given the module ${JSON.stringify(name)}`);
  }
  return startOne(name, LATER[name](), typeof source === 'function' ? source() : source);
}

exports.ready = ready;
exports.start = start;
