// What `import` and `require` give, and that there is one of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { consumer, require, root, silkline } from './package.mjs';

const entry = (name) => import(pathToFileURL(require.resolve(name).replace(/\.cjs$/, '.mjs')));

for (const name of [
  'silkline',
  'silkline/slim',
  'silkline/client',
  'silkline/crawlee',
  'silkline/testing',
]) {
  test(`${name}: import gives what require gives`, async () => {
    const required = require(name);
    const imported = await entry(name);
    assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
    for (const [key, value] of Object.entries(required)) {
      assert.equal(imported[key], value, key);
    }
  });
}

test('classes bear the names that they are exported by', () => {
  for (const [key, value] of Object.entries(silkline)) {
    if (typeof value === 'function') {
      assert.equal(value.name, key);
    }
  }
});

test('import and require find the same package', () => {
  const program = `
    import { createRequire } from 'node:module';
    import { InvalidApiKey, basicAuthorization } from 'silkline';
    const required = createRequire(import.meta.url)('silkline');
    try {
      required.basicAuthorization('');
    } catch (error) {
      console.log(error instanceof InvalidApiKey, error.code);
    }`;
  const args = ['--input-type=module', '--eval', program];
  const shown = execFileSync(process.execPath, args, { cwd: consumer, encoding: 'utf8' });
  assert.equal(shown, 'true api_key_empty\n');
});

test('the module is exported for programs that compile it themselves', () => {
  const module = new WebAssembly.Module(readFileSync(require.resolve('silkline/silkline.wasm')));
  assert.ok(WebAssembly.Module.exports(module).length > 0);
});

test('the version is that of the workspace', () => {
  const manifest = readFileSync(new URL('Cargo.toml', root), 'utf8');
  assert.equal(silkline.VERSION, /^version = "(.*)"$/m.exec(manifest)[1]);
});

test('the package holds no sources, tests or machine paths', () => {
  const glue = readFileSync(join(consumer, 'node_modules/silkline/wasm/silkline.cjs'), 'utf8');
  const module = readFileSync(join(consumer, 'node_modules/silkline/wasm/silkline_bg.wasm'));
  for (const text of [glue, module.toString('latin1')]) {
    const found = /(?:\/(?:home|root|work|Users)\/|\.cargo\/|\.rustup)[ -~]*/.exec(text);
    assert.equal(found?.[0], undefined);
  }
});
