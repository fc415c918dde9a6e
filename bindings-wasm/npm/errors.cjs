// The errors of the package. The WebAssembly half makes them through `createError`, so they are
// ordinary errors: `instanceof` works, and there is one set of classes for `import` and `require`.
'use strict';

class SilklineError extends Error {
  constructor(code, message, fields = {}) {
    super(message);
    Object.assign(this, fields);
    this.code = code;
  }
}
// On the prototype, so that it shows in stack traces and not among the data.
Object.defineProperty(SilklineError.prototype, 'name', {
  get() {
    return this.constructor.name;
  },
  configurable: true,
});

class InvalidApiKey extends SilklineError {}
class InvalidBatch extends SilklineError {}
class InvalidEndpoint extends SilklineError {}
class InvalidHeader extends SilklineError {}
class InvalidMethod extends SilklineError {}
class InvalidQuery extends SilklineError {}

const classes = {
  SilklineError,
  InvalidApiKey,
  InvalidBatch,
  InvalidEndpoint,
  InvalidHeader,
  InvalidMethod,
  InvalidQuery,
};

/** Makes the error that the core asks for. `fields` is a JSON object. */
function createError(name, code, message, fields) {
  const error = new (classes[name] ?? SilklineError)(code, message, JSON.parse(fields));
  // The trace begins where the user called, not inside this factory.
  Error.captureStackTrace?.(error, createError);
  return error;
}

exports.classes = classes;
exports.createError = createError;
