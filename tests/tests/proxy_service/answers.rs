//! What targets answer, what is done about it, and what the service answers itself.

use std::{collections::BTreeSet, time::Duration};

use silkline::{
    http::{ApiKey, Headers},
    service::{
        Delivery, Keys,
        proxy::{
            BanRule, FetchFailure, FetchOutcome, ProxyConfig, ProxyOutput, ProxyService, Step,
        },
    },
};

use super::{Pairs, URL, World, at, error};

#[test]
fn outside_sessions_the_service_retries_elsewhere() {
    let mut world = World::new(|_| {});
    let mut seen = BTreeSet::new();
    let mut fetch = world.fetch(URL, &[], at(0));
    for _ in 0..5 {
        seen.insert(fetch.outgoing);
        let failed = FetchOutcome::Failed(FetchFailure::Econnrefused);
        fetch = match world.0.handle_fetched(fetch.ticket, failed, at(10)) {
            Step::Fetch(fetch) => fetch,
            other => panic!("{other:?}"),
        };
    }
    seen.insert(fetch.outgoing);
    assert_eq!(seen.len(), 6, "an address of its own for each attempt");
    let failed = FetchOutcome::Failed(FetchFailure::Econnrefused);
    match world.0.handle_fetched(fetch.ticket, failed, at(10)) {
        Step::Answer(answer) => assert_eq!(error(&answer.response), (502, "econnrefused")),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.0.stats().retries, 5);
}

#[test]
fn in_a_session_only_max_retries_turns_retries_on() {
    let mut world = World::new(|_| {});
    let id = world.create(at(0));
    let fetch = world.fetch(URL, &[("X-Crawlera-Session", &id)], at(0));
    let timeout = || FetchOutcome::Failed(FetchFailure::Timeout);
    match world.0.handle_fetched(fetch.ticket, timeout(), at(10)) {
        Step::Answer(answer) => {
            assert_eq!(error(&answer.response), (504, "timeout"));
            assert_eq!(answer.response.headers.get("X-Crawlera-Session"), Some(id.as_str()));
        }
        other => panic!("{other:?}"),
    }
    let wishes = [("X-Crawlera-Session", id.as_str()), ("X-Crawlera-Max-Retries", "1")];
    let fetch = world.fetch(URL, &wishes, at(12_000));
    // The retry leaves from the same address, so it keeps the spacing, and is nobody's fault.
    assert!(matches!(world.0.handle_fetched(fetch.ticket, timeout(), at(12_010)), Step::Wait(_)));
    let Step::Answer(answer) = (match world.0.poll(at(24_000)) {
        ProxyOutput::Fetch(again) => {
            assert_eq!(again.outgoing, fetch.outgoing);
            world.0.handle_fetched(again.ticket, timeout(), at(24_010))
        }
        other => panic!("{other:?}"),
    }) else {
        panic!("retries are used up")
    };
    assert_eq!(error(&answer.response), (504, "timeout"));
    assert_eq!(world.0.stats().early_requests, 0);
}

#[test]
fn an_error_answered_to_create_carries_no_session_and_leaves_none() {
    let mut world = World::new(|config| config.retries = 0);
    let fetch = world.fetch(URL, &[("X-Crawlera-Session", "create")], at(0));
    let failed = FetchOutcome::Failed(FetchFailure::Nxdomain);
    let Step::Answer(answer) = world.0.handle_fetched(fetch.ticket, failed, at(1)) else {
        panic!()
    };
    assert_eq!(error(&answer.response), (502, "nxdomain"));
    assert!(!answer.response.headers.contains("X-Crawlera-Session"));
    assert_eq!(world.api("GET", "/sessions", at(2)).body, b"{}");
    let fetch = world.fetch(URL, &[("X-Crawlera-Session", "create")], at(3));
    world.0.handle_closed(fetch.ticket, at(4));
    assert_eq!(world.api("GET", "/sessions", at(5)).body, b"{}");
    assert_eq!(world.0.stats().clients_gone, 1);
}

