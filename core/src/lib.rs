//! Silkline: the decisions of a crawl, without the IO.
//!
//! This crate builds the requests of three crawling services (Smart Proxy Manager, the Automatic
//! Extraction API and their successor Zyte API), reads their answers and errors, and decides what
//! to send when. It opens no socket and reads no clock: the program that drives it brings an HTTP
//! client and passes the time in.
//!
//! [`extraction`] and [`proxy`] are the protocols: one request, one answer. [`engine`] has the
//! machines that run a whole crawl, made of the parts in [`schedule`]. With the feature `service`
//! the crate also speaks the services' side, for tests and simulations; with `plan` it tells how
//! long a crawl will take, what it will cost and what limits it, and `bridge` lets programs of the
//! older services go on with Zyte API.
//!
//! # The loop that drives an engine
//!
//! Ask the machine what to do, do it, tell it what came of it; sleep when it says so. A program
//! with many connections does the same, with the sends in tasks of their own.
//!
//! ```
//! use silkline::{
//!     Timestamp,
//!     engine::{ExtractionConfig, ExtractionEngine, ExtractionEvent, ExtractionOutput},
//!     extraction::{ExtractionApi, PageType, Query},
//!     http::{Headers, Request, Response},
//! };
//!
//! # fn send(request: &Request) -> Response {
//! #     let url = if request.body.ends_with(b"a\",\"pageType\":\"article\"}]") { "a" } else { "b" };
//! #     let body = format!(r#"[{{"query": {{"userQuery": {{"url": "https://example.com/{url}",
//! #         "pageType": "article"}}}}, "article": {{"headline": "{url}"}}}}]"#);
//! #     let json = (String::from("Content-Type"), String::from("application/json"));
//! #     Response::new(200, Headers::from_received([json]), body)
//! # }
//! let api = ExtractionApi::new("my-key")?;
//! let mut clock = Timestamp::ZERO; // the driver's: `start.elapsed()`, say
//! let mut engine = ExtractionEngine::new(api, ExtractionConfig::default(), 1, clock);
//! for url in ["https://example.com/a", "https://example.com/b"] {
//!     engine.submit(Query::new(url, PageType::Article)?, clock)?;
//! }
//! let mut headlines = Vec::new();
//! loop {
//!     match engine.poll(clock) {
//!         ExtractionOutput::Send(out) => {
//!             let response = send(&out.request); // by the client that you have
//!             engine.handle_response(out.id, response, clock)?;
//!         }
//!         ExtractionOutput::Abort(_) => {} // end that request's task
//!         ExtractionOutput::Event(ExtractionEvent::Finished(job)) => match job.outcome {
//!             Ok(result) => headlines.push(result.item().unwrap()?["headline"].clone()),
//!             Err(error) => eprintln!("{}: {error}", job.query.url()),
//!         },
//!         ExtractionOutput::Event(other) => eprintln!("{other:?}"),
//!         ExtractionOutput::WaitUntil { at, .. } => clock = at, // sleep until then
//!         ExtractionOutput::Idle(_) => break,
//!     }
//! }
//! assert_eq!(headlines, ["a", "b"]);
//! assert_eq!(clock, Timestamp::from_micros(200_000), "5 queries a second");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "bridge")]
pub mod bridge;
#[expect(dead_code, reason = "the machines are built on these parts")]
pub mod engine;
mod error;
pub mod extraction;
pub mod http;
pub mod json;
#[cfg(feature = "plan")]
pub mod plan;
pub mod problem;
pub mod proxy;
mod rng;
#[cfg_attr(not(test), expect(dead_code, reason = "part of it is for proxied requests"))]
pub mod schedule;
#[cfg(feature = "service")]
pub mod service;
mod time;
pub mod zyte_api;

pub use error::{Error, codes};
pub use rng::Rng;
pub use time::Timestamp;

/// The version of this library, as sent in `User-Agent`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
