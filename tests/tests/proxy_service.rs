//! The proxy service in virtual time: sessions, pace, limits, retries, bans, cookies, errors.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use silkline::{
    Timestamp,
    http::{ApiKey, Headers, Method, Request, Response},
    service::{
        Delivery, Keys,
        proxy::{
            BanRule, Connect, Fetch, FetchFailure, FetchOutcome, ProxyConfig, ProxyOutput,
            ProxyService, Relay, Step, Ticket,
        },
    },
};

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn at(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

fn addresses(count: u32) -> Vec<IpAddr> {
    (2..2 + count).map(|n| IpAddr::from((0x7f00_0000 + n).to_be_bytes())).collect()
}

fn request(method: &str, url: &str, headers: Pairs<'_>) -> Request {
    let mut all = Headers::new();
    let basic = ApiKey::new("alpha").unwrap().basic();
    if !headers.iter().any(|(name, _)| *name == "Proxy-Authorization") {
        all.append("Proxy-Authorization", basic.as_str()).unwrap();
    }
    all.append("Authorization", basic.as_str()).unwrap();
    for (name, value) in headers {
        all.append(*name, *value).unwrap();
    }
    Request::new(method.parse::<Method>().unwrap(), url).with_headers(all)
}

fn headers(pairs: Pairs<'_>) -> Headers {
    let owned = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Headers::from_received(owned)
}

/// A service with the calls of a test's client and target.
struct World(ProxyService);

impl World {
    fn new(change: impl FnOnce(&mut ProxyConfig)) -> Self {
        let mut config = ProxyConfig::default();
        config.outgoing = addresses(100);
        change(&mut config);
        Self(ProxyService::new(config, 1))
    }

    fn with_faults(json: &str) -> Self {
        Self(ProxyService::new(ProxyConfig::default(), 1).with_faults(json).unwrap())
    }

    fn ask(&mut self, url: &str, headers: Pairs<'_>, now: Timestamp) -> Step {
        self.0.handle_request(request("GET", url, headers), None, now)
    }

    /// A request that is let through at once.
    fn fetch(&mut self, url: &str, headers: Pairs<'_>, now: Timestamp) -> Box<Fetch> {
        match self.ask(url, headers, now) {
            Step::Fetch(fetch) => fetch,
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, url: &str, headers: Pairs<'_>, now: Timestamp) -> Response {
        match self.ask(url, headers, now) {
            Step::Answer(answer) => answer.response,
            other => panic!("{other:?}"),
        }
    }

    fn held(&mut self, url: &str, headers: Pairs<'_>, now: Timestamp) -> Ticket {
        match self.ask(url, headers, now) {
            Step::Wait(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    fn responded(&mut self, ticket: Ticket, status: u16, pairs: Pairs<'_>, now: Timestamp) -> Step {
        let body_start = Vec::new();
        let outcome = FetchOutcome::Responded { status, headers: headers(pairs), body_start };
        self.0.handle_fetched(ticket, outcome, now)
    }

    fn relay(&mut self, ticket: Ticket, status: u16, headers: Pairs<'_>, now: Timestamp) -> Relay {
        match self.responded(ticket, status, headers, now) {
            Step::Relay(relay) => {
                self.0.handle_finished(ticket, 10, now);
                relay
            }
            other => panic!("{other:?}"),
        }
    }

    fn api(&mut self, method: &str, path: &str, now: Timestamp) -> Response {
        self.0.handle_api(&request(method, path, &[]), now).response
    }

    fn create(&mut self, now: Timestamp) -> String {
        let response = self.api("POST", "/sessions", now);
        assert_eq!(response.status, 200, "{response:?}");
        String::from_utf8(response.body).unwrap()
    }
}

fn error(response: &Response) -> (u16, &str) {
    (response.status, response.headers.get("X-Crawlera-Error").unwrap_or(""))
}

const URL: &str = "http://example.com/";

#[test]
fn a_session_made_by_header_keeps_its_address() {
    let mut world = World::new(|_| {});
    let first = world.fetch(URL, &[("X-Crawlera-Session", "create"), ("Accept", "a")], at(0));
    assert_eq!(
        first.request.headers.iter().collect::<Vec<_>>(),
        [("Authorization", ApiKey::new("alpha").unwrap().basic().as_str()), ("Accept", "a"),]
    );
    let relay =
        world.relay(first.ticket, 200, &[("Connection", "x"), ("X", "1"), ("Y", "2")], at(500));
    let id = relay.headers.get("X-Crawlera-Session").unwrap().to_owned();
    assert!(!relay.headers.contains("X") && relay.headers.contains("Y"));
    assert!(relay.headers.contains("X-Crawlera-Version"));
    assert_eq!(
        relay.headers.get("X-Crawlera-Slave"),
        Some(format!("{}:3128", first.outgoing).as_str())
    );
    for number in 1..50 {
        let fetch = world.fetch(URL, &[("X-Crawlera-Session", &id)], at(number * 12_000));
        assert_eq!(fetch.outgoing, first.outgoing);
        let relay = world.relay(fetch.ticket, 404, &[], at(number * 12_000 + 900));
        assert_eq!(relay.headers.get("x-crawlera-session"), Some(id.as_str()));
        assert_eq!(relay.status, 404);
    }
    let stats = world.0.stats();
    assert_eq!((stats.early_requests, stats.delayed_requests), (0, 0));
    assert_eq!(stats.sessions[&id].requests, 50);
}

#[test]
fn sessions_are_made_listed_and_deleted() {
    let mut world = World::new(|_| {});
    let ids = [world.create(at(0)), world.create(at(0))];
    let list = world.api("GET", "/sessions", at(1));
    let list: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(&list.body).unwrap();
    assert_eq!(list.keys().collect::<BTreeSet<_>>(), ids.iter().collect());
    assert_eq!(list.values().collect::<BTreeSet<_>>().len(), 2, "an address each");
    assert_eq!(world.api("DELETE", &format!("/sessions/{}", ids[0]), at(2)).status, 204);
    let again = world.api("DELETE", &format!("/sessions/{}", ids[0]), at(2));
    assert_eq!(error(&again), (400, "bad_session_id"));
    let used = world.answer(URL, &[("X-Crawlera-Session", &ids[0])], at(3));
    assert_eq!(error(&used), (400, "bad_session_id"));
    assert!(used.headers.get("X-Crawlera-Session").is_none());
    assert_eq!(error(&world.api("GET", "/other", at(3))), (542, "bad_endpoint"));
}

#[test]
fn a_session_belongs_to_its_account() {
    let mut world = World::new(|_| {});
    let id = world.create(at(0));
    let other = ApiKey::new("beta").unwrap().basic();
    let used =
        world.answer(URL, &[("X-Crawlera-Session", &id), ("Proxy-Authorization", &other)], at(1));
    assert_eq!(error(&used), (400, "bad_session_id"));
}

#[test]
fn a_session_ends_thirty_minutes_after_its_last_request() {
    let mut world = World::new(|_| {});
    let id = world.create(at(0));
    let idle = 30 * 60 * 1_000;
    world.fetch(URL, &[("X-Crawlera-Session", &id)], at(idle - 1));
    world.fetch(URL, &[("X-Crawlera-Session", &id)], at(2 * idle - 2));
    let late = world.answer(URL, &[("X-Crawlera-Session", &id)], at(3 * idle - 2));
    assert_eq!(error(&late), (400, "bad_session_id"));
    assert_eq!(world.0.stats().sessions_expired, 1);
    let unused = world.create(at(4 * idle));
    assert!(world.api("GET", "/sessions", at(5 * idle - 1)).body.len() > 2);
    assert_eq!(world.api("GET", "/sessions", at(5 * idle)).body, b"{}");
    assert!(!world.0.stats().sessions[&unused].living);
}

#[test]
fn five_thousand_sessions_and_no_more() {
    let mut world = World::new(|config| config.outgoing = addresses(6_000));
    let ids: BTreeSet<String> = (0..5_000).map(|_| world.create(at(0))).collect();
    assert_eq!(ids.len(), 5_000);
    let full = world.api("POST", "/sessions", at(1));
    assert_eq!(error(&full), (400, "user_session_limit"));
    let by_header = world.answer(URL, &[("X-Crawlera-Session", "create")], at(1));
    assert_eq!(error(&by_header), (400, "user_session_limit"));
    assert!(by_header.headers.get("X-Crawlera-Session").is_none());
    world.api("DELETE", &format!("/sessions/{}", ids.first().unwrap()), at(2));
    world.create(at(2));
}

#[test]
fn without_a_free_address_there_is_no_session() {
    let mut world = World::new(|config| config.outgoing = addresses(2));
    let id = world.create(at(0));
    world.create(at(0));
    assert_eq!(error(&world.api("POST", "/sessions", at(0))), (503, "noslaves"));
    assert_eq!(error(&world.answer(URL, &[], at(0))), (503, "noslaves"));
    world.api("DELETE", &format!("/sessions/{id}"), at(0));
    world.create(at(0));
    let mut shared = World::new(|config| {
        config.outgoing = addresses(2);
        config.sessions_per_address = 2;
    });
    let used: Vec<String> = (0..4).map(|_| shared.create(at(0))).collect();
    assert_eq!(error(&shared.api("POST", "/sessions", at(0))), (503, "noslaves"));
    let stats = shared.0.stats();
    let addresses: BTreeSet<_> = used.iter().map(|id| &stats.sessions[id].address).collect();
    assert_eq!(addresses.len(), 2);
}

#[test]
fn requests_too_early_are_held_back_and_punished_up_to_the_hard_limit() {
    let mut world = World::new(|_| {});
    let id = world.create(at(0));
    let session = [("X-Crawlera-Session", id.as_str())];
    let first = world.fetch(URL, &session, at(0));
    let mut held = Vec::new();
    for _ in 1..13 {
        held.push(world.held(URL, &session, at(0)));
    }
    let refused = world.answer(URL, &session, at(0));
    assert_eq!(error(&refused), (503, "serverbusy"));
    assert_eq!(refused.headers.get("Retry-After"), Some("1092"));
    assert_eq!(refused.headers.get("X-Crawlera-Next-Request-In"), Some("1092"));
    let relay = world.relay(first.ticket, 200, &[], at(2_000));
    assert_eq!(relay.headers.get("X-Crawlera-Next-Request-In"), Some("1090"));
    let mut moments = Vec::new();
    let mut now = at(2_000);
    loop {
        match world.0.poll(now) {
            ProxyOutput::WaitUntil(next) => {
                assert!(matches!(world.0.poll(Timestamp::from_micros(next.as_micros() - 1)),
                    ProxyOutput::WaitUntil(same) if same == next));
                now = next;
            }
            ProxyOutput::Fetch(fetch) => {
                assert_eq!(fetch.ticket, held[moments.len()], "in the order they came");
                assert_eq!(fetch.outgoing, first.outgoing);
                moments.push(now.as_micros() / 1_000_000);
                world.relay(fetch.ticket, 200, &[], now);
            }
            ProxyOutput::Idle => break,
        }
    }
    assert_eq!(moments, [12, 36, 72, 120, 180, 252, 336, 432, 540, 660, 792, 900]);
    let stats = world.0.stats();
    assert_eq!((stats.early_requests, stats.delayed_requests), (13, 12));
    // 1092 s is when the last spacing ends; from 120 s before that on, nothing is announced.
    let on_time = world.fetch(URL, &session, at(1_092_000));
    let relay = world.relay(on_time.ticket, 200, &[], at(1_092_000));
    assert_eq!(relay.headers.get("X-Crawlera-Next-Request-In"), Some("144"));
    let quiet = world.fetch(URL, &session, at(1_092_000 + 144_000));
    let relay = world.relay(quiet.ticket, 200, &[], at(1_092_000 + 144_000 + 13_000));
    assert_eq!(relay.headers.get("X-Crawlera-Next-Request-In"), None, "119 s are left");
}

#[test]
fn the_soft_limit_is_at_120_seconds_to_the_millisecond() {
    let mut world = World::new(|config| {
        config.domain_delays.insert("example.com".into(), Duration::from_secs(121));
    });
    let id = world.create(at(0));
    for (url, now, expected) in
        [("http://www.example.com/", 1_000, Some("120")), (URL, 122_000 + 1_001, None)]
    {
        let session = [("X-Crawlera-Session", id.as_str())];
        let sent = at(if expected.is_some() { 0 } else { 122_000 });
        let fetch = world.fetch(url, &session, sent);
        let relay = world.relay(fetch.ticket, 200, &[], at(now));
        assert_eq!(relay.headers.get("X-Crawlera-Next-Request-In"), expected, "{now}");
    }
}

#[test]
fn the_wait_is_the_domains_and_holds_for_the_address() {
    let mut world = World::new(|config| {
        config.domain_delays.insert("slow.com".into(), Duration::from_secs(60));
        config.domain_delays.insert("fast.com".into(), Duration::from_secs(1));
    });
    let id = world.create(at(0));
    let session = [("X-Crawlera-Session", id.as_str())];
    world.fetch("http://www.fast.com/", &session, at(0));
    world.fetch("https://a.slow.com/", &session, at(1_000));
    world.held("http://fast.com/", &session, at(60_999));
    assert_eq!(world.0.stats().early_requests, 1);
    assert!(matches!(world.0.poll(at(61_000)), ProxyOutput::Fetch(_)));
}

#[test]
fn sessions_on_one_address_share_its_pace() {
    let mut world = World::new(|config| {
        config.outgoing = addresses(1);
        config.sessions_per_address = 2;
    });
    let (a, b) = (world.create(at(0)), world.create(at(0)));
    world.fetch(URL, &[("X-Crawlera-Session", &a)], at(0));
    world.held(URL, &[("X-Crawlera-Session", &b)], at(11_999));
    assert_eq!(world.0.stats().early_requests, 1);
}

#[test]
fn a_new_session_is_not_blamed_for_what_another_did_on_its_address() {
    let mut world = World::new(|config| config.outgoing = addresses(1));
    let old = world.create(at(0));
    world.fetch(URL, &[("X-Crawlera-Session", &old)], at(0));
    world.api("DELETE", &format!("/sessions/{old}"), at(1));
    let new = world.create(at(2));
    world.held(URL, &[("X-Crawlera-Session", &new)], at(3));
    assert_eq!(world.0.stats().early_requests, 0);
    assert!(matches!(world.0.poll(at(12_000)), ProxyOutput::Fetch(_)));
    world.held(URL, &[("X-Crawlera-Session", &new)], at(12_001));
    assert_eq!(world.0.stats().early_requests, 1);
}

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
fn cookies_are_the_services_the_clients_or_nobodys() {
    let mut world = World::new(|_| {});
    let id = world.create(at(0));
    let mut now = 0;
    let mut exchange = |wish: &str, sent: Option<&str>, set: bool| {
        let pairs = [
            ("X-Crawlera-Session", id.as_str()),
            ("X-Crawlera-Cookies", wish),
            ("Cookie", "client=1"),
        ];
        let fetch = world.fetch(URL, &pairs, at(now));
        assert_eq!(fetch.request.headers.get("Cookie"), sent, "{wish}");
        let relay = world.relay(fetch.ticket, 200, &[("Set-Cookie", "jar=2")], at(now));
        assert_eq!(relay.headers.contains("Set-Cookie"), set, "{wish}");
        now += 12_000;
    };
    exchange("discard", None, false);
    exchange("disable", Some("client=1"), true);
    exchange("enable", None, true);
    exchange("enable", Some("jar=2"), true);
    exchange("disable", Some("client=1"), true);
}

#[test]
fn profiles_replace_the_browsers_headers() {
    let mut world = World::new(|_| {});
    let base = [("User-Agent", "mine"), ("Accept-Language", "de")];
    let mut sent = |extra: Pairs<'_>, now| {
        let all: Vec<_> = base.iter().chain(extra).copied().collect();
        let headers = world.fetch(URL, &all, at(now)).request.headers;
        let agents: Vec<_> = headers.get_all("User-Agent").map(String::from).collect();
        assert_eq!(agents.len(), 1);
        (agents[0].clone(), headers.get("Accept-Language").unwrap().to_owned())
    };
    assert_eq!(sent(&[], 0), ("mine".into(), "de".into()));
    assert!(sent(&[("X-Crawlera-Profile", "desktop")], 1).0.contains("X11"));
    let pair = [("X-Crawlera-Profile", "mobile"), ("X-Crawlera-UA", "pass")];
    assert!(sent(&pair, 2).0.contains("Mobile"), "Profile overrides UA");
    let pass =
        [("X-Crawlera-Profile", "mobile"), ("X-Crawlera-Profile-Pass", "Accept-Language, X")];
    assert_eq!(sent(&pass, 3).1, "de");
    let debug = [("X-Crawlera-Debug", "ua,request-time"), ("User-Agent", "mine")];
    let fetch = world.fetch(URL, &debug, at(100));
    let relay = world.relay(fetch.ticket, 200, &[], at(1_350));
    assert_eq!(relay.headers.get("X-Crawlera-Debug-UA"), Some("mine"));
    assert_eq!(relay.headers.get("X-Crawlera-Debug-Request-Time"), Some("1.250"));
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
fn what_the_connect_says_counts_inside_the_tunnel() {
    let mut world = World::new(|_| {});
    let connect = |world: &mut World, authority: &str, headers: Pairs<'_>| {
        world.0.handle_connect(&request("CONNECT", authority, headers), at(0))
    };
    let Connect::Tunnel(tunnel) =
        connect(&mut world, "example.com:443", &[("X-Crawlera-Session", "create")])
    else {
        panic!()
    };
    let id = tunnel.answer_headers.get("X-Crawlera-Session").unwrap().to_owned();
    let inner = || Request::new(Method::GET, "https://example.com/");
    let Step::Fetch(fetch) = world.0.handle_request(inner(), Some(&tunnel), at(1)) else {
        panic!()
    };
    assert!(fetch.request.headers.is_empty(), "{:?}", fetch.request);
    let relay = world.relay(fetch.ticket, 200, &[], at(2));
    assert_eq!(relay.headers.get("X-Crawlera-Session"), Some(id.as_str()));
    let own = inner().with_headers(headers(&[("X-Crawlera-Session", "create")]));
    let Step::Fetch(fetch) = world.0.handle_request(own, Some(&tunnel), at(3)) else { panic!() };
    let relay = world.relay(fetch.ticket, 200, &[], at(4));
    assert_ne!(relay.headers.get("X-Crawlera-Session"), Some(id.as_str()), "the inner one wins");
    for (authority, headers, expected) in [
        ("example.com:443", &[("Proxy-Authorization", "x")][..], (407, "bad_proxy_auth")),
        ("example.com:443", &[("X-Crawlera-Session", "1")], (400, "bad_session_id")),
        ("example.com:443", &[("X-Crawlera-Profile", "1")], (540, "bad_header")),
        ("exa mple:443", &[], (401, "bad_uri")),
        ("user@example.com:443", &[], (401, "bad_uri")),
        ("", &[], (401, "bad_uri")),
    ] {
        let Connect::Answer(answer) = connect(&mut world, authority, headers) else { panic!() };
        assert_eq!(error(&answer.response), expected, "{authority}");
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

#[test]
fn the_host_is_that_of_the_url() {
    let mut world = World::new(|_| {});
    for (url, said, sent) in [
        ("http://a.com/", "b.com", "a.com"),
        ("http://a.com:8080/", "a.com", "a.com:8080"),
        ("http://a.com/", "A.com:80", "A.com:80"),
        ("http://[::1]:81/", "[::1]:81", "[::1]:81"),
    ] {
        let fetch = world.fetch(url, &[("Host", said)], at(0));
        assert_eq!(fetch.request.headers.get_all("Host").collect::<Vec<_>>(), [sent], "{url}");
    }
    assert!(!world.fetch("http://a.com/", &[], at(0)).request.headers.contains("Host"));
}

#[test]
fn a_connect_names_a_host_and_a_port() {
    let mut world = World::new(|_| {});
    for authority in ["a.com:443", "127.0.0.1:80", "[::1]:8443"] {
        let connect = world.0.handle_connect(&request("CONNECT", authority, &[]), at(0));
        assert!(matches!(connect, Connect::Tunnel(_)), "{authority}");
    }
    for authority in ["", "a.com", "a.com:", "a.com:0", "a.com:65536", ":443", "a/b:1", "u@a:1"] {
        match world.0.handle_connect(&request("CONNECT", authority, &[]), at(0)) {
            Connect::Answer(answer) => assert_eq!(error(&answer.response), (401, "bad_uri")),
            other @ Connect::Tunnel(_) => panic!("{authority}: {other:?}"),
        }
    }
}

#[test]
fn what_cannot_be_read_is_answered_by_the_service_too() {
    let mut world = World::new(|_| {});
    let large = world.0.handle_unreadable(true, at(0)).response;
    assert_eq!(large.status, 413);
    assert!(large.headers.contains("X-Crawlera-Version"));
    assert!(!large.headers.contains("X-Crawlera-Error"));
    let odd = world.0.handle_unreadable(false, at(0)).response;
    assert_eq!(error(&odd), (400, "invalid_request"));
    assert_eq!(world.0.stats().errors.len(), 2);
}
