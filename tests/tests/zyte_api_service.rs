//! Zyte API's side in virtual time, asked as its clients ask it.

use core::time::Duration;

use serde_json::{Value, json};
use silkline::{
    Timestamp,
    http::{ApiKey, Headers, Method, Request, Response},
    service::{
        Answer, Delivery, Keys, Pace,
        extraction::{ServiceOutput, Ticket},
        proxy::{BanRule, Connect, Fetch, FetchFailure, FetchOutcome, ProxyOutput, Relay, Step},
        zyte_api::{
            PageFailure, PageOutcome, PageWish, ZyteApiConfig, ZyteApiService, ZyteApiStep,
            proxy::{ZyteProxyConfig, ZyteProxyService},
        },
    },
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(seconds)
}

// --- POST /v1/extract ---

fn request(key: &str, body: &str) -> Request {
    let mut headers = Headers::new();
    headers.append("Authorization", ApiKey::new(key).unwrap().basic()).unwrap();
    headers.append("Content-Type", "application/json").unwrap();
    Request::new(Method::POST, "/v1/extract").with_headers(headers).with_body(body.as_bytes())
}

fn service(config: ZyteApiConfig) -> ZyteApiService {
    ZyteApiService::new(config, 7)
}

fn default_service() -> ZyteApiService {
    service(ZyteApiConfig::default())
}

fn fetch(service: &mut ZyteApiService, body: &Value) -> (Ticket, PageWish) {
    match service.handle_request(&request("KEY", &body.to_string()), at(0)) {
        ZyteApiStep::Fetch { ticket, wish } => (ticket, *wish.unwrap()),
        ZyteApiStep::Answer(answer) => panic!("{}", text(&answer.response)),
    }
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.response.body).unwrap()
}

