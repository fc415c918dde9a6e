// The types, as a strict program sees them in each mode, and the shape of `exports`.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { consumer, tarball } from './package.mjs';

const tools = fileURLToPath(new URL('../node_modules/', import.meta.url));
const programs = fileURLToPath(new URL('./types/', import.meta.url));
const tool = (path, args) =>
  spawnSync(process.execPath, [join(tools, path), ...args], { cwd: consumer, encoding: 'utf8' });

const modes = [
  { name: 'node16 from a module', module: 'node16', extension: 'mts' },
  { name: 'node16 from CommonJS', module: 'node16', extension: 'cts' },
  { name: 'bundler', module: 'esnext', moduleResolution: 'bundler', extension: 'ts' },
];

for (const { name, extension, ...options } of modes) {
  test(`types: ${name}`, () => {
    const folder = join(consumer, `types-${extension}`);
    for (const file of readdirSync(programs)) {
      cpSync(join(programs, file), join(folder, file.replace(/mts$/, extension)));
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          ...options,
          target: 'es2022',
          lib: ['es2022'],
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          noEmit: true,
          types: ['node'],
          typeRoots: [join(tools, '@types')],
        },
        include: [`*.${extension}`],
      }),
    );
    const { status, stdout } = tool('typescript/bin/tsc', ['--project', folder]);
    assert.equal(`${status} ${stdout}`, '0 ');
  });
}

test('types: without those of any platform', () => {
  const folder = join(consumer, 'types-bare');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'program.mts'),
    "export * from 'silkline';\nexport { start } from 'silkline/slim';\nexport * from 'silkline/client';\nexport * from 'silkline/testing';\nexport * from 'silkline/crawlee';\n",
  );
  const options = ['--module', 'node16', '--target', 'es2022', '--lib', 'es2022', '--types', ''];
  const { status, stdout } = tool('typescript/bin/tsc', [
    ...options,
    '--strict',
    '--noEmit',
    join(folder, 'program.mts'),
  ]);
  assert.equal(`${status} ${stdout}`, '0 ');
});

test('@arethetypeswrong/cli finds nothing', () => {
  const args = [
    tarball,
    '--format=ascii',
    '--no-color',
    '--exclude-entrypoints',
    'silkline.wasm',
    'extraction-engine.wasm',
    'parts.wasm',
    'proxy.wasm',
    'proxy-engine.wasm',
    'services.wasm',
    'zyte-api-services.wasm',
    'bridge.wasm',
  ];
  const { status, stdout } = tool('@arethetypeswrong/cli/dist/index.js', args);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /No problems found/);
});
