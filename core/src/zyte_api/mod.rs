//! Zyte API, the successor of both services, in their words: the same queries and options go out as
//! its requests, and its answers come back as theirs.
//!
//! ```
//! use silkline::{
//!     extraction::{ExtractionApi, PageType, Query},
//!     http::{Headers, Response},
//!     zyte_api,
//! };
//!
//! let api = ExtractionApi::new("my-key")?.with_dialect(zyte_api::EXTRACTION);
//! let queries = [Query::new("https://example.com/a", PageType::Product)?];
//! let request = api.request(&queries)?;
//! assert_eq!(request.url, "https://api.zyte.com/v1/extract");
//! assert_eq!(request.body, br#"{"url":"https://example.com/a","product":true}"#);
//! let body = r#"{"url": "https://example.com/a", "statusCode": 200,
//!                "product": {"name": "Lamp", "brand": {"name": "B"}, "metadata": {"probability": 0.5}}}"#;
//! let results = api.results(&queries, Response::new(200, Headers::new(), body))?;
//! assert_eq!(results[0].item().unwrap()?["brand"], "B");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod errors;
mod extraction;
pub mod items;

pub use extraction::EXTRACTION;

use crate::extraction::Dialect;

/// The dialects of extraction.
pub const EXTRACTION_DIALECTS: [Dialect; 2] = [Dialect::AUTOMATIC_EXTRACTION, EXTRACTION];

/// The extraction dialect of a name: `automatic_extraction` or `zyte_api`.
pub fn extraction_dialect(name: &str) -> Option<Dialect> {
    EXTRACTION_DIALECTS.into_iter().find(|dialect| dialect.name() == name)
}
