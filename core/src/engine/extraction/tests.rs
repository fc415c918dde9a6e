//! What the engine promises, one promise a test; random worlds are in `tests_random`.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use serde_json::{Value, json};

use super::{
    super::{Failure, IdleReason, JobId, NotSubmitted, Receipt, RequestId, WaitReason},
    *,
};
use crate::{
    extraction::PageType,
    http::{Headers, Request, Response},
    schedule::{Budget, FailureClass, Rate, RetryPolicy},
};

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn ms(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

pub(super) fn api() -> ExtractionApi {
    ExtractionApi::new("key").unwrap()
}

pub(super) fn job(url: &str) -> ExtractionJob {
    ExtractionJob::new(Query::new(url, PageType::Article).unwrap())
}

/// A fast configuration: no rate to speak of.
fn fast() -> ExtractionConfig {
    ExtractionConfig::default().with_rate(Rate::per_second(1_000_000).unwrap())
}

fn engine(config: ExtractionConfig) -> ExtractionEngine {
    ExtractionEngine::new(api(), config, 1, ms(0))
}

/// The answer to a request, each query answered by what `answer` makes of its URL.
pub(super) fn answer(request: &Request, answer: impl Fn(&str) -> Value) -> Response {
    let queries: Vec<Value> = serde_json::from_slice(&request.body).unwrap();
    let results = queries.into_iter().map(|query| {
        let mut result = answer(query["url"].as_str().unwrap());
        result["query"] = json!({ "userQuery": query });
        result
    });
    let body = serde_json::to_vec(&results.collect::<Vec<_>>()).unwrap();
    Response::new(200, Headers::new(), body)
}

pub(super) fn item() -> Value {
    json!({"article": {"headline": "A"}})
}

pub(super) fn error(text: &str) -> Value {
    json!({ "error": text })
}

pub(super) fn problem(status: u16, kind: &str) -> Response {
    let body = format!(r#"{{"type": "http://errors.xod.scrapinghub.com/{kind}.html"}}"#);
    Response::new(status, Headers::new(), body)
}

fn send(engine: &mut ExtractionEngine, now: Timestamp) -> ExtractionSend {
    match engine.poll(now) {
        ExtractionOutput::Send(send) => send,
        other => panic!("{other:?}"),
    }
}

fn wait(engine: &mut ExtractionEngine, now: Timestamp) -> (Timestamp, WaitReason) {
    match engine.poll(now) {
        ExtractionOutput::WaitUntil { at, reason } => (at, reason),
        other => panic!("{other:?}"),
    }
}

fn idle(engine: &mut ExtractionEngine, now: Timestamp) -> IdleReason {
    match engine.poll(now) {
        ExtractionOutput::Idle(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn finished(engine: &mut ExtractionEngine, now: Timestamp) -> ExtractionOutcome {
    match engine.poll(now) {
        ExtractionOutput::Event(ExtractionEvent::Finished(outcome)) => *outcome,
        other => panic!("{other:?}"),
    }
}

fn respond(engine: &mut ExtractionEngine, send: &ExtractionSend, result: &Value, now: Timestamp) {
    let response = answer(&send.request, |_| result.clone());
    assert_eq!(engine.handle_response(send.id, response, now), Ok(Receipt::Accepted));
}

fn url(send: &ExtractionSend) -> String {
    let queries: Value = serde_json::from_slice(&send.request.body).unwrap();
    queries[0]["url"].as_str().unwrap().to_string()
}

#[test]
fn a_job_ends_in_one_event_with_its_item_and_cost() {
    let mut engine = engine(ExtractionConfig::default());
    assert_eq!(idle(&mut engine, ms(0)), IdleReason::Empty);
    let id = engine.submit(job("http://a.com/").with_key("k"), ms(10)).unwrap();
    let sent = send(&mut engine, ms(20));
    assert_eq!((sent.id.as_u64(), sent.queries, sent.deadline), (1, 1, ms(605_020)));
    assert_eq!(wait(&mut engine, ms(20)), (ms(605_020), WaitReason::Answers));
    assert_eq!(engine.handle_sent(sent.id, ms(21)), Ok(Receipt::Accepted));
    respond(&mut engine, &sent, &item(), ms(1_010));
    let outcome = finished(&mut engine, ms(1_010));
    assert_eq!((outcome.job, outcome.key.as_deref()), (id, Some("k")));
    assert_eq!(outcome.outcome.unwrap().item().unwrap().unwrap()["headline"], "A");
    assert_eq!((outcome.attempts, outcome.elapsed), (1, secs(1)));
    assert_eq!(outcome.cost, Cost { billed: 1, possibly_billed: 0 });
    assert_eq!(idle(&mut engine, ms(1_010)), IdleReason::Empty);
    assert!(!engine.contains(id));
    let again = engine.handle_response(sent.id, problem(500, ""), ms(1_011));
    assert_eq!(again.unwrap_err().code(), "unknown_request");
    assert!(engine.handle_sent(RequestId::from_u64(99), ms(0)).is_err());
}

#[test]
fn five_queries_a_second_and_a_batch_takes_what_it_carries() {
    let config = ExtractionConfig::default().with_batch_size(3).unwrap();
    let mut engine = engine(config);
    for n in 0..7 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    assert_eq!(send(&mut engine, ms(0)).queries, 3);
    assert_eq!(wait(&mut engine, ms(0)), (ms(600), WaitReason::Rate));
    assert_eq!(send(&mut engine, ms(600)).queries, 3);
    assert_eq!(wait(&mut engine, ms(601)), (ms(1_200), WaitReason::Rate));
    assert_eq!(send(&mut engine, ms(1_200)).queries, 1);
}

#[test]
fn slots_are_limited_and_waiting_jobs_hold_none() {
    let mut engine = engine(fast().with_concurrency(1).unwrap());
    engine.submit(job("http://a.com/"), ms(0)).unwrap();
    engine.submit(job("http://b.com/"), ms(0)).unwrap();
    let first = send(&mut engine, ms(0));
    assert_eq!(wait(&mut engine, ms(1)), (ms(605_000), WaitReason::SlotsBusy));
    engine.handle_failure(first.id, Failure::Network, ms(1)).unwrap();
    let second = send(&mut engine, ms(1));
    assert_eq!(url(&second), "http://b.com/");
    respond(&mut engine, &second, &item(), ms(2));
    finished(&mut engine, ms(2));
    let (at, reason) = wait(&mut engine, ms(2));
    assert!(reason == WaitReason::BackOff && at >= ms(3_001) && at <= ms(8_001), "{at:?}");
    let third = send(&mut engine, at);
    respond(&mut engine, &third, &item(), at);
    let outcome = finished(&mut engine, at);
    assert_eq!((outcome.attempts, outcome.cost), (2, Cost { billed: 1, possibly_billed: 1 }));
}

#[test]
fn an_occupied_domain_parks_its_own_and_nothing_else() {
    let mut engine = engine(fast());
    for host in ["www.shop.org", "a.com", "x.a.com", "b.com", "www.shop.org"] {
        engine.submit(job(&format!("http://{host}/")), ms(0)).unwrap();
    }
    let first = send(&mut engine, ms(0));
    let text = "Domain A.com is occupied, please retry in 60 seconds";
    respond(&mut engine, &first, &error(text), ms(0));
    let second = send(&mut engine, ms(1));
    assert_eq!(url(&second), "http://b.com/");
    respond(&mut engine, &second, &item(), ms(2));
    finished(&mut engine, ms(2));
    assert_eq!(wait(&mut engine, ms(3)), (ms(60_000), WaitReason::DomainOccupied));
    let rest: Vec<String> = (0..4).map(|n| url(&send(&mut engine, ms(60_000 + n)))).collect();
    for host in ["http://a.com/", "http://x.a.com/", "http://www.shop.org/"] {
        assert!(rest.contains(&host.to_string()), "{rest:?}");
    }
    assert_eq!(engine.stats().occupied, 1);
}

#[test]
fn a_limit_pauses_the_machine_and_one_probe_resumes_it() {
    let mut engine = engine(fast());
    for n in 0..20 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    let sent: Vec<_> = (0..5).map(|n| send(&mut engine, ms(n))).collect();
    for sent in &sent[..4] {
        let refusal = problem(429, "user-rate-limit-exceeded");
        engine.handle_response(sent.id, refusal, ms(10)).unwrap();
    }
    let (at, reason) = wait(&mut engine, ms(10));
    assert!(reason == WaitReason::BackOff && at >= ms(20_010) && at <= ms(40_010), "{at:?}");
    respond(&mut engine, &sent[4], &item(), ms(11));
    finished(&mut engine, ms(11));
    assert_eq!(wait(&mut engine, ms(11)), (at, WaitReason::BackOff));
    let probe = send(&mut engine, at);
    assert_eq!(url(&probe), "http://a5.com/", "the round of domains goes on");
    let (deadline, reason) = wait(&mut engine, at);
    assert_eq!((deadline, reason), (probe.deadline, WaitReason::BackOff));
    let refusal = problem(503, "rate-limit-exceeded");
    engine.handle_response(probe.id, refusal, at).unwrap();
    let (later, _) = wait(&mut engine, at);
    assert!(later >= at + secs(20));
    let probe = send(&mut engine, later);
    respond(&mut engine, &probe, &item(), later);
    finished(&mut engine, later);
    for n in 1..=18 {
        send(&mut engine, later + Duration::from_millis(n));
    }
    assert_eq!((engine.stats().throttled, engine.stats().paused), (5, false));
}

#[test]
fn an_account_error_stops_with_one_event_and_the_queue_is_kept() {
    let mut engine = engine(fast());
    for n in 0..5 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    let sent: Vec<_> = (0..3).map(|n| send(&mut engine, ms(n))).collect();
    let refusal = || problem(403, "account-disabled");
    engine.handle_response(sent[0].id, refusal(), ms(5)).unwrap();
    let ExtractionOutput::Event(ExtractionEvent::Stopped(stopped)) = engine.poll(ms(5)) else {
        panic!()
    };
    assert_eq!(stopped.code(), "account_disabled");
    assert_eq!(wait(&mut engine, ms(5)), (sent[1].deadline, WaitReason::Answers));
    engine.handle_response(sent[1].id, refusal(), ms(6)).unwrap();
    respond(&mut engine, &sent[2], &item(), ms(6));
    finished(&mut engine, ms(6));
    assert_eq!(idle(&mut engine, ms(6)), IdleReason::Stopped);
    engine.submit(job("http://late.com/"), ms(7)).unwrap();
    assert_eq!(idle(&mut engine, ms(7)), IdleReason::Stopped);
    assert_eq!(engine.stats().queued, 5);
    engine.resume(ms(8));
    send(&mut engine, ms(8));
    assert_eq!(engine.stats().usage.unbilled, 2);
}

#[test]
fn an_account_error_stops_even_a_paused_machine() {
    let mut engine = engine(fast());
    for n in 0..3 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    let (a, b) = (send(&mut engine, ms(0)), send(&mut engine, ms(1)));
    engine.handle_response(a.id, problem(429, ""), ms(2)).unwrap();
    engine.handle_response(b.id, problem(401, "unauthorized"), ms(3)).unwrap();
    assert!(matches!(engine.poll(ms(3)), ExtractionOutput::Event(ExtractionEvent::Stopped(_))));
    assert_eq!(idle(&mut engine, ms(3)), IdleReason::Stopped);
}

#[test]
fn patience_with_account_errors_is_a_setting() {
    let policy = RetryPolicy::default().with_budget(FailureClass::Account, Budget::Retries(2));
    let mut engine = engine(fast().with_policy(policy));
    engine.submit(job("http://a.com/"), ms(0)).unwrap();
    let mut now = ms(0);
    for _ in 0..2 {
        let sent = send(&mut engine, now);
        engine.handle_response(sent.id, problem(401, "unauthorized"), now).unwrap();
        now = wait(&mut engine, now).0;
    }
    let sent = send(&mut engine, now);
    engine.handle_response(sent.id, problem(401, "unauthorized"), now).unwrap();
    assert!(matches!(engine.poll(now), ExtractionOutput::Event(ExtractionEvent::Stopped(_))));
}

#[test]
fn each_class_has_its_own_budget_and_billed_retries_are_counted() {
    let policy = RetryPolicy::default()
        .with_budget(FailureClass::BilledQuery, Budget::Retries(1))
        .with_budget(FailureClass::Query, Budget::Retries(2));
    let mut engine = engine(fast().with_policy(policy));
    engine.submit(job("http://a.com/"), ms(0)).unwrap();
    let mut now = ms(0);
    let (banned, timed_out) = (error("Proxy error: banned"), error("query timed out"));
    for result in [&banned, &timed_out, &timed_out] {
        let sent = send(&mut engine, now);
        respond(&mut engine, &sent, result, now);
        now = wait(&mut engine, now).0;
    }
    let sent = send(&mut engine, now);
    respond(&mut engine, &sent, &banned, now);
    let outcome = finished(&mut engine, now);
    assert_eq!(outcome.error_code(), Some("proxy_error_banned"));
    assert_eq!((outcome.attempts, outcome.cost), (4, Cost { billed: 2, possibly_billed: 0 }));
    let stats = engine.stats();
    assert_eq!((stats.billed_retries, stats.retries, stats.failed), (1, 3, 1));
    assert_eq!((stats.usage.billed, stats.usage.unbilled), (2, 2));
}

#[test]
fn what_cannot_succeed_is_not_tried_again() {
    let mut engine = engine(fast());
    for (result, code) in [
        (error("Downloader error: http404"), "downloader_http"),
        (error("malformed URL"), "malformed_url"),
        (json!({}), "result_without_item"),
    ] {
        engine.submit(job("http://a.com/"), ms(0)).unwrap();
        let now = engine.clock.latest() + secs(1);
        let now = Clock::tell(now);
        let sent = send(&mut engine, now);
        respond(&mut engine, &sent, &result, now);
        assert_eq!(finished(&mut engine, now).error_code(), Some(code));
    }
    engine.submit(job("http://a.com/"), ms(9_000)).unwrap();
    let sent = send(&mut engine, ms(9_000));
    engine.handle_response(sent.id, problem(404, "unknown-uri"), ms(9_000)).unwrap();
    assert_eq!(finished(&mut engine, ms(9_000)).error_code(), Some("unknown_uri"));
}

#[test]
fn an_unknown_host_is_tried_once_more() {
    let policy = RetryPolicy::default().with_budget(FailureClass::BilledQuery, Budget::Retries(9));
    let mut engine = engine(fast().with_policy(policy));
    engine.submit(job("http://a.com/"), ms(0)).unwrap();
    let mut now = ms(0);
    for _ in 0..2 {
        let sent = send(&mut engine, now);
        respond(&mut engine, &sent, &error("Proxy error: nxdomain"), now);
        if let ExtractionOutput::WaitUntil { at, .. } = engine.poll(now) {
            now = at;
        }
    }
    assert_eq!(engine.stats().failed, 1);
}

#[test]
fn a_deadline_aborts_and_a_late_answer_still_counts() {
    let mut engine = engine(fast().with_deadline(secs(10)));
    engine.submit(job("http://a.com/"), ms(0)).unwrap();
    let sent = send(&mut engine, ms(0));
    assert_eq!(wait(&mut engine, ms(9_999)), (ms(10_000), WaitReason::Answers));
    assert_eq!(engine.poll(ms(10_000)), ExtractionOutput::Abort(sent.id));
    let stats = engine.stats();
    assert_eq!((stats.timed_out, stats.usage.unknown, stats.waiting), (1, 1, 1));
    let late = answer(&sent.request, |_| error("Downloader error: internal"));
    assert_eq!(engine.handle_response(sent.id, late, ms(10_001)), Ok(Receipt::Late));
    let stats = engine.stats();
    assert_eq!((stats.late, stats.usage.unknown, stats.usage.billed), (1, 0, 1));
    assert!(engine.handle_failure(sent.id, Failure::Network, ms(10_002)).is_err());
}

#[test]
fn a_cancelled_job_ends_at_once_and_its_request_is_aborted() {
    let mut engine = engine(fast().with_batch_size(2).unwrap());
    let ids: Vec<JobId> =
        (0..3).map(|n| engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap()).collect();
    let sent = send(&mut engine, ms(0));
    assert!(engine.cancel(ids[2], ms(1)));
    assert!(!engine.cancel(ids[2], ms(1)));
    let outcome = finished(&mut engine, ms(1));
    assert_eq!((outcome.error_code(), outcome.attempts), (Some("job_cancelled"), 0));
    assert!(engine.cancel(ids[0], ms(1)));
    let outcome = finished(&mut engine, ms(1));
    assert_eq!((outcome.attempts, outcome.cost.possibly_billed), (1, 1));
    assert_eq!(outcome.query.url(), "http://a0.com/");
    assert_eq!(wait(&mut engine, ms(1)).1, WaitReason::Answers);
    assert!(engine.cancel(ids[1], ms(1)));
    finished(&mut engine, ms(1));
    assert_eq!(engine.poll(ms(1)), ExtractionOutput::Abort(sent.id));
    assert_eq!(idle(&mut engine, ms(1)), IdleReason::Empty);
    assert_eq!(engine.stats().usage.unknown, 2);
    let late = answer(&sent.request, |_| item());
    assert_eq!(engine.handle_response(sent.id, late, ms(2)), Ok(Receipt::Late));
    assert_eq!(engine.stats().usage.billed, 2);
}

#[test]
fn closing_ends_the_queue_at_once_and_the_rest_after_the_grace() {
    let mut engine = engine(fast());
    for n in 0..5 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    let sent: Vec<_> = (0..3).map(|n| send(&mut engine, ms(n))).collect();
    engine.close(ms(10), secs(5));
    assert_eq!(engine.submit(job("http://b.com/"), ms(10)), Err(NotSubmitted::Closed));
    for _ in 0..2 {
        assert_eq!(finished(&mut engine, ms(10)).error_code(), Some("job_closed"));
    }
    assert_eq!(wait(&mut engine, ms(10)), (ms(5_010), WaitReason::Answers));
    respond(&mut engine, &sent[0], &item(), ms(11));
    assert_eq!(finished(&mut engine, ms(11)).error_code(), None);
    engine.handle_response(sent[1].id, problem(429, ""), ms(12)).unwrap();
    assert_eq!(finished(&mut engine, ms(12)).error_code(), Some("unknown_problem"));
    let outcome = finished(&mut engine, ms(5_010));
    assert_eq!((outcome.error_code(), outcome.cost.possibly_billed), (Some("job_closed"), 1));
    assert_eq!(engine.poll(ms(5_010)), ExtractionOutput::Abort(sent[2].id));
    assert_eq!(idle(&mut engine, ms(5_010)), IdleReason::Closed);
    assert_eq!(engine.stats().closed, 3);
}

#[test]
fn the_cap_is_never_exceeded() {
    let mut engine = engine(fast().with_cap(Some(2)).with_batch_size(10).unwrap());
    for n in 0..5 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    let sent = send(&mut engine, ms(0));
    assert_eq!(sent.queries, 2);
    assert_eq!(wait(&mut engine, ms(0)), (sent.deadline, WaitReason::Budget));
    respond(&mut engine, &sent, &error("malformed URL"), ms(1));
    for _ in 0..2 {
        finished(&mut engine, ms(1));
    }
    let sent = send(&mut engine, ms(1));
    engine.handle_failure(sent.id, Failure::Network, ms(2)).unwrap();
    assert_eq!(idle(&mut engine, ms(2)), IdleReason::OutOfBudget);
    assert_eq!(engine.stats().spent, 2);
    engine.start_cycle(ms(3));
    assert_eq!(send(&mut engine, ms(3)).queries, 1);
}

#[test]
fn what_never_left_gives_rate_and_cost_back() {
    let mut engine = engine(ExtractionConfig::default().with_cap(Some(1)));
    engine.submit(job("http://a.com/"), ms(0)).unwrap();
    engine.submit(job("http://b.com/"), ms(0)).unwrap();
    let sent = send(&mut engine, ms(0));
    engine.handle_failure(sent.id, Failure::NotSent, ms(1)).unwrap();
    let sent = send(&mut engine, ms(1));
    assert_eq!(url(&sent), "http://b.com/");
    respond(&mut engine, &sent, &item(), ms(2));
    finished(&mut engine, ms(2));
    assert_eq!(engine.stats().spent, 1);
    engine.start_cycle(ms(2));
    let at = wait(&mut engine, ms(2)).0;
    let sent = send(&mut engine, at);
    respond(&mut engine, &sent, &item(), at);
    assert_eq!(finished(&mut engine, at).attempts, 1, "the one that never left is none");
}

#[test]
fn missing_and_surplus_results_are_noticed() {
    let mut engine = engine(fast().with_batch_size(2).unwrap());
    for n in 0..2 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    let sent = send(&mut engine, ms(0));
    let queries: Vec<Value> = serde_json::from_slice(&sent.request.body).unwrap();
    let result = json!({"query": {"userQuery": queries[0]}, "article": {}});
    let foreign = json!({"query": {"userQuery": {"url": "http://x/", "pageType": "article"}}});
    let body = json!([result.clone(), result, foreign]).to_string();
    let response = Response::new(200, Headers::new(), body);
    engine.handle_response(sent.id, response, ms(1)).unwrap();
    let mut codes = Vec::new();
    for _ in 0..2 {
        let output = engine.poll(ms(1));
        let ExtractionOutput::Event(ExtractionEvent::Unmatched(found)) = output else { panic!() };
        codes.push((found.result.error().unwrap().code, found.query.is_some()));
    }
    assert_eq!(codes, [("surplus_result", true), ("foreign_result", false)]);
    assert_eq!(finished(&mut engine, ms(1)).query.url(), "http://a0.com/");
    let at = wait(&mut engine, ms(1)).0;
    let sent = send(&mut engine, at);
    assert_eq!(url(&sent), "http://a1.com/");
    let stats = engine.stats();
    assert_eq!((stats.missing, stats.unmatched, stats.usage.unknown), (1, 2, 1));
}

#[test]
fn a_batch_refused_as_a_whole_is_sent_one_by_one() {
    let mut engine = engine(fast().with_batch_size(3).unwrap());
    for n in 0..3 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    let sent = send(&mut engine, ms(0));
    engine.handle_response(sent.id, problem(413, "queries-limit-reached"), ms(1)).unwrap();
    for n in 0..3 {
        let sent = send(&mut engine, ms(2 + n));
        assert_eq!(sent.queries, 1);
        engine.handle_response(sent.id, problem(400, "malformed-request"), ms(2 + n)).unwrap();
        assert_eq!(finished(&mut engine, ms(2 + n)).error_code(), Some("malformed_request"));
    }
}

#[test]
fn the_queue_is_bounded_and_priorities_are_strict() {
    let mut engine = engine(fast().with_queue_size(3).unwrap());
    for (n, priority) in [(0, 0), (1, 5), (2, -1)] {
        let job = job(&format!("http://a{n}.com/")).with_priority(priority);
        engine.submit(job, ms(0)).unwrap();
    }
    let full = engine.submit(job("http://b.com/"), ms(0)).unwrap_err();
    assert_eq!(full, NotSubmitted::QueueFull { limit: 3 });
    let order: Vec<String> = (0..3).map(|n| url(&send(&mut engine, ms(n)))).collect();
    assert_eq!(order, ["http://a1.com/", "http://a0.com/", "http://a2.com/"]);
}

#[test]
fn an_earlier_now_counts_as_the_latest_seen() {
    let mut engine = engine(ExtractionConfig::default());
    engine.submit(job("http://a.com/"), ms(5_000)).unwrap();
    let sent = send(&mut engine, ms(1));
    assert_eq!(sent.deadline, ms(610_000));
}

#[test]
fn many_outputs_in_one_call() {
    let mut engine = engine(fast());
    for n in 0..5 {
        engine.submit(job(&format!("http://a{n}.com/")), ms(0)).unwrap();
    }
    let mut clone = engine.clone();
    let all = engine.poll_batch(ms(0), 100);
    assert!(matches!(all[..], [ExtractionOutput::Send(_), ExtractionOutput::WaitUntil { .. }]));
    assert_eq!(clone.poll_batch(ms(0), 1).len(), 1);
    assert_eq!(clone.poll_batch(ms(0), 0), vec![]);
}

#[test]
fn debug_and_snapshot_hide_the_key() {
    let mut engine = ExtractionEngine::new(
        ExtractionApi::new("secretkey").unwrap(),
        ExtractionConfig::default(),
        1,
        ms(0),
    );
    engine.submit(job("http://a.com/"), ms(0)).unwrap();
    let output = engine.poll(ms(0));
    let snapshot = String::from_utf8(engine.snapshot(ms(0))).unwrap();
    for shown in [format!("{engine:?} {output:?}"), snapshot] {
        assert!(!shown.contains("secretkey") && !shown.contains("c2VjcmV0a2V5"), "{shown}");
    }
}
