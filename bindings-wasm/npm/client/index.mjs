// The same instance as `require` gives: classes and their state exist once.
import client from './index.cjs';

export const {
  AccountRefused,
  BodyTooLarge,
  Extractor,
  NamedSession,
  OutOfBudget,
  ProxyAccountRefused,
  QueryFailed,
  RedirectRefused,
  SessionProxy,
  UntrustedCertificate,
} = client;
