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
pub mod problem;
pub mod proxy;

use silkline::{
    extraction::{DEFAULT_ENDPOINT, PageType},
    proxy as core_proxy,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::convert::{Object, array, quoted};

/// What never changes while the program runs, as JSON. The build writes it into the package, so
/// that it is there before the module is.
#[wasm_bindgen]
pub fn constants() -> String {
    Object::new()
        .text("version", silkline::VERSION)
        .json("errorCodes", &array(silkline::codes::ALL.iter().map(|code| quoted(code))))
        .text("defaultEndpoint", DEFAULT_ENDPOINT)
        .text("defaultProxyEndpoint", core_proxy::DEFAULT_ENDPOINT)
        .number("maxHeadersSize", core_proxy::MAX_HEADERS_SIZE)
        .json("pageTypes", &array(PageType::ALL.map(|page_type| quoted(page_type.as_str()))))
        .end()
}
