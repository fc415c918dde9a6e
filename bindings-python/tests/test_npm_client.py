"""The npm package's client against the sandbox, installed from its tarball into an empty folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from quick import pages, sandbox

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "bindings-wasm" / "node_modules"
TARBALLS = sorted((ROOT / "dist").glob("silkline-*.tgz"))

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not TARBALLS, reason="needs Node, and `make npm`"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package and nothing else."""
    empty = tmp_path_factory.mktemp("npm")
    install = ["npm", "install", "--prefer-offline", "--no-fund", "--no-audit", str(TARBALLS[-1])]
    subprocess.run(install, cwd=empty, check=True, capture_output=True, timeout=120)
    return empty


def run(*command: object, cwd: Path) -> str:
    given = list(map(str, command))
    ran = subprocess.run(given, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    return ran.stdout


def first_example(endpoint: str) -> str:
    """The readme's first example, with the sandbox's address in it."""
    readme = (ROOT / "bindings-wasm" / "npm" / "README.md").read_text()
    match = re.search(r"^```js\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert match is not None
    code = match[1].replace("rate: 5,", f"rate: 5_000, endpoint: '{endpoint}',")
    assert endpoint in code
    return code.replace("process.env.ZYTE_API_KEY", "'KEY'")


def as_common_js(code: str) -> str:
    required = re.sub(r"import (\{.*?\}) from ('.*?');", r"const \1 = require(\2);", code)
    return f"async function main() {{\n{required}\n}}\nmain();\n"


def as_typescript(code: str) -> str:
    return code.replace(
        "function* queries()", "function* queries(): Generator<QueryInput<'product'>>"
    ).replace("import {", "import type { QueryInput } from 'silkline';\nimport {", 1)


@pytest.mark.parametrize("mode", ["esm", "commonjs", "node16", "bundler"])
def test_the_first_example_of_the_readme(mode: str, folder: Path) -> None:
    with pages(), sandbox(keys=["KEY"]) as box:
        code = first_example(box.extraction_url)
        if mode == "esm":
            (folder / "example.mjs").write_text(code)
            shown = run("node", "example.mjs", cwd=folder)
        elif mode == "commonjs":
            (folder / "example.cjs").write_text(as_common_js(code))
            shown = run("node", "example.cjs", cwd=folder)
        else:
            if not (TOOLS / "typescript").exists():
                pytest.skip("there is no TypeScript")
            options = {
                "node16": ["--module", "node16"],
                "bundler": ["--module", "esnext", "--moduleResolution", "bundler"],
            }[mode]
            types = ["--types", "node", "--typeRoots", TOOLS / "@types", "--strict"]
            (folder / "example.mts").write_text(as_typescript(code))
            compiler = ["node", TOOLS / "typescript" / "bin" / "tsc", "--target", "es2022"]
            run(*compiler, *options, *types, "example.mts", cwd=folder)
            shown = run("node", "example.mjs", cwd=folder)
        stats = box.stats()
    assert len(set(re.findall(r"^(sku-\d+) ", shown, re.MULTILINE))) == 20
    assert (stats["items"], stats["billed"]) == (20, 20)


CRAWL = """
import { Extractor } from 'silkline/client';
import { FAILURE_CLASSES, SilklineError } from 'silkline';

const [endpoint, count, stopAt] = process.argv.slice(2);
const wait = { between: [10, 50] };
const rules = Object.fromEntries(FAILURE_CLASSES.map((name) => [name, { wait }]));
const extractor = new Extractor({
  apiKey: 'KEY',
  endpoint,
  rate: Number.POSITIVE_INFINITY,
  policy: { rules },
});

function* queries() {
  for (let page = 0; page < Number(count); page += 1) {
    const name = page % 500 === 7 ? 'missing' : 'page';
    yield { url: `http://s${page % 50}.example/${name}/${page}`, pageType: 'article' };
  }
}

const memory = () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
};
const controller = new AbortController();
const { signal } = controller;
const [seen, codes] = [new Set(), {}];
let [early, twice, untyped] = [undefined, 0, 0];
try {
  for await (const { url, ok, item, error } of extractor.results(queries(), { signal })) {
    twice += Number(seen.has(url));
    seen.add(url);
    if (ok && item.url !== url) {
      throw new Error('the item of another page');
    }
    if (!ok) {
      untyped += Number(!(error instanceof SilklineError));
      codes[error.code] = (codes[error.code] ?? 0) + 1;
    }
    if (seen.size === 1_000) {
      early = memory();
    }
    if (seen.size === Number(stopAt)) {
      controller.abort();
    }
  }
} catch (error) {
  if (error.name !== 'AbortError') {
    throw error;
  }
}
const { requests, succeeded, failed, cancelled, retries } = extractor.stats();
const grown = early === undefined ? 0 : memory() - early;
const counts = { requests, succeeded, failed, cancelled, retries };
console.log(JSON.stringify({ seen: seen.size, twice, untyped, codes, grown, ...counts }));
// The process ends by itself: nothing is closed here.
"""

# One in a hundred, of each kind that a client can meet.
FAULTS = [
    {"when": {"every": 500}, "then": {"drop": True}},
    {"when": {"every": 400}, "then": {"status": 503}},
    {"when": {"every": 300}, "then": {"truncate": 10}},
    {"when": {"every": 600}, "then": {"problem": "user-rate-limit-exceeded", "retry_after": 0}},
    {"when": {"probability": 0.001}, "then": {"results": ["missing"]}},
    {"when": {"url": "*3"}, "times": 10, "then": {"error": "query timed out"}},
]


def test_five_thousand_with_a_fault_in_each_hundred(folder: Path) -> None:
    (folder / "crawl.mjs").write_text(CRAWL)
    with pages(), sandbox(keys=["KEY"], faults=json.dumps(FAULTS)) as box:
        told = json.loads(
            run("node", "--expose-gc", "crawl.mjs", box.extraction_url, 5_000, 0, cwd=folder)
        )
        stats = box.stats()
    assert (told["seen"], told["twice"], told["untyped"]) == (5_000, 0, 0)
    assert (told["succeeded"], told["failed"]) == (4_990, 10)
    assert told["codes"] == {"downloader_http": 10}
    assert told["retries"] >= 40
    assert stats["faults"] >= 40
    assert stats["in_flight"] == 0
    assert told["grown"] < 10, "memory is flat"


def test_an_abort_half_way_leaves_no_open_handle(folder: Path) -> None:
    (folder / "crawl.mjs").write_text(CRAWL)
    with pages(0.05), sandbox(keys=["KEY"]) as box:
        told = json.loads(run("node", "crawl.mjs", box.extraction_url, 5_000, 500, cwd=folder))
        stats = box.stats()
    assert told["seen"] == 500
    assert told["succeeded"] + told["cancelled"] < 2_000
    assert told["cancelled"] > 100
    assert stats["queries"] < 1_000
