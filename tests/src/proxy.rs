//! The vectors of `proxy`: what each operation calls, and its outcome as plain JSON.

use core::time::Duration;

use serde_json::{Map, Value, json};
use silkline::{
    Error,
    http::{Headers, Method, Request},
    proxy::{
        Cookies, DebugFields, Leak, OptionPlace, OutgoingAddress, Profile, ProxiedRequest,
        ProxyAnswer, ProxyApi, ProxyDialect, ProxyOptions, ProxyServiceError, Session, SessionId,
        connect_status, proxy_leaks, read_connect_failure, strip_proxy_leaks,
    },
};

use crate::given::{body, check_keys, headers_json, strings, text};

/// Runs an operation of `proxy`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    if let Some(op) = op.strip_prefix("zyte_api.proxy_") {
        let mut given = given.clone();
        given["dialect"] = json!("zyte_api");
        return run(&format!("proxy.{op}"), &given);
    }
    let outcome = match op {
        "proxy.options" => from_given(given).map(|options| options_json(&options)),
        "proxy.options_from_headers" => {
            check_keys(given, &["headers"]);
            ProxyOptions::from_headers(&headers(&given["headers"]))
                .map(|options| options_json(&options))
                .map_err(Error::from)
        }
        "proxy.options_with_defaults" => {
            check_keys(given, &["options", "defaults"]);
            from_given(&given["options"]).and_then(|options| {
                let filled = options.with_defaults(&from_given(&given["defaults"])?)?;
                Ok(options_json(&filled))
            })
        }
        "proxy.request" => request(given),
        "proxy.headers_size" => headers_size(given),
        "proxy.create_session" => {
            api(given, &[]).and_then(|api| Ok(request_json(&api.create_session()?)))
        }
        "proxy.list_sessions" => {
            api(given, &[]).and_then(|api| Ok(request_json(&api.list_sessions()?)))
        }
        "proxy.delete_session" => api(given, &["session"]).and_then(|api| {
            let id = SessionId::new(text(&given["session"]))?;
            Ok(request_json(&api.delete_session(&id)?))
        }),
        "proxy.endpoint" => api(given, &[]).map(|api| {
            json!({
                "endpoint": api.endpoint(),
                "endpoint_with_key": api.endpoint_with_key(),
                "authorization": api.authorization(),
            })
        }),
        "proxy.read" => Ok(answered(given, |api, status, headers, body| {
            answer_json(&api.read(status, headers, body))
        })),
        "proxy.read_connect" => Ok(answered(given, |api, status, headers, body| {
            api.read_connect(status, headers, body).map_or(Value::Null, |error| error_json(&error))
        })),
        "proxy.read_connect_failure" => {
            check_keys(given, &["status"]);
            let error = read_connect_failure(status(given));
            Ok(error.map_or(Value::Null, |error| error_json(&error)))
        }
        "proxy.connect_status" => {
            check_keys(given, &["message"]);
            Ok(json!(connect_status(text(&given["message"]))))
        }
        "proxy.read_created_session" => answered(given, |api, status, headers, body| {
            let id = api.read_created_session(status, headers, body)?;
            Ok(json!(id.as_str()))
        }),
        "proxy.read_session_list" => answered(given, |api, status, headers, body| {
            let list = api.read_session_list(status, headers, body)?;
            let sessions: Vec<_> = list
                .sessions
                .iter()
                .map(|(id, address)| {
                    json!([id.as_str(), address.as_ref().map(OutgoingAddress::as_str)])
                })
                .collect();
            let duplicates: Vec<_> = list.duplicates.iter().map(SessionId::as_str).collect();
            Ok(json!({"sessions": sessions, "duplicates": duplicates}))
        }),
        "proxy.read_deleted_session" => answered(given, |api, status, headers, body| {
            api.read_deleted_session(status, headers, body)?;
            Ok(Value::Null)
        }),
        "proxy.leaks" => leaks_of(given),
        _ => return None,
    };
    Some(outcome.unwrap_or_else(
        |error| json!({"error": {"code": error.code(), "message": error.to_string()}}),
    ))
}

/// The dialect that is given, if there is one.
pub(crate) fn dialect(given: &Value) -> ProxyDialect {
    given["dialect"].as_str().map_or_else(ProxyDialect::default, |name| {
        ProxyDialect::from_name(name).expect("a dialect")
    })
}

