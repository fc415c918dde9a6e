// The examples of the readme are programs that run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { consumer, require, root, silkline } from './package.mjs';

const readme = readFileSync(join(consumer, 'node_modules/silkline/README.md'), 'utf8');
const examples = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);

/** The example that holds a text, which no other does. */
function example(text) {
  const found = examples.filter((code) => code.includes(text));
  assert.equal(found.length, 1, text);
  examples.splice(examples.indexOf(found[0]), 1);
  return found[0];
}

const client = example('function* queries');
const ends = example('OutOfBudget');
const service = example('express');
const testing = example('node:test');
const sessions = example("from 'node:fs';\nimport { SessionProxy");
const crawlee = example('crawlerOptions');
const extract = example('new ExtractionApi({ apiKey: process.env.ZYTE_API_KEY });\nconst queries');
const engine = example('engine.poll');
const services = example('new ZyteApiService');
const errors = example('QueryError.fromText');
const slim = example('silkline/slim');

let running = 0;

/** Runs an example as a module; what it fetches comes from `origin`. Gives what it prints. */
async function run(code, origin) {
  const file = join(consumer, `readme-${running++}.mjs`);
  const redirect = `
    const original = globalThis.fetch;
    globalThis.fetch = (url, init) => original('${origin}', init);`;
  const local =
    origin === undefined
      ? code
      : code.replace('new Extractor({', `new Extractor({ endpoint: '${origin}',`);
  writeFileSync(file, `${redirect}\n${local}`);
  const { NODE_TEST_CONTEXT: _, ...own } = process.env;
  const env = { ...own, ZYTE_API_KEY: 'key' };
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

const authority = join(consumer, 'ca.pem');
writeFileSync(authority, rootCertificates[0]);

/** An example whose requests go to a service inside its program. */
const inside = (code) =>
  `import { FakeProxy } from 'silkline/testing';
  const outgoing = ['127.0.0.2', '127.0.0.3'];
  const pages = () => ({ headers: { 'Content-Type': 'text/html' }, body: 'a page' });
  const { send, clock } = new FakeProxy({ outgoing, pages });
  ${code.replace('new SessionProxy({', 'new SessionProxy({ send, clock,').replace("'zyte-smartproxy-ca.crt'", `'${authority}'`)}`;

test('fetch through sessions', async () => {
  assert.equal(await run(inside(sessions)), '200 true a page\n200\n');
});

test('a crawler of Crawlee', async () => {
  const modules = fileURLToPath(new URL('../node_modules/@crawlee', import.meta.url));
  symlinkSync(modules, join(consumer, 'node_modules', '@crawlee'));
  const shown = await run(inside(crawlee));
  const lines = shown.split('\n').filter((line) => line.startsWith('http://shop'));
  assert.deepEqual(lines.sort(), ['http://shop.example/1 true 6', 'http://shop.example/2 true 6']);
});

for (const [name, code] of Object.entries({ errors, "the services' side": services })) {
  test(name, async () => {
    const said = [...code.matchAll(/ \/\/ (.*)$/gm)].map(([, comment]) => comment);
    assert.equal(await run(code), `${said.join('\n')}\n`);
  });
}

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

/** A service that has each page, but for those that are missing. */
const shop = (t) =>
  serve(t, ([query]) => ({
    status: 200,
    type: 'application/json',
    json: [
      query.url.endsWith('/missing')
        ? { query: { userQuery: query }, error: 'Downloader error: http404' }
        : { query: { userQuery: query }, product: { name: `Item ${query.url.at(-1)}` } },
    ],
  }));

test('what ends an iteration', async (t) => {
  const origin = await shop(t);
  const fast = ends.replace('cap: 2', 'cap: 2, rate: 100');
  assert.equal(
    await run(fast, origin),
    'https://shop.example/1 extracted\nhttps://shop.example/2 extracted\nout_of_budget 1\n',
  );
  const some = fast.replace('example/1', 'example/missing');
  assert.match(await run(some, origin), /missing downloader_http, again for 1$/m);
});

test('a service', async (t) => {
  const origin = await shop(t);
  const tools = fileURLToPath(new URL('../node_modules/express', import.meta.url));
  symlinkSync(tools, join(consumer, 'node_modules', 'express'));
  const file = join(consumer, 'service.mjs');
  writeFileSync(file, service.replace('new Extractor({', `new Extractor({ endpoint: '${origin}',`));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const env = { ...process.env, ZYTE_API_KEY: 'key', PORT: String(port) };
  const child = execFile(process.execPath, [file], { cwd: consumer, env });
  let told = '';
  child.stderr.on('data', (text) => {
    told += text;
  });
  const ask = async (page) => {
    const address = `http://127.0.0.1:${port}/product?url=${encodeURIComponent(page)}`;
    for (;;) {
      const response = await fetch(address).catch(() => undefined);
      if (response !== undefined) {
        return [response.status, await response.json()];
      }
      assert.equal(told, '');
      await sleep(50);
    }
  };
  assert.deepEqual(await ask('https://shop.example/1'), [200, { name: 'Item 1' }]);
  const cost = { billed: 1, possiblyBilled: 0 };
  assert.deepEqual(await ask('https://shop.example/missing'), [
    502,
    { code: 'downloader_http', cost },
  ]);
  assert.deepEqual(await ask('ftp://shop.example/1'), [400, { code: 'query_url_scheme' }]);
  child.kill('SIGTERM');
  const [status, signal] = await once(child, 'exit');
  assert.deepEqual([status, signal, told], [0, null, '']);
});

test('tests', async () => {
  assert.match(await run(testing), /^# pass 1$/m);
});

test('the engine', async (t) => {
  const shown = await run(engine.replace("'second'", "'missing'"), await shop(t));
  assert.deepEqual(shown.trim().split('\n').sort(), [
    'empty 3',
    'first Item t',
    'missing downloader_http',
    'third Item d',
  ]);
});

test('the list of errors is that of the package', () => {
  const page = readFileSync(join(consumer, 'node_modules/silkline/docs/errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*?) \| (.+) \|$/gm)];
  const told = rows.map(([, name, codes]) => [name, codes.match(/(?<=`)\w+(?=`)/g)]);
  const list = readFileSync(new URL('tests/vectors/errors.json', root), 'utf8');
  const known = {};
  for (const { class: name, code } of JSON.parse(list).errors) {
    if (silkline.ERROR_CODES.includes(code) && (name in silkline || name === 'QueryError')) {
      known[name] ??= [];
      known[name].push(code);
    }
  }
  const clients = Object.entries(require('silkline/client'))
    .filter(([, value]) => value.prototype instanceof silkline.SilklineError)
    .map(([name]) => name);
  const listed = Object.fromEntries(told);
  assert.deepEqual(Object.keys(listed).sort(), [...Object.keys(known), ...clients].sort());
  for (const [name, codes] of Object.entries(known)) {
    assert.deepEqual(listed[name].sort(), codes.sort(), name);
  }
});

test('no example is left out', () => {
  assert.deepEqual(examples, []);
});
