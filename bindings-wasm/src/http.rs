//! `silkline::http`.

use silkline::http;
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "parts")]
use crate::convert;
use crate::errors::Thrown;

/// The value of `Authorization` for a key.
#[cfg(feature = "parts")]
#[wasm_bindgen(js_name = basicAuthorization)]
pub fn basic_authorization(api_key: &str) -> Result<String, Thrown> {
    Ok(http::ApiKey::new(api_key)?.basic())
}

/// User and password of a Basic authorization value.
#[cfg(feature = "parts")]
#[wasm_bindgen(js_name = basicCredentials)]
pub fn basic_credentials(value: &str) -> Option<Vec<String>> {
    http::basic_credentials(value).map(|(user, password)| vec![user, password])
}

/// The moment an HTTP date stands for, in milliseconds since 1970.
#[cfg(feature = "parts")]
#[wasm_bindgen(js_name = parseHttpDate)]
pub fn parse_http_date(text: &str) -> Option<f64> {
    // Four digits of a year stay far below 2^53 milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "four digits of a year stay below 2^53")]
    http::parse_http_date(text).map(|seconds| seconds as f64 * 1000.0)
}

/// The delay that `Retry-After` asks for, in milliseconds.
#[cfg(feature = "parts")]
#[wasm_bindgen(js_name = retryAfter)]
pub fn retry_after(headers: &str) -> Option<f64> {
    http::retry_after(&convert::received_headers(headers)).map(convert::millis)
}

/// Fails on headers that cannot be sent. They come as names and values in turn.
#[cfg(feature = "protocol")]
#[wasm_bindgen(js_name = checkHeaders)]
#[expect(clippy::needless_pass_by_value, reason = "vectors cross by value")]
pub fn check_headers(texts: Vec<String>) -> Result<(), Thrown> {
    let mut headers = http::Headers::new();
    for pair in texts.chunks_exact(2) {
        if let [name, value] = pair {
            headers.append(name, value)?;
        }
    }
    Ok(())
}
