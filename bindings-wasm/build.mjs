// Builds npm/wasm/: the WebAssembly module and its glue. Prints the sizes; too large is an error.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { buildSync, transformSync } from 'esbuild';

const TARGET = 'wasm32-unknown-unknown';
// Every runtime that the package supports has these.
const FEATURES = [
  'simd',
  'bulk-memory',
  'nontrapping-float-to-int',
  'sign-ext',
  'mutable-globals',
  'reference-types',
  'multivalue',
];
const MOST_BYTES = 450_000;
const MOST_GZIPPED = 200_000;

const here = fileURLToPath(new URL('.', import.meta.url));
const workspace = join(here, '..');
const output = join(here, 'npm', 'wasm');
const run = (command, args, env = {}) =>
  execFileSync(command, args, {
    cwd: here,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: { CARGO_TARGET_DIR: join(workspace, 'target'), ...process.env, ...env },
  }).trim();

const cargo = process.env.CARGO ?? 'cargo';
const metadata = JSON.parse(run(cargo, ['metadata', '--format-version=1', '--no-deps']));
const target = metadata.target_directory;

if (!existsSync(run('rustc', ['--print', 'target-libdir', '--target', TARGET]))) {
  run('rustup', ['target', 'add', TARGET]);
}
// Where the compiler stood is nobody's business, and differs from machine to machine.
const cargoHome = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
const withoutPaths = [
  [run('rustc', ['--print', 'sysroot']), '/rust'],
  [join(cargoHome, 'registry', 'src'), '/crates'],
  [workspace, '/silkline/'],
].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });

/** A module by the feature that it is, and its glue. */
function build(crate, feature, name) {
  const args = [`--package=${crate}`, '--profile=wasm', `--target=${TARGET}`];
  run(cargo, ['build', ...args, '--no-default-features', `--features=${feature}`], {
    CARGO_ENCODED_RUSTFLAGS: ['-Ctarget-feature=+simd128', ...withoutPaths].join('\x1f'),
  });
  const compiled = join(target, TARGET, 'wasm', `${crate.replaceAll('-', '_')}.wasm`);
  run(cargo, ['run', '--quiet', '--package=silkline-wasm-builder', '--', compiled, output, name]);

  const module = join(output, `${name}_bg.wasm`);
  const plain = readFileSync(module).length;
  run(process.execPath, [
    join(here, 'node_modules', 'binaryen', 'bin', 'wasm-opt'),
    module,
    '-O3',
    ...FEATURES.map((feature) => `--enable-${feature}`),
    '--output',
    `${module}.opt`,
  ]);
  renameSync(`${module}.opt`, module);

  const bytes = readFileSync(module);
  const gzipped = gzipSync(bytes, { level: 9 }).length;
  console.log(
    `${name}_bg.wasm: ${bytes.length} bytes (${plain} before wasm-opt), ` +
      `${gzipped} gzipped, ${brotliCompressSync(bytes).length} with brotli`,
  );
  if (bytes.length > MOST_BYTES || gzipped > MOST_GZIPPED) {
    console.error(`too large: at most ${MOST_BYTES} bytes, ${MOST_GZIPPED} gzipped`);
    process.exitCode = 1;
  }
  return bytes;
}

const BORDER = join(here, 'npm', 'lib', 'border.cjs');

/**
 * Makes one CommonJS file of an entry and what it requires. CommonJS is what both `require` and
 * `import` can load synchronously on every supported runtime, so that there is one instance of
 * everything; one file loads several milliseconds sooner than twenty. The glue takes what it calls
 * from `border`.
 */
function bundle(entry, name, { border = BORDER, ...options } = {}) {
  buildSync({
    entryPoints: [entry],
    outfile: join(output, name),
    bundle: true,
    format: 'cjs',
    platform: 'neutral',
    target: 'node20',
    alias: { border },
    ...options,
  });
}

// The package has its constants as a file, so that they are there before any module is.
const constants = build('silkline-wasm', 'constants', 'constants');
bundle(join(output, 'constants.js'), 'constants.cjs');
const wasm = createRequire(import.meta.url)(join(output, 'constants.cjs'));
wasm.initSync({ module: constants });
const text = wasm.constants();
rmSync(output, { recursive: true });
mkdirSync(output);
writeFileSync(join(output, 'constants.json'), `${text}\n`);

build('silkline-wasm', 'protocol', 'silkline');
build('silkline-wasm', 'parts', 'parts');
build('silkline-wasm', 'proxy', 'proxy');
build('silkline-wasm', 'extraction-engine', 'extraction_engine');
build('silkline-wasm', 'proxy-engine', 'proxy_engine');
build('silkline-wasm-service', 'services', 'services');
build('silkline-wasm-service', 'zyte-api', 'zyte_api_services');
build('silkline-wasm-service', 'bridge', 'bridge');

// What every program needs is in one file, with the glue of its module. What starts later stays
// outside, is loaded when it is first used, and takes the border from that file.
const later = readdirSync(output).filter((name) => name.endsWith('.js') && name !== 'silkline.js');
const border = './silkline.cjs';
for (const name of later) {
  bundle(join(output, name), `${name.slice(0, -3)}.cjs`, { border, external: [border] });
}
// As a CommonJS module the glue has a scope of its own, in which its classes keep their names.
const glue = join(output, 'silkline.js');
writeFileSync(glue, transformSync(readFileSync(glue, 'utf8'), { format: 'cjs' }).code);
bundle(join(here, 'npm', 'package.cjs'), 'silkline.cjs', {
  external: later.map((name) => join(output, `${name.slice(0, -3)}.cjs`)),
});
// A class that speaks of itself is `class _Query` now, and would show so in traces. The bundler's own
// way to keep names costs every program a part of a millisecond at its start.
const bundled = join(output, 'silkline.cjs');
let code = readFileSync(bundled, 'utf8');
for (const [, name] of code.matchAll(/\bclass _(\w+)/g)) {
  code = code.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name);
}
writeFileSync(bundled, code);
for (const name of readdirSync(output).filter((name) => name.endsWith('.js'))) {
  rmSync(join(output, name));
}
