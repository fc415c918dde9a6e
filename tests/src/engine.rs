//! The vectors of `engine`.

use core::time::Duration;

use serde_json::{Map, Value, json};
use silkline::{
    Error, Timestamp,
    engine::{
        ExtractionConfig, ExtractionEngine, ExtractionEvent, ExtractionJob, ExtractionOutcome,
        ExtractionOutput, Failure, JobId, RequestId, UnknownRequest,
    },
    extraction::{ExtractionApi, Query, QueryResult},
    http::Response,
};

use crate::{
    given::{body, check_keys, headers, in_micros, outcome, status, text, told},
    schedule::{at, duration, number, policy, rate, steps},
};

/// Runs an operation of `engine`; `None` if there is none of that name.
pub(crate) fn run(op: &str, given: &Value) -> Option<Value> {
    Some(match op {
        "engine.extraction.run" => outcome(extraction(given)),
        "engine.proxy.run" => crate::engine_proxy::run(given),
        _ => return None,
    })
}

/// The outcome of each step, in order.
fn extraction(given: &Value) -> Result<Value, Error> {
    check_keys(given, &["config", "seed", "now_us", "steps", "dialect"]);
    let config = config(&given["config"])?;
    let seed = given["seed"].as_u64().expect("a seed");
    let now = at(given, "now_us");
    let api = ExtractionApi::new("key")?.with_dialect(crate::extraction::dialect(given));
    let engine = ExtractionEngine::new(api.clone(), config.clone(), seed, now);
    let mut run = Run { api, config, engine, sent: Map::new() };
    Ok(steps(given).map(|step| outcome(run.step(step))).collect())
}

fn config(given: &Value) -> Result<ExtractionConfig, Error> {
    let mut config = ExtractionConfig::default();
    for (name, value) in given.as_object().into_iter().flatten() {
        config = match name.as_str() {
            "rate" => config.with_rate(rate(value)?),
            "burst" => config.with_burst(number(value))?,
            "concurrency" => config.with_concurrency(number(value))?,
            "queue_size" => config.with_queue_size(number(value))?,
            "batch_size" => config.with_batch_size(number(value))?,
            "deadline_us" => config.with_deadline(duration(value).expect("a duration")),
            "cap" => config.with_cap(value.as_u64()),
            "requeue" => config.with_requeue(value.as_bool().expect("a flag")),
            "policy" => {
                check_keys(value, &["preset", "rules"]);
                config.with_policy(policy(value))
            }
            _ => panic!("no setting is named {name}"),
        };
    }
    Ok(config)
}

struct Run {
    api: ExtractionApi,
    config: ExtractionConfig,
    engine: ExtractionEngine,
    /// The queries of each request, by its id.
    sent: Map<String, Value>,
}

