//! The proxy service in virtual time: sessions, pace, limits, retries, bans, cookies, errors.

mod answers;
mod sessions;

use std::net::IpAddr;

use silkline::{
    Timestamp,
    http::{ApiKey, Headers, Method, Request, Response},
    service::proxy::{
        Connect, Fetch, FetchOutcome, ProxyConfig, ProxyService, Relay, Step, Ticket,
    },
};

pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

pub(crate) fn addresses(count: u32) -> Vec<IpAddr> {
    (2..2 + count).map(|n| IpAddr::from((0x7f00_0000 + n).to_be_bytes())).collect()
}

pub(crate) fn request(method: &str, url: &str, headers: Pairs<'_>) -> Request {
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

pub(crate) fn headers(pairs: Pairs<'_>) -> Headers {
    let owned = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Headers::from_received(owned)
}

/// A service with the calls of a test's client and target.
pub(crate) struct World(pub(crate) ProxyService);

impl World {
    pub(crate) fn new(change: impl FnOnce(&mut ProxyConfig)) -> Self {
        let mut config = ProxyConfig::default();
        config.outgoing = addresses(100);
        change(&mut config);
        Self(ProxyService::new(config, 1))
    }

    pub(crate) fn with_faults(json: &str) -> Self {
        Self(ProxyService::new(ProxyConfig::default(), 1).with_faults(json).unwrap())
    }

    pub(crate) fn ask(&mut self, url: &str, headers: Pairs<'_>, now: Timestamp) -> Step {
        self.0.handle_request(request("GET", url, headers), None, now)
    }

    /// A request that is let through at once.
    pub(crate) fn fetch(&mut self, url: &str, headers: Pairs<'_>, now: Timestamp) -> Box<Fetch> {
        match self.ask(url, headers, now) {
            Step::Fetch(fetch) => fetch,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn answer(&mut self, url: &str, headers: Pairs<'_>, now: Timestamp) -> Response {
        match self.ask(url, headers, now) {
            Step::Answer(answer) => answer.response,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn held(&mut self, url: &str, headers: Pairs<'_>, now: Timestamp) -> Ticket {
        match self.ask(url, headers, now) {
            Step::Wait(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn responded(
        &mut self,
        ticket: Ticket,
        status: u16,
        pairs: Pairs<'_>,
        now: Timestamp,
    ) -> Step {
        let body_start = Vec::new();
        let outcome = FetchOutcome::Responded { status, headers: headers(pairs), body_start };
        self.0.handle_fetched(ticket, outcome, now)
    }

    pub(crate) fn relay(
        &mut self,
        ticket: Ticket,
        status: u16,
        headers: Pairs<'_>,
        now: Timestamp,
    ) -> Relay {
        match self.responded(ticket, status, headers, now) {
            Step::Relay(relay) => {
                self.0.handle_finished(ticket, 10, now);
                relay
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn api(&mut self, method: &str, path: &str, now: Timestamp) -> Response {
        self.0.handle_api(&request(method, path, &[]), now).response
    }

    pub(crate) fn create(&mut self, now: Timestamp) -> String {
        let response = self.api("POST", "/sessions", now);
        assert_eq!(response.status, 200, "{response:?}");
        String::from_utf8(response.body).unwrap()
    }
}

pub(crate) fn error(response: &Response) -> (u16, &str) {
    (response.status, response.headers.get("X-Crawlera-Error").unwrap_or(""))
}

pub(crate) const URL: &str = "http://example.com/";

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
