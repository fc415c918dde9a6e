// The same instance as `require` gives: classes and their state exist once.
import api from './slim.cjs';

export const {
  basicAuthorization,
  basicCredentials,
  InvalidApiKey,
  InvalidHeader,
  InvalidMethod,
  parseHttpDate,
  retryAfter,
  SilklineError,
  start,
  VERSION,
} = api;
