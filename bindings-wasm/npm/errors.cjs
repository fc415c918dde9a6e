// The errors of the package. The WebAssembly half makes them through the factories below, so they
// are ordinary errors: `instanceof` works, and there is one set of classes for `import` and
// `require`.
'use strict';

const USAGE = Symbol('usage');

class SilklineError extends Error {
  constructor(code, message, fields = {}) {
    super(message);
    this.code = code;
    Object.assign(this, fields);
  }
}
// On the prototype, so that it shows in stack traces and not among the data.
Object.defineProperty(SilklineError.prototype, 'name', {
  get() {
    return this.constructor.name;
  },
  configurable: true,
});

class ExtractionJobError extends SilklineError {}
class InvalidApiKey extends SilklineError {}
class InvalidBatch extends SilklineError {}
class InvalidEndpoint extends SilklineError {}
class InvalidFaults extends SilklineError {}
class InvalidHeader extends SilklineError {}
class InvalidItem extends SilklineError {}
class InvalidJson extends SilklineError {}
class InvalidMethod extends SilklineError {}
class InvalidPool extends SilklineError {}
class InvalidProblem extends SilklineError {}
class InvalidProxiedRequest extends SilklineError {}
class InvalidProxyOptions extends SilklineError {}
class InvalidQuery extends SilklineError {}
class InvalidRate extends SilklineError {}
class InvalidSessionId extends SilklineError {}
class InvalidSetting extends SilklineError {}
class InvalidSnapshot extends SilklineError {}
class NotSubmitted extends SilklineError {}
class ProxyJobError extends SilklineError {}
class ProxyServiceError extends SilklineError {}
class ServiceError extends SilklineError {}
class SessionCallFailed extends SilklineError {}
class UnknownRequest extends SilklineError {}

const classes = {
  ExtractionJobError,
  InvalidApiKey,
  InvalidBatch,
  InvalidEndpoint,
  InvalidFaults,
  InvalidHeader,
  InvalidItem,
  InvalidJson,
  InvalidMethod,
  InvalidPool,
  InvalidProblem,
  InvalidProxiedRequest,
  InvalidProxyOptions,
  InvalidQuery,
  InvalidRate,
  InvalidSessionId,
  InvalidSetting,
  InvalidSnapshot,
  NotSubmitted,
  ProxyJobError,
  ProxyServiceError,
  ServiceError,
  SessionCallFailed,
  SilklineError,
  UnknownRequest,
};

/** Makes the error that the core asks for. `fields` is a JSON object. */
function createError(name, code, message, fields) {
  const error = new (classes[name] ?? SilklineError)(code, message, JSON.parse(fields));
  // The trace begins where the user called, not inside this factory.
  Error.captureStackTrace?.(error, createError);
  return error;
}

/**
 * The same for an answer that gives no results. Its body can be big, so printing leaves it out;
 * what it cost is for `Usage`.
 */
function createServiceError(code, message, fields, body) {
  const { usage, ...data } = JSON.parse(fields);
  const error = new ServiceError(code, message, data);
  Object.defineProperties(error, { body: { value: body }, [USAGE]: { value: usage } });
  Error.captureStackTrace?.(error, createServiceError);
  return error;
}

exports.classes = classes;
exports.createError = createError;
exports.createServiceError = createServiceError;
exports.USAGE = USAGE;
