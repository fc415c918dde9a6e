//! The vectors of the proxy engine.

use core::time::Duration;

use serde_json::{Value, json};
use silkline::{
    Error, Timestamp,
    engine::{
        Failure, JobId, JobSession, ProxyConfig, ProxyEngine, ProxyEvent, ProxyFetched, ProxyJob,
        ProxyOutcome, ProxyOutput, ProxyReply, ProxySend, Receipt, RequestId, SessionCreation,
        UnknownRequest,
    },
    http::{Method, Request, Response},
    proxy::{OutgoingAddress, ProxyApi, SessionId},
};

use crate::{
    given::{body, check_keys, headers, headers_json, in_micros, outcome, status, text, told},
    proxy::{dialect, from_given},
    schedule::{at, duration, number, policy, pool_config, steps},
};

/// The outcome of each step, in order.
pub(crate) fn run(given: &Value) -> Value {
    outcome(outcomes(given))
}

fn outcomes(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["config", "seed", "now_us", "steps", "dialect"]);
    let config = config(&given["config"])?;
    let seed = given["seed"].as_u64().expect("a seed");
    let api = ProxyApi::new("key")?.with_dialect(dialect(given));
    let engine = ProxyEngine::new(api.clone(), config.clone(), seed, at(given, "now_us"));
    let mut run = Run { api, config, engine };
    Ok(steps(given).map(|step| outcome(run.step(step))).collect())
}

fn config(given: &Value) -> Result<ProxyConfig, Error> {
    let mut config = ProxyConfig::default();
    for (name, value) in given.as_object().into_iter().flatten() {
        let time = || duration(value).expect("a duration");
        let flag = || value.as_bool().expect("a flag");
        config = match name.as_str() {
            "pool" => config.with_pool(pool_config(value)?),
            "creation" => {
                let creation = SessionCreation::from_name(text(value)).expect("a way");
                config.with_creation(creation)
            }
            "warm_up" => config.with_warm_up(number(value))?,
            "delay_us" => config.with_delay(time()),
            "domain_delays_us" => {
                let delays = value.as_object().expect("delays by domain").iter();
                delays.fold(config, |config, (domain, delay)| {
                    config.with_domain_delay(domain, duration(delay).expect("a duration"))
                })
            }
            "concurrency" => config.with_concurrency(number(value))?,
            "call_concurrency" => config.with_call_concurrency(number(value))?,
            "queue_size" => config.with_queue_size(number(value))?,
            "deadline_us" => config.with_deadline(time()),
            "policy" => {
                check_keys(value, &["preset", "rules"]);
                config.with_policy(policy(value))
            }
            "options" => config.with_options(from_given(value)?)?,
            "requeue" => config.with_requeue(flag()),
            "keep_secrets" => config.with_keep_secrets(flag()),
            "adopt_all" => config.with_adopt_all(flag()),
            "delete_on_close" => config.with_delete_on_close(flag()),
            _ => panic!("no setting is named {name}"),
        };
    }
    Ok(config)
}

struct Run {
    api: ProxyApi,
    config: ProxyConfig,
    engine: ProxyEngine,
}

