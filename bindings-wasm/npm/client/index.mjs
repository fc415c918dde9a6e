// The same instance as `require` gives: classes and their state exist once.
import client from './index.cjs';

export const { AccountRefused, Extractor, OutOfBudget, QueryFailed } = client;
