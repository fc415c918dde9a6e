// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import { InvalidItem, zyteApi } from 'silkline';

const { item, unmapped }: zyteApi.Converted = zyteApi.fromZyteApi('product', { url: 'https://a/' });
const paths: string[] = unmapped.map(({ path }) => path);
export const back: string = zyteApi.toZyteApi('product', item).itemJson + paths.join();
export const fromText = zyteApi.toZyteApi('article', new TextEncoder().encode(back));
// @ts-expect-error: no such page type
zyteApi.fromZyteApi('books', {});
// @ts-expect-error: an item is no number
zyteApi.fromZyteApi('article', 5);

export const explain = (error: unknown) =>
  error instanceof InvalidItem ? (error.pageType ?? error.found) : undefined;
