//! The vectors of the bridge: the older services' words on one side, Zyte API's on the other.

use core::slice;

use serde_json::{Value, json};
use silkline::{
    Error, Timestamp, VERSION,
    bridge::{
        BridgeConnect, BridgeRelay, BridgeSend, BridgeStep, BridgeTunnel, BridgedQuery, ProxyBridge,
    },
    extraction::{ExtractionApi, Query},
    http::{Method, Request, Response},
    proxy::ProxyApi,
    service::{
        extraction::{ExtractionConfig, ExtractionService, FetchQuery, Step},
        proxy::FetchFailure,
    },
    zyte_api,
};

use crate::{
    given::{body, check_keys, headers, headers_json, outcome, request_json, status, text, told},
    schedule::{at, steps},
    service::{authorized, keys, response_json, seed, stats_json},
};

/// Runs an operation of `bridge`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "bridge.extraction" => extraction(given),
        "bridge.proxy" => outcome(proxy(given)),
        _ => return None,
    })
}

// --- the Automatic Extraction API ---

/// The requests that go to Zyte API for a request of a program, and the program's answer, given
/// what Zyte API says to each.
fn extraction(given: &Value) -> Value {
    check_keys(given, &["seed", "key", "headers", "queries", "body", "upstream"]);
    let mut front = ExtractionService::new(ExtractionConfig::default(), seed(given));
    let mut head = authorized(given, "Authorization");
    head.append("Content-Type", "application/json").expect("a header");
    let content = match &given["queries"] {
        Value::Null => body(&given["body"]),
        queries => queries.to_string().into_bytes(),
    };
    let request = Request::new(Method::POST, "/v1/extract").with_headers(head).with_body(content);
    let none = Vec::new();
    let mut replies = given["upstream"].as_array().unwrap_or(&none).iter();
    let mut sent = Vec::new();
    let answer = match front.handle_request(&request, Timestamp::ZERO) {
        Step::Answer(answer) => answer,
        Step::Fetch { ticket, queries } => {
            let mut answers = queries.iter().filter_map(|query| {
                let bridged = bridged(query, &mut sent, &mut replies);
                let outcome = bridged.into();
                front.handle_fetched(ticket, query.index, &outcome, Timestamp::ZERO)
            });
            answers.next().expect("an answer")
        }
    };
    assert!(replies.next().is_none(), "more was said than asked");
    let mut response = answer.response;
    // The version of the algorithms that results name is that of this library.
    let content = str::from_utf8(&response.body).expect("UTF-8");
    response.body = content.replace(&format!("\"{VERSION}\""), "\"VERSION\"").into();
    let stats = front.stats();
    json!({
        "upstream": sent,
        "answer": response_json(&response),
        "billed": stats.billed,
        "unbilled": stats.unbilled,
    })
}

fn bridged<'a>(
    query: &FetchQuery,
    sent: &mut Vec<Value>,
    replies: &mut impl Iterator<Item = &'a Value>,
) -> BridgedQuery {
    let api = ExtractionApi::new("NEW-KEY").unwrap().with_dialect(zyte_api::EXTRACTION);
    let failed = |error: &Error| BridgedQuery::of_error(error.code(), &error.to_string(), None);
    let request = newer(query).and_then(|query| Ok((api.request(slice::from_ref(&query))?, query)));
    let (request, query) = match request {
        Ok(request) => request,
        Err(error) => return failed(&error),
    };
    sent.push(request_json(&request));
    let reply = replies.next().expect("what Zyte API says");
    check_keys(reply, &["status", "headers", "body", "failure"]);
    if let Some(code) = reply["failure"].as_str() {
        return BridgedQuery::of_error(code, "no answer", None);
    }
    let (head, content) = (headers(&reply["headers"]), body(&reply["body"]));
    match api.results(&[query], Response::new(status(&reply["status"]), head, content)) {
        Ok(results) => BridgedQuery::of_result(results[0].view()),
        Err(error) => BridgedQuery::of_error(error.code(), &error.to_string(), error.retry_after()),
    }
}

/// The query for Zyte API.
fn newer(query: &FetchQuery) -> Result<Query, Error> {
    let page_type = query.page_type.parse()?;
    let mut newer = Query::new_in(zyte_api::EXTRACTION, &query.url, page_type)?;
    if query.full_html {
        newer = newer.with_full_html(true);
    }
    if let Some(html) = &query.custom_html {
        newer = newer.with_custom_html(html)?;
    }
    Ok(newer)
}

// --- Smart Proxy Manager ---

