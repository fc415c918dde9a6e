//! Faults that a script asks for, and what chance does.

use core::time::Duration;

use serde_json::json;
use silkline::service::{
    Delivery,
    extraction::{ExtractionService, ServiceOutput},
};

use super::{
    START, body, errors, fetch, finished, page, problem, refused, seconds, service, text,
    unlimited, urls, with_faults,
};

#[test]
fn a_script_asks_for_problems() {
    let mut service = with_faults(&json!([
        {"when": {"request": 1}, "then": {"problem": "http-pipelining-not-supported"}},
        {"when": {"request": 2}, "then": {"problem": "malformed-request", "headers": {"X": "y"}}},
        {"when": {"request": 3}, "then": {"problem": "rate-limit-exceeded", "status": 503,
            "retry_after": 3, "title": "slow down", "members": {"delay": 3}}},
        {"when": {"request": 4}, "then": {"problem": "brand-new", "retry_after": "soon"}},
        {"when": {"request": 5}, "then": {"status": 502, "body": "<h1>", "content_type": "text/html"}},
        {"when": {"request": 6}, "then": {"status": 500}},
    ]));
    let one = urls(&["http://a/"]);
    let mut next = || refused(service.handle_request(&one, START));
    assert_eq!(problem(&next()), (400, "http-pipelining-not-supported".into()));
    let second = next();
    assert_eq!(problem(&second), (400, "malformed-request".into()));
    assert_eq!(second.headers.get("x"), Some("y"));
    let third = next();
    assert_eq!(problem(&third), (503, "rate-limit-exceeded".into()));
    assert_eq!(third.headers.get("Retry-After"), Some("3"));
    assert_eq!((&body(&third)["title"], &body(&third)["delay"]), (&json!("slow down"), &json!(3)));
    let fourth = next();
    assert_eq!(problem(&fourth), (400, "brand-new".into()));
    assert_eq!(fourth.headers.get("Retry-After"), Some("soon"));
    let fifth = next();
    assert_eq!((fifth.status, text(&fifth).as_str()), (502, "<h1>"));
    assert_eq!(fifth.headers.get("Content-Type"), Some("text/html"));
    let sixth = next();
    assert_eq!((sixth.status, sixth.body.len(), sixth.headers.len()), (500, 0, 0));
    assert_eq!(finished(&mut service, &one, START).response.status, 200);
    assert_eq!(service.stats().faults, 6);
    assert_eq!(service.stats().request_errors["500"], 1);
}

#[test]
fn a_script_asks_for_errors_of_queries() {
    let mut service = with_faults(&json!([
        {"when": {"url": "http://a/*"}, "times": 2, "then": {"error": "Proxy error: banned"}},
        {"when": {"domain": "b.example", "page_type": "article"}, "skip": 1,
            "then": {"error": "Something new"}},
    ]));
    let all = urls(&["http://a/1", "http://b.example/", "http://a/2", "http://x.b.example/"]);
    let answer = finished(&mut service, &all, START);
    let banned = "Proxy error: banned";
    assert_eq!(errors(&answer.response), [banned, "none", banned, "Something new"]);
    let answer = finished(&mut service, &all, START);
    assert_eq!(errors(&answer.response), ["none", "Something new", "none", "Something new"]);
    assert_eq!((service.stats().billed, service.stats().unbilled), (5, 3));
}

#[test]
fn a_script_makes_queries_slow_and_answers_late() {
    let mut service = with_faults(&json!([
        {"when": {"url": "*slow"}, "then": {"slow": 10}},
        {"when": {"url": "*stuck"}, "then": {"slow": 601}},
        {"when": {"url": "*late"}, "then": {"delay": 2.5}},
        {"when": {"url": "*away"}, "then": {"delay": 1, "status": 500}},
    ]));
    let answer = |output| match output {
        ServiceOutput::Answer { answer, .. } => answer,
        other => panic!("{other:?}"),
    };
    let (ticket, _) = fetch(service.handle_request(&urls(&["http://a/slow"]), START));
    assert!(service.handle_fetched(ticket, 0, &page(&json!({})), seconds(1)).is_none());
    assert_eq!(service.poll(seconds(1)), ServiceOutput::WaitUntil(seconds(10)));
    assert_eq!(errors(&answer(service.poll(seconds(10))).response), ["none"]);

    let (ticket, _) = fetch(service.handle_request(&urls(&["http://a/stuck"]), seconds(10)));
    assert!(service.handle_fetched(ticket, 0, &page(&json!({})), seconds(11)).is_none());
    assert_eq!(service.poll(seconds(11)), ServiceOutput::WaitUntil(seconds(610)));
    assert_eq!(errors(&answer(service.poll(seconds(610))).response), ["query timed out"]);

    let (ticket, _) = fetch(service.handle_request(&urls(&["http://a/late"]), seconds(610)));
    assert!(service.handle_fetched(ticket, 0, &page(&json!({})), seconds(611)).is_none());
    let due = seconds(613) + Duration::from_millis(500);
    assert_eq!(service.poll(seconds(611)), ServiceOutput::WaitUntil(due));
    assert_eq!(errors(&answer(service.poll(due)).response), ["none"]);

    let (ticket, queries) = fetch(service.handle_request(&urls(&["http://a/away"]), seconds(700)));
    assert!(queries.is_empty());
    service.handle_closed(ticket, seconds(700));
    assert_eq!(service.poll(seconds(701)), ServiceOutput::Idle);
    let (_, _) = fetch(service.handle_request(&urls(&["http://a/away"]), seconds(701)));
    assert_eq!(answer(service.poll(seconds(702))).response.status, 500);
}

