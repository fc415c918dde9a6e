//! A bridge between a program and Zyte API, both played here.

use alloc::{borrow::ToOwned, format, string::String};

use super::{BridgeConnect, BridgeRelay, BridgeSend, BridgeStep, BridgeTunnel, ProxyBridge};
use crate::{
    Timestamp,
    http::{ApiKey, Headers, Method, Request, Response},
    proxy::ProxyApi,
    service::{Keys, proxy::FetchFailure},
};

fn bridge() -> ProxyBridge {
    let api = ProxyApi::new("upstream-key").unwrap().with_endpoint("http://up.example:8011");
    ProxyBridge::new(api.unwrap(), Keys::any(), 1)
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    Headers::from_received(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

fn request(url: &str, pairs: &[(&str, &str)]) -> Request {
    let mut headers = headers(pairs);
    headers.push("Proxy-Authorization", ApiKey::new("old-key").unwrap().basic());
    Request::new(Method::GET, url).with_headers(headers)
}

fn sent(step: BridgeStep) -> BridgeSend {
    match step {
        BridgeStep::Send(send) => *send,
        BridgeStep::Answer(answer) => panic!("{answer:?}"),
    }
}

fn refused(step: BridgeStep) -> (u16, String) {
    match step {
        BridgeStep::Answer(answer) => told(&answer),
        BridgeStep::Send(send) => panic!("{send:?}"),
    }
}

fn told(answer: &Response) -> (u16, String) {
    assert_eq!(answer.headers.get("X-Crawlera-Session"), None);
    assert!(answer.headers.get("X-Crawlera-Version").is_some());
    (answer.status, answer.headers.get("X-Crawlera-Error").unwrap_or_default().to_owned())
}

fn create(bridge: &mut ProxyBridge, now: Timestamp) -> String {
    let wish = request("http://a.example/", &[("X-Crawlera-Session", "create")]);
    let send = sent(bridge.handle_request(wish, None, now));
    let up = send.proxied.request.headers.get("Zyte-Session-ID").unwrap().to_owned();
    let BridgeRelay::Pass { headers, .. } =
        bridge.handle_response(send.ticket, 200, &headers(&[("Zyte-Request-ID", "r")]), b"", now)
    else {
        panic!()
    };
    assert_eq!(headers.get("X-Crawlera-Session"), Some(up.as_str()));
    assert_eq!(headers.get("Zyte-Request-ID"), None);
    up
}

#[test]
fn options_go_over_and_nothing_of_the_old_service_does() {
    let mut bridge = bridge();
    let wish = request(
        "http://a.example/x",
        &[
            ("X-Crawlera-Profile", "mobile"),
            ("X-Crawlera-Region", "DE"),
            ("X-Crawlera-Cookies", "disable"),
            ("X-Crawlera-JobId", "7"),
            ("Accept", "text/html"),
            ("Proxy-Connection", "keep-alive"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"),
        ],
    );
    let send = sent(bridge.handle_request(wish, None, at(0)));
    let found = &send.proxied.request.headers;
    assert_eq!(found.get("Zyte-Device"), Some("mobile"));
    assert_eq!(found.get("Zyte-Geolocation"), Some("DE"));
    assert_eq!(found.get("Zyte-JobId"), Some("7"));
    assert_eq!(found.get("Accept"), Some("text/html"));
    assert_eq!(
        found.get("Proxy-Authorization").map(str::to_owned),
        Some(ApiKey::new("upstream-key").unwrap().basic())
    );
    for name in ["X-Crawlera-Profile", "Proxy-Connection", "Connection", "X-Hop"] {
        assert_eq!(found.get(name), None, "{name}");
    }
    assert_eq!(bridge.stats().unmapped.get("cookies_unmapped"), Some(&1));
}

#[test]
fn a_session_is_made_used_listed_and_deleted() {
    let mut bridge = bridge();
    let id = create(&mut bridge, at(0));
    let wish = request("http://a.example/2", &[("X-Crawlera-Session", &id)]);
    let send = sent(bridge.handle_request(wish.clone(), None, at(60)));
    assert_eq!(send.proxied.request.headers.get("Zyte-Session-ID"), Some(id.as_str()));
    bridge.handle_response(send.ticket, 404, &Headers::new(), b"", at(61));

    let list = bridge.handle_api(&request("/sessions", &[]), at(62));
    assert_eq!(list.body, format!(r#"{{"{id}":null}}"#).into_bytes());
    let mut call = request("/sessions", &[]);
    call.method = Method::POST;
    let made = bridge.handle_api(&call, at(62));
    assert_eq!((made.status, made.body.len()), (200, 36));
    call = request(&format!("/sessions/{id}"), &[]);
    call.method = Method::DELETE;
    assert_eq!(bridge.handle_api(&call, at(63)).status, 204);
    assert_eq!(told(&bridge.handle_api(&call, at(63))), (400, "bad_session_id".into()));
    let gone = bridge.handle_request(wish, None, at(64));
    assert_eq!(refused(gone), (400, "bad_session_id".into()));
}

#[test]
fn sessions_end_with_those_of_zyte_api() {
    let mut bridge = bridge();
    let id = create(&mut bridge, at(0));
    let wish = request("http://a.example/2", &[("X-Crawlera-Session", &id)]);
    for second in [100, 200, 300, 400, 500, 600, 700, 800] {
        let send = sent(bridge.handle_request(wish.clone(), None, at(second)));
        bridge.handle_response(send.ticket, 200, &Headers::new(), b"", at(second));
    }
    let over = bridge.handle_request(wish, None, at(901));
    assert_eq!(refused(over), (400, "bad_session_id".into()), "15 minutes");

    let idle = create(&mut bridge, at(1_000));
    let wish = request("http://a.example/2", &[("X-Crawlera-Session", &idle)]);
    let over = bridge.handle_request(wish, None, at(1_121));
    assert_eq!(refused(over), (400, "bad_session_id".into()), "2 minutes");

    let ended = create(&mut bridge, at(2_000));
    let wish = request("http://a.example/2", &[("X-Crawlera-Session", &ended)]);
    let send = sent(bridge.handle_request(wish.clone(), None, at(2_001)));
    let answer = headers(&[("Zyte-Error-Type", "/problem/session-expired")]);
    let BridgeRelay::Answer(answer) =
        bridge.handle_response(send.ticket, 422, &answer, b"{}", at(2_002))
    else {
        panic!()
    };
    assert_eq!(told(&answer), (400, "bad_session_id".into()));
    assert_eq!(refused(bridge.handle_request(wish, None, at(2_003))).1, "bad_session_id");
    assert_eq!(bridge.stats().sessions_living, 0);
}

#[test]
fn errors_are_those_of_the_old_service() {
    for (status, kind, expected) in [
        (520, "/download/temporary-error", (503, "banned")),
        (521, "/download/internal-error", (500, "internal_error")),
        (421, "/website/domain-unreachable", (502, "nxdomain")),
        (451, "/download/domain-forbidden", (523, "domain_forbidden")),
        (429, "/limits/over-user-limit", (429, "too_many_conns")),
        (429, "/limits/over-domain-limit", (503, "serverbusy")),
        (503, "/limits/over-global-limit", (503, "serverbusy")),
        (503, "/problem/session-creation-error", (503, "noslaves")),
        (422, "/problem/over-session-limit", (400, "user_session_limit")),
        (407, "/auth/proxy-auth-not-valid", (407, "bad_proxy_auth")),
        (403, "/auth/account-suspended", (403, "user_suspended")),
        (431, "/request/header-size", (413, "")),
    ] {
        let mut bridge = bridge();
        let wish = request("http://a.example/", &[("X-Crawlera-Session", "create")]);
        let send = sent(bridge.handle_request(wish, None, at(0)));
        let answer = headers(&[("Zyte-Error-Type", kind), ("Retry-After", "3")]);
        let BridgeRelay::Answer(answer) =
            bridge.handle_response(send.ticket, status, &answer, b"", at(1))
        else {
            panic!("{kind}")
        };
        let (status, code) = told(&answer);
        assert_eq!((status, code.as_str()), expected, "{kind}");
        assert_eq!(answer.headers.get("Retry-After"), Some("3"));
        assert_eq!(bridge.stats().sessions_living, 0, "nobody knows its session");
    }
}

#[test]
fn a_tunnel_keeps_its_session_and_its_key() {
    let mut bridge = bridge();
    let connect = request("a.example:443", &[("X-Crawlera-Session", "create")]);
    let BridgeConnect::Tunnel(tunnel) = bridge.handle_connect(&connect, at(0)) else { panic!() };
    let tunnel: BridgeTunnel = *tunnel;
    let id = tunnel.answer_headers.get("X-Crawlera-Session").unwrap();
    let inside = Request::new(Method::GET, "https://a.example/");
    let send = sent(bridge.handle_request(inside, Some(&tunnel), at(1)));
    assert_eq!(send.proxied.request.headers.get("Zyte-Session-ID"), Some(id));
    assert_eq!(send.proxied.request.headers.get("Proxy-Authorization"), None);
    assert_eq!(send.proxied.connect.unwrap().url, "a.example:443");
    let answer = bridge.handle_connect_refused(send.ticket, 520, &Headers::new(), b"", at(2));
    assert_eq!(told(&answer), (503, "banned".into()));

    let nobody = Request::new(Method::GET, "a.example:443");
    let BridgeConnect::Answer(answer) = bridge.handle_connect(&nobody, at(3)) else { panic!() };
    assert_eq!(told(&answer), (407, "bad_proxy_auth".into()));
}

#[test]
fn what_has_no_counterpart_is_refused() {
    let mut bridge = bridge();
    for pair in [("X-Crawlera-Profile", "pass"), ("X-Crawlera-Max-Retries", "9")] {
        let step = bridge.handle_request(request("http://a.example/", &[pair]), None, at(0));
        assert_eq!(refused(step), (540, "bad_header".into()), "{pair:?}");
    }
    let step = bridge.handle_request(request("ftp://a.example/", &[]), None, at(0));
    assert_eq!(refused(step), (401, "bad_uri".into()));
    let send = sent(bridge.handle_request(request("http://a.example/", &[]), None, at(0)));
    let answer = bridge.handle_failed(send.ticket, FetchFailure::Timeout, at(1));
    assert_eq!(told(&answer), (504, "timeout".into()));
    let answer = bridge.handle_api(&request("/else", &[]), at(1));
    assert_eq!(told(&answer), (542, "bad_endpoint".into()));
}

#[test]
fn each_request_and_each_session_is_counted_once() {
    let mut bridge = bridge();
    let living = create(&mut bridge, at(0));
    // Its session never was, since nothing was sent.
    let unsent = request("ftp://a.example/", &[("X-Crawlera-Session", "create")]);
    assert_eq!(refused(bridge.handle_request(unsent, None, at(1))).1, "bad_uri");
    // Of this one's nobody heard.
    let left = request("http://a.example/", &[("X-Crawlera-Session", "create")]);
    let send = sent(bridge.handle_request(left, None, at(1)));
    bridge.handle_closed(send.ticket, at(2));
    bridge.handle_closed(send.ticket, at(2));
    let mut call = request(&format!("/sessions/{living}"), &[]);
    call.method = Method::DELETE;
    bridge.handle_api(&call, at(3));
    let again = request("http://a.example/", &[("X-Crawlera-Session", "create")]);
    let send = sent(bridge.handle_request(again, None, at(3)));
    bridge.handle_failed(send.ticket, FetchFailure::Timeout, at(4));
    bridge.handle_closed(send.ticket, at(4));
    create(&mut bridge, at(5));
    let stats = bridge.stats();
    let errors: u64 = stats.errors.values().sum();
    assert_eq!((stats.requests, stats.relayed, errors, stats.abandoned), (5, 2, 2, 1));
    let ended = (stats.sessions_living, stats.sessions_deleted, stats.sessions_ended);
    assert_eq!((stats.sessions_created, ended), (4, (1, 1, 2)));
}
