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
test: test-rust test-node ## Run all tests, in Rust, Python and Node

.PHONY: test-rust
test-rust: ## Run the tests of the core: units, documentation, vectors, layering
	$(CARGO) test --workspace --all-features

.PHONY: lint
lint: lint-rust lint-node ## Run every linter, warnings being errors

.PHONY: lint-rust
lint-rust: ## Format, clippy, documentation, and the core without std
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy -p silkline --no-default-features --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc -p silkline --all-features --no-deps
	rustup target add wasm32v1-none
	$(CARGO) build -p silkline --no-default-features --features service --target wasm32v1-none

NODE_TOOLS := bindings-wasm/node_modules/.package-lock.json

$(NODE_TOOLS): bindings-wasm/package-lock.json
	cd bindings-wasm && npm ci --no-fund --no-audit --loglevel=error

.PHONY: npm
npm: $(NODE_TOOLS) ## Leave the packed npm package in dist/
	cd bindings-wasm && node build.mjs && node pack.mjs

.PHONY: test-node
test-node: npm ## Run the tests of the npm package, on the packed package
	cd bindings-wasm && node tests/run.mjs

.PHONY: lint-node
lint-node: $(NODE_TOOLS) ## Format and lint of the JavaScript; the tests compile the types
	cd bindings-wasm && npx biome ci --error-on-warnings .

.PHONY: format-node
format-node: $(NODE_TOOLS)
	cd bindings-wasm && npx biome check --write .

.PHONY: format
format: format-rust format-node ## Format all sources

.PHONY: format-rust
format-rust:
	$(CARGO) fmt --all

.PHONY: clean
clean: ## Remove everything that was built or installed
	rm -rf target dist .venv bindings-wasm/node_modules bindings-wasm/npm/wasm
