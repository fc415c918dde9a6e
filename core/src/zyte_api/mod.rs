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

use alloc::string::String;

use crate::{Rng, extraction::Dialect, proxy::SessionId};

/// The id of a new session of the proxy mode: a UUID of version 4, made by whoever uses it (Zyte API
/// docs, Sessions).
///
/// ```
/// use silkline::{Rng, zyte_api::session_id};
///
/// assert_eq!(session_id(&mut Rng::new(1)).as_str(), "910a2dec-8902-4cc1-beeb-8da1658eec67");
/// ```
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "the digits of a UUID are a session id"
)]
pub fn session_id(rng: &mut Rng) -> SessionId {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let bits = (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64());
    // Version 4 and the variant of RFC 9562, section 5.4.
    let bits = (bits & !(0xf << 76)) | (0x4 << 76);
    let bits = (bits & !(0x3 << 62)) | (0x2 << 62);
    let mut id = String::with_capacity(36);
    for at in 0..32_u32 {
        if matches!(at, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        let digit = usize::try_from((bits >> (124 - 4 * at)) & 0xf).unwrap_or_default();
        id.extend(DIGITS.get(digit));
    }
    SessionId::new(id).expect("36 digits and dashes")
}

/// The dialects of extraction.
pub const EXTRACTION_DIALECTS: [Dialect; 2] = [Dialect::AUTOMATIC_EXTRACTION, EXTRACTION];

/// The extraction dialect of a name: `automatic_extraction` or `zyte_api`.
pub fn extraction_dialect(name: &str) -> Option<Dialect> {
    EXTRACTION_DIALECTS.into_iter().find(|dialect| dialect.name() == name)
}
