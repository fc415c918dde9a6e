// The second entry: bundled without any platform, started with a module or with bytes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
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

for (const [name, start] of Object.entries({
  bytes: 'bytes',
  'an array buffer': 'bytes.slice().buffer',
  'a module': 'new WebAssembly.Module(bytes)',
})) {
  test(`a bundle started with ${name}`, async () => {
    const { outputFiles, warnings } = await build({
      stdin: { contents: program.replace('START', start), resolveDir: consumer },
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
    assert.deepEqual(JSON.parse(stdout), [{ x: 1 }, true, 'api_key_empty']);
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
