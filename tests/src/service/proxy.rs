//! The scripts of proxy mode.

use core::net::IpAddr;

use serde_json::{Value, json};
use silkline::{
    Error,
    http::{Method, Request, Response},
    proxy::{ProxyApi, ProxyDialect},
    service::{
        Answer,
        proxy::{
            Connect, Fetch, FetchFailure, FetchOutcome, ProxyOutput, Relay, Step, Ticket, Tunnel,
        },
        zyte_api::proxy::{ZyteProxyConfig, ZyteProxyService},
    },
};

use super::{
    answer_json, authorized, ban_rules, check_step, keys, owned, per_minute, read_of, seed,
    stats_json, ticket,
};
use crate::{
    given::{
        body, check_keys, headers, headers_json, in_micros, outcome, status, strings, text, told,
    },
    proxy,
    schedule::{at, duration, number, steps},
};

pub(super) fn run(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["config", "seed", "steps"]);
    let (config, faults) = config(&given["config"]);
    let mut service = ZyteProxyService::new(config, seed(given));
    if let Some(faults) = faults {
        service = service.with_faults(&faults)?;
    }
    let mut run = Proxy { service, tunnel: None, last: None };
    Ok(steps(given).map(|step| outcome(run.step(step))).collect())
}

fn config(given: &Value) -> (ZyteProxyConfig, Option<String>) {
    let mut config = ZyteProxyConfig::default();
    config.keys = keys(given);
    let mut faults = None;
    for (name, value) in given.as_object().into_iter().flatten() {
        let count = || value.as_u64().and_then(|count| usize::try_from(count).ok()).unwrap();
        let time = || duration(value).expect("a duration");
        match name.as_str() {
            "keys" | "disabled_keys" => {}
            "outgoing" => {
                let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
                config.outgoing = strings(value).into_iter().map(parse).collect();
            }
            "sessions_per_address" => config.sessions_per_address = count(),
            "max_sessions" => config.max_sessions = count(),
            "session_life_us" => config.session_life = time(),
            "session_idle_us" => config.session_idle = time(),
            "session_bans" => config.session_bans = number(value),
            "retries" => config.retries = number(value),
            "max_redirects" => config.max_redirects = number(value),
            "max_header_bytes" => config.max_header_bytes = count(),
            "max_body_bytes" => config.max_body_bytes = value.as_u64().unwrap(),
            "rate" => config = config.with_pace(per_minute(value)),
            "system_rate" => config = config.with_system_pace(Some(per_minute(value))),
            "domain_rate" => config = config.with_domain_pace(Some(per_minute(value))),
            "forbidden_domains" => config.forbidden_domains = owned(value),
            "bans" => config.bans = ban_rules(value),
            "faults" => faults = Some(value.to_string()),
            _ => panic!("no setting is named {name}"),
        }
    }
    (config, faults)
}

struct Proxy {
    service: ZyteProxyService,
    tunnel: Option<Tunnel>,
    /// The last answer, the service's or a target's.
    last: Option<Response>,
}

