// The examples of the readme are programs that run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { consumer, silkline } from './package.mjs';

const readme = readFileSync(join(consumer, 'node_modules/silkline/README.md'), 'utf8');
const [client, extract, errors, slim, ...others] = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(
  ([, code]) => code,
);

/** Runs an example as a module; what it fetches comes from `origin`. Gives what it prints. */
async function run(code, origin) {
  const file = join(consumer, 'readme.mjs');
  const redirect = `
    const original = globalThis.fetch;
    globalThis.fetch = (url, init) => original('${origin}', init);`;
  const local = code.replace(/new Extractor\(\{/, `new Extractor({ endpoint: '${origin}',`);
  writeFileSync(file, `${redirect}\n${local}`);
  const env = { ...process.env, ZYTE_API_KEY: 'key' };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: consumer, env });
  return stdout;
}

/** A service that answers as the function says, given the queries of a request. */
async function serve(t, answer, key = 'key') {
  const server = createServer(async (request, response) => {
    assert.equal(request.headers.authorization, silkline.basicAuthorization(key));
    const body = Buffer.concat(await request.toArray());
    const { status, type, json } = answer(JSON.parse(body));
    response.writeHead(status, { 'Content-Type': type, 'Retry-After': '3' });
    response.end(JSON.stringify(json));
  });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}/`;
}

test('extract pages with the client', async (t) => {
  const origin = await serve(t, ([query]) => ({
    status: 200,
    type: 'application/json',
    json: [
      query.meta === 'sku-7'
        ? { query: { userQuery: query }, error: 'Downloader error: http404' }
        : { query: { userQuery: query }, product: { name: `Lamp ${query.meta}` } },
    ],
  }));
  const shown = await run(client.replace('rate: 5', 'rate: 500'), origin);
  assert.equal(shown.match(/^sku-(\d+) Lamp sku-\1$/gm).length, 19);
});

test('extract pages', async (t) => {
  const origin = await serve(t, ([article, product]) => ({
    status: 200,
    type: 'application/json',
    json: [
      { query: { userQuery: product }, error: 'query timed out' },
      { query: { userQuery: article }, article: { headline: 'News' } },
    ],
  }));
  const shown = await run(extract, origin);
  assert.match(shown, /^article https:\/\/example\.com\/news\/1 \{ headline: 'News' \}$/m);
  assert.match(shown, /^https:\/\/example\.com\/lamp query_timed_out true$/m);
});

test('extract pages, refused', async (t) => {
  const problem = { type: 'http://errors.example.com/user-rate-limit-exceeded' };
  const type = 'application/problem+json';
  const origin = await serve(t, () => ({ status: 429, type, json: problem }));
  assert.equal(await run(extract, origin), 'user_rate_limit_exceeded throttling 3000\n');
});

test('errors', async () => {
  const said = [...errors.matchAll(/ \/\/ (.*)$/gm)].map(([, comment]) => comment);
  assert.equal(await run(errors), `${said.join('\n')}\n`);
});

test('workers and bundlers', async () => {
  assert.equal(await run(slim), `${silkline.ExtractionApi.DEFAULT_ENDPOINT}\n`);
});

test("the project's readme", async (t) => {
  const file = new URL('../../README.md', import.meta.url);
  const [, code] = readFileSync(file, 'utf8').match(/^```js\n(.*?)^```/ms);
  const origin = await serve(
    t,
    ([query]) => ({
      status: 200,
      type: 'application/json',
      json: [{ query: { userQuery: query }, product: { name: 'Copper kettle' } }],
    }),
    'KEY',
  );
  assert.equal(await run(code, origin), 'Copper kettle\n');
});

test('no example is left out', () => {
  assert.deepEqual(others, []);
});
