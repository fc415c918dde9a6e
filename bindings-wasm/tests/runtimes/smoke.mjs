// One round through the package, on whichever runtime runs it; the test looks at what it prints.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as imported from 'silkline';

const require = createRequire(import.meta.url);

function round({ ExtractionApi, InvalidQuery, Query }) {
  const api = new ExtractionApi({ apiKey: 'key', endpoint: 'http://localhost/v1/extract' });
  const queries = [new Query({ url: 'http://example.com/ü', pageType: 'product', meta: '😀' })];
  const request = api.request(queries);
  const sent = JSON.parse(new TextDecoder().decode(request.body));
  const answer = [{ query: { userQuery: sent[0] }, product: { name: 'Lämp' }, more: [1] }];
  const body = new TextEncoder().encode(JSON.stringify(answer));
  const headers = new Headers({ 'Content-Type': 'application/json' });
  const [result] = api.results(queries, { status: 200, headers, body });
  let code;
  try {
    api.request([{ url: '\ud800', pageType: 'product' }]);
  } catch (error) {
    code = error instanceof InvalidQuery && error.code;
  }
  api.free();
  const isView = result.itemBytes.buffer === body.buffer;
  const sentHeaders = new Headers(request.headers).get('content-type');
  const { item, meta, unknown } = result;
  return { sentHeaders, sent, item, meta, unknown, isView, code };
}

const required = require('silkline');
const slim = require('silkline/slim');
slim.start(new WebAssembly.Module(readFileSync(require.resolve('silkline/silkline.wasm'))));
console.log(
  JSON.stringify({
    imported: round(imported),
    required: round(required),
    slim: round(slim),
    oneInstance: imported.ExtractionApi === required.ExtractionApi,
  }),
);