#[test]
fn a_script_damages_answers() {
    let mut service = with_faults(&json!([
        {"when": {"request": 1}, "then": {"drop": true}},
        {"when": {"request": 2}, "then": {"truncate": 20}},
        {"when": {"request": 3}, "then": {"garbage": 33}},
        {"when": {"request": 4}, "then": {"content_type": "text/html"}},
        {"when": {"request": 5}, "then": {"content_type": ""}},
        {"when": {"request": 6}, "then": {"body": {"a": 1}}},
    ]));
    let one = urls(&["http://a/"]);
    let mut next = || finished(&mut service, &one, START);
    assert_eq!(next().delivery, Delivery::Dropped);
    let truncated = next();
    assert_eq!(truncated.delivery, Delivery::Truncated(20));
    assert_eq!(errors(&truncated.response), ["none"]);
    let garbage = next().response;
    assert_eq!((garbage.status, garbage.body.len()), (200, 33));
    assert_eq!(next().response.headers.get("Content-Type"), Some("text/html"));
    assert_eq!(next().response.headers.get("Content-Type"), None);
    assert_eq!(body(&next().response), json!({"a": 1}));
    assert_eq!(service.stats().billed, 6);
}

#[test]
fn a_script_disturbs_the_list_of_results() {
    let sent = ["http://a/1", "http://a/2", "http://a/3"];
    for (disorder, expected) in [
        (json!(["missing"]), vec!["http://a/1", "http://a/2"]),
        (json!(["surplus"]), vec!["http://a/1", "http://a/2", "http://a/3", "http://a/1"]),
        (
            json!(["foreign", "missing"]),
            vec!["http://foreign.example/", "http://a/1", "http://a/2"],
        ),
        (json!(["reversed"]), vec!["http://a/3", "http://a/2", "http://a/1"]),
    ] {
        let mut service = with_faults(&json!([{"then": {"results": disorder}}]));
        let results = body(&finished(&mut service, &urls(&sent), START).response);
        let seen: Vec<_> = results
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["query"]["userQuery"]["url"].as_str().unwrap())
            .collect();
        assert_eq!(seen, expected);
    }
    let mut service = with_faults(&json!([{"then": {"results": ["object"]}}]));
    let object = body(&finished(&mut service, &urls(&sent), START).response);
    assert_eq!(object["query"]["userQuery"]["url"], "http://a/1");
    let mut service = with_faults(&json!([{"then": {"echo": {"userAgent": "x"}}}]));
    let results = body(&finished(&mut service, &urls(&sent), START).response);
    assert_eq!(
        results[1]["query"]["userQuery"],
        json!({"userAgent": "x", "url": "http://a/2", "pageType": "article"})
    );
}

#[test]
fn shuffled_results_hold_each_query_once() {
    let many: Vec<_> = (0..100).map(|index| format!("http://a/{index}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let mut service = service(unlimited().with_shuffled_results(true));
    let results = body(&finished(&mut service, &urls(&many), START).response);
    let seen: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["query"]["userQuery"]["url"].as_str().unwrap())
        .collect();
    assert_ne!(seen, many);
    let (mut seen, mut many) = (seen, many);
    seen.sort_unstable();
    many.sort_unstable();
    assert_eq!(seen, many);
}

#[test]
fn a_script_that_makes_no_sense_is_refused() {
    for (script, reason) in [
        (json!([{"then": {}}]), "rule 0: `then`"),
        (
            json!([{"then": {"error": "x"}}, {"then": {"error": "x", "drop": true}}]),
            "rule 1: `then`",
        ),
        (json!([{"then": {"status": 99}}]), "from 200 to 599"),
        (json!([{"then": {"delay": -1}}]), "negative"),
        (json!([{"then": {"title": "x", "drop": true}}]), "belong to a `problem`"),
        (json!([{"then": {"problem": "x", "members": {"type": "y"}}}]), "own type"),
        (json!([{"then": {"drop": true, "headers": {"a b": "x"}}}]), "valid in HTTP"),
        (json!([{"then": {"drop": true, "retry_after": "a\nb"}}]), "valid in HTTP"),
        (json!([{"then": {"results": ["lost"]}}]), "unknown variant"),
        (json!([{"then": {"errors": "x"}}]), "unknown field"),
    ] {
        let error = unlimited().with_faults(&script.to_string()).unwrap_err();
        assert_eq!(error.code(), "invalid_faults");
        assert!(error.reason.contains(reason), "{script}: {error}");
    }
}

#[test]
fn the_same_seed_and_calls_give_the_same_answers() {
    let run = |seed: u64| {
        let script = r#"[{"when": {"probability": 0.5}, "then": {"garbage": 8}}]"#;
        let config = unlimited().with_shuffled_results(true).with_faults(script).unwrap();
        let mut service = ExtractionService::new(config, seed);
        (0..20)
            .map(|second| {
                finished(&mut service, &urls(&["http://a/1", "http://a/2"]), seconds(second))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
