//! How vectors write bodies, headers and objects.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use silkline::http::Headers;

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

/// A body: `{"text"}`, `{"base64"}`, `{"json"}`, `{"repeat": [body, times]}` or
/// `{"concat": [body, …]}`, a string being a text; nothing is empty.
pub fn body(value: &Value) -> Vec<u8> {
    let (kind, content) = match value {
        Value::Null => return Vec::new(),
        Value::String(text) => return text.clone().into_bytes(),
        Value::Object(members) if members.len() == 1 => members.iter().next().unwrap(),
        other => panic!("no body: {other}"),
    };
    match kind.as_str() {
        "text" => text(content).as_bytes().to_vec(),
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

/// Headers: a list of `[name, value]`, the value written as a body if it is long.
pub fn headers(value: &Value) -> Headers {
    let pairs = match value {
        Value::Null => return Headers::new(),
        value => value.as_array().expect("a list of headers"),
    };
    Headers::from_received(pairs.iter().map(|pair| {
        let value = String::from_utf8(body(&pair[1])).expect("a header value in utf-8");
        (text(&pair[0]).into(), value)
    }))
}

/// Headers as vectors write them.
pub fn headers_json(headers: &Headers) -> Value {
    headers.iter().map(|(name, value)| json!([name, value])).collect()
}
