//! The WebAssembly half of the npm package `silkline`.
//!
//! One file per module of the core, each with the shape of that module for JavaScript. No rule, no
//! default and no limit lives here. What is exported is private to the package: the hand-written
//! classes in `npm/lib/`, again one file per module, are what users see. Numbers, offsets and few
//! strings cross; texts of an answer are cut from the caller's own bytes on the other side.
//!
//! It becomes several modules, by feature: what every program needs, and the rest, each loaded when
//! it is first used. Each function that the first one exports costs every program a part of a
//! millisecond at its start.

// A module of the package uses a part of what they share.
#![cfg_attr(
    not(all(
        feature = "constants",
        feature = "extraction-engine",
        feature = "parts",
        feature = "protocol",
        feature = "proxy",
        feature = "proxy-engine"
    )),
    expect(dead_code, reason = "for another module")
)]
#![cfg_attr(
    not(any(feature = "constants", feature = "parts", feature = "protocol", feature = "proxy")),
    expect(unused_imports, reason = "for the other modules")
)]

#[cfg(feature = "constants")]
pub mod constants;
mod convert;
#[cfg(feature = "extraction-engine")]
pub mod engine;
mod errors;
#[cfg(any(feature = "extraction-engine", feature = "protocol"))]
pub mod extraction;
#[cfg(any(feature = "parts", feature = "protocol"))]
pub mod http;
#[cfg(any(feature = "extraction-engine", feature = "proxy-engine"))]
mod parcel;
#[cfg(feature = "parts")]
pub mod parts;
#[cfg(any(feature = "extraction-engine", feature = "parts", feature = "protocol"))]
pub mod problem;
#[cfg(any(feature = "proxy", feature = "proxy-engine"))]
pub mod proxy;
#[cfg(feature = "proxy-engine")]
pub mod proxy_engine;
#[cfg(any(feature = "extraction-engine", feature = "parts", feature = "proxy-engine"))]
pub mod schedule;
#[cfg(feature = "parts")]
pub mod zyte_api;
