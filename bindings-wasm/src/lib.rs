//! The WebAssembly half of the npm package `silkline`.
//!
//! One file per module of the core, each with the shape of that module for JavaScript. No rule, no
//! default and no limit lives here. What is exported is private to the package: the hand-written
//! classes in `npm/lib/`, again one file per module, are what users see. Numbers, offsets and few
//! strings cross; texts of an answer are cut from the caller's own bytes on the other side.

mod convert;
mod errors;
pub mod extraction;
pub mod http;

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of the core.
#[wasm_bindgen]
pub fn version() -> String {
    silkline::VERSION.into()
}
