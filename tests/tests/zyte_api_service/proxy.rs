//! The proxy mode.

use core::time::Duration;

use serde_json::json;
use silkline::{
    Timestamp,
    http::{ApiKey, Headers, Method, Request},
    service::{
        Keys, Pace,
        proxy::{BanRule, Connect, Fetch, FetchFailure, FetchOutcome, ProxyOutput, Relay, Step},
        zyte_api::proxy::{ZyteProxyConfig, ZyteProxyService},
    },
};

use super::{at, body, text};

const ID: &str = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
const OTHER_ID: &str = "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";

fn proxied(headers: &[(&str, &str)]) -> Request {
    with_method(Method::GET, headers)
}

fn with_method(method: Method, headers: &[(&str, &str)]) -> Request {
    let mut all = Headers::new();
    all.append("Proxy-Authorization", ApiKey::new("KEY").unwrap().basic()).unwrap();
    for (name, value) in headers {
        all.append(*name, *value).unwrap();
    }
    Request::new(method, "http://example.com/a").with_headers(all)
}

fn proxy(config: ZyteProxyConfig) -> ZyteProxyService {
    ZyteProxyService::new(config, 7)
}

fn with_addresses(last: u8) -> ZyteProxyConfig {
    let mut config = ZyteProxyConfig::default();
    config.outgoing = (2..=last).map(|n| [127, 0, 0, n].into()).collect();
    config
}

