// Settings on their way in: one that nobody reads is a mistake.
'use strict';

/** An object whose members are all among `names`; `owner` is whose options they are. */
function known(given, names, owner) {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(`the options of ${owner} must be an object`);
  }
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      throw new TypeError(`${owner} has no option ${JSON.stringify(name)}`);
    }
  }
  return given;
}

function flag(value, name) {
  if (typeof value !== 'boolean') {
    throw new TypeError(`${name} must be a boolean`);
  }
  return value;
}

exports.flag = flag;
exports.known = known;
