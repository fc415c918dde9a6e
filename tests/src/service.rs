//! The vectors of the services' side of Zyte API: scripts of calls of the machines, with what each
//! call gives.

use core::net::IpAddr;

use serde_json::{Map, Value, json};
use silkline::{
    Error,
    extraction::{ExtractionApi, Query},
    http::{ApiKey, Headers, Method, Request, Response},
    proxy::{ProxyApi, ProxyDialect},
    service::{
        Answer, Delivery, Keys, Pace,
        extraction::{ServiceOutput, Ticket as ExtractTicket},
        proxy::{
            BanRule, Connect, Fetch, FetchFailure, FetchOutcome, ProxyOutput, Relay, Step, Ticket,
            Tunnel,
        },
        zyte_api::{
            PageFailure, PageOutcome, PageWish, ZyteApiConfig, ZyteApiService, ZyteApiStep,
            proxy::{ZyteProxyConfig, ZyteProxyService},
        },
    },
    zyte_api,
};

use crate::{
    extraction,
    given::{
        body, check_keys, headers, headers_json, in_micros, outcome, parsed, status, strings, text,
        told,
    },
    proxy,
    schedule::{at, duration, number, steps},
};

/// Runs an operation of `service`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "service.zyte_api.extract" => outcome(extract(given)),
        "service.zyte_api.proxy" => outcome(proxy_mode(given)),
        _ => return None,
    })
}

// --- what both, and bridges, share ---

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
        all.push_basic(header, key);
    }
    for (name, value) in headers(&step["headers"]).iter() {
        all.append(name, value).expect("a header");
    }
    all
}

trait PushBasic {
    fn push_basic(&mut self, header: &str, key: &str);
}

impl PushBasic for Headers {
    fn push_basic(&mut self, header: &str, key: &str) {
        let value = ApiKey::new(key).expect("a key").basic();
        self.append(header, value).expect("a header");
    }
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

// --- POST /v1/extract ---

fn extract(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["config", "seed", "steps"]);
    let config = extract_config(&given["config"])?;
    let service = ZyteApiService::new(config, seed(given));
    let mut run = Extract { service, queries: Value::Null, last: None };
    Ok(steps(given).map(|step| outcome(run.step(step))).collect())
}

fn extract_config(given: &Value) -> Result<ZyteApiConfig, Error> {
    let mut config = ZyteApiConfig::default().with_keys(keys(given));
    for (name, value) in given.as_object().into_iter().flatten() {
        config = match name.as_str() {
            "keys" | "disabled_keys" => config,
            "rate" => config.with_pace(per_minute(value)),
            "system_rate" => config.with_system_pace(Some(per_minute(value))),
            "domain_rate" => config.with_domain_pace(Some(per_minute(value))),
            "occupied_us" => {
                let domains = value.as_object().expect("times by domain").iter();
                config.with_occupied(
                    domains.map(|(domain, time)| (domain.clone(), duration(time).unwrap())),
                )
            }
            "max_payload" => config.with_max_payload(number(value).try_into().unwrap()),
            "timeout_us" => config.with_timeout(duration(value).expect("a duration")),
            "forbidden_domains" => config.with_forbidden(owned(value)),
            "bans" => config.with_bans(ban_rules(value)),
            "faults" => config.with_faults(&value.to_string())?,
            _ => panic!("no setting is named {name}"),
        };
    }
    Ok(config)
}

struct Extract {
    service: ZyteApiService,
    /// The queries of the last request, as an array, if it was one of the older vocabulary.
    queries: Value,
    /// The last answer.
    last: Option<Response>,
}

