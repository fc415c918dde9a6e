# Everything a person or CI does here has a target of its own; `make help` lists them.
# Tools are installed below target/, .venv and node_modules, never into the system.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: test-rust test-node test-python ## Run all tests, in Rust, Python and Node

.PHONY: test-rust
test-rust: ## Run the tests of the core: units, documentation, vectors, layering
	$(CARGO) test --workspace --all-features

# The scenarios are large: SIMULATE_ARGS="--only small --seeds 100" runs a few of them.
.PHONY: simulate
simulate: ## Run all simulated worlds and crawls: a table, and target/simulate.json
	$(CARGO) run -q --release -p conformance --example simulate -- $(SIMULATE_ARGS)

.PHONY: lint
lint: lint-rust lint-node lint-python ## Run every linter, warnings being errors

.PHONY: lint-rust
lint-rust: ## Format, clippy, documentation, and the core without std
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy -p silkline --no-default-features --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc -p silkline --all-features --no-deps
	rustup target add wasm32v1-none
	$(CARGO) build -p silkline --no-default-features --features bridge,plan --target wasm32v1-none

NODE_TOOLS := bindings-wasm/node_modules/.package-lock.json

$(NODE_TOOLS): bindings-wasm/package-lock.json
	cd bindings-wasm && npm ci --no-fund --no-audit --loglevel=error

NODE_RUNTIMES := bindings-wasm/tests/runtimes/node_modules/.package-lock.json

$(NODE_RUNTIMES): bindings-wasm/tests/runtimes/package-lock.json
	cd bindings-wasm/tests/runtimes && npm ci --no-fund --no-audit --loglevel=error

.PHONY: npm
npm: $(NODE_TOOLS) ## Leave the packed npm package in dist/
	cd bindings-wasm && node build.mjs && node pack.mjs

.PHONY: test-node
test-node: npm $(NODE_RUNTIMES) ## Run the tests of the npm package, on the packed package
	cd bindings-wasm && node tests/run.mjs

.PHONY: lint-node
lint-node: $(NODE_TOOLS) ## Format and lint of both halves of the npm package; the tests compile the types
	cd bindings-wasm && npx biome ci --error-on-warnings .
	cd bindings-wasm && $(CARGO) fmt --all --check
	cd bindings-wasm && CARGO_TARGET_DIR=../target $(CARGO) clippy --workspace -- -D warnings

.PHONY: format-node
format-node: $(NODE_TOOLS)
	cd bindings-wasm && npx biome check --write .
	cd bindings-wasm && $(CARGO) fmt --all

.PHONY: format
format: format-rust format-node format-python ## Format all sources

.PHONY: format-rust
format-rust:
	$(CARGO) fmt --all

# --- Python ---------------------------------------------------------------------------------

PYTHON ?= python3
VENV := .venv
# The profile of the wheel: `make test-python WHEEL_PROFILE=dev` builds faster, runs slower.
WHEEL_PROFILE ?= release

WHEEL_SOURCES := $(shell find core bindings-python/src bindings-python/python -type f -not -path '*/__pycache__/*') \
    Cargo.toml Cargo.lock bindings-python/Cargo.toml bindings-python/pyproject.toml bindings-python/README.md
STUB := bindings-python/python/silkline/_core.pyi

$(VENV)/.tools: bindings-python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: set PYTHON")'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check 'pip>=25.1'
	$(VENV)/bin/python -m pip install -q --group bindings-python/pyproject.toml:dev
	@touch $@

# The stamp, because the wheel's own name holds the version; it also says which profile was built.
dist/.wheel-$(WHEEL_PROFILE): $(VENV)/.tools $(WHEEL_SOURCES)
	rm -f dist/silkline-*.whl dist/.wheel-*
	$(VENV)/bin/maturin build -q --locked --profile $(WHEEL_PROFILE) --strip -i $(VENV)/bin/python -m bindings-python/Cargo.toml --out dist
	@touch $@

