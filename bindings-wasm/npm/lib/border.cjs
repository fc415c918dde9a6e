// What the WebAssembly half calls to hand out bytes and numbers: it passes views of its memory,
// which are valid during the call only.
'use strict';

exports.copyBytes = (bytes) => bytes.slice();
exports.copyNumbers = (numbers) => numbers.slice();

/** The ASCII form of a domain, which holds no character that would end it in a URL. */
exports.domainToAscii = (domain) => {
  try {
    return new URL(`http://${domain}/`).hostname;
  } catch {
    return undefined;
  }
};