fn proxy(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["upstream", "keys", "seed", "steps"]);
    let mut api = ProxyApi::new("NEW-KEY")?;
    if let Some(upstream) = given["upstream"].as_str() {
        api = api.with_endpoint(upstream)?;
    }
    let bridge = ProxyBridge::new(api, keys(given), seed(given));
    let mut run = Proxy { bridge, tunnel: None };
    Ok(steps(given).map(|step| run.step(step)).collect())
}

struct Proxy {
    bridge: ProxyBridge,
    tunnel: Option<Box<BridgeTunnel>>,
}

impl Proxy {
    fn step(&mut self, step: &Value) -> Value {
        let now = at(step, "at_us");
        let known = |keys: &[&str]| check_keys(step, &[&["at_us", "call"], keys].concat());
        let ticket = || step["ticket"].as_u64().expect("a ticket");
        match text(&step["call"]) {
            "connect" => {
                known(&["authority", "key", "headers"]);
                let request = Request::new(Method::CONNECT, text(&step["authority"]))
                    .with_headers(authorized(step, "Proxy-Authorization"));
                match self.bridge.handle_connect(&request, now) {
                    BridgeConnect::Answer(answer) => answered(&answer),
                    BridgeConnect::Tunnel(tunnel) => {
                        let shown = json!({"tunnel": {
                            "authority": tunnel.authority,
                            "headers": headers_json(&tunnel.answer_headers),
                        }});
                        self.tunnel = Some(tunnel);
                        shown
                    }
                }
            }
            "request" => {
                known(&["method", "url", "key", "headers", "tunnelled"]);
                let tunnel = self.tunnel.as_deref().filter(|_| step["tunnelled"] == true);
                let head = match tunnel {
                    Some(_) => headers(&step["headers"]),
                    None => authorized(step, "Proxy-Authorization"),
                };
                let method = step["method"].as_str().unwrap_or("GET").parse().expect("a method");
                let url = step["url"].as_str().unwrap_or("http://example.com/");
                let request = Request::new(method, url).with_headers(head);
                match self.bridge.handle_request(request, tunnel, now) {
                    BridgeStep::Answer(answer) => answered(&answer),
                    BridgeStep::Send(send) => json!({"send": send_json(&send)}),
                }
            }
            "response" => {
                known(&["ticket", "status", "headers", "body"]);
                let (status, head) = (status(&step["status"]), headers(&step["headers"]));
                let start = body(&step["body"]);
                match self.bridge.handle_response(ticket(), status, &head, &start, now) {
                    BridgeRelay::Answer(answer) => answered(&answer),
                    BridgeRelay::Pass { status, headers } => {
                        json!({"pass": {"status": status, "headers": headers_json(&headers)}})
                    }
                }
            }
            "connect_refused" => {
                known(&["ticket", "status", "headers"]);
                let (status, head) = (status(&step["status"]), headers(&step["headers"]));
                answered(&self.bridge.handle_connect_refused(ticket(), status, &head, b"", now))
            }
            "failed" => {
                known(&["ticket", "failure"]);
                let failure = FetchFailure::from_name(text(&step["failure"])).expect("a failure");
                answered(&self.bridge.handle_failed(ticket(), failure, now))
            }
            "closed" => {
                known(&["ticket"]);
                self.bridge.handle_closed(ticket(), now);
                Value::Null
            }
            "api" => {
                known(&["method", "path", "key", "headers"]);
                let method = text(&step["method"]).parse::<Method>().expect("a method");
                let request = Request::new(method, text(&step["path"]))
                    .with_headers(authorized(step, "Authorization"));
                answered(&self.bridge.handle_api(&request, now))
            }
            "unreadable" => {
                known(&["too_large"]);
                answered(&self.bridge.handle_unreadable(step["too_large"] == true, now))
            }
            "stats" => {
                known(&[]);
                stats_json(&self.bridge.stats_json())
            }
            other => panic!("no call is named {other}"),
        }
    }
}

fn answered(answer: &Response) -> Value {
    json!({"answer": response_json(answer)})
}

fn send_json(send: &BridgeSend) -> Value {
    let proxied = &send.proxied;
    told([
        ("ticket", json!(send.ticket)),
        ("method", json!(proxied.request.method.as_str())),
        ("url", json!(proxied.request.url)),
        ("headers", headers_json(&proxied.request.headers)),
        (
            "connect_headers",
            proxied.connect.as_ref().map_or(Value::Null, |connect| headers_json(&connect.headers)),
        ),
    ])
}
