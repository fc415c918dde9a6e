//! Silkline: the decisions of a crawl, without the IO.
//!
//! This crate builds the requests of three crawling services (Smart Proxy Manager, the Automatic
//! Extraction API and their successor Zyte API), reads their answers and errors, and decides what
//! to send when. It opens no socket and reads no clock: the program that drives it brings an HTTP
//! client and passes the time in.
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod error;
pub mod extraction;
pub mod http;
pub mod json;
pub mod proxy;
