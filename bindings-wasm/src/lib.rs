//! The WebAssembly half of the npm package `silkline`.
//!
//! One file per module of the core, each with the shape of that module for JavaScript. No rule, no
//! default and no limit lives here. What is exported is private to the package: the hand-written
//! classes in `npm/lib/`, again one file per module, are what users see. Numbers, offsets and few
//! strings cross; texts of an answer are cut from the caller's own bytes on the other side.
//!
//! It becomes several modules, by feature: what every program needs, and the engines, each loaded
//! when it is first used.

// A module of the package uses a part of what they share.
#![cfg_attr(
    not(all(feature = "extraction-engine", feature = "protocol", feature = "proxy-engine")),
    expect(dead_code, reason = "for another module")
)]
#![cfg_attr(
    not(feature = "protocol"),
    expect(unused_imports, reason = "for the module of the protocols")
)]

mod convert;
#[cfg(feature = "extraction-engine")]
pub mod engine;
mod errors;
#[cfg(any(feature = "extraction-engine", feature = "protocol"))]
pub mod extraction;
#[cfg(feature = "protocol")]
pub mod http;
#[cfg(any(feature = "extraction-engine", feature = "proxy-engine"))]
mod parcel;
#[cfg(feature = "protocol")]
pub mod parts;
#[cfg(any(feature = "extraction-engine", feature = "protocol"))]
pub mod problem;
#[cfg(any(feature = "protocol", feature = "proxy-engine"))]
pub mod proxy;
#[cfg(feature = "proxy-engine")]
pub mod proxy_engine;
pub mod schedule;
#[cfg(feature = "protocol")]
pub mod zyte_api;

#[cfg(feature = "protocol")]
use silkline::{
    engine::{Failure, IdleReason, WaitReason},
    extraction::{DEFAULT_ENDPOINT, MAX_CUSTOM_HTML, MAX_META, MAX_QUERIES, MAX_URL, PageType},
    proxy::{self as core_proxy, ProxyDialect, ProxyOptions},
    schedule::FailureClass,
    zyte_api::EXTRACTION_DIALECTS,
};
#[cfg(feature = "protocol")]
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "protocol")]
use crate::convert::{Object, array, quoted};

/// What never changes while the program runs, as JSON. The build writes it into the package, so
/// that it is there before the module is.
#[cfg(feature = "protocol")]
#[wasm_bindgen]
pub fn constants() -> String {
    Object::new()
        .text("version", silkline::VERSION)
        .json("errorCodes", &array(silkline::codes::ALL.iter().map(|code| quoted(code))))
        .text("defaultEndpoint", DEFAULT_ENDPOINT)
        .text("defaultProxyEndpoint", core_proxy::DEFAULT_ENDPOINT)
        .json("proxyDialects", &array(ProxyDialect::ALL.map(|dialect| quoted(dialect.as_str()))))
        .number("maxHeadersSize", core_proxy::MAX_HEADERS_SIZE)
        .number("maxQueries", MAX_QUERIES)
        .number("maxUrl", MAX_URL)
        .number("maxMeta", MAX_META)
        .number("maxCustomHtml", MAX_CUSTOM_HTML)
        .number("maxRetries", ProxyOptions::MAX_RETRIES)
        .number("minTimeout", ProxyOptions::MIN_TIMEOUT.as_millis())
        .number("maxTimeout", ProxyOptions::MAX_TIMEOUT.as_millis())
        .json(
            "extractionDialects",
            &array(EXTRACTION_DIALECTS.map(|dialect| quoted(dialect.name()))),
        )
        .json("pageTypes", &array(PageType::ALL.map(|page_type| quoted(page_type.as_str()))))
        .json("failures", &array(Failure::ALL.map(|failure| quoted(failure.as_str()))))
        .json("failureClasses", &array(FailureClass::ALL.map(|class| quoted(class.as_str()))))
        .json("waitReasons", &array(WaitReason::ALL.map(|reason| quoted(reason.as_str()))))
        .json("idleReasons", &array(IdleReason::ALL.map(|reason| quoted(reason.as_str()))))
        .end()
}
