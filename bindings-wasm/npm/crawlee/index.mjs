// The same instance as `require` gives: classes and their state exist once.
import crawlee from './index.cjs';

export const { crawlerOptions, SilklineHttpClient } = crawlee;
