//! Sessions: made, listed, deleted, forgotten; the pace that they keep.

use std::{collections::BTreeSet, time::Duration};

use silkline::{Timestamp, http::ApiKey, service::proxy::ProxyOutput};

use super::{URL, World, addresses, at, error};

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
