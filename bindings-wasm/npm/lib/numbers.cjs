// Numbers on their way in: moments, durations, counts.
'use strict';

const { known } = require('./known.cjs');

/** A moment or duration in milliseconds. */
function millis(value, name) {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw new TypeError(`${name} must be a number of milliseconds from 0 on`);
  }
  return value;
}

/** The same, or nothing. */
function maybeMillis(value, name) {
  return value === undefined || value === null ? undefined : millis(value, name);
}

/** A whole number. */
function whole(value, name) {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`${name} must be a whole number from 0 on`);
  }
  return value;
}

/** The same for a setting: NaN stands for one that is not given. */
const given = (value, name, check) =>
  value === undefined || value === null ? Number.NaN : check(value, name);

/** A rate as a count and the milliseconds in which it may happen so often. */
function rateOf(rate) {
  if (rate === undefined || rate === null) {
    return [Number.NaN, Number.NaN];
  }
  if (typeof rate === 'object') {
    known(rate, ['count', 'period'], 'rate');
    return [whole(rate.count, 'rate.count'), millis(rate.period, 'rate.period')];
  }
  if (!(Number.isFinite(rate) && rate >= 0)) {
    throw new TypeError('rate must be a number of times a second, or { count, period }');
  }
  return [rate, Number.isInteger(rate) ? 1000 : Number.NaN];
}

/** A seed, as 64 bits; without one, any. */
function seedOf(seed) {
  if (seed === undefined || seed === null) {
    return BigInt(Math.floor(Math.random() * 2 ** 53));
  }
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
    throw new TypeError('seed must be a whole number');
  }
  return BigInt.asUintN(64, BigInt(seed));
}

exports.given = given;
exports.maybeMillis = maybeMillis;
exports.millis = millis;
exports.rateOf = rateOf;
exports.seedOf = seedOf;
exports.whole = whole;
