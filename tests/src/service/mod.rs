//! The vectors of the services' side of Zyte API: scripts of calls of the machines, with what each
//! call gives.

mod extract;
mod proxy;

use serde_json::{Map, Value, json};
use silkline::{
    http::{ApiKey, Headers, Response},
    service::{Answer, Delivery, Keys, Pace, proxy::BanRule},
};

use crate::{
    given::{check_keys, headers, headers_json, outcome, parsed, status, strings, told},
    schedule::number,
};

/// Runs an operation of `service`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "service.zyte_api.extract" => outcome(extract::run(given)),
        "service.zyte_api.proxy" => outcome(proxy::run(given)),
        _ => return None,
    })
}

pub(crate) fn seed(given: &Value) -> u64 {
    given["seed"].as_u64().unwrap_or(1)
}

/// The keys of a configuration.
pub(crate) fn keys(config: &Value) -> Keys {
    let list = |name: &str| config[name].as_array().map(|_| strings(&config[name]));
    let owned = |keys: Vec<&str>| keys.into_iter().map(String::from).collect::<Vec<_>>();
    let keys = list("keys").map_or_else(Keys::any, |keys| Keys::only(owned(keys)));
    keys.with_disabled(owned(list("disabled_keys").unwrap_or_default()))
}

/// The headers of a step, after the authorization by its key, which is `KEY` if it says nothing.
pub(crate) fn authorized(step: &Value, header: &str) -> Headers {
    let mut all = Headers::new();
    let key = step.get("key").map_or(Some("KEY"), Value::as_str);
    if let Some(key) = key {
        let value = ApiKey::new(key).expect("a key").basic();
        all.append(header, value).expect("a header");
    }
    for (name, value) in headers(&step["headers"]).iter() {
        all.append(name, value).expect("a header");
    }
    all
}

/// A response: its body as JSON where it is said to be, else as text.
pub(crate) fn response_json(response: &Response) -> Value {
    let is_json = response.headers.get("Content-Type").is_some_and(|it| it.contains("json"));
    let text = str::from_utf8(&response.body).expect("UTF-8");
    let json = if is_json { serde_json::from_str::<Value>(text).ok() } else { None };
    let body = match json {
        Some(json) => json!({"json": json}),
        None if text.is_empty() => Value::Null,
        None => json!(text),
    };
    told([
        ("status", json!(response.status)),
        ("headers", headers_json(&response.headers)),
        ("body", body),
    ])
}

fn answer_json(answer: &Answer) -> Value {
    let mut shown = response_json(&answer.response);
    match answer.delivery {
        Delivery::Dropped => shown["dropped"] = json!(true),
        Delivery::Truncated(length) => shown["truncated"] = json!(length),
        _ => {}
    }
    shown
}

/// The counts that are not zero.
pub(crate) fn stats_json(json: &str) -> Value {
    let is_nothing = |value: &Value| value == 0 || value.as_object().is_some_and(Map::is_empty);
    let Value::Object(counts) = parsed(json) else { panic!("no counts: {json}") };
    Value::Object(counts.into_iter().filter(|(_, value)| !is_nothing(value)).collect())
}

/// So many requests a minute, all of them at once.
fn per_minute(rate: &Value) -> Pace {
    let rate = number(rate);
    Pace::per_second(f64::from(rate) / 60.0).expect("a rate").with_burst(rate)
}

/// Lists of a domain or null, statuses and texts.
fn ban_rules(value: &Value) -> Vec<BanRule> {
    let rule = |rule: &Value| {
        let statuses = rule[1].as_array().expect("statuses").iter().map(status).collect();
        let texts = strings(&rule[2]).into_iter().map(String::from).collect();
        BanRule::new(rule[0].as_str().map(String::from), statuses, texts)
    };
    value.as_array().expect("rules").iter().map(rule).collect()
}

fn owned(value: &Value) -> Vec<String> {
    strings(value).into_iter().map(String::from).collect()
}

fn ticket(step: &Value) -> u64 {
    step["ticket"].as_u64().expect("a ticket")
}

fn check_step(step: &Value, known: &[&str]) {
    check_keys(step, &[&["at_us", "call"], known].concat());
}

/// What reads an answer again: the input of an operation that does.
fn read_of<const N: usize>(answer: &Response, more: [(&str, Value); N]) -> Value {
    let text = str::from_utf8(&answer.body).expect("UTF-8");
    let mut given = json!({
        "status": answer.status,
        "headers": answer.headers.iter().map(|(name, value)| json!([name, value])).collect::<Value>(),
        "body": text,
    });
    for (name, value) in more {
        given[name] = value;
    }
    given
}