.PHONY: wheel
wheel: dist/.wheel-$(WHEEL_PROFILE) ## Build the Python wheel into dist/

$(VENV)/.installed: dist/.wheel-$(WHEEL_PROFILE)
	$(VENV)/bin/python -m pip install -q --force-reinstall --no-deps dist/silkline-*.whl
	wheel=$$(echo dist/silkline-*.whl); $(VENV)/bin/python -m pip install -q "silkline[$(PYTHON_EXTRAS)] @ file://$$PWD/$$wheel"
	@touch $@

# The extras that the tests and the demo use.
PYTHON_EXTRAS := cli,httpx,plan,sandbox,scrapy,test

.PHONY: test-python
test-python: $(VENV)/.installed ## Test the Python package, as installed from its wheel
	cd bindings-python && ../$(VENV)/bin/python -m pytest $(PYTEST_ARGS)

.PHONY: test-each-python
test-each-python: dist/.wheel-$(WHEEL_PROFILE) ## Test the wheel in an empty environment of every Python found
	$(VENV)/bin/python bindings-python/scripts/test_each_python.py dist/silkline-*.whl target/pythons $(PYTHON_EXTRAS)

.PHONY: lint-python
lint-python: $(VENV)/.installed target/.stub ## Format, ruff, mypy, and the stub against the binding
	$(VENV)/bin/ruff format --check bindings-python
	$(VENV)/bin/ruff check bindings-python
	$(VENV)/bin/ruff format --config bindings-python/pyproject.toml --check tests
	$(VENV)/bin/ruff check --config bindings-python/pyproject.toml tests
	diff -u $(STUB) target/stubs/silkline/_core.pyi || { echo 'the stub is stale: make stub' >&2; exit 1; }
	cd bindings-python && ../$(VENV)/bin/mypy
	cd target && ../$(VENV)/bin/stubtest silkline._core --concise
	cd target && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" pyright --ignoreexternal --verifytypes silkline

# What PyO3 says about the binding.
target/.stub: $(VENV)/.tools $(shell find bindings-python/src core/src -name '*.rs')
	rm -rf target/stubs
	$(VENV)/bin/maturin generate-stubs -q --features stubs -m bindings-python/Cargo.toml --out target/stubs
	@touch $@

.PHONY: stub
stub: target/.stub ## Write the type stub of the compiled part anew
	cp target/stubs/silkline/_core.pyi $(STUB)

.PHONY: format-python
format-python: $(VENV)/.tools
	$(VENV)/bin/ruff check -q --fix-only bindings-python
	$(VENV)/bin/ruff format -q bindings-python
	$(VENV)/bin/ruff check -q --config bindings-python/pyproject.toml --fix-only tests
	$(VENV)/bin/ruff format -q --config bindings-python/pyproject.toml tests

# --- Demo -----------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.installed npm ## Extract a local site's pages in three languages, crawl them through sessions
	$(CARGO) build -q -p silkline --example extract --features http
	$(VENV)/bin/python tests/demo/run.py --rust $${CARGO_TARGET_DIR:-target}/debug/examples/extract \
	    --npm "$$(ls -t dist/silkline-*.tgz | head -1)"

# --- Benchmarks -----------------------------------------------------------------------------

.PHONY: bench
bench: ## Measure reading answers against peers in the same run; prints ratios, asserts nothing
	$(CARGO) run -q --release --manifest-path tests/bench/Cargo.toml

.PHONY: bench-scrapy
bench-scrapy: $(VENV)/.installed ## Crawl 4,000 URLs through 100 sessions of 1 s in Scrapy; prints the rate reached
	$(VENV)/bin/python bindings-python/scripts/scrapy_rate.py $(BENCH_ARGS)

# --- Everything -----------------------------------------------------------------------------

.PHONY: clean
clean: ## Remove everything that was built or installed
	rm -rf target dist .venv bindings-wasm/node_modules bindings-wasm/npm/wasm \
		bindings-wasm/tests/runtimes/node_modules