impl Run {
    fn step(&mut self, step: &Value) -> Result<Value, Error> {
        let now = at(step, "at_us");
        let request = || RequestId::from_u64(step["request"].as_u64().expect("a request"));
        let receipt = |receipt: Result<silkline::engine::Receipt, UnknownRequest>| {
            receipt.map(|receipt| json!(receipt.as_str())).map_err(Error::from)
        };
        let known = |keys: &[&str]| check_keys(step, &[&["at_us", "call"], keys].concat());
        match text(&step["call"]) {
            "submit" => {
                known(&["query", "priority", "key"]);
                self.submit(step, now)
            }
            "cancel" => {
                known(&["job"]);
                let job = JobId::from_u64(step["job"].as_u64().expect("a job"));
                Ok(json!(self.engine.cancel(job, now)))
            }
            "poll" => {
                known(&[]);
                let output = self.engine.poll(now);
                Ok(self.show(output))
            }
            "drain" => {
                known(&["most"]);
                let most = step["most"].as_u64().unwrap_or(1_000);
                let outputs = self.engine.poll_batch(now, usize::try_from(most).unwrap());
                Ok(outputs.into_iter().map(|output| self.show(output)).collect())
            }
            "sent" => {
                known(&["request"]);
                receipt(self.engine.handle_sent(request(), now))
            }
            "respond" => {
                known(&["request", "status", "headers", "body"]);
                let headers = headers(&step["headers"]);
                let response = Response::new(status(&step["status"]), headers, body(&step["body"]));
                receipt(self.engine.handle_response(request(), response, now))
            }
            "answer" => {
                known(&["request", "results"]);
                receipt(self.engine.handle_response(request(), self.answer(step), now))
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
            other => {
                known(&["grace_us", "to_us", "downtime_us"]);
                self.command(other, step, now)?;
                Ok(Value::Null)
            }
        }
    }

    fn command(&mut self, call: &str, step: &Value, now: Timestamp) -> Result<(), Error> {
        match call {
            "resume" => self.engine.resume(now),
            "start_cycle" => self.engine.start_cycle(now),
            "close" => {
                let grace = duration(&step["grace_us"]).unwrap_or(Duration::ZERO);
                self.engine.close(now, grace);
            }
            // The process ends, and another one goes on at `to_us` of its own clock.
            "restart" => {
                let (api, config) = (self.api.clone(), self.config.clone());
                let bytes = self.engine.snapshot(now);
                let downtime = duration(&step["downtime_us"]);
                let now = at(step, "to_us");
                self.engine = ExtractionEngine::restore(api, config, &bytes, now, downtime)?;
            }
            other => panic!("no call is named {other}"),
        }
        Ok(())
    }

    fn submit(&mut self, step: &Value, now: Timestamp) -> Result<Value, Error> {
        let query = Query::from_json_in(self.api.dialect(), &step["query"].to_string())?;
        let priority = step["priority"].as_i64().unwrap_or_default();
        let mut job = ExtractionJob::new(query).with_priority(priority.try_into().unwrap());
        if let Some(key) = step["key"].as_str() {
            job = job.with_key(key);
        }
        Ok(json!(self.engine.submit(job, now)?.as_u64()))
    }

    /// An answer whose results repeat the queries of their request, in its order.
    fn answer(&self, step: &Value) -> Response {
        let queries = self.sent[&step["request"].to_string()].as_array().expect("queries");
        let results = step["results"].as_array().expect("results").iter();
        let results = results.zip(queries).map(|(result, query)| {
            let mut result = result.clone();
            result["query"] = json!({ "userQuery": query });
            result
        });
        let body = serde_json::to_vec(&results.collect::<Value>()).unwrap();
        Response::new(200, headers(&json!([["Content-Type", "application/json"]])), body)
    }

    fn show(&mut self, output: ExtractionOutput) -> Value {
        match output {
            ExtractionOutput::Send(send) => {
                let mut queries: Value = serde_json::from_slice(&send.request.body).unwrap();
                if queries.is_object() {
                    queries = json!([queries]);
                }
                let urls = queries.as_array().unwrap().iter().map(|query| query["url"].clone());
                assert_eq!(u32::try_from(urls.len()), Ok(send.queries));
                let shown = json!({"send": {
                    "request": send.id.as_u64(),
                    "deadline_us": send.deadline.as_micros(),
                    "urls": urls.collect::<Value>(),
                }});
                self.sent.insert(send.id.to_string(), queries);
                shown
            }
            ExtractionOutput::Abort(id) => json!({"abort": id.as_u64()}),
            ExtractionOutput::Event(event) => event_json(event),
            ExtractionOutput::WaitUntil { at, reason } => {
                json!({"wait_until": {"at_us": at.as_micros(), "reason": reason.as_str()}})
            }
            ExtractionOutput::Idle(reason) => json!({"idle": reason.as_str()}),
        }
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
            ("queued", count(stats.queued.into())),
            ("waiting", count(stats.waiting.into())),
            ("requests_in_flight", count(stats.requests_in_flight.into())),
            ("queries_in_flight", count(stats.queries_in_flight)),
            ("requests", count(stats.requests)),
            ("retries", count(stats.retries)),
            ("billed_retries", count(stats.billed_retries)),
            ("throttled", count(stats.throttled)),
            ("occupied", count(stats.occupied)),
            ("timed_out", count(stats.timed_out)),
            ("late", count(stats.late)),
            ("missing", count(stats.missing)),
            ("unmatched", count(stats.unmatched)),
            ("billed", count(stats.usage.billed)),
            ("unbilled", count(stats.usage.unbilled)),
            ("unknown", count(stats.usage.unknown)),
            ("spent", count(stats.spent)),
            ("paused", if stats.paused { json!(true) } else { Value::Null }),
            ("stopped", if stats.stopped { json!(true) } else { Value::Null }),
        ])
    }
}

fn event_json(event: ExtractionEvent) -> Value {
    match event {
        ExtractionEvent::Finished(finished) => json!({"finished": finished_json(&finished)}),
        ExtractionEvent::Stopped(error) => json!({"stopped": error.code()}),
        ExtractionEvent::Unmatched(unmatched) => json!({"unmatched": told([
            ("error", json!(unmatched.result.error().map(|error| error.code))),
            ("url", json!(unmatched.query.as_ref().map(Query::url))),
        ])}),
        other => panic!("no name for {other:?}"),
    }
}

fn finished_json(finished: &ExtractionOutcome) -> Value {
    let item = finished.outcome.as_ref().ok().and_then(QueryResult::item);
    told([
        ("job", json!(finished.job.as_u64())),
        ("key", json!(finished.key)),
        ("url", json!(finished.query.url())),
        ("error", json!(finished.error_code())),
        ("item", json!(item.map(|item| item.expect("a decodable item")))),
        ("attempts", json!(finished.attempts)),
        ("billed", json!(finished.cost.billed)),
        ("possibly_billed", json!(finished.cost.possibly_billed)),
        ("elapsed_us", json!(in_micros(finished.elapsed))),
    ])
}
