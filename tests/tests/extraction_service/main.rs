//! The extraction service in virtual time, asked as its clients ask it.

mod scripts;

use core::time::Duration;

use serde_json::{Value, json};
use silkline::{
    Timestamp,
    http::{ApiKey, Headers, Method, Request, Response},
    service::{
        Answer, Delivery, Keys, Pace,
        extraction::{
            ExtractionConfig, ExtractionService, FetchFailure, FetchOutcome, FetchQuery,
            ServiceOutput, Step, Ticket,
        },
    },
};

pub(crate) const START: Timestamp = Timestamp::ZERO;

pub(crate) fn seconds(count: u64) -> Timestamp {
    START + Duration::from_secs(count)
}

pub(crate) fn service(config: ExtractionConfig) -> ExtractionService {
    ExtractionService::new(config, 7)
}

pub(crate) fn with_faults(script: &Value) -> ExtractionService {
    let config = unlimited().with_faults(&script.to_string());
    service(config.unwrap())
}

pub(crate) fn unlimited() -> ExtractionConfig {
    ExtractionConfig::default().with_pace(Pace::every(Duration::ZERO))
}

pub(crate) fn post(body: impl Into<Vec<u8>>) -> Request {
    post_as("key", body)
}

pub(crate) fn post_as(key: &str, body: impl Into<Vec<u8>>) -> Request {
    let mut headers = Headers::new();
    headers.append("authorization", ApiKey::new(key).unwrap().basic()).unwrap();
    headers.append("content-type", "Application/JSON; charset=utf-8").unwrap();
    Request::new(Method::POST, "/v1/extract").with_headers(headers).with_body(body)
}

pub(crate) fn query(url: &str) -> Value {
    json!({"url": url, "pageType": "article"})
}

pub(crate) fn urls(urls: &[&str]) -> Request {
    post(Value::Array(urls.iter().copied().map(query).collect()).to_string())
}

pub(crate) fn page(item: &Value) -> FetchOutcome {
    FetchOutcome::Page {
        item: item.to_string(),
        web_page: r#"{"inLanguages":[{"code":"en"}]}"#.into(),
        html: Some("<p>\"page\"</p>".into()),
    }
}

pub(crate) fn fetch(step: Step) -> (Ticket, Vec<FetchQuery>) {
    match step {
        Step::Fetch { ticket, queries } => (ticket, queries),
        Step::Answer(answer) => panic!("answered at once: {}", text(&answer.response)),
    }
}

pub(crate) fn refused(step: Step) -> Response {
    match step {
        Step::Answer(Answer { response, delivery: Delivery::Whole, .. }) => response,
        other => panic!("{other:?}"),
    }
}

/// Answers every page of a request with the same item and gives the response.
pub(crate) fn finished(
    service: &mut ExtractionService,
    request: &Request,
    now: Timestamp,
) -> Answer {
    let (ticket, queries) = match service.handle_request(request, now) {
        Step::Answer(answer) => return answer,
        Step::Fetch { ticket, queries } => (ticket, queries),
    };
    for query in queries {
        let outcome = page(&json!({"url": query.url}));
        if let Some(answer) = service.handle_fetched(ticket, query.index, &outcome, now) {
            return answer;
        }
    }
    panic!("not answered")
}

pub(crate) fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

pub(crate) fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// The problem's kind, with its document's form checked.
pub(crate) fn problem(response: &Response) -> (u16, String) {
    assert_eq!(response.headers.get("Content-Type"), Some("application/problem+json"));
    let document = body(response);
    assert!(!document["title"].as_str().unwrap().is_empty());
    let kind = document["type"].as_str().unwrap();
    let kind = kind.strip_prefix("http://errors.xod.scrapinghub.com/").unwrap();
    (response.status, kind.strip_suffix(".html").unwrap().into())
}

