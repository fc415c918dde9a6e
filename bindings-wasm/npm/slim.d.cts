export * from './api.cjs';

/** A `WebAssembly.Module`, on platforms whose types know of it. */
export type WasmModule = typeof globalThis extends {
  WebAssembly: { Module: { prototype: infer Module } };
}
  ? Module
  : object;

/**
 * Starts the package with its WebAssembly module: `silkline/silkline.wasm`, compiled or as bytes.
 * Call it once, before anything else; further calls do nothing. A program that uses an engine
 * hands in its module too, `silkline/extraction-engine.wasm` or `silkline/proxy-engine.wasm`; tests
 * with the services' side do likewise with `silkline/services.wasm`.
 *
 * @example
 * // In a worker whose bundler imports `.wasm` files as modules:
 * import { ExtractionApi, start } from 'silkline/slim';
 * import module from 'silkline/silkline.wasm';
 *
 * start(module);
 */
export function start(
  source: WasmModule | ArrayBuffer | ArrayBufferView,
  others?: {
    readonly extractionEngine?: WasmModule | ArrayBuffer | ArrayBufferView;
    readonly proxyEngine?: WasmModule | ArrayBuffer | ArrayBufferView;
    readonly services?: WasmModule | ArrayBuffer | ArrayBufferView;
  },
): void;
