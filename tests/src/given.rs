//! The inputs of vectors, and outcomes that several operations share.

use core::time::Duration;

use serde_json::{Map, Value, json};
use silkline::{
    VERSION,
    http::{Headers, Request},
};

/// Fails on a member that the operation does not know: it would test nothing.
pub fn check_keys(given: &Value, known: &[&str]) {
    for key in given.as_object().expect("an object is given").keys() {
        assert!(known.contains(&key.as_str()), "unknown member {key}; known are {known:?}");
    }
}

/// A string.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}"))
}

/// An array of strings.
pub fn strings(value: &Value) -> Vec<String> {
    let array = value.as_array().unwrap_or_else(|| panic!("not an array: {value}"));
    array.iter().map(|item| text(item).to_owned()).collect()
}

/// A number of a status.
pub fn status(value: &Value) -> u16 {
    value.as_u64().and_then(|it| it.try_into().ok()).unwrap_or_else(|| panic!("no status: {value}"))
}

/// A body: a string, or `{"base64": …}`, `{"json": …}`, `{"repeat": [body, count]}`,
/// `{"concat": [body, …]}`. Nothing is an empty body.
pub fn body(value: &Value) -> Vec<u8> {
    let object = match value {
        Value::Null => return Vec::new(),
        Value::String(text) => return text.clone().into_bytes(),
        other => other.as_object().unwrap_or_else(|| panic!("no body: {value}")),
    };
    assert_eq!(object.len(), 1, "a body is one thing: {value}");
    let (form, value) = object.iter().next().expect("one member");
    match (form.as_str(), value) {
        ("base64", Value::String(encoded)) => decode_base64(encoded),
        ("json", value) => value.to_string().into_bytes(),
        ("repeat", Value::Array(parts)) => {
            let count = parts[1].as_u64().and_then(|count| count.try_into().ok());
            body(&parts[0]).repeat(count.expect("a count"))
        }
        ("concat", Value::Array(parts)) => parts.iter().flat_map(body).collect(),
        _ => panic!("no form of a body: {form}"),
    }
}

/// The same as text.
pub fn body_text(value: &Value) -> String {
    String::from_utf8(body(value)).expect("a text")
}

fn decode_base64(encoded: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for c in encoded.trim_end_matches('=').bytes() {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("not base64: {encoded}"),
        };
        (bits, held) = ((bits << 6) | u32::from(digit), held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).expect("a byte"));
        }
    }
    bytes
}

/// A list of `[name, value]` pairs, as received.
pub fn headers(value: &Value) -> Headers {
    let pairs = value.as_array().map(Vec::as_slice).unwrap_or_default();
    Headers::from_received(pairs.iter().map(|pair| (text(&pair[0]).into(), text(&pair[1]).into())))
}

/// Headers as pairs; the version of this library is written as `VERSION`.
pub fn headers_json(headers: &Headers) -> Value {
    let agent = format!("silkline/{VERSION}");
    let shown = |value: &str| value.replace(&agent, "silkline/VERSION");
    headers.iter().map(|(name, value)| json!([name, shown(value)])).collect()
}

/// A request, with its body as the JSON that it is.
pub fn request_json(request: &Request) -> Value {
    let body: Value = serde_json::from_slice(&request.body).expect("a body of JSON");
    json!({
        "method": request.method.as_str(),
        "url": request.url,
        "headers": headers_json(&request.headers),
        "body": body,
    })
}

/// Whole microseconds.
pub fn in_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).expect("within u64")
}

/// The members that say something: what is null is left out.
pub fn told<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(members.map(|(name, value)| (name.into(), value)).collect::<Map<_, _>>())
}

/// A JSON text as the value it is.
pub fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("not JSON ({error}): {json}"))
}

/// An outcome, or the error instead of it.
pub fn outcome(result: Result<Value, silkline::Error>) -> Value {
    result.unwrap_or_else(
        |error| json!({"error": {"code": error.code(), "message": error.to_string()}}),
    )
}
