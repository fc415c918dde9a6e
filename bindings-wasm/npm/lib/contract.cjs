// What both engines say to their driver, and it to them.
'use strict';

const { failures } = require('../wasm/constants.json');

const FAILURES = failures.map((name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()));
const RECEIPTS = { true: 'late', false: 'accepted' };
const RESTORED = Symbol('a machine that comes from a snapshot');

function failureOf(failure) {
  const kind = FAILURES.indexOf(failure);
  if (kind < 0) {
    throw new TypeError(`failure must be one of ${FAILURES.join(', ')}`);
  }
  return kind;
}

function keyOf(key) {
  if (key === undefined || key === null) {
    return undefined;
  }
  if (typeof key !== 'string') {
    throw new TypeError('key must be a string');
  }
  return key.toWellFormed();
}

function priorityOf(priority) {
  if (priority !== (priority | 0)) {
    throw new TypeError('priority must be a whole number of 32 bits');
  }
  return priority;
}

/** What came back, which is at least an object. */
function answerOf(answer) {
  if (typeof answer !== 'object' || answer === null) {
    throw new TypeError('the answer must be an object with status, headers and body');
  }
  return answer;
}

const receiptOf = (isLate) => RECEIPTS[isLate];

function statusOf(status) {
  if (!Number.isInteger(status) || status < 0 || status > 65535) {
    throw new TypeError('status must be the number of an HTTP status');
  }
  return status;
}

exports.answerOf = answerOf;
exports.failureOf = failureOf;
exports.keyOf = keyOf;
exports.priorityOf = priorityOf;
exports.receiptOf = receiptOf;
exports.RESTORED = RESTORED;
exports.statusOf = statusOf;