pub(crate) fn errors(response: &Response) -> Vec<String> {
    assert_eq!(response.status, 200, "{}", text(response));
    let results = body(response);
    let error = |result: &Value| result["error"].as_str().unwrap_or("none").to_owned();
    results.as_array().unwrap().iter().map(error).collect()
}

pub(crate) fn counts(service: &ExtractionService) -> Value {
    serde_json::from_str(&service.stats().to_json()).unwrap()
}

#[test]
fn a_query_is_answered_in_the_documented_form() {
    let mut service = service(ExtractionConfig::default().with_epoch_ms(1_564_747_029_122));
    let sent = r#"[{"pageType":"article","meta":"ü","url":"http://blog.a.example/x?y",
        "custom":[1.0,{}],"fullHtml":true,"articleBodyRaw":false}]"#;
    let (ticket, queries) = fetch(service.handle_request(&post(sent), START));
    let wanted = &queries[0];
    assert_eq!(
        (queries.len(), wanted.index, wanted.url.as_str()),
        (1, 0, "http://blog.a.example/x?y")
    );
    assert!(wanted.full_html && !wanted.article_body_raw && wanted.custom_html.is_none());
    let item = json!({"url": wanted.url, "headline": "é", "probability": 0.9});
    let now = START + Duration::from_millis(3);
    let answer = service.handle_fetched(ticket, 0, &page(&item), now).unwrap();
    assert_eq!((answer.response.status, answer.delivery), (200, Delivery::Whole));
    assert_eq!(answer.response.headers.get("Content-Type"), Some("application/json"));
    let result = &body(&answer.response)[0];
    let id = result["query"]["id"].as_str().unwrap();
    let (millis, random) = id.split_once('-').unwrap();
    assert_eq!((millis, random.len()), ("1564747029122", 16), "{id}");
    assert!(random.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(
        *result,
        json!({
            "query": {
                "id": id,
                "domain": "a.example",
                "userQuery": {
                    "pageType": "article", "meta": "ü", "url": "http://blog.a.example/x?y",
                    "custom": [1.0, {}], "fullHtml": true, "articleBodyRaw": false,
                },
            },
            "article": item,
            "html": "<p>\"page\"</p>",
            "webPage": {"inLanguages": [{"code": "en"}]},
            "algorithmVersion": silkline::VERSION,
        })
    );
    assert_eq!(service.poll(now), ServiceOutput::Idle);
}

#[test]
fn results_are_in_the_order_of_the_queries_and_html_only_where_asked_for() {
    let mut service = service(unlimited());
    let (ticket, queries) =
        fetch(service.handle_request(&urls(&["http://a/1", "http://a/2", "http://a/2"]), START));
    assert_eq!(queries.len(), 3);
    for index in [2, 0] {
        assert!(service.handle_fetched(ticket, index, &page(&json!({})), START).is_none());
        assert!(service.handle_fetched(ticket, index, &page(&json!({"late": 1})), START).is_none());
    }
    let answer = service.handle_fetched(ticket, 1, &page(&json!({})), START).unwrap();
    let results = body(&answer.response);
    let urls: Vec<_> =
        results.as_array().unwrap().iter().map(|r| &r["query"]["userQuery"]["url"]).collect();
    assert_eq!(urls, ["http://a/1", "http://a/2", "http://a/2"]);
    assert!(results[0].get("html").is_none());
    assert_eq!(results[0]["article"], json!({}));
    assert!(service.handle_fetched(ticket, 1, &page(&json!({})), START).is_none());
}