impl Extract {
    fn step(&mut self, step: &Value) -> Result<Value, Error> {
        let now = at(step, "at_us");
        Ok(match text(&step["call"]) {
            "request" => {
                let request = self.request(step)?;
                match self.service.handle_request(&request, now) {
                    ZyteApiStep::Answer(answer) => json!({"answer": self.answered(&answer)}),
                    ZyteApiStep::Fetch { ticket, wish } => {
                        json!({"fetch": wish_json(ticket, wish.as_deref())})
                    }
                }
            }
            "fetched" => {
                check_step(step, &["ticket", "page", "failure"]);
                let outcome = match step["failure"].as_str() {
                    Some(name) => {
                        PageOutcome::Failed(PageFailure::from_name(name).expect("a failure"))
                    }
                    None => page(&step["page"]),
                };
                let ticket = ExtractTicket::from_number(ticket(step));
                let answer = self.service.handle_fetched(ticket, outcome, now);
                answer.map_or(Value::Null, |answer| json!({"answer": self.answered(&answer)}))
            }
            "malformed" => {
                check_step(step, &[]);
                let answer = self.service.handle_malformed(now);
                json!({"answer": self.answered(&answer)})
            }
            "closed" => {
                check_step(step, &["ticket"]);
                self.service.handle_closed(ExtractTicket::from_number(ticket(step)), now);
                Value::Null
            }
            "poll" => {
                check_step(step, &[]);
                match self.service.poll(now) {
                    ServiceOutput::Answer { ticket, answer } => {
                        json!({"ticket": ticket.number(), "answer": self.answered(&answer)})
                    }
                    ServiceOutput::WaitUntil(at) => json!({"wait_until_us": at.as_micros()}),
                    ServiceOutput::Idle => Value::Null,
                }
            }
            "read" => {
                check_step(step, &["query"]);
                let answer = self.last.as_ref().expect("an answer");
                let queries = match &step["query"] {
                    Value::Null => self.queries.clone(),
                    query => json!([query]),
                };
                let given = read_of(answer, [("queries", queries)]);
                extraction::run("zyte_api.results", &given).expect("an operation")
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

    /// A request: of the older vocabulary's `query` through the dialect, or as it is given.
    fn request(&mut self, step: &Value) -> Result<Request, Error> {
        if !step["query"].is_null() {
            check_step(step, &["query"]);
            self.queries = json!([step["query"]]);
            let api = ExtractionApi::new("KEY")?.with_dialect(zyte_api::EXTRACTION);
            let query = Query::from_json_in(zyte_api::EXTRACTION, &step["query"].to_string())?;
            return Ok(api.request(&[query])?);
        }
        check_step(step, &["method", "url", "key", "headers", "body"]);
        let method = step["method"].as_str().unwrap_or("POST").parse().expect("a method");
        let mut headers = authorized(step, "Authorization");
        if step["headers"].is_null() {
            headers.append("Content-Type", "application/json").expect("a header");
        }
        Ok(Request::new(method, step["url"].as_str().unwrap_or("/v1/extract"))
            .with_headers(headers)
            .with_body(body(&step["body"])))
    }
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

fn page(given: &Value) -> PageOutcome {
    check_keys(given, &["url", "status", "headers", "body", "browser_html", "item"]);
    let item = &given["item"];
    PageOutcome::Page {
        url: text(&given["url"]).into(),
        status: status(&given["status"]),
        headers: headers(&given["headers"]),
        body: body(&given["body"]),
        browser_html: given["browser_html"].as_str().map(String::from),
        item: (!item.is_null()).then(|| String::from_utf8(body(item)).expect("UTF-8")),
    }
}

fn wish_json(ticket: ExtractTicket, wish: Option<&PageWish>) -> Value {
    let ticket = json!(ticket.number());
    let Some(wish) = wish else { return json!({"ticket": ticket}) };
    let headers = headers_json(&wish.headers);
    told([
        ("ticket", ticket),
        ("method", json!(wish.method.as_str())),
        ("url", json!(wish.url)),
        ("headers", if wish.headers.is_empty() { Value::Null } else { headers }),
        ("body", if wish.body.is_empty() { Value::Null } else { json!(text_of(&wish.body)) }),
        ("follow_redirects", json!(wish.follow_redirects)),
        ("item", json!(wish.item)),
        ("browser_html", json!(wish.browser_html)),
    ])
}

fn text_of(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("UTF-8")
}

// --- proxy mode ---

fn proxy_mode(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["config", "seed", "steps"]);
    let (config, faults) = proxy_config(&given["config"]);
    let mut service = ZyteProxyService::new(config, seed(given));
    if let Some(faults) = faults {
        service = service.with_faults(&faults)?;
    }
    let mut run = Proxy { service, tunnel: None, last: None };
    Ok(steps(given).map(|step| outcome(run.step(step))).collect())
}

fn proxy_config(given: &Value) -> (ZyteProxyConfig, Option<String>) {
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
