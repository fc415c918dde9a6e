//! The vectors of `http`.

use serde_json::{Value, json};
use silkline::http::{ApiKey, Endpoint, Headers, basic_credentials, parse_http_date, retry_after};

use crate::given::{check_keys, headers, headers_json, in_micros, outcome, text};

/// Runs an operation of `http`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "http.basic" => {
            check_keys(given, &["key"]);
            outcome(
                ApiKey::new(text(&given["key"])).map(|key| json!(key.basic())).map_err(Into::into),
            )
        }
        "http.basic_credentials" => {
            check_keys(given, &["value"]);
            basic_credentials(text(&given["value"]))
                .map_or(Value::Null, |pair| json!([pair.0, pair.1]))
        }
        "http.date" => {
            check_keys(given, &["text"]);
            json!(parse_http_date(text(&given["text"])))
        }
        "http.endpoint" => {
            check_keys(given, &["endpoint"]);
            let endpoint = Endpoint::new(text(&given["endpoint"]));
            outcome(endpoint.map(|endpoint| json!(endpoint.as_str())).map_err(Into::into))
        }
        "http.headers" => {
            check_keys(given, &["pairs"]);
            outcome(appended(&given["pairs"]).map(|headers| headers_json(&headers)))
        }
        "http.headers_get" => {
            check_keys(given, &["pairs", "name"]);
            let (headers, name) = (headers(&given["pairs"]), text(&given["name"]));
            json!({"first": headers.get(name), "all": headers.get_all(name).collect::<Vec<_>>()})
        }
        "http.retry_after" => {
            check_keys(given, &["headers"]);
            json!(retry_after(&headers(&given["headers"])).map(in_micros))
        }
        _ => return None,
    })
}

fn appended(pairs: &Value) -> Result<Headers, silkline::Error> {
    let mut headers = Headers::new();
    for pair in pairs.as_array().expect("pairs") {
        headers.append(text(&pair[0]), text(&pair[1]))?;
    }
    Ok(headers)
}
