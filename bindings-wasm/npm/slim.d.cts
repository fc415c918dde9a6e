export * from './api.cjs';

/** A `WebAssembly.Module`, on platforms whose types know of it. */
export type WasmModule = typeof globalThis extends {
  WebAssembly: { Module: { prototype: infer Module } };
}
  ? Module
  : object;

/**
 * Starts the package with its WebAssembly module: `silkline/silkline.wasm`, compiled or as bytes.
 * Call it once, before anything else; further calls do nothing, but bring modules that were not
 * there. Of the others, a program hands in those whose classes it uses.
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
    /** `silkline/extraction-engine.wasm`: `ExtractionEngine`. */
    readonly extractionEngine?: WasmModule | ArrayBuffer | ArrayBufferView;
    /**
     * `silkline/parts.wasm`: `Pace`, `Progress`, `RateLimiter`, `RetryPolicy`, `Rng`, `SessionPool`,
     * `zyteApi`, `basicAuthorization`, `basicCredentials`, `buildProblem`, `parseHttpDate`,
     * `readProblem`, `retryAfter`.
     */
    readonly parts?: WasmModule | ArrayBuffer | ArrayBufferView;
    /** `silkline/proxy.wasm`: `ProxyApi`, `ProxyOptions` and the functions beside them. */
    readonly proxy?: WasmModule | ArrayBuffer | ArrayBufferView;
    /** `silkline/proxy-engine.wasm`: `ProxyEngine`, beside `proxy`. */
    readonly proxyEngine?: WasmModule | ArrayBuffer | ArrayBufferView;
    /** `silkline/services.wasm`: `ExtractionService`, `ProxyService`, `BridgedQuery`. */
    readonly services?: WasmModule | ArrayBuffer | ArrayBufferView;
    /** `silkline/zyte-api-services.wasm`: `ZyteApiService`, `ZyteProxyService`. */
    readonly zyteApiServices?: WasmModule | ArrayBuffer | ArrayBufferView;
    /** `silkline/bridge.wasm`: `ProxyBridge`. */
    readonly bridge?: WasmModule | ArrayBuffer | ArrayBufferView;
  },
): void;