#[test]
fn requests_are_refused_as_documented() {
    let mut service = service(
        unlimited()
            .with_keys(Keys::only(["key".into()]).with_disabled(["old".into()]))
            .with_max_payload(200_000),
    );
    let good = || urls(&["http://a/"]);
    let hundred = vec!["http://a/"; 101];
    let mut no_key = good();
    no_key.headers.remove("authorization");
    let mut form = good();
    form.headers.remove("content-type");
    let untyped = form.clone();
    form.headers.append("Content-Type", "application/x-www-form-urlencoded").unwrap();
    let elsewhere = |url: &str| {
        let mut request = good();
        request.url = url.into();
        request
    };
    let deleted = {
        let mut request = good();
        request.method = Method::DELETE;
        request
    };
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let cases = [
        (elsewhere("/v1/extracts"), 404, "unknown-uri"),
        (elsewhere("http://host/"), 404, "unknown-uri"),
        (elsewhere("http://host"), 404, "unknown-uri"),
        (deleted, 405, "method-not-allowed"),
        (no_key, 401, "unauthorized"),
        (post_as("wrong", "[]"), 401, "unauthorized"),
        (post_as("old", "[]"), 403, "account-disabled"),
        (form, 415, "unrecognized-content-type"),
        (untyped, 415, "unrecognized-content-type"),
        (post(""), 400, "empty-request"),
        (post(" \r\n"), 400, "empty-request"),
        (post("[{"), 400, "malformed-json"),
        (post("{}"), 400, "malformed-json"),
        (post("[1]"), 400, "malformed-json"),
        (post("[] []"), 400, "malformed-json"),
        (post(*b"[\"\xff\"]"), 400, "malformed-json"),
        (post(r#"[{"url": "http://a/", "pageType": "web"}]"#), 400, "malformed-json"),
        (post(deep), 400, "malformed-json"),
        (urls(&hundred), 413, "queries-limit-reached"),
    ];
    for (request, status, kind) in &cases {
        let response = refused(service.handle_request(request, START));
        assert_eq!(problem(&response), (*status, (*kind).to_owned()), "{request:?}");
    }
    let response = refused(service.handle_request(&elsewhere("/"), START));
    assert_eq!(body(&response)["title"], "Invalid API endpoint");
    let huge = refused(service.handle_request(&post(vec![b' '; 200_001]), START));
    assert_eq!((huge.status, huge.body.len(), huge.headers.len()), (413, 0, 0));
    let unreadable = service.handle_malformed(START).response;
    assert_eq!(problem(&unreadable), (400, "malformed-request".into()));
    let errors = &counts(&service)["request_errors"];
    assert_eq!(errors["malformed-json"], 7);
    assert_eq!(errors["413"], 1);
    assert_eq!(counts(&service)["queries"], 0);
    assert_eq!(counts(&service)["requests"], cases.len() + 3);
    assert!(!format!("{service:?}").contains("\"key\""));
}

#[test]
fn a_hundred_queries_pass_and_an_empty_list_has_no_results() {
    let mut service = service(unlimited());
    let answer = finished(&mut service, &urls(&["http://a/"; 100]), START);
    assert_eq!(body(&answer.response).as_array().unwrap().len(), 100);
    assert_eq!(refused(service.handle_request(&post("[]"), START)).body, b"[]");
}

#[test]
fn a_key_that_is_too_fast_is_told_when_to_come_back() {
    let mut service = service(ExtractionConfig::default());
    let one = urls(&["http://a/"]);
    for _ in 0..5 {
        assert_eq!(finished(&mut service, &one, START).response.status, 200);
    }
    let response = refused(service.handle_request(&one, START));
    assert_eq!(problem(&response), (429, "user-rate-limit-exceeded".into()));
    assert_eq!(response.headers.get("Retry-After"), Some("1"));
    assert_eq!(finished(&mut service, &post_as("other", "[]"), START).response.status, 200);
    let later = START + Duration::from_millis(200);
    assert_eq!(finished(&mut service, &one, later).response.status, 200);
    assert_eq!(refused(service.handle_request(&one, later)).status, 429);
    let stats = counts(&service);
    assert_eq!((&stats["rate_violations"], &stats["queries"]), (&json!(2), &json!(6)));
    assert_eq!(stats["billed"], 6);
}

#[test]
fn all_keys_together_have_a_limit_too() {
    let pace = Pace::every(Duration::from_secs(3));
    let mut service = service(unlimited().with_system_pace(Some(pace)));
    assert_eq!(finished(&mut service, &urls(&["http://a/"; 2]), START).response.status, 200);
    let response = refused(service.handle_request(&post_as("b", "[]"), START));
    assert_eq!(problem(&response), (429, "rate-limit-exceeded".into()));
    assert_eq!(response.headers.get("Retry-After"), Some("6"));
    assert_eq!(counts(&service)["rate_violations"], 0);
    assert_eq!(finished(&mut service, &urls(&["http://a/"]), seconds(6)).response.status, 200);
}

#[test]
fn bad_urls_are_errors_of_their_queries_and_cost_nothing() {
    let mut service = service(unlimited().with_blacklist(["B.example".into()]));
    let long = format!("http://a/{}", "x".repeat(4_088));
    let sent =
        ["mailto:x", "a", &long, "http://b.example/", "https://x.b.example/", "http://bb.example/"];
    let (ticket, queries) = fetch(service.handle_request(&urls(&sent), START));
    assert_eq!((queries.len(), queries[0].index), (1, 5));
    let answer = service.handle_fetched(ticket, 5, &page(&json!({})), START).unwrap();
    assert_eq!(
        errors(&answer.response),
        [
            "non-HTTP schemes are not allowed",
            "malformed URL",
            "URL cannot be longer than 4096 UTF-16 characters",
            "Extraction not permitted for this URL",
            "Extraction not permitted for this URL",
            "none",
        ]
    );
    assert!(body(&answer.response)[0].get("algorithmVersion").is_none());
    let stats = counts(&service);
    assert_eq!((&stats["billed"], &stats["unbilled"]), (&json!(1), &json!(5)));
    assert_eq!(stats["query_errors"]["malformed URL"], 1);
}

#[test]
fn what_the_host_could_not_fetch_becomes_the_documented_error() {
    for (outcome, error, billed) in [
        (FetchOutcome::Status(404), "Downloader error: http404", true),
        (FetchOutcome::Status(503), "Downloader error: http503", true),
        (
            FetchOutcome::Failed(FetchFailure::NoVisibleElements),
            "Downloader error: No visible elements",
            true,
        ),
        (FetchOutcome::Failed(FetchFailure::NameNotFound), "Proxy error: nxdomain", true),
        (FetchOutcome::Failed(FetchFailure::Refused), "Proxy error: econnrefused", true),
        (
            FetchOutcome::Failed(FetchFailure::Forbidden),
            "Extraction not permitted for this URL",
            false,
        ),
        (FetchOutcome::Failed(FetchFailure::Internal), "InternalError", false),
        (
            FetchOutcome::Page { item: "{".into(), web_page: "{}".into(), html: None },
            "InternalError",
            false,
        ),
        (
            FetchOutcome::Page { item: "[]".into(), web_page: "{}".into(), html: None },
            "InternalError",
            false,
        ),
    ] {
        let mut service = service(unlimited());
        let (ticket, _) = fetch(service.handle_request(&urls(&["http://a/"]), START));
        let answer = service.handle_fetched(ticket, 0, &outcome, START).unwrap();
        assert_eq!(errors(&answer.response), [error]);
        assert_eq!(service.stats().billed, u64::from(billed), "{error}");
        assert_eq!(service.stats().unbilled, u64::from(!billed), "{error}");
    }
}

#[test]
fn what_takes_longer_than_ten_minutes_has_timed_out() {
    let mut service = service(unlimited());
    let (ticket, _) = fetch(service.handle_request(&urls(&["http://a/1", "http://a/2"]), START));
    assert!(service.handle_fetched(ticket, 0, &page(&json!({})), seconds(599)).is_none());
    assert_eq!(service.poll(seconds(599)), ServiceOutput::WaitUntil(seconds(600)));
    let ServiceOutput::Answer { ticket: answered, answer } = service.poll(seconds(600)) else {
        panic!("no answer");
    };
    assert_eq!(answered, ticket);
    assert_eq!(errors(&answer.response), ["none", "query timed out"]);
    assert!(service.handle_fetched(ticket, 1, &page(&json!({})), seconds(601)).is_none());
    assert_eq!(service.poll(seconds(601)), ServiceOutput::Idle);
    assert_eq!((service.stats().billed, service.stats().unbilled), (1, 1));
    assert_eq!(service.stats().in_flight, 0);
}

#[test]
fn a_result_past_the_deadline_is_late_even_if_nobody_polled() {
    let mut service = service(unlimited().with_query_timeout(Duration::from_secs(5)));
    let (ticket, _) = fetch(service.handle_request(&urls(&["http://a/"]), START));
    let answer = service.handle_fetched(ticket, 0, &page(&json!({})), seconds(6)).unwrap();
    assert_eq!(errors(&answer.response), ["query timed out"]);
}

#[test]
fn time_never_goes_back() {
    let mut service = service(unlimited());
    let (ticket, _) = fetch(service.handle_request(&urls(&["http://a/"]), seconds(700)));
    assert_eq!(service.poll(START), ServiceOutput::WaitUntil(seconds(1_300)));
    assert!(service.handle_fetched(ticket, 0, &page(&json!({})), START).is_some());
}

#[test]
fn domains_are_occupied_in_three_ways() {
    let occupied = |response: &Response| errors(response);
    let scripted = [("Shop.example".to_owned(), Duration::from_secs(7))];
    let mut a = service(unlimited().with_occupied(scripted));
    let request = urls(&["http://x.shop.example/", "http://workshop.example/"]);
    let first = finished(&mut a, &request, seconds(10));
    let text = "Domain shop.example is occupied, please retry in 7 seconds";
    assert_eq!(occupied(&first.response), [text, "none"]);
    let near = finished(&mut a, &request, START + Duration::from_millis(16_500));
    assert!(errors(&near.response)[0].contains("retry in 1 seconds"));
    assert_eq!(errors(&finished(&mut a, &request, seconds(17)).response), ["none", "none"]);
    assert_eq!(a.stats().query_errors["Domain ... is occupied, please retry in ... seconds"], 2);

    let mut b = service(unlimited().with_domain_pace(Some(Pace::every(Duration::from_secs(4)))));
    let request = urls(&["http://a.example/", "http://b.example/", "http://x.a.example/"]);
    let answer = finished(&mut b, &request, START);
    let text = "Domain a.example is occupied, please retry in 4 seconds";
    assert_eq!(errors(&answer.response), ["none", "none", text]);

    let config = unlimited().with_domain_concurrency(Some(1));
    let mut c = service(config.with_domain_wait(Duration::from_secs(9)));
    let one = urls(&["http://a.example/"]);
    let (ticket, _) = fetch(c.handle_request(&one, START));
    let text = "Domain a.example is occupied, please retry in 9 seconds";
    assert_eq!(errors(&finished(&mut c, &one, START).response), [text]);
    assert!(c.handle_fetched(ticket, 0, &page(&json!({})), START).is_some());
    let (ticket, _) = fetch(c.handle_request(&one, START));
    c.handle_closed(ticket, START);
    assert_eq!(c.stats().abandoned, 1);
    let _ = fetch(c.handle_request(&one, START));
    assert!(matches!(c.poll(seconds(600)), ServiceOutput::Answer { .. }));
    assert_eq!(errors(&finished(&mut c, &one, seconds(600)).response), ["none"]);
}

#[test]
fn custom_html_reaches_the_host() {
    let mut service = service(unlimited());
    let sent = json!([{"url": "http://a/", "pageType": "product", "customHtml": "<p>é"}]);
    let (_, queries) = fetch(service.handle_request(&post(sent.to_string()), START));
    assert_eq!(queries[0].custom_html.as_deref(), Some("<p>é"));
}
