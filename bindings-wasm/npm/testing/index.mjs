// The same instance as `require` gives: classes and their state exist once.
import testing from './index.cjs';

export const { FakeExtraction, FakeProxy, Page } = testing;