impl Proxy {
    fn step(&mut self, step: &Value) -> Result<Value, Error> {
        let now = at(step, "at_us");
        Ok(match text(&step["call"]) {
            "connect" => {
                check_step(step, &["authority", "key", "headers"]);
                let request = Request::new(Method::CONNECT, text(&step["authority"]))
                    .with_headers(authorized(step, "Proxy-Authorization"));
                match self.service.handle_connect(&request, now) {
                    Connect::Answer(answer) => json!({"answer": self.answered(&answer)}),
                    Connect::Tunnel(tunnel) => {
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
                let request = proxied_request(step)?;
                let tunnel = self.tunnel.as_ref().filter(|_| step["tunnelled"] == true);
                let done = self.service.handle_request(request, tunnel, now);
                self.show(step, done)
            }
            "responded" => {
                check_step(step, &["ticket", "status", "headers", "body", "full"]);
                let outcome = FetchOutcome::Responded {
                    status: status(&step["status"]),
                    headers: headers(&step["headers"]),
                    body_start: body(&step["body"]),
                };
                let done = self.service.handle_fetched(Ticket(ticket(step)), outcome, now);
                self.show(step, done)
            }
            "failed" => {
                check_step(step, &["ticket", "failure", "full"]);
                let failure = FetchFailure::from_name(text(&step["failure"])).expect("a failure");
                let outcome = FetchOutcome::Failed(failure);
                let done = self.service.handle_fetched(Ticket(ticket(step)), outcome, now);
                self.show(step, done)
            }
            "finished" => {
                check_step(step, &["ticket", "bytes"]);
                let bytes = step["bytes"].as_u64().expect("a number");
                self.service.handle_finished(Ticket(ticket(step)), bytes, now);
                Value::Null
            }
            "closed" => {
                check_step(step, &["ticket"]);
                self.service.handle_closed(Ticket(ticket(step)), now);
                Value::Null
            }
            "api" => {
                check_step(step, &["method", "path", "key", "headers"]);
                let method = text(&step["method"]).parse::<Method>().expect("a method");
                let request = Request::new(method, text(&step["path"]))
                    .with_headers(authorized(step, "Authorization"));
                let answer = self.service.handle_api(&request, now);
                json!({"answer": self.answered(&answer)})
            }
            "unreadable" => {
                check_step(step, &["too_large"]);
                let answer = self.service.handle_unreadable(step["too_large"] == true, now);
                json!({"answer": self.answered(&answer)})
            }
            "poll" => {
                check_step(step, &["full"]);
                match self.service.poll(now) {
                    ProxyOutput::Fetch(fetch) => json!({"fetch": fetch_json(step, &fetch)}),
                    ProxyOutput::WaitUntil(at) => json!({"wait_until_us": at.as_micros()}),
                    ProxyOutput::Idle => Value::Null,
                }
            }
            "read" => {
                check_step(step, &[]);
                let answer = self.last.as_ref().expect("an answer");
                proxy::run("zyte_api.proxy_read", &read_of(answer, [])).expect("an operation")
            }
            "stats" => {
                check_step(step, &[]);
                stats_json(&self.service.stats().to_json())
            }
            other => panic!("no call is named {other}"),
        })
    }

    fn answered(&mut self, answer: &Answer) -> Value {
        self.last = Some(answer.response.clone());
        answer_json(answer)
    }

    fn show(&mut self, step: &Value, done: Step) -> Value {
        match done {
            Step::Answer(answer) => json!({"answer": self.answered(&answer)}),
            Step::Fetch(fetch) => json!({"fetch": fetch_json(step, &fetch)}),
            Step::Relay(relay) => json!({"relay": self.relayed(&relay)}),
            Step::Wait(ticket) => json!({"wait": ticket.0}),
        }
    }

    fn relayed(&mut self, relay: &Relay) -> Value {
        self.last = Some(Response::new(relay.status, relay.headers.clone(), Vec::new()));
        told([
            ("ticket", json!(relay.ticket.0)),
            ("status", json!(relay.status)),
            ("headers", headers_json(&relay.headers)),
            ("truncated", json!(relay.truncate)),
        ])
    }
}

/// A request for a target: with `options`, as the dialect writes it, or as it is given.
fn proxied_request(step: &Value) -> Result<Request, Error> {
    check_step(step, &["method", "url", "key", "headers", "options", "tunnelled", "full"]);
    let method = step["method"].as_str().unwrap_or("GET").parse::<Method>().expect("a method");
    let url = step["url"].as_str().unwrap_or("http://example.com/");
    if !step["options"].is_null() {
        let api = ProxyApi::new("KEY")?.with_dialect(ProxyDialect::ZyteApi);
        let target = Request::new(method, url).with_headers(headers(&step["headers"]));
        return Ok(api.request(target, &proxy::from_given(&step["options"])?)?.request);
    }
    let headers = if step["tunnelled"] == true {
        headers(&step["headers"])
    } else {
        authorized(step, "Proxy-Authorization")
    };
    Ok(Request::new(method, url).with_headers(headers))
}

/// A fetch; its headers where the step asks for all of it.
fn fetch_json(step: &Value, fetch: &Fetch) -> Value {
    let full = step["full"] == true;
    let of_full = |value: Value| if full { value } else { Value::Null };
    told([
        ("ticket", json!(fetch.ticket.0)),
        ("outgoing", json!(fetch.outgoing.to_string())),
        ("method", json!(fetch.request.method.as_str())),
        ("url", json!(fetch.request.url)),
        ("headers", of_full(headers_json(&fetch.request.headers))),
        ("timeout_us", of_full(json!(in_micros(fetch.timeout)))),
        ("inspect_body", of_full(json!(fetch.inspect_body))),
    ])
}
