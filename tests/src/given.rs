//! How vectors write bodies, headers and objects.

use core::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use silkline::{
    VERSION,
    http::{Headers, Request},
};

/// Fails on a member that the operation does not know, so that no case tests less than it says.
pub fn check_keys(given: &Value, known: &[&str]) {
    for key in given.as_object().expect("an object").keys() {
        assert!(known.contains(&key.as_str()), "unknown key {key}, not one of {known:?}");
    }
}

/// A string that must be there.
pub fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// A list of strings.
pub fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(text).collect()
}

/// A body: a string, or `{"base64": …}`, `{"json": …}`, `{"repeat": [body, count]}`,
/// `{"concat": [body, …]}`. Nothing is an empty body.
pub fn body(value: &Value) -> Vec<u8> {
    let (kind, content) = match value {
        Value::Null => return Vec::new(),
        Value::String(text) => return text.clone().into_bytes(),
        Value::Object(members) if members.len() == 1 => members.iter().next().unwrap(),
        other => panic!("no body: {other}"),
    };
    match kind.as_str() {
        "base64" => STANDARD.decode(text(content)).expect("base64"),
        "json" => serde_json::to_vec(content).unwrap(),
        "repeat" => {
            let times = content[1].as_u64().and_then(|times| times.try_into().ok());
            body(&content[0]).repeat(times.expect("how many times"))
        }
        "concat" => content.as_array().expect("a list").iter().flat_map(body).collect(),
        other => panic!("no body is called {other}"),
    }
}

/// Headers as pairs; the version of this library is written as `VERSION`.
pub fn headers_json(headers: &Headers) -> Value {
    let agent = format!("silkline/{VERSION}");
    let shown = |value: &str| value.replace(&agent, "silkline/VERSION");
    headers.iter().map(|(name, value)| json!([name, shown(value)])).collect()
}

/// The same as [`body`], as text.
pub fn body_text(value: &Value) -> String {
    String::from_utf8(body(value)).expect("a text")
}

/// A status code.
pub fn status(value: &Value) -> u16 {
    value.as_u64().and_then(|status| status.try_into().ok()).expect("a status")
}

/// A list of `[name, value]` pairs, as received.
pub fn headers(value: &Value) -> Headers {
    let pairs = value.as_array().map(Vec::as_slice).unwrap_or_default();
    Headers::from_received(pairs.iter().map(|pair| (text(&pair[0]).into(), text(&pair[1]).into())))
}

/// A request whose body is JSON.
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