impl Run {
    fn step(&mut self, step: &Value) -> Result<Value, Error> {
        let now = at(step, "at_us");
        let request = || RequestId::from_u64(step["request"].as_u64().expect("a request"));
        let receipt = |receipt: Result<Receipt, UnknownRequest>| {
            receipt.map(|receipt| json!(receipt.as_str())).map_err(Error::from)
        };
        let known = |keys: &[&str]| check_keys(step, &[&["at_us", "call"], keys].concat());
        match text(&step["call"]) {
            "submit" => {
                known(&["job", "options", "session", "priority", "key"]);
                Ok(json!(self.engine.submit(job(step)?, now)?.as_u64()))
            }
            "supply" => {
                known(&["id", "job"]);
                let id = JobId::from_u64(step["id"].as_u64().expect("a job"));
                Ok(json!(self.engine.supply(id, target(&step["job"]), now).map_err(Error::from)?))
            }
            "cancel" => {
                known(&["id"]);
                let id = JobId::from_u64(step["id"].as_u64().expect("a job"));
                Ok(json!(self.engine.cancel(id, now)))
            }
            "end_session" => {
                known(&["name"]);
                Ok(json!(self.engine.end_session(text(&step["name"]), now)))
            }
            "poll" => {
                known(&[]);
                Ok(show(self.engine.poll(now)))
            }
            "drain" => {
                known(&["most"]);
                let most = step["most"].as_u64().unwrap_or(1_000);
                let outputs = self.engine.poll_batch(now, usize::try_from(most).unwrap());
                Ok(outputs.into_iter().map(show).collect())
            }
            "sent" => {
                known(&["request"]);
                receipt(self.engine.handle_sent(request(), now))
            }
            "respond" => {
                known(&["request", "status", "headers", "body", "banned", "connect"]);
                let response = Response::new(
                    status(&step["status"]),
                    headers(&step["headers"]),
                    if step["body"].is_null() { Vec::new() } else { body(&step["body"]) },
                );
                let reply = ProxyReply::new(response)
                    .with_banned(step["banned"].as_bool().unwrap_or(false))
                    .to_connect(step["connect"].as_bool().unwrap_or(false));
                receipt(self.engine.handle_response(request(), reply, now))
            }
            "fail" => {
                known(&["request", "failure"]);
                let failure = Failure::from_name(text(&step["failure"])).expect("a failure");
                receipt(self.engine.handle_failure(request(), failure, now))
            }
            "stats" => {
                known(&[]);
                Ok(self.stats())
            }
            "resume" => {
                known(&[]);
                self.engine.resume(now);
                Ok(Value::Null)
            }
            "close" => {
                known(&["grace_us"]);
                self.engine.close(now, duration(&step["grace_us"]).unwrap_or(Duration::ZERO));
                Ok(Value::Null)
            }
            "restart" => {
                known(&["to_us", "downtime_us"]);
                self.restart(step, now)
            }
            other => panic!("no call is named {other}"),
        }
    }

    /// The process ends, and another one goes on at `to_us` of its own clock.
    fn restart(&mut self, step: &Value, now: Timestamp) -> Result<Value, Error> {
        let bytes = self.engine.snapshot(now);
        let secret = String::from_utf8_lossy(&bytes).contains("secret");
        let (api, config) = (self.api.clone(), self.config.clone());
        let (now, downtime) = (at(step, "to_us"), duration(&step["downtime_us"]));
        self.engine = ProxyEngine::restore(api, config, &bytes, now, downtime)?;
        Ok(json!({"has_secret": secret}))
    }

    /// The numbers that are not zero.
    fn stats(&self) -> Value {
        let stats = self.engine.stats();
        let count = |count: u64| if count == 0 { Value::Null } else { json!(count) };
        told([
            ("submitted", count(stats.submitted)),
            ("succeeded", count(stats.succeeded)),
            ("failed", count(stats.failed)),
            ("cancelled", count(stats.cancelled)),
            ("closed", count(stats.closed)),
            ("requests", count(stats.requests)),
            ("retries", count(stats.retries)),
            ("calls", count(stats.calls)),
            ("billed", count(stats.billed)),
            ("unbilled", count(stats.unbilled)),
            ("possibly_billed", count(stats.possibly_billed)),
            ("throttled", count(stats.throttled)),
            ("slowed", count(stats.slowed)),
            ("bans", count(stats.bans)),
            ("timed_out", count(stats.timed_out)),
            ("late", count(stats.late)),
            ("sessions_created", count(stats.sessions_created)),
            ("sessions_adopted", count(stats.sessions_adopted)),
            ("sessions_deleted", count(stats.sessions_deleted)),
            ("sessions_gone", count(stats.sessions_gone)),
            ("sessions_retired", count(stats.sessions_retired)),
            ("sessions_expired", count(stats.sessions_expired)),
            ("session_limits", count(stats.session_limits)),
            ("queued", count(stats.queued.into())),
            ("waiting", count(stats.waiting.into())),
            ("unfinished", count(stats.unfinished.into())),
            ("in_flight", count(stats.in_flight.into())),
            ("concurrency", count(stats.concurrency.into())),
            ("names", count(stats.names.into())),
            ("sessions", count(stats.pool.sessions.into())),
            ("paused", count(stats.paused.into())),
            ("stopped", count(stats.stopped.into())),
        ])
    }
}

/// A request: a URL, or an object with more.
fn target(given: &Value) -> Request {
    if let Some(url) = given.as_str() {
        return Request::new(Method::GET, url);
    }
    check_keys(given, &["method", "url", "headers", "body"]);
    let method = given["method"].as_str().unwrap_or("GET").parse().expect("a method");
    let mut request = Request::new(method, text(&given["url"]));
    if !given["headers"].is_null() {
        request = request.with_headers(headers(&given["headers"]));
    }
    if !given["body"].is_null() {
        request = request.with_body(body(&given["body"]));
    }
    request
}