fn page(status: u16) -> PageOutcome {
    let mut headers = Headers::new();
    headers.append("X-A", "b").unwrap();
    PageOutcome::Page {
        url: "https://example.com/end".into(),
        status,
        headers,
        body: b"<p>\xff".to_vec(),
        browser_html: Some("<p>\u{fffd}".into()),
        item: Some(r#"{"url": "u", "x": 1.0}"#.into()),
    }
}

fn refusal(service: &mut ZyteApiService, request: &Request) -> (u16, String, Answer) {
    let ZyteApiStep::Answer(answer) = service.handle_request(request, at(0)) else {
        panic!("taken in: {}", String::from_utf8_lossy(&request.body))
    };
    let problem = body(&answer);
    assert_eq!(problem["status"], answer.response.status);
    assert_eq!(answer.response.headers.get("Content-Type"), Some("application/problem+json"));
    assert!(answer.response.headers.contains("request-id"));
    (answer.response.status, problem["type"].as_str().unwrap().into(), answer)
}

#[test]
fn each_output_is_given_where_it_was_asked_for() {
    let mut service = default_service();
    for (asked, given) in [
        (
            json!({"httpResponseBody": true, "httpResponseHeaders": true}),
            json!({"httpResponseBody": "PHA+/w==",
                "httpResponseHeaders": [{"name": "X-A", "value": "b"}]}),
        ),
        (json!({"browserHtml": true}), json!({"browserHtml": "<p>\u{fffd}"})),
        (json!({"product": true}), json!({"product": {"url": "u", "x": 1.0}})),
        (
            json!({"forumThread": true, "browserHtml": true, "echoData": {"a": [1.50]}}),
            json!({"forumThread": {"url": "u", "x": 1.0}, "browserHtml": "<p>\u{fffd}",
                "echoData": {"a": [1.50]}}),
        ),
    ] {
        let mut query = asked.clone();
        query["url"] = json!("https://example.com/start");
        let (ticket, wish) = fetch(&mut service, &query);
        assert_eq!(wish.url, "https://example.com/start");
        assert_eq!(
            wish.item.is_some(),
            asked.get("product").or(asked.get("forumThread")).is_some()
        );
        let answer = service.handle_fetched(ticket, page(200), at(1)).unwrap();
        let mut wanted = given;
        wanted["url"] = json!("https://example.com/end");
        wanted["statusCode"] = json!(200);
        assert_eq!((answer.response.status, body(&answer)), (200, wanted));
        assert_eq!(answer.response.headers.get("request-id").unwrap().len(), 32);
        assert_eq!(service.handle_fetched(ticket, page(200), at(1)), None, "only once");
    }
    assert_eq!(service.stats().billed, 4);
    assert_eq!(service.stats().in_flight, 0);
}

#[test]
fn a_target_status_is_part_of_a_successful_answer() {
    let mut service = default_service();
    let (ticket, _) = fetch(&mut service, &json!({"url": "http://a/", "httpResponseBody": true}));
    let answer = service.handle_fetched(ticket, page(404), at(0)).unwrap();
    assert_eq!((answer.response.status, body(&answer)["statusCode"].clone()), (200, json!(404)));
    assert_eq!((service.stats().billed, service.stats().unbilled), (1, 0));
}

#[test]
fn failures_have_their_problems_and_cost_nothing() {
    let mut service = default_service();
    for (failure, status, kind) in [
        (PageFailure::Forbidden, 451, "/download/domain-forbidden"),
        (PageFailure::Internal, 500, "/server/internal"),
        (PageFailure::NameNotFound, 421, "/website/domain-unreachable"),
        (PageFailure::Unreachable, 520, "/download/temporary-error"),
        (PageFailure::Unusable, 521, "/download/internal-error"),
    ] {
        let (ticket, _) = fetch(&mut service, &json!({"url": "http://a/", "browserHtml": true}));
        let answer = service.handle_fetched(ticket, PageOutcome::Failed(failure), at(0)).unwrap();
        assert_eq!((answer.response.status, body(&answer)["type"].clone()), (status, json!(kind)));
        assert_eq!(PageFailure::from_name(failure.name()), Some(failure));
    }
    assert_eq!((service.stats().billed, service.stats().unbilled), (0, 5));
}

#[test]
fn what_is_wrong_with_a_request_is_told() {
    let keys = Keys::only(["KEY".into()]).with_disabled(["OLD".into()]);
    let config = ZyteApiConfig::default().with_keys(keys).with_max_payload(10_000);
    let mut service = service(config.with_forbidden(["bad.example".into()]));
    let good = r#"{"url": "http://a/", "article": true}"#;
    for (body, status, kind) in [
        ("", 400, "/request/invalid-json"),
        ("{", 400, "/request/invalid-json"),
        ("[]", 400, "/request/invalid"),
        (r#"[{"url": "http://a/", "article": true}]"#, 400, "/request/invalid"),
        (r#"{"article": true}"#, 400, "/request/invalid"),
        (r#"{"url": "http://a/"}"#, 400, "/request/invalid"),
        (r#"{"url": "http://a/", "article": false}"#, 400, "/request/invalid"),
        (r#"{"url": "http://a/", "article": 1}"#, 400, "/request/invalid"),
        (r#"{"url": 1, "article": true}"#, 400, "/request/invalid"),
        (r#"{"url": "ftp://a/", "article": true}"#, 400, "/request/invalid"),
        (r#"{"url": "a", "article": true}"#, 400, "/request/invalid"),
        (
            r#"{"url": "http://a/", "article": true, "product": true}"#,
            422,
            "/request/unprocessable",
        ),
        (r#"{"url": "http://a/", "comments": true}"#, 400, "/request/invalid"),
        (r#"{"url": "http://a/", "screenshot": true}"#, 400, "/request/invalid"),
        (r#"{"url": "http://a/", "pageType": "article"}"#, 400, "/request/invalid"),
        (
            r#"{"url": "http://a/", "browserHtml": true, "httpResponseBody": true}"#,
            422,
            "/request/unprocessable",
        ),
        (
            r#"{"url": "http://a/", "browserHtml": true, "httpRequestMethod": "POST"}"#,
            422,
            "/request/unprocessable",
        ),
        (
            r#"{"url": "http://a/", "article": true, "browserHtml": true, "extractFrom": "httpResponseBody"}"#,
            422,
            "/request/unprocessable",
        ),
        (
            r#"{"url": "http://a/", "httpResponseBody": true, "httpRequestText": "a", "httpRequestBody": "YQ=="}"#,
            422,
            "/request/unprocessable",
        ),
        (r#"{"url": "http://a/", "article": true, "extractFrom": "air"}"#, 400, "/request/invalid"),
        (r#"{"url": "http://x.bad.example/", "article": true}"#, 451, "/download/domain-forbidden"),
    ] {
        let (found, found_kind, _) = refusal(&mut service, &request("KEY", body));
        assert_eq!((found, found_kind.as_str()), (status, kind), "{body}");
    }
    assert_eq!(refusal(&mut service, &request("OTHER", good)).1, "/auth/key-not-found");
    assert_eq!(refusal(&mut service, &request("OLD", good)).1, "/auth/account-suspended");
    let mut nobody = request("KEY", good);
    nobody.headers.remove("Authorization");
    let (status, kind, answer) = refusal(&mut service, &nobody);
    assert_eq!((status, kind.as_str()), (401, "/auth/not-valid"));
    assert!(answer.response.headers.contains("WWW-Authenticate"));
    let long = format!(r#"{{"url": "http://a/{}", "article": true}}"#, "x".repeat(8_183));
    assert!(matches!(
        service.handle_request(&request("KEY", &long), at(0)),
        ZyteApiStep::Fetch { .. }
    ));
    let long = long.replacen('x', "xx", 1);
    assert_eq!(refusal(&mut service, &request("KEY", &long)).0, 400, "8193 characters");
    assert_eq!(refusal(&mut service, &request("KEY", &" ".repeat(10_001))).0, 413);
    assert_eq!(refusal(&mut service, &Request::new(Method::POST, "/v2")).0, 404);
    assert_eq!(refusal(&mut service, &Request::new(Method::GET, "/v1/extract")).0, 405);
    assert_eq!(service.stats().billed, 0);
}

#[test]
fn what_makes_no_difference_is_taken() {
    let mut service = default_service();
    let (ticket, wish) = fetch(
        &mut service,
        &json!({
            "url": "http://a/", "article": true, "extractFrom": "httpResponseBody",
            "verifyCertificate": true, "geolocation": "US", "jobId": "1/2", "echoData": [1],
            "screenshot": false, "actions": [], "customAttributes": null, "device": "mobile",
        }),
    );
    assert_eq!(wish.item.as_deref(), Some("article"));
    let answer = service.handle_fetched(ticket, page(200), at(0)).unwrap();
    assert_eq!((&body(&answer)["jobId"], &body(&answer)["echoData"]), (&json!("1/2"), &json!([1])));
}

#[test]
fn limits_are_told_with_the_wait() {
    let minute = Pace::every(Duration::from_secs(30)).with_burst(2);
    let config = ZyteApiConfig::default()
        .with_pace(minute)
        .with_occupied([("busy.example".into(), Duration::from_secs(9))]);
    let mut service = service(config);
    let query = request("KEY", r#"{"url": "http://a/", "article": true}"#);
    for _ in 0..2 {
        assert!(matches!(service.handle_request(&query, at(0)), ZyteApiStep::Fetch { .. }));
    }
    let (status, kind, answer) = refusal(&mut service, &query);
    assert_eq!((status, kind.as_str()), (429, "/limits/over-user-limit"));
    assert_eq!(answer.response.headers.get("Retry-After"), Some("30"));
    assert!(matches!(service.handle_request(&query, at(30)), ZyteApiStep::Fetch { .. }));
    let other = request("B", r#"{"url": "http://x.busy.example/", "article": true}"#);
    let ZyteApiStep::Answer(answer) = service.handle_request(&other, at(40)) else { panic!() };
    assert_eq!(body(&answer)["type"], "/limits/over-domain-limit");
    assert_eq!(answer.response.headers.get("Retry-After"), Some("9"));
    let slow = ZyteApiConfig::default().with_system_pace(Some(Pace::every(Duration::from_secs(4))));
    let mut service = ZyteApiService::new(slow, 1);
    assert!(matches!(service.handle_request(&query, at(0)), ZyteApiStep::Fetch { .. }));
    let (status, kind, answer) = refusal(&mut service, &query);
    assert_eq!((status, kind.as_str()), (503, "/limits/over-global-limit"));
    assert_eq!(answer.response.headers.get("Retry-After"), Some("4"));
}

#[test]
fn bans_time_and_clients_that_leave() {
    let config = ZyteApiConfig::default()
        .with_bans([BanRule::new(Some("a.example".into()), vec![403], vec![])])
        .with_timeout(Duration::from_secs(60));
    let mut service = service(config);
    let query = json!({"url": "http://a.example/", "browserHtml": true});
    let (ticket, _) = fetch(&mut service, &query);
    assert_eq!(service.handle_fetched(ticket, page(403), at(0)).unwrap().response.status, 520);
    let (slow, _) = fetch(&mut service, &query);
    let (left, _) = fetch(&mut service, &query);
    service.handle_closed(left, at(1));
    assert_eq!(service.poll(at(59)), ServiceOutput::WaitUntil(at(60)));
    let ServiceOutput::Answer { ticket, answer } = service.poll(at(60)) else { panic!() };
    assert_eq!((ticket, body(&answer)["type"].clone()), (slow, json!("/server/timed-out")));
    assert_eq!(service.handle_fetched(slow, page(200), at(61)), None);
    assert_eq!((service.poll(at(99)), service.stats().abandoned), (ServiceOutput::Idle, 1));
}

#[test]
fn scripts_show_faults() {
    let script = json!([
        {"when": {"request": 1}, "then": {"problem": "over-user-limit", "retry_after": 3}},
        {"when": {"request": 2}, "then": {"problem": "/new/type", "status": 418, "delay": 2}},
        {"when": {"request": 3}, "then": {"drop": true}},
        {"when": {"request": 4}, "then": {"slow": 5}},
        {"when": {"page_type": "product"}, "then": {"status": 500, "body": [1],
            "content_type": ""}},
    ]);
    let config = ZyteApiConfig::default().with_faults(&script.to_string()).unwrap();
    let mut service = service(config);
    let query = json!({"url": "http://a/", "browserHtml": true});
    let (status, kind, answer) = refusal(&mut service, &request("K", &query.to_string()));
    assert_eq!((status, kind.as_str()), (429, "/limits/over-user-limit"));
    assert_eq!(answer.response.headers.get("Retry-After"), Some("3"));
    let step = service.handle_request(&request("K", &query.to_string()), at(0));
    assert!(matches!(step, ZyteApiStep::Fetch { wish: None, .. }));
    assert_eq!(service.poll(at(1)), ServiceOutput::WaitUntil(at(2)));
    let ServiceOutput::Answer { answer, .. } = service.poll(at(2)) else { panic!() };
    assert_eq!((answer.response.status, body(&answer)["type"].clone()), (418, json!("/new/type")));
    let (ticket, _) = fetch(&mut service, &query);
    let answer = service.handle_fetched(ticket, page(200), at(2)).unwrap();
    assert_eq!(answer.delivery, Delivery::Dropped);
    let (ticket, _) = fetch(&mut service, &query);
    assert_eq!(service.handle_fetched(ticket, page(200), at(3)), None);
    assert_eq!(service.poll(at(6)), ServiceOutput::WaitUntil(at(7)));
    assert!(matches!(service.poll(at(7)), ServiceOutput::Answer { .. }));
    let product = json!({"url": "http://a/", "product": true});
    let ZyteApiStep::Answer(answer) =
        service.handle_request(&request("K", &product.to_string()), at(9))
    else {
        panic!()
    };
    assert_eq!((answer.response.status, text(&answer.response)), (500, "[1]".into()));
    assert!(!answer.response.headers.contains("Content-Type"));
    let bad = ZyteApiConfig::default().with_faults(r#"[{"then": {"error": "x"}}]"#);
    assert_eq!(bad.unwrap_err().code(), "invalid_faults");
}

// --- proxy mode ---

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