fn api(given: &Value, more: &[&str]) -> Result<ProxyApi, Error> {
    let known = ["key", "endpoint", "option_place", "dialect", "follow_redirects"];
    check_keys(given, &[&known, more].concat());
    let mut api = ProxyApi::new(given["key"].as_str().unwrap_or("key"))?
        .with_dialect(dialect(given))
        .with_follow_redirects(given["follow_redirects"].as_bool().unwrap_or(false));
    if let Some(endpoint) = given["endpoint"].as_str() {
        api = api.with_endpoint(endpoint)?;
    }
    Ok(match given["option_place"].as_str() {
        Some("connect") => api.with_option_place(OptionPlace::Connect),
        Some("inside") => api.with_option_place(OptionPlace::Inside),
        Some(other) => panic!("no place is called {other}"),
        None => api,
    })
}

/// Headers whose values are written as bodies where they are long.
fn headers(value: &Value) -> Headers {
    let pairs = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let value = |value| String::from_utf8(body(value)).expect("a header value in utf-8");
    Headers::from_received(pairs.iter().map(|pair| (text(&pair[0]).into(), value(&pair[1]))))
}

fn status(given: &Value) -> u16 {
    given["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status")
}

fn answered<T>(given: &Value, read: impl Fn(&ProxyApi, u16, &Headers, &[u8]) -> T) -> T {
    check_keys(given, &["status", "headers", "body", "dialect"]);
    let api = ProxyApi::new("key").expect("a valid key").with_dialect(dialect(given));
    read(&api, status(given), &headers(&given["headers"]), &body(&given["body"]))
}

fn micros(value: &Value) -> Duration {
    Duration::from_micros(value.as_u64().expect("whole microseconds"))
}

fn in_micros(duration: Duration) -> Value {
    json!(u64::try_from(duration.as_micros()).expect("within u64"))
}

pub(crate) fn from_given(given: &Value) -> Result<ProxyOptions, Error> {
    let mut options = ProxyOptions::new();
    for (name, value) in given.as_object().expect("an object of options") {
        options = match name.as_str() {
            "session" => options.with_session(text(value).parse::<Session>()?)?,
            "max_retries" => options.with_max_retries(value.as_u64().unwrap())?,
            "timeout_us" => options.with_timeout(micros(value))?,
            "cookies" => options.with_cookies(text(value).parse()?),
            "profile" => options.with_profile(text(value).parse()?),
            "profile_pass" => options.with_profile_pass(strings(value))?,
            "ua" => {
                let words = [("ua", text(value))];
                options.with_defaults(&ProxyOptions::from_words(words, &Headers::new())?)?
            }
            "no_bancheck" => options.with_no_bancheck(value.as_bool().unwrap()),
            "region" => options.with_region(text(value))?,
            "state" => options.with_state(text(value))?,
            "city" => options.with_city(text(value))?,
            "job_id" => options.with_job_id(text(value))?,
            "client" => options.with_client(text(value))?,
            "debug" => {
                let fields = strings(value).join(",").parse::<DebugFields>()?;
                options.with_debug(fields)
            }
            "use_https" => options.with_use_https(value.as_bool().unwrap()),
            "extra" => {
                for (name, value) in headers(value).iter() {
                    options = options.with_extra(name, value)?;
                }
                options
            }
            other => panic!("no option is called {other}"),
        };
    }
    Ok(options)
}

/// What is set, with the headers that say it and the warnings.
fn options_json(options: &ProxyOptions) -> Value {
    let debug: Vec<_> = options.debug().words().collect();
    let extra: Vec<_> = options.extra().iter().map(|(name, value)| json!([name, value])).collect();
    let warnings: Vec<_> = options.warnings().iter().map(|warning| warning.code()).collect();
    let mut shown = set_only([
        ("session", json!(options.session().map(Session::as_str))),
        ("max_retries", json!(options.max_retries())),
        ("timeout_us", options.timeout().map_or(Value::Null, in_micros)),
        ("cookies", json!(options.cookies().map(Cookies::as_str))),
        ("profile", json!(options.profile().map(Profile::as_str))),
        ("profile_pass", json!(options.profile_pass())),
        ("ua", json!(options.ua().map(Profile::as_str))),
        ("no_bancheck", json!(options.no_bancheck())),
        ("region", json!(options.region())),
        ("state", json!(options.state())),
        ("city", json!(options.city())),
        ("job_id", json!(options.job_id())),
        ("client", json!(options.client())),
        ("debug", json!(debug)),
        ("use_https", json!(options.use_https())),
        ("extra", json!(extra)),
        ("warnings", json!(warnings)),
    ]);
    shown.insert("headers".into(), headers_json(&options.headers()));
    Value::Object(shown)
}

