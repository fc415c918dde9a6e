//! The envelope scanner: finds the members of a large answer without decoding the items.
//!
//! An answer of the extraction services is a small envelope around large items. A [`Cursor`] walks
//! over the envelope and passes the items whole, handing out where they stand as a [`Span`] of the
//! bytes that came from the network; whoever wants an item decodes that span. Passing is not
//! trusting: everything that the cursor has passed is well-formed JSON in the sense of RFC 8259,
//! in strict UTF-8, nested no deeper than `serde_json` reads, so a span that was handed out can be
//! decoded later. Reading takes no memory besides the cursor, however hostile the text is.
//!
//! ```
//! use silkline::json::{Cursor, InvalidJson};
//!
//! let body = br#"[{"product": {"name": "A\u0041"}, "probability": 0.9}]"#;
//! let mut cursor = Cursor::new(body)?;
//! cursor.enter_array()?;
//! while cursor.next_element()? {
//!     cursor.enter_object()?;
//!     while let Some(name) = cursor.next_member()? {
//!         if name.equals("product") {
//!             let span = cursor.skip()?;
//!             assert_eq!(&body[span.start..span.end], br#"{"name": "A\u0041"}"#);
//!         }
//!     }
//! }
//! cursor.end()?;
//! # Ok::<(), InvalidJson>(())
//! ```

#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
mod blocks;
mod cursor;
mod error;
mod scan;
#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
mod simd;
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
#[path = "portable.rs"]
mod simd;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub use cursor::{Cursor, Kind};
pub use error::InvalidJson;
pub use text::{Span, Text};
pub use write::write_string;

/// The nesting at which a text is refused: 127 containers inside each other are read, the 128th is
/// an error. It is the limit of `serde_json`, so that whatever a [`Cursor`] passes can be decoded.
pub const MAX_DEPTH: usize = 128;
