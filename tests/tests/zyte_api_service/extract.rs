//! `POST /v1/extract`.

use core::time::Duration;

use serde_json::{Value, json};
use silkline::{
    http::{ApiKey, Headers, Method, Request},
    service::{
        Answer, Delivery, Keys, Pace,
        extraction::{ServiceOutput, Ticket},
        proxy::BanRule,
        zyte_api::{
            PageFailure, PageOutcome, PageWish, ZyteApiConfig, ZyteApiService, ZyteApiStep,
        },
    },
};

use super::{at, body, text};

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
