// Runs the tests on the packed package, installed into an empty folder as its users do it.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, '..', '..', 'dist');
const [tarball, ...others] = readdirSync(dist).filter((name) => /^silkline-.*\.tgz$/.test(name));
if (tarball === undefined || others.length > 0) {
  throw new Error('dist/ must hold one packed package: run `make npm`');
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'silkline-npm-')));
try {
  const consumer = join(folder, 'consumer');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }\n');
  execFileSync(
    'npm',
    [
      'install',
      '--prefer-offline',
      '--no-fund',
      '--no-audit',
      '--loglevel=error',
      join(dist, tarball),
    ],
    {
      cwd: consumer,
      stdio: 'inherit',
    },
  );
  const chosen = process.argv.slice(2);
  const files = readdirSync(here)
    .filter((name) => name.endsWith('.test.mjs'))
    .filter((name) => chosen.length === 0 || chosen.some((part) => name.includes(part)))
    .map((name) => join(here, name));
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--test', ...files], {
    stdio: 'inherit',
    env: { ...process.env, SILKLINE_CONSUMER: consumer, SILKLINE_TARBALL: join(dist, tarball) },
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
