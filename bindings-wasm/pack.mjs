// Leaves the packed npm package in dist/, with the licences of the repository.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'bindings-wasm', 'npm');
const licences = ['LICENSE-APACHE', 'LICENSE-MIT'];

mkdirSync(join(root, 'dist'), { recursive: true });
for (const name of readdirSync(join(root, 'dist'))) {
  if (/^silkline-.*\.tgz$/.test(name)) {
    rmSync(join(root, 'dist', name));
  }
}
for (const licence of licences) {
  copyFileSync(join(root, licence), join(source, licence));
}
try {
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', join(root, 'dist')];
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: source, encoding: 'utf8' }));
  console.log(`dist/${packed.filename}: ${packed.size} bytes, ${packed.files.length} files`);
} finally {
  for (const licence of licences) {
    rmSync(join(source, licence));
  }
}
