// The second entry: bundled without any platform, started with a module or with bytes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { consumer } from './package.mjs';

const program = `
  import { ExtractionApi, InvalidApiKey, start } from 'silkline/slim';
  import bytes from 'silkline/silkline.wasm';

  start(START);
  start(bytes);
  const api = new ExtractionApi({ apiKey: 'key' });
  const queries = [{ url: 'http://example.com/', pageType: 'article' }];
  const body = '[{"query": {"userQuery": ' + JSON.stringify(queries[0]) + '}, "article": {"x": 1}}]';
  const [result] = api.results(queries, { status: 200, headers: {}, body });
  try {
    new ExtractionApi({ apiKey: '' });
  } catch (error) {
    console.log(JSON.stringify([result.item, error instanceof InvalidApiKey, error.code]));
  }`;

/** Bundles a program without any platform, runs it, and gives what it prints. */
async function run(contents) {
  const { outputFiles, warnings } = await build({
    stdin: { contents, resolveDir: consumer },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    loader: { '.wasm': 'binary' },
  });
  assert.deepEqual(warnings, []);
  const file = join(consumer, 'bundle.mjs');
  writeFileSync(file, outputFiles[0].text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  assert.equal(`${status} ${stderr.slice(-500)}`, '0 ');
  return JSON.parse(stdout);
}

for (const [name, start] of Object.entries({
  bytes: 'bytes',
  'an array buffer': 'bytes.slice().buffer',
  'a module': 'new WebAssembly.Module(bytes)',
})) {
  test(`a bundle started with ${name}`, async () => {
    const shown = await run(program.replace('START', start));
    assert.deepEqual(shown, [{ x: 1 }, true, 'api_key_empty']);
  });
}

test('a module that was not brought is named where it is needed, and can be brought later', () => {
  const shown = execFileSync(
    process.execPath,
    [
      '--eval',
      `const { readFileSync } = require('node:fs');
      const { ProxyApi, start } = require('silkline/slim');
      const bytes = (name) => readFileSync(require.resolve('silkline/' + name + '.wasm'));
      const attempt = (act) => {
        try {
          return act();
        } catch (error) {
          return error.name + ': ' + error.message;
        }
      };
      console.log(attempt(() => start(bytes('silkline'), { prox: bytes('proxy') })));
      start(bytes('silkline'));
      console.log(attempt(() => new ProxyApi({ apiKey: 'key' }).endpoint));
      start(bytes('silkline'), { proxy: bytes('proxy') });
      console.log(attempt(() => new ProxyApi({ apiKey: 'key' }).endpoint === ProxyApi.DEFAULT_ENDPOINT));`,
    ],
    { cwd: consumer, encoding: 'utf8' },
  );
  const lines = shown.trim().split('\n');
  assert.match(lines[0], /^TypeError: .*prox/);
  assert.equal(lines[1], 'TypeError: start() was not given the module "proxy"');
  assert.equal(lines[2], 'true');
});

/** What fetches a page through the service's side, in one program with the engine. */
const crawl = `
  import * as silkline from 'silkline/slim';
  import protocol from 'silkline/silkline.wasm';
  import extractionEngine from 'silkline/extraction-engine.wasm';
  import parts from 'silkline/parts.wasm';
  import proxy from 'silkline/proxy.wasm';
  import proxyEngine from 'silkline/proxy-engine.wasm';
  import services from 'silkline/services.wasm';
  import zyteApiServices from 'silkline/zyte-api-services.wasm';
  import bridge from 'silkline/bridge.wasm';

  const { ExtractionApi, ExtractionEngine, ProxyApi, ProxyEngine, ProxyService, start } = silkline;
  start(protocol);
  const shown = [];
  const apiKey = 'KEY';
  const makers = {
    extractionEngine: () => new ExtractionEngine({ api: new ExtractionApi({ apiKey }), now: 0 }),
    proxyEngine: () => new ProxyEngine({ api: new ProxyApi({ apiKey }), size: 1, seed: 1, now: 0 }),
    services: () => new ProxyService({ outgoing: ['127.0.0.2'], seed: 1 }),
    zyteApiServices: () => new silkline.ZyteProxyService({ seed: 1 }),
    bridge: () => new silkline.ProxyBridge({ apiKey, seed: 1 }),
  };
  for (const make of Object.values(makers)) {
    try {
      make();
    } catch (error) {
      shown.push(error.message);
    }
  }
  const later = { extractionEngine, parts, proxy, services, zyteApiServices, bridge };
  start(protocol, { ...later, proxyEngine: new WebAssembly.Module(proxyEngine) });
  const [extraction, engine, service, newer, between] = Object.values(makers).map((make) => make());
  extraction.submit({ url: 'http://a.example/', pageType: 'article' }, { now: 0 });
  shown.push(extraction.poll(0).request.method);
  engine.submit('http://a.example/', { now: 0 });
  const { id, request } = engine.poll(0);
  const { ticket } = service.handleRequest(request, 0);
  const { status, headers } = service.handleResponded(ticket, { status: 200, headers: [] }, 1);
  engine.handleResponse(id, { status, headers, body: 'page' }, 1);
  const { type, response, cost } = engine.poll(1);
  shown.push(type, response.status, response.outgoing, cost.billed, response.session !== null);
  const head = { 'Proxy-Authorization': silkline.basicAuthorization(apiKey) };
  const asked = { method: 'GET', url: 'http://a.example/', headers: head };
  shown.push(newer.handleRequest(asked, 0).type, between.handleRequest(asked, 0).type);
  console.log(JSON.stringify(shown));`;

test('a bundle with the engines, each started by its own module', async () => {
  const missing = ['extractionEngine', 'proxy', 'services', 'zyteApiServices', 'bridge'];
  assert.deepEqual(await run(crawl), [
    ...missing.map((name) => `start() was not given the module "${name}"`),
    'POST',
    ...['finished', 200, '127.0.0.2:3128', 1, true, 'fetch', 'send'],
  ]);
});

test('a bundle for Node holds the client too, with the modules beside it', async () => {
  const contents = `
    const { Extractor, SessionProxy } = require('silkline/client');
    const { FakeExtraction, FakeProxy } = require('silkline/testing');
    const { fetch, clock } = new FakeExtraction();
    const extractor = new Extractor({ apiKey: 'KEY', fetch, clock });
    const { send, clock: time } = new FakeProxy();
    const proxy = new SessionProxy({ apiKey: 'KEY', send, clock: time });
    const extracted = extractor.extract({ url: 'http://a.example/', pageType: 'article' });
    Promise.all([extracted, proxy.fetch('http://a.example/')]).then(async ([{ ok }, { status }]) => {
      console.log(JSON.stringify({ ok, status }));
      await Promise.all([extractor.close(), proxy.close()]);
    });`;
  const folder = mkdtempSync(join(consumer, 'bundled-'));
  const outfile = join(folder, 'bundle.cjs');
  const stdin = { contents, resolveDir: consumer };
  const options = { bundle: true, platform: 'node', target: 'node20', outfile };
  const { warnings } = await build({ stdin, ...options });
  assert.deepEqual(warnings, []);
  const modules = join(consumer, 'node_modules', 'silkline', 'wasm');
  cpSync(modules, join(folder, 'wasm'), { recursive: true });
  const shown = execFileSync(process.execPath, [outfile], { cwd: folder, encoding: 'utf8' });
  assert.deepEqual(JSON.parse(shown), { ok: true, status: 200 });
});