fn job(step: &Value) -> Result<ProxyJob, Error> {
    let priority = step["priority"].as_i64().unwrap_or_default();
    let session = match &step["session"] {
        Value::Null => JobSession::Pool,
        Value::String(word) if word == "outside" => JobSession::Outside,
        stay if !stay["stay"].is_null() => {
            check_keys(stay, &["stay"]);
            JobSession::Stay { session: SessionId::new(text(&stay["stay"])).unwrap() }
        }
        named => {
            check_keys(named, &["name", "replace"]);
            let replace = named["replace"].as_bool().unwrap_or(false);
            JobSession::Named { name: text(&named["name"]).into(), replace }
        }
    };
    let mut job = ProxyJob::new(target(&step["job"]))
        .with_session(session)
        .with_priority(priority.try_into().unwrap())
        .with_key_option(step["key"].as_str().map(String::from));
    if !step["options"].is_null() {
        job = job.with_options(from_given(&step["options"])?);
    }
    Ok(job)
}

fn show(output: ProxyOutput) -> Value {
    match output {
        ProxyOutput::Send(send) => json!({"send": send_json(&send)}),
        ProxyOutput::Abort(id) => json!({"abort": id.as_u64()}),
        ProxyOutput::Event(event) => event_json(event),
        ProxyOutput::WaitUntil { at, reason } => {
            json!({"wait_until": {"at_us": at.as_micros(), "reason": reason.as_str()}})
        }
        ProxyOutput::Idle(reason) => json!({"idle": reason.as_str()}),
    }
}

/// What a send says; of its request, method, URL and the header of its session.
fn send_json(send: &ProxySend) -> Value {
    let connect = send.connect.as_ref();
    let names = ["X-Crawlera-Session", "Zyte-Session-ID"];
    let session = |request: &Request| {
        names.iter().find_map(|name| request.headers.get(name)).map(String::from)
    };
    let header = session(&send.request).or_else(|| connect.and_then(session));
    told([
        ("request", json!(send.id.as_u64())),
        ("kind", json!(send.kind.as_str())),
        ("job", json!(send.job.map(JobId::as_u64))),
        ("method", json!(send.request.method.as_str())),
        ("url", json!(send.request.url)),
        ("connect", json!(connect.map(|connect| &connect.url))),
        ("proxy", json!(send.proxy.as_ref().map(|proxy| &*proxy.url))),
        ("session_header", json!(header)),
        ("session", json!(send.session.as_ref().map(SessionId::as_str))),
        ("session_name", json!(send.session_name)),
        ("deadline_us", json!(send.deadline.as_micros())),
    ])
}

fn event_json(event: ProxyEvent) -> Value {
    match event {
        ProxyEvent::Finished(finished) => json!({"finished": finished_json(&finished)}),
        ProxyEvent::Incomplete(job) => json!({"incomplete": told([
            ("job", json!(job.job.as_u64())),
            ("key", json!(job.key)),
            ("url", json!(job.request.url)),
            ("headers", headers_json(&job.request.headers)),
            ("missing_headers", json!(job.headers)),
            ("missing_body", json!(job.body)),
            ("missing_url", json!(job.url)),
        ])}),
        ProxyEvent::SessionLost { name, session, cause } => json!({"session_lost": {
            "name": name,
            "session": session.as_str(),
            "cause": cause.as_str(),
        }}),
        ProxyEvent::Stopped(error) => json!({"stopped": error.code()}),
        other => panic!("no name for {other:?}"),
    }
}

fn finished_json(finished: &ProxyOutcome) -> Value {
    let fetched = finished.outcome.as_ref().ok();
    let session =
        |fetched: &ProxyFetched| fetched.session.as_ref().map(|id| id.as_str().to_owned());
    told([
        ("job", json!(finished.job.as_u64())),
        ("key", json!(finished.key)),
        ("url", json!(finished.request.url)),
        ("error", json!(finished.error_code())),
        ("request", json!(fetched.map(|fetched| fetched.request.as_u64()))),
        ("status", json!(fetched.map(|fetched| fetched.response.status))),
        ("session", json!(fetched.and_then(session))),
        (
            "outgoing",
            json!(
                fetched.and_then(|fetched| fetched.outgoing.as_ref()).map(OutgoingAddress::as_str)
            ),
        ),
        ("attempts", json!(finished.attempts)),
        ("billed", json!(finished.cost.billed)),
        ("possibly_billed", json!(finished.cost.possibly_billed)),
        ("elapsed_us", json!(in_micros(finished.elapsed))),
    ])
}