/// Without what is null, false or empty.
fn set_only<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    let unset = [json!(null), json!(false), json!([])];
    let set = members.into_iter().filter(|(_, value)| !unset.contains(value));
    set.map(|(name, value)| (name.into(), value)).collect()
}

fn given_request(given: &Value) -> Request {
    check_keys(given, &["method", "url", "headers", "body"]);
    let method: Method = given["method"].as_str().unwrap_or("GET").parse().expect("a method");
    Request::new(method, text(&given["url"]))
        .with_headers(headers(&given["headers"]))
        .with_body(body(&given["body"]))
}

fn request_json(request: &Request) -> Value {
    let mut shown = json!({
        "method": request.method.as_str(),
        "url": request.url,
        "headers": headers_json(&request.headers),
    });
    if !request.body.is_empty() {
        shown["body"] = json!(String::from_utf8_lossy(&request.body));
    }
    shown
}

fn proxied(given: &Value) -> Result<ProxiedRequest, Error> {
    let options = match &given["options"] {
        Value::Null => ProxyOptions::new(),
        options => from_given(options)?,
    };
    Ok(api(given, &["target", "options"])?.request(given_request(&given["target"]), &options)?)
}

fn request(given: &Value) -> Result<Value, Error> {
    let proxied = proxied(given)?;
    let mut shown = set_only([
        ("connect", proxied.connect.as_ref().map_or(Value::Null, request_json)),
        ("warnings", proxied.warnings.iter().map(|warning| warning.code()).collect()),
    ]);
    shown.insert("request".into(), request_json(&proxied.request));
    Ok(Value::Object(shown))
}

fn headers_size(given: &Value) -> Result<Value, Error> {
    let proxied = proxied(given)?;
    let connect = proxied.connect.map(|connect| connect.headers.wire_size());
    let mut shown = set_only([("connect", json!(connect))]);
    shown.insert("request".into(), json!(proxied.request.headers.wire_size()));
    Ok(Value::Object(shown))
}

fn error_json(error: &ProxyServiceError) -> Value {
    let mut shown = set_only([
        ("retry_after_us", error.retry_after.map_or(Value::Null, in_micros)),
        ("is_ban", json!(error.is_ban())),
        ("billed", json!(error.billed())),
    ]);
    shown.insert("code".into(), json!(error.code()));
    shown.insert("status".into(), json!(error.status));
    shown.insert("action".into(), json!(error.action().as_str()));
    for (name, value) in [("text", &error.text), ("detail", &error.detail)] {
        if !value.is_empty() {
            shown.insert(name.into(), json!(value));
        }
    }
    Value::Object(shown)
}

fn answer_json(answer: &ProxyAnswer) -> Value {
    let outgoing = answer.outgoing.as_ref();
    let mut shown = set_only([
        ("session", json!(answer.session.as_ref().map(SessionId::as_str))),
        ("outgoing", json!(outgoing.map(OutgoingAddress::as_str))),
        ("outgoing_host", json!(outgoing.map(OutgoingAddress::host))),
        ("outgoing_port", json!(outgoing.and_then(OutgoingAddress::port))),
        ("version", json!(answer.version)),
        ("next_request_in_us", answer.next_request_in.map_or(Value::Null, in_micros)),
        ("retry_after_us", answer.retry_after.map_or(Value::Null, in_micros)),
        ("debug_request_time_us", answer.debug_request_time.map_or(Value::Null, in_micros)),
        ("debug_ua", json!(answer.debug_ua)),
        ("billed", json!(answer.billed())),
        ("error", answer.error.as_ref().map_or(Value::Null, error_json)),
    ]);
    shown.insert("origin".into(), json!(answer.origin.as_str()));
    Value::Object(shown)
}

fn leaks_of(given: &Value) -> Result<Value, Error> {
    let api = api(given, &["request"])?;
    let request = given_request(&given["request"]);
    let shown = |found: &[Leak]| -> Value {
        found.iter().map(|leak| json!([leak.name, leak.kind.as_str()])).collect()
    };
    let by_name = proxy_leaks(&request.headers);
    let stripped = strip_proxy_leaks(request.headers.clone());
    assert!(proxy_leaks(&stripped).is_empty(), "stripping left a leak");
    Ok(json!({
        "leaks": shown(&api.leaks(&request)),
        "header_leaks": shown(&by_name),
        "stripped": request_json(&api.strip_leaks(request)),
    }))
}
