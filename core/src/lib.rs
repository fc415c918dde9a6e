//! Silkline: the decisions of a crawl, without the IO.
//!
//! This crate builds the requests of three crawling services (Smart Proxy Manager, the Automatic
//! Extraction API and their successor Zyte API), reads their answers and errors, and decides what
//! to send when. It opens no socket and reads no clock: the program that drives it brings an HTTP
//! client and passes the time in.
#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[expect(dead_code, reason = "the machines are built on these parts")]
pub mod engine;
mod error;
pub mod extraction;
pub mod http;
pub mod json;
pub mod problem;
pub mod proxy;
mod rng;
#[cfg_attr(not(test), expect(dead_code, reason = "part of it is for proxied requests"))]
pub mod schedule;
#[cfg(feature = "service")]
pub mod service;
mod time;

pub use error::{Error, codes};
pub use rng::Rng;
pub use time::Timestamp;

/// The version of this library, as sent in `User-Agent`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
