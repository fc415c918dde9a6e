// The packed package on every runtime that it supports.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { consumer } from './package.mjs';

const folder = fileURLToPath(new URL('./runtimes/', import.meta.url));
const certificates = fileURLToPath(new URL('./tls/', import.meta.url));
const installed = (path) => join(folder, 'node_modules', path);
const program = join(consumer, 'smoke.mjs');
cpSync(join(folder, 'smoke.mjs'), program);

const runtimes = {
  'this Node': [process.execPath],
  'Node 22': [installed('node-22/bin/node')],
  'Node 24': [installed('node-24/bin/node')],
  'Node 26': [installed('node-26/bin/node')],
  Bun: [installed('bun/bin/bun.exe'), 'run'],
  Deno: [
    installed('deno/deno'),
    'run',
    '--allow-read',
    '--allow-env',
    '--allow-net',
    // For the authorities that are trusted beside those that are given.
    '--allow-sys=ca',
    '--no-prompt',
  ],
};

const round = {
  sentHeaders: 'application/json',
  sent: [{ url: 'http://example.com/ü', pageType: 'product', meta: '😀' }],
  item: { name: 'Lämp' },
  meta: '😀',
  unknown: { more: [1] },
  isView: true,
  code: 'query_lone_surrogate',
};

const extracted = {
  found: ['http://a/1', 'http://a/2', 'http://a/3'],
  requests: 4,
  code: 'request_not_sent',
};

const pretended = [{}, { probability: 1 }].map((converted) => ({
  item: { url: 'http://a/', ...converted },
  attempts: 2,
  billed: 2,
  isLate: true,
}));

const proxied = {
  told: [
    [200, '7', 'GET http://shop.example/1'],
    [200, '7', 'GET /2'],
    [200, '7', 'POST /3 me'],
  ],
  requests: 4,
  tunnels: 1,
};

for (const [name, [command, ...args]] of Object.entries(runtimes)) {
  test(name, () => {
    assert.ok(
      existsSync(command),
      `${name} is not installed: npm ci in bindings-wasm/tests/runtimes`,
    );
    const { status, stdout, stderr } = spawnSync(command, [...args, program, certificates], {
      cwd: consumer,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(`${status} ${stderr}`, '0 ');
    const expected = {
      imported: round,
      required: round,
      slim: round,
      extracted,
      pretended,
      proxied,
      oneInstance: true,
    };
    assert.deepEqual(JSON.parse(stdout), expected);
  });
}