#[test]
fn bans_are_what_the_rules_say() {
    let mut world = World::new(|config| {
        config.retries = 1;
        config.bans = vec![
            BanRule::new(Some("example.com".into()), vec![403], vec![]),
            BanRule::new(None, vec![], vec!["captcha".into()]),
        ];
    });
    let fetch = world.fetch("http://www.example.com/", &[], at(0));
    assert!(fetch.inspect_body);
    let Step::Fetch(again) = world.responded(fetch.ticket, 403, &[], at(1)) else { panic!() };
    assert_ne!(again.outgoing, fetch.outgoing);
    let body = FetchOutcome::Responded {
        status: 200,
        headers: Headers::new(),
        body_start: b"<p>a captcha</p>".to_vec(),
    };
    let Step::Answer(answer) = world.0.handle_fetched(again.ticket, body, at(2)) else { panic!() };
    assert_eq!(error(&answer.response), (503, "banned"));
    let elsewhere = world.fetch("http://example.org/", &[], at(3));
    world.relay(elsewhere.ticket, 403, &[], at(4));
    let unchecked = world.fetch(URL, &[("X-Crawlera-No-Bancheck", "1")], at(5));
    assert!(!unchecked.inspect_body);
    world.relay(unchecked.ticket, 403, &[], at(6));
    assert_eq!(world.0.stats().bans, 2);
}

