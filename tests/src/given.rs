//! How vectors write bodies, headers and objects.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use silkline::{VERSION, http::Headers};

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
