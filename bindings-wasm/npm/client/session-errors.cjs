// The errors of the client for sessions.
'use strict';

const { ProxyJobError, ProxyServiceError, SilklineError, Usage } = require('../index.cjs');
const { hide } = require('./errors.cjs');

/** The account is refused: nothing is sent until `resume`. */
class ProxyAccountRefused extends ProxyServiceError {
  constructor(refusal) {
    const { code, message, stack: _, ...fields } = refusal;
    super(code, message, fields);
    hide(this, 'cause', refusal);
  }
}

/** A certificate, of the proxy or inside a tunnel, is not of an authority that is trusted. */
class UntrustedCertificate extends SilklineError {
  constructor({ message, cause }) {
    const isOfAuthority = /^(?:UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/.test(cause.code);
    const hint = isOfAuthority ? ": pass the service's authority as `ca`" : '';
    super('untrusted_certificate', `${message}${hint}`);
    hide(this, 'cause', cause);
  }
}

/** Redirects lead on and on, or were not wanted. */
class RedirectRefused extends SilklineError {}

/** A body that had to be read as a whole is larger than allowed. */
class BodyTooLarge extends SilklineError {
  constructor(limit) {
    super('body_too_large', `the body is larger than ${limit} bytes`, { limit });
  }
}

/** Why a job has no response, as an error that tells what it cost and another attempt would. */
function failureOf(error, attempts, cost, failure) {
  if (error instanceof ProxyServiceError) {
    hide(error, 'cause', { status: error.status });
  } else if (error instanceof ProxyJobError && failure !== undefined) {
    hide(error, 'cause', failure);
  }
  return Object.assign(error, { attempts, cost, retryCost: retryCostOf(error, attempts) });
}

/** What one more attempt costs that ends in the same way. */
function retryCostOf(error, attempts) {
  const isBilled = error.billed === true || error.code === 'job_banned';
  const isKnown =
    attempts === 0 || error instanceof ProxyServiceError || error.code === 'request_not_sent';
  return new Usage(isBilled ? { billed: 1 } : isKnown ? { unbilled: 1 } : { unknown: 1 });
}

exports.BodyTooLarge = BodyTooLarge;
exports.failureOf = failureOf;
exports.ProxyAccountRefused = ProxyAccountRefused;
exports.RedirectRefused = RedirectRefused;
exports.UntrustedCertificate = UntrustedCertificate;