fn begin(proxy: &mut ZyteProxyService, request: Request, now: Timestamp) -> Box<Fetch> {
    match proxy.handle_request(request, None, now) {
        Step::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn responded(status: u16, headers: &[(&str, &str)]) -> FetchOutcome {
    let pairs = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    FetchOutcome::Responded {
        status,
        headers: Headers::from_received(pairs),
        body_start: Vec::new(),
    }
}

fn relayed(step: Step) -> Relay {
    match step {
        Step::Relay(relay) => relay,
        other => panic!("{other:?}"),
    }
}

/// The status and the type of a problem, which headers and body tell alike.
fn problem(step: Step) -> (u16, String) {
    let Step::Answer(answer) = step else { panic!("{step:?}") };
    let (headers, document) = (&answer.response.headers, body(&answer));
    assert_eq!(headers.get("Zyte-Error-Type"), document["type"].as_str());
    assert_eq!(headers.get("Zyte-Error-Title"), document["title"].as_str());
    assert!(headers.contains("Zyte-Request-ID"));
    (answer.response.status, document["type"].as_str().unwrap().into())
}

#[test]
fn a_session_begins_with_its_first_request_and_keeps_its_address() {
    let mut proxy = proxy(with_addresses(9));
    let first = begin(&mut proxy, proxied(&[("Zyte-Session-ID", ID)]), at(0));
    assert!(!first.request.headers.contains("Zyte-Session-ID"));
    let relay = relayed(proxy.handle_fetched(first.ticket, responded(200, &[]), at(1)));
    assert!(relay.headers.contains("Zyte-Request-ID"));
    proxy.handle_finished(first.ticket, 5, at(1));
    let upper = ID.to_uppercase();
    let second = begin(&mut proxy, proxied(&[("Zyte-Session-ID", &upper)]), at(100));
    assert_eq!(second.outgoing, first.outgoing);
    let third = begin(&mut proxy, proxied(&[("Zyte-Session-ID", OTHER_ID)]), at(100));
    assert_ne!(third.outgoing, first.outgoing);
    let stats = proxy.stats();
    assert_eq!((stats.sessions_created, stats.sessions[ID].requests), (2, 2));
    assert_eq!(
        problem(proxy.handle_request(proxied(&[("Zyte-Session-ID", "1")]), None, at(100))).0,
        400
    );
}

#[test]
fn a_session_ends_after_two_idle_minutes_or_fifteen_in_all() {
    let mut proxy = proxy(with_addresses(3));
    let ask = |proxy: &mut ZyteProxyService, seconds: u64| {
        let step = proxy.handle_request(proxied(&[("Zyte-Session-ID", ID)]), None, at(seconds));
        match step {
            Step::Fetch(fetch) => {
                relayed(proxy.handle_fetched(fetch.ticket, responded(200, &[]), at(seconds)));
                proxy.handle_finished(fetch.ticket, 0, at(seconds));
                None
            }
            other => Some(problem(other)),
        }
    };
    for seconds in (0..900).step_by(119) {
        assert_eq!(ask(&mut proxy, seconds), None, "{seconds}");
    }
    let expired = Some((422, "/problem/session-expired".to_owned()));
    assert_eq!(ask(&mut proxy, 900), expired);
    assert_eq!(ask(&mut proxy, 90_000), expired, "an id is used once");
    let mut idle = ZyteProxyService::new(with_addresses(3), 1);
    assert_eq!(ask(&mut idle, 0), None);
    assert_eq!(ask(&mut idle, 119), None);
    assert_eq!(ask(&mut idle, 239), expired);
    assert_eq!(idle.stats().sessions_expired, 1);
}

#[test]
fn three_bans_in_a_row_end_a_session() {
    let mut config = with_addresses(3);
    config.bans = vec![BanRule::new(None, vec![403], vec![])];
    let mut proxy = proxy(config);
    for status in [403, 403, 200, 403, 403, 403] {
        let fetch = begin(&mut proxy, proxied(&[("Zyte-Session-ID", ID)]), at(0));
        let step = proxy.handle_fetched(fetch.ticket, responded(status, &[]), at(0));
        if status == 403 {
            assert_eq!(problem(step), (520, "/download/temporary-error".into()));
        }
    }
    let step = proxy.handle_request(proxied(&[("Zyte-Session-ID", ID)]), None, at(0));
    assert_eq!(problem(step), (422, "/problem/session-expired".into()));
    assert_eq!((proxy.stats().bans, proxy.stats().sessions_banned), (5, 1));
}

#[test]
fn sessions_have_limits() {
    let mut config = with_addresses(3);
    config.max_sessions = 1;
    let mut limited = proxy(config);
    begin(&mut limited, proxied(&[("Zyte-Session-ID", ID)]), at(0));
    let step = limited.handle_request(proxied(&[("Zyte-Session-ID", OTHER_ID)]), None, at(0));
    assert_eq!(problem(step), (422, "/problem/over-session-limit".into()));
    let mut scarce = proxy(with_addresses(2));
    begin(&mut scarce, proxied(&[("Zyte-Session-ID", ID)]), at(0));
    let step = scarce.handle_request(proxied(&[("Zyte-Session-ID", OTHER_ID)]), None, at(0));
    assert_eq!(problem(step), (503, "/problem/session-creation-error".into()));
    begin(&mut scarce, proxied(&[("Zyte-Session-ID", OTHER_ID)]), at(120));
}

#[test]
fn bans_outside_sessions_are_retried_elsewhere() {
    let mut config = with_addresses(9);
    config.bans = vec![BanRule::new(None, vec![], vec!["captcha".into()])];
    let mut proxy = proxy(config);
    let mut fetch = begin(&mut proxy, proxied(&[]), at(0));
    assert!(fetch.inspect_body);
    let mut addresses = vec![fetch.outgoing];
    let banned = || FetchOutcome::Responded {
        status: 200,
        headers: Headers::new(),
        body_start: b"<captcha>".to_vec(),
    };
    for _ in 0..3 {
        let Step::Fetch(next) = proxy.handle_fetched(fetch.ticket, banned(), at(0)) else {
            panic!()
        };
        addresses.push(next.outgoing);
        fetch = next;
    }
    assert_eq!(problem(proxy.handle_fetched(fetch.ticket, banned(), at(0))).0, 520);
    addresses.dedup();
    assert_eq!(addresses.len(), 4);
}

#[test]
fn redirects_are_followed_unless_the_client_wants_them() {
    let mut proxy = proxy(with_addresses(3));
    let own = [("Authorization", "Basic x"), ("Content-Type", "text/plain")];
    let fetch = begin(&mut proxy, with_method(Method::POST, &own), at(0));
    let outcome = responded(302, &[("Location", "/b")]);
    let Step::Fetch(next) = proxy.handle_fetched(fetch.ticket, outcome, at(0)) else { panic!() };
    assert_eq!((next.request.method.as_str(), &*next.request.url), ("GET", "http://example.com/b"));
    assert!(next.request.headers.contains("Authorization"));
    assert!(!next.request.headers.contains("Content-Type"));
    let outcome = responded(308, &[("Location", "https://other.example/c")]);
    let Step::Fetch(next) = proxy.handle_fetched(next.ticket, outcome, at(0)) else { panic!() };
    assert!(!next.request.headers.contains("Authorization"), "not for another host");
    let end = relayed(proxy.handle_fetched(next.ticket, responded(200, &[]), at(0)));
    assert_eq!((end.status, proxy.stats().redirects), (200, 2));
    let wish = [("Zyte-Disable-Follow-Redirect", "true")];
    let fetch = begin(&mut proxy, proxied(&wish), at(0));
    let outcome = responded(302, &[("Location", "/b")]);
    let relay = relayed(proxy.handle_fetched(fetch.ticket, outcome, at(0)));
    assert_eq!((relay.status, relay.headers.get("Location")), (302, Some("/b")));
    let mut looping = begin(&mut proxy, proxied(&[]), at(0));
    for _ in 0..20 {
        let outcome = responded(301, &[("Location", "/a")]);
        let Step::Fetch(next) = proxy.handle_fetched(looping.ticket, outcome, at(0)) else {
            panic!()
        };
        looping = next;
    }
    let outcome = responded(301, &[("Location", "/a")]);
    assert_eq!(problem(proxy.handle_fetched(looping.ticket, outcome, at(0))).0, 521);
}

#[test]
fn headers_are_judged_and_carried_out() {
    let mut proxy = proxy(with_addresses(3));
    let own = [("User-Agent", "mine"), ("Cookie", "a=b"), ("X-Own", "1")];
    let fetch = begin(&mut proxy, proxied(&own), at(0));
    assert!(fetch.request.headers.get("User-Agent").unwrap().contains("Linux x86_64"));
    assert_eq!(fetch.request.headers.get("X-Own"), Some("1"));
    assert_eq!(fetch.request.headers.get("Cookie"), Some("a=b"));
    let mut wished = own.to_vec();
    wished.extend([
        ("Zyte-Override-Headers", "User-Agent"),
        ("Zyte-Cookie-Management", "discard"),
        ("Zyte-Device", "mobile"),
        ("Zyte-Geolocation", "IE"),
        ("Zyte-JobId", "1/2/3"),
    ]);
    let fetch = begin(&mut proxy, proxied(&wished), at(0));
    assert_eq!(fetch.request.headers.get("User-Agent"), Some("mine"));
    assert!(!fetch.request.headers.contains("Cookie"));
    let outcome = responded(200, &[("Set-Cookie", "a=b"), ("X-B", "1")]);
    let relay = relayed(proxy.handle_fetched(fetch.ticket, outcome, at(0)));
    assert_eq!((relay.headers.get("Set-Cookie"), relay.headers.get("X-B")), (None, Some("1")));
    for (name, value) in [
        ("Zyte-Session-ID", "create"),
        ("Zyte-Device", "pass"),
        ("Zyte-Geolocation", "Ireland"),
        ("Zyte-Override-Headers", "Referer"),
        ("Zyte-Cookie-Management", "enable"),
        ("Zyte-Disable-Follow-Redirect", "1"),
    ] {
        let step = proxy.handle_request(proxied(&[(name, value)]), None, at(0));
        assert_eq!(problem(step), (400, "/request/invalid".into()), "{name}");
    }
}

#[test]
fn old_headers_keep_working() {
    let mut config = with_addresses(9);
    config.bans = vec![BanRule::new(None, vec![403], vec![])];
    let mut proxy = proxy(config);
    let fetch = begin(&mut proxy, proxied(&[("X-Crawlera-Session", "create")]), at(0));
    let relay = relayed(proxy.handle_fetched(fetch.ticket, responded(200, &[]), at(0)));
    let id = relay.headers.get("X-Crawlera-Session").unwrap().to_owned();
    let again = begin(&mut proxy, proxied(&[("X-Crawlera-Session", &id)]), at(1));
    assert_eq!(again.outgoing, fetch.outgoing);
    assert!(!again.request.headers.contains("X-Crawlera-Session"));
    let Step::Answer(answer) = proxy.handle_fetched(again.ticket, responded(403, &[]), at(1))
    else {
        panic!()
    };
    assert_eq!(answer.response.headers.get("X-Crawlera-Error"), Some("banned"));
    let step = proxy.handle_request(proxied(&[("X-Crawlera-Session", "12345")]), None, at(2));
    let Step::Answer(answer) = step else { panic!() };
    assert_eq!(answer.response.headers.get("X-Crawlera-Error"), Some("bad_session_id"));
    assert_eq!(answer.response.headers.get("Zyte-Error-Type"), Some("/problem/session-expired"));
    let old = [
        ("X-Crawlera-Profile", "mobile"),
        ("X-Crawlera-Max-Retries", "5"),
        ("X-Crawlera-Cookies", "disable"),
        ("X-Crawlera-Region", "us"),
    ];
    let fetch = begin(&mut proxy, proxied(&old), at(3));
    assert!(fetch.request.headers.get("User-Agent").unwrap().contains("Mobile"));
}

#[test]
fn failures_and_refusals_have_their_types() {
    let mut config = with_addresses(3);
    config.retries = 0;
    config.keys = Keys::only(["KEY".into()]).with_disabled(["OLD".into()]);
    config.forbidden_domains = vec!["bad.example".into()];
    config.max_header_bytes = 1_000;
    let mut proxy = proxy(config.with_pace(Pace::every(Duration::from_secs(1)).with_burst(99)));
    for failure in FetchFailure::all() {
        let fetch = begin(&mut proxy, proxied(&[]), at(0));
        let step = proxy.handle_fetched(fetch.ticket, FetchOutcome::Failed(failure), at(0));
        let wanted = match failure.name() {
            "nxdomain" => (421, "/website/domain-unreachable"),
            "domain_forbidden" => (451, "/download/domain-forbidden"),
            "internal_error" => (500, "/server/internal"),
            _ => (520, "/download/temporary-error"),
        };
        let (status, kind) = problem(step);
        assert_eq!((status, kind.as_str()), wanted, "{}", failure.name());
    }
    let keyed = |key: Option<&str>| {
        let mut request = proxied(&[]);
        request.headers.remove("Proxy-Authorization");
        if let Some(key) = key {
            let value = ApiKey::new(key).unwrap().basic();
            request.headers.append("Proxy-Authorization", value).unwrap();
        }
        request
    };
    let mut forbidden = proxied(&[]);
    forbidden.url = "http://x.bad.example/".into();
    let mut unreadable = proxied(&[]);
    unreadable.url = "ftp://a/".into();
    for (request, wanted) in [
        (keyed(None), (407, "/auth/proxy-auth-not-valid")),
        (keyed(Some("NO")), (401, "/auth/key-not-found")),
        (keyed(Some("OLD")), (403, "/auth/account-suspended")),
        (forbidden, (451, "/download/domain-forbidden")),
        (unreadable, (422, "/request/unprocessable")),
        (proxied(&[("X-Big", &"x".repeat(1_000))]), (431, "/request/header-size")),
    ] {
        let (status, kind) = problem(proxy.handle_request(request, None, at(0)));
        assert_eq!((status, kind.as_str()), wanted);
    }
    let answer = proxy.handle_api(&Request::new(Method::POST, "/sessions"), at(0));
    assert_eq!(answer.response.status, 400, "there are no sessions to make");
}

#[test]
fn throttling_counts_requests() {
    let pace = Pace::every(Duration::from_secs(20)).with_burst(3);
    let mut proxy = proxy(with_addresses(3).with_pace(pace));
    for _ in 0..3 {
        begin(&mut proxy, proxied(&[]), at(0));
    }
    let Step::Answer(answer) = proxy.handle_request(proxied(&[]), None, at(0)) else { panic!() };
    assert_eq!(answer.response.headers.get("Retry-After"), Some("20"));
    assert_eq!(problem(Step::Answer(answer)), (429, "/limits/over-user-limit".into()));
    begin(&mut proxy, proxied(&[]), at(20));
    assert_eq!(proxy.stats().rate_violations, 1);
}

#[test]
fn tunnels_and_scripts() {
    let script = json!([
        {"when": {"request": 1}, "then": {"problem": "over-global-limit", "retry_after": 2}},
        {"when": {"request": 2}, "then": {"delay": 5}},
        {"when": {"request": 3}, "then": {"fail": "nxdomain"}},
        {"when": {"request": 4}, "then": {"end_session": true}},
        {"when": {"request": 5}, "then": {"status": 502, "body": "<html>"}},
    ]);
    let mut proxy = proxy(with_addresses(9)).with_faults(&script.to_string()).unwrap();
    let mut connect = proxied(&[("Zyte-Session-ID", ID)]);
    connect.url = "example.com:443".into();
    let Connect::Tunnel(tunnel) = proxy.handle_connect(&connect, at(0)) else { panic!() };
    let inside = Request::new(Method::GET, "https://example.com/");
    let step = proxy.handle_request(inside.clone(), Some(&tunnel), at(0));
    assert_eq!(problem(step), (503, "/limits/over-global-limit".into()));
    let step = proxy.handle_request(inside.clone(), Some(&tunnel), at(0));
    let Step::Wait(ticket) = step else { panic!() };
    assert!(matches!(proxy.poll(at(4)), ProxyOutput::WaitUntil(moment) if moment == at(5)));
    let ProxyOutput::Fetch(fetch) = proxy.poll(at(5)) else { panic!() };
    assert_eq!(fetch.ticket, ticket);
    assert_eq!(proxy.stats().sessions[ID].requests, 1, "the CONNECT names the session");
    let fetch = begin(&mut proxy, proxied(&[]), at(5));
    assert_eq!(problem(proxy.handle_fetched(fetch.ticket, responded(200, &[]), at(5))).0, 421);
    let step = proxy.handle_request(proxied(&[("Zyte-Session-ID", ID)]), None, at(5));
    assert_eq!(problem(step).0, 422);
    let Step::Answer(answer) = proxy.handle_request(proxied(&[]), None, at(5)) else { panic!() };
    assert_eq!((answer.response.status, text(&answer.response)), (502, "<html>".into()));
    for authority in ["example.com", "example.com:0", "a/b:443", "u@example.com:443"] {
        connect.url = authority.into();
        assert!(matches!(proxy.handle_connect(&connect, at(6)), Connect::Answer(_)), "{authority}");
    }
}
