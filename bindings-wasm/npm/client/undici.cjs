// undici, and what of it is switched off: how long a request may take is the engine's to say.
'use strict';

/** For any `Agent`, `Pool` or request: none of undici's own limits of 300 seconds. */
const NO_LIMITS = Object.freeze({ headersTimeout: 0, bodyTimeout: 0 });

/** The library; loaded when it is first used, since it takes longer to load than all else. */
const undici = () => require('undici');

/** Bun has undici's name, with other things behind it. */
const isBun = typeof globalThis.Bun !== 'undefined';

exports.isBun = isBun;
exports.NO_LIMITS = NO_LIMITS;
exports.undici = undici;
