// Compiled, never run: what must be accepted, and with `@ts-expect-error` what must not.
import {
  basicCredentials,
  type HeadersInput,
  InvalidApiKey,
  parseHttpDate,
  retryAfter,
  SilklineError,
  VERSION,
} from 'silkline';
import * as slim from 'silkline/slim';

const version: string = VERSION;
const moment: number | null = parseHttpDate(version);
const user: string | undefined = basicCredentials('Basic x')?.user;
const forms: HeadersInput[] = [
  new Headers(),
  new Map([['a', 'b']]),
  [['a', 'b']],
  { a: 'b', c: ['d'], e: undefined },
];
const delays: (number | null)[] = forms.map(retryAfter);

export function explain(error: unknown): string {
  if (error instanceof InvalidApiKey) {
    const code: 'api_key_empty' | 'api_key_invalid' = error.code;
    return `${code} at ${error.position ?? 'no place'}`;
  }
  // The code of the base is any text: narrowing is by class.
  return error instanceof SilklineError ? error.code : String(error);
}

slim.start(new Uint8Array());
slim.start(new ArrayBuffer(8));
// @ts-expect-error: a path is no module
slim.start('silkline.wasm');
// @ts-expect-error: errors are made by the package only
new InvalidApiKey('code', 'message');
// @ts-expect-error: a number is no header value
retryAfter({ a: 5 });

export { delays, moment, user };