#[test]
fn every_documented_error_that_can_arise_arises() {
    let mut world = World::new(|config| {
        config.keys =
            Keys::only(vec!["alpha".into(), "gone".into()]).with_disabled(vec!["gone".into()]);
        config.forbidden_domains = vec!["forbidden.com".into()];
        config.withheld_headers = vec!["X-Crawlera-Region".into()];
        config.max_connections = Some(2);
        config.retries = 0;
    });
    let gone = ApiKey::new("gone").unwrap().basic();
    let big = "x".repeat(100 * 1024);
    let refusals: &[(&str, Pairs<'_>, (u16, &str))] = &[
        (URL, &[("Proxy-Authorization", "Basic YmV0YTo=")], (407, "bad_proxy_auth")),
        (URL, &[("Proxy-Authorization", "nothing")], (407, "bad_proxy_auth")),
        (URL, &[("Proxy-Authorization", &gone)], (403, "user_suspended")),
        (URL, &[("X-Big", &big)], (413, "")),
        (URL, &[("X-Crawlera-Region", "us")], (470, "header_auth")),
        (URL, &[("X-Crawlera-Profile", "tablet")], (540, "bad_header")),
        (URL, &[("X-Crawlera-Max-Retries", "6")], (540, "bad_header")),
        (URL, &[("X-Crawlera-Timeout", "soon")], (540, "bad_header")),
        (URL, &[("X-Crawlera-Cookies", "eat")], (540, "bad_header")),
        (URL, &[("X-Crawlera-Session", "123")], (400, "bad_session_id")),
        ("ftp://example.com/", &[], (401, "bad_uri")),
        ("http://", &[], (401, "bad_uri")),
        ("http://www.forbidden.com/", &[], (523, "domain_forbidden")),
    ];
    for (url, headers, expected) in refusals {
        let response = world.answer(url, headers, at(0));
        assert_eq!(error(&response), *expected, "{url} {expected:?}");
        assert!(response.headers.contains("X-Crawlera-Version"));
    }
    let auth = world.answer(URL, &[("Proxy-Authorization", "nothing")], at(0));
    assert_eq!(auth.headers.get("Proxy-Authenticate"), Some("Basic realm=\"Crawlera\""));
    assert!(auth.body.is_empty());
    let both = [world.fetch(URL, &[], at(1)), world.fetch(URL, &[], at(1))];
    assert_eq!(error(&world.answer(URL, &[], at(1))), (429, "too_many_conns"));
    let large = [("Content-Length", "500000001")];
    let Step::Answer(answer) = world.responded(both[0].ticket, 200, &large, at(2)) else {
        panic!()
    };
    assert_eq!(error(&answer.response), (541, "data_error"));
    world.0.handle_closed(both[1].ticket, at(2));
    for (failure, expected) in [
        (FetchFailure::ConnectTimeout, (504, "connect_timeout")),
        (FetchFailure::DomainForbidden, (523, "domain_forbidden")),
        (FetchFailure::Econnrefused, (502, "econnrefused")),
        (FetchFailure::Econnreset, (502, "econnreset")),
        (FetchFailure::Ehostunreach, (502, "ehostunreach")),
        (FetchFailure::InternalError, (500, "internal_error")),
        (FetchFailure::Msgtimeout, (504, "msgtimeout")),
        (FetchFailure::Nxdomain, (502, "nxdomain")),
        (FetchFailure::SendFailed, (502, "send_failed")),
        (FetchFailure::SocketClosedRemotely, (502, "socket_closed_remotely")),
        (FetchFailure::SslTunnelError, (502, "ssl_tunnel_error")),
        (FetchFailure::Timeout, (504, "timeout")),
    ] {
        let fetch = world.fetch(URL, &[], at(3));
        let failed = FetchOutcome::Failed(failure);
        let Step::Answer(answer) = world.0.handle_fetched(fetch.ticket, failed, at(3)) else {
            panic!()
        };
        assert_eq!(error(&answer.response), expected);
    }
    let mut plan = World::new(|_| {});
    let both = [("X-Crawlera-Session", "create"), ("X-Crawlera-Region", "us")];
    assert_eq!(error(&plan.answer(URL, &both, at(0))), (540, "bad_header"));
    let mut busy = World::new(|config| config.max_outstanding = Some(0));
    assert_eq!(error(&busy.answer(URL, &[], at(0))), (503, "serverbusy"));
}

#[test]
fn a_timeout_is_clamped() {
    let mut world = World::new(|_| {});
    for (wish, seconds) in [(None, 30), (Some("1"), 30), (Some("90000"), 90), (Some("999999"), 180)]
    {
        let pair = wish.map(|wish| ("X-Crawlera-Timeout", wish));
        let fetch = world.fetch(URL, pair.as_slice(), at(0));
        assert_eq!(fetch.timeout, Duration::from_secs(seconds));
    }
}

#[test]
fn a_script_brings_about_the_rest() {
    let mut world = World::with_faults(
        r#"[{"when": {"request": 1}, "then": {"answer": {"status": 503, "error": "slavebanned",
                "headers": {"Retry-After": "7"}, "body": "x"}}},
            {"when": {"request": 2}, "then": {"drop": true}},
            {"when": {"request": 3}, "then": {"truncate": 4}},
            {"when": {"request": 4}, "then": {"delay": 2.5}},
            {"when": {"url": "*/ban"}, "then": {"ban": true}},
            {"when": {"url": "*/fail"}, "then": {"fail": "socket_closed_remotely"}},
            {"when": {"url": "*/end"}, "then": {"end_session": true}}]"#,
    );
    let first = world.answer(URL, &[], at(0));
    assert_eq!(error(&first), (503, "slavebanned"));
    assert_eq!(first.headers.get("Retry-After"), Some("7"));
    let Step::Answer(dropped) = world.ask(URL, &[], at(0)) else { panic!() };
    assert_eq!(dropped.delivery, Delivery::Dropped);
    let third = world.fetch(URL, &[("X-Crawlera-Max-Retries", "0")], at(0));
    assert_eq!(world.relay(third.ticket, 200, &[], at(0)).truncate, Some(4));
    world.held(URL, &[], at(20_000));
    assert!(matches!(world.0.poll(at(22_499)), ProxyOutput::WaitUntil(_)));
    assert!(matches!(world.0.poll(at(22_500)), ProxyOutput::Fetch(_)));
    let mut now = 60_000;
    for (url, expected) in [
        ("http://example.com/ban", (503, "banned")),
        ("http://example.com/fail", (502, "socket_closed_remotely")),
    ] {
        now += 12_000;
        let now = at(now);
        let fetch = world.fetch(url, &[("X-Crawlera-Max-Retries", "0")], now);
        let Step::Answer(answer) = world.responded(fetch.ticket, 200, &[], now) else { panic!() };
        assert_eq!(error(&answer.response), expected);
    }
    let mut world =
        World::with_faults(r#"[{"when": {"url": "*/end"}, "then": {"end_session": true}}]"#);
    let id = world.create(at(0));
    let ended = world.answer("http://a/end", &[("X-Crawlera-Session", &id)], at(0));
    assert_eq!(error(&ended), (400, "bad_session_id"));
    for wrong in [
        r#"[{"then": {"answer": {"status": 9}}}]"#,
        r#"[{"then": {"answer": {"status": 503, "error": "a\nb"}}}]"#,
        r#"[{"then": {"drop": false}}]"#,
        r#"[{"then": {"fail": "whatever"}}]"#,
        r#"[{"then": {"fly": true}}]"#,
    ] {
        assert!(
            ProxyService::new(ProxyConfig::default(), 1).with_faults(wrong).is_err(),
            "{wrong}"
        );
    }
}
