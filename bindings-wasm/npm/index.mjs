// The same instance as `require` gives: classes and their state exist once.
import api from './index.cjs';

export const {
  basicAuthorization,
  basicCredentials,
  InvalidApiKey,
  InvalidHeader,
  InvalidMethod,
  parseHttpDate,
  retryAfter,
  SilklineError,
  VERSION,
} = api;
