// The errors of the clients.
'use strict';

const { ExtractionJobError, ServiceError, SilklineError, Usage } = require('../index.cjs');

/** The answer to a query was an error: `QueryError`, with the facts of the job. */
class QueryFailed extends SilklineError {
  constructor(error) {
    super(error.code, error.text, error);
  }
}

/** The account is refused: nothing is sent until `resume`. */
class AccountRefused extends ServiceError {
  constructor(refusal, unfinished) {
    super(refusal.code, refusal.message, { unfinished });
    const { stack: _, message: __, ...fields } = Object.getOwnPropertyDescriptors(refusal);
    Object.defineProperties(this, fields);
    hide(this, 'cause', refusal);
  }
}

/** The cap leaves no room for a further query, until `startCycle`. */
class OutOfBudget extends SilklineError {
  constructor(unfinished) {
    super('out_of_budget', 'the budget leaves no room for a further query', { unfinished });
  }
}

/** Why a job has no item, as an error that tells what the job cost and another attempt would. */
function failureOf({ error, result, attempts, cost }, failure) {
  const thrown = error instanceof Error ? error : new QueryFailed(error);
  if (thrown !== error) {
    hide(thrown, 'cause', error);
  } else if (thrown instanceof ServiceError) {
    hide(thrown, 'cause', thrown.problem ?? { status: thrown.status });
  } else if (thrown instanceof ExtractionJobError && failure !== undefined) {
    hide(thrown, 'cause', failure);
  }
  return Object.assign(thrown, {
    attempts,
    cost,
    retryCost: retryCostOf(thrown, result, attempts),
  });
}

/** What one more attempt costs that ends in the same way. */
function retryCostOf(error, result, attempts) {
  if (error instanceof ServiceError) {
    return Usage.ofError(error);
  }
  if (result !== null) {
    return Usage.ofResults([result]);
  }
  const isFree = attempts === 0 || error.code === 'request_not_sent';
  return new Usage(isFree ? { unbilled: 1 } : { unknown: 1 });
}

function hide(error, name, value) {
  Object.defineProperty(error, name, { value, configurable: true, writable: true });
}

exports.AccountRefused = AccountRefused;
exports.failureOf = failureOf;
exports.hide = hide;
exports.OutOfBudget = OutOfBudget;
exports.QueryFailed = QueryFailed;
