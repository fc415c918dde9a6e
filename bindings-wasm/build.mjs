// Builds npm/wasm/: the WebAssembly module and its glue. Prints the sizes; too large is an error.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** A module of the package, and its glue. */
function build(feature, name) {
  return buildOf('silkline-wasm', ['--no-default-features', `--features=${feature}`], name);
}

function buildOf(crate, options, name) {
  const args = [`--package=${crate}`, '--profile=wasm', `--target=${TARGET}`];
  run(cargo, ['build', ...args, ...options], {
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

  // The glue comes as an ECMAScript module. CommonJS is what both `require` and `import` can load
  // synchronously on every supported runtime, so that there is one instance of everything. One file
  // of it loads several milliseconds sooner than twenty.
  const glue = join(output, `${name}.js`);
  const { code } = transformSync(readFileSync(glue, 'utf8'), { format: 'cjs', target: 'node20' });
  writeFileSync(join(output, `${name}.glue.cjs`), code);
  rmSync(glue);

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

const protocol = build('protocol', 'silkline');
build('extraction-engine', 'extraction_engine');
build('proxy-engine', 'proxy_engine');
buildOf('silkline-wasm-service', [], 'services');

// The package is asked for its constants, which also shows that it starts.
const wasm = createRequire(import.meta.url)(join(output, 'silkline.glue.cjs'));
wasm.initSync({ module: protocol });
writeFileSync(join(output, 'constants.json'), `${wasm.constants()}\n`);

buildSync({
  entryPoints: [join(here, 'npm', 'package.cjs')],
  outfile: join(output, 'silkline.cjs'),
  bundle: true,
  format: 'cjs',
  platform: 'neutral',
  target: 'node20',
  // Else a class that speaks of itself would show as `_Query` in traces and to inspectors.
  keepNames: true,
});
