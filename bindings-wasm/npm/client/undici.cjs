// undici, and what of it is switched off: how long a request may take is the engine's to say.
'use strict';

/** For any `Agent`, `Pool` or request: none of undici's own limits of 300 seconds. */
const NO_LIMITS = Object.freeze({ headersTimeout: 0, bodyTimeout: 0 });

const isBun = typeof globalThis.Bun !== 'undefined';

/** The library; loaded when it is first used, since it takes longer to load than all else. */
const undici = isBun
  ? // By its name Bun gives a thing of its own, which only looks like it.
    () => require('undici/index.js')
  : () => require('undici');

exports.isBun = isBun;
exports.NO_LIMITS = NO_LIMITS;
exports.undici = undici;
