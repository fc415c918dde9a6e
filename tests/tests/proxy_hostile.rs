//! What comes over the wire may be anything: the proxy's readers answer with values, never a panic.

use silkline::{
    Rng,
    http::{Headers, Method, Request},
    proxy::{ProxyApi, ProxyOptions, connect_status, proxy_leaks, read_connect_failure},
};

const NAMES: [&str; 16] = [
    "X-Crawlera-Session",
    "x-crawlera-error",
    "X-Crawlera-Slave",
    "X-Crawlera-Version",
    "X-Crawlera-Next-Request-In",
    "X-Crawlera-Debug-Request-Time",
    "X-Crawlera-Timeout",
    "X-Crawlera-Max-Retries",
    "X-Crawlera-Profile-Pass",
    "X-Crawlera-Debug",
    "X-Crawlera-Region",
    "X-Crawlera-Ünknown",
    "Retry-After",
    "Date",
    "Proxy-Authenticate",
    "Cookie",
];

const PIECES: [&str; 24] = [
    "create",
    "banned",
    "192.0.2.1:80",
    "[::1]:9",
    "[",
    "]",
    ":",
    ",",
    "\r\n",
    "\0",
    "é",
    "\u{10ffff}",
    "-",
    "9",
    "18446744073709551616",
    ".",
    " ",
    "\t",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "request-time",
    "{\"1\":",
    "null",
    "}",
    "%2e",
];

fn below(rng: &mut Rng, end: usize) -> usize {
    usize::try_from(rng.up_to(end as u64 - 1)).unwrap()
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[below(rng, from.len())]
}

fn text(rng: &mut Rng) -> String {
    (0..below(rng, 6)).map(|_| pick(rng, &PIECES)).collect()
}

#[test]
fn hostile_answers_and_requests_never_panic() {
    let api = ProxyApi::new("0123456789abcdef").unwrap();
    let mut rng = Rng::new(7);
    let (mut read, mut sent) = (0, 0);
    for _ in 0..20_000 {
        let count = below(&mut rng, 5);
        let pairs: Vec<_> =
            (0..count).map(|_| (pick(&mut rng, &NAMES).to_owned(), text(&mut rng))).collect();
        let headers = Headers::from_received(pairs);
        let status = u16::try_from(below(&mut rng, 65_536)).unwrap();
        let body = text(&mut rng).into_bytes();
        let answer = api.read(status, &headers, &body);
        assert!(answer.billed() == answer.error.is_none());
        if let Some(error) = answer.error {
            read += 1;
            assert!(!error.action().as_str().is_empty() && !error.to_string().contains('\n'));
        }
        let _ = api.read_created_session(200, &headers, &body);
        let _ = api.read_session_list(200, &headers, &body);
        let _ = (connect_status(&text(&mut rng)), read_connect_failure(status));
        if let Ok(options) = ProxyOptions::from_headers(&headers) {
            // What was read can be sent, and reads the same.
            assert_eq!(ProxyOptions::from_headers(&options.headers()), Ok(options));
        }
        let url =
            format!("https://{}/{}", pick(&mut rng, &["a", "[::1]", "ü", ""]), text(&mut rng));
        let target = Request::new(Method::GET, url).with_headers(headers);
        let found = api.leaks(&target).len();
        assert!(found >= proxy_leaks(&target.headers).len());
        if let Ok(proxied) = api.request(target, &ProxyOptions::new()) {
            sent += 1;
            for request in proxied.connect.iter().chain([&proxied.request]) {
                for (name, value) in request.headers.iter() {
                    assert!(!name.contains(['\r', '\n', '\0']), "{name:?}");
                    assert!(!value.contains(['\r', '\n', '\0']), "{value:?}");
                }
            }
            assert!(!proxied.request.headers.contains("Proxy-Authorization"));
            assert!(proxied.request.url.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
    assert!(read > 500 && sent > 500, "{read} errors, {sent} requests: the test sees too little");
}
