// Starts the WebAssembly modules, each once: what every program needs at once, an engine when it is
// first used.
'use strict';

const protocol = require('../wasm/silkline.glue.cjs');

const started = new Set();
/** Where engines find their modules, by their names. */
const found = {};

/** Takes a compiled module, or its bytes, and those of engines; a second call does nothing. */
function start(source, engines = {}) {
  startOne(protocol, source);
  for (const [name, module] of Object.entries(engines)) {
    found[name] ??= module;
  }
}

function startOne(glue, source) {
  if (!started.has(glue)) {
    const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
    glue.initSync({ module });
    started.add(glue);
  }
}

/**
 * The glue of an engine, with its module behind it. It is required where it is first used, since
 * running it takes a part of a millisecond at the start of every program.
 */
function ready(glue, name) {
  if (!started.has(glue)) {
    const source = found[name];
    if (source === undefined) {
      throw new TypeError(`start() was not given the module of ${name}`);
    }
    startOne(glue, typeof source === 'function' ? source() : source);
  }
  return glue;
}

exports.ready = ready;
exports.start = start;
