// The service that a test asks for.
'use strict';

/** What stands under a dialect; without one, under the first. */
function dialectOf(dialect, known) {
  const names = Object.keys(known);
  const name = dialect ?? names[0];
  if (!names.includes(name)) {
    throw new TypeError(`dialect must be one of ${names.join(', ')}`);
  }
  return known[name];
}

exports.dialectOf = dialectOf;
