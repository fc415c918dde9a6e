//! The only place that knows how JavaScript writes durations, headers and bytes.

use core::time::Duration;

use silkline::http::Headers;

/// Milliseconds, as JavaScript counts time; a fraction keeps the microseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Headers that came as a JSON array of pairs, which the JavaScript side made.
pub(crate) fn received_headers(pairs: &str) -> Headers {
    Headers::from_received(serde_json::from_str::<Vec<(String, String)>>(pairs).unwrap_or_default())
}
