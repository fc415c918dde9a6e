//! The only place that knows how JavaScript writes durations, headers and bytes.

use core::time::Duration;

use js_sys::{Array, Uint8Array};
use silkline::http::{Headers, Request};

/// Milliseconds, as JavaScript counts time; a fraction keeps the microseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Headers that came as a JSON array of pairs, which the JavaScript side made.
pub(crate) fn received_headers(pairs: &str) -> Headers {
    Headers::from_received(serde_json::from_str::<Vec<(String, String)>>(pairs).unwrap_or_default())
}

/// A request as method, URL, headers and body. Names and values of the headers come as lines:
/// none of them can hold a line feed, and one text crosses faster than ten.
pub(crate) fn request(request: &Request) -> Array {
    let mut lines = String::new();
    for (name, value) in request.headers.iter() {
        for text in [name, value] {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(text);
        }
    }
    Array::of4(
        &request.method.as_str().into(),
        &request.url.as_str().into(),
        &lines.into(),
        &Uint8Array::from(request.body.as_slice()).into(),
    )
}
