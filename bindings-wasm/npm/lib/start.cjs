// Starts the WebAssembly half, once.
'use strict';

const wasm = require('../wasm/glue.cjs');

let started = false;

/** Takes a compiled module, or its bytes; a second call does nothing. */
function start(source) {
  if (started) {
    return;
  }
  const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
  wasm.initSync({ module });
  started = true;
}

exports.start = start;
