//! The scripts of `POST /v1/extract`.

use serde_json::{Value, json};
use silkline::{
    Error,
    extraction::{ExtractionApi, Query},
    http::{Request, Response},
    service::{
        Answer,
        extraction::{ServiceOutput, Ticket},
        zyte_api::{
            PageFailure, PageOutcome, PageWish, ZyteApiConfig, ZyteApiService, ZyteApiStep,
        },
    },
    zyte_api,
};

use super::{
    answer_json, authorized, ban_rules, check_step, keys, owned, per_minute, read_of, seed,
    stats_json, ticket,
};
use crate::{
    extraction,
    given::{body, check_keys, headers, headers_json, outcome, status, text, told},
    schedule::{at, duration, number, steps},
};

pub(super) fn run(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["config", "seed", "steps"]);
    let config = config(&given["config"])?;
    let service = ZyteApiService::new(config, seed(given));
    let mut run = Extract { service, queries: Value::Null, last: None };
    Ok(steps(given).map(|step| outcome(run.step(step))).collect())
}

fn config(given: &Value) -> Result<ZyteApiConfig, Error> {
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
                let ticket = Ticket::from_number(ticket(step));
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
                self.service.handle_closed(Ticket::from_number(ticket(step)), now);
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

fn wish_json(ticket: Ticket, wish: Option<&PageWish>) -> Value {
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
