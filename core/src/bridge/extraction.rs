//! What came of a query, in the words of the Automatic Extraction API.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::String,
};
use core::time::Duration;

use crate::{extraction::ResultView, json::Cursor, service::extraction::FetchOutcome};

/// What came of a query at Zyte API, for the service that answers the older protocol.
///
/// ```
/// use silkline::{bridge::BridgedQuery, service::extraction::FetchOutcome};
///
/// let refused = BridgedQuery::of_error("user_rate_limit_exceeded", "", None);
/// let FetchOutcome::Refused { problem, .. } = refused.into() else { panic!() };
/// assert_eq!(problem, "user-rate-limit-exceeded");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BridgedQuery(FetchOutcome);

/// What an error of the service itself means for the whole request: the problem of the older one.
const REFUSALS: [(&str, &str); 6] = [
    ("account_disabled", "account-disabled"),
    ("malformed_json", "malformed-json"),
    ("malformed_request", "malformed-request"),
    ("rate_limit_exceeded", "rate-limit-exceeded"),
    ("unauthorized", "unauthorized"),
    ("user_rate_limit_exceeded", "user-rate-limit-exceeded"),
];

impl BridgedQuery {
    /// From the result of a query.
    pub fn of_result(result: ResultView<'_>) -> Self {
        match result.error() {
            Some(error) => Self::of_query_error(error.code, &error.text, error.billed),
            None => Self::of_item(
                &result.item_bytes().unwrap_or_default(),
                result.html().map(Cow::into_owned),
            ),
        }
    }

    /// From the item of a result, as JSON in the older schema, and the page's HTML.
    pub fn of_item(item: &[u8], html: Option<String>) -> Self {
        Self(FetchOutcome::Page {
            web_page: web_page(item),
            item: String::from_utf8_lossy(item).into_owned(),
            html,
        })
    }

    /// From the code and the text of a [`QueryError`](crate::extraction::QueryError), and whether
    /// the query costs money.
    pub fn of_query_error(code: &str, text: &str, billed: bool) -> Self {
        Self(FetchOutcome::Error { text: older_text(code, text).to_owned(), billed })
    }

    /// From an error that no result explains: its code, its message, and the delay that the
    /// service asked for.
    pub fn of_error(code: &str, message: &str, retry_after: Option<Duration>) -> Self {
        if let Some((_, problem)) = REFUSALS.iter().find(|(known, _)| *known == code) {
            return Self(FetchOutcome::Refused { problem: (*problem).into(), retry_after });
        }
        let text = match code {
            "request_timed_out" | "job_closed" => "query timed out".into(),
            // The query asks for what the newer service has not.
            _ if code.starts_with("query_") => message.to_owned(),
            _ => "InternalError".into(),
        };
        Self(FetchOutcome::Error { text, billed: false })
    }
}

impl From<BridgedQuery> for FetchOutcome {
    fn from(query: BridgedQuery) -> Self {
        query.0
    }
}

/// The older text, without what the newer service said itself: programs compare it.
fn older_text<'a>(code: &str, text: &'a str) -> &'a str {
    // A page was downloaded and paid for, and nothing was found on it.
    if code == "result_without_item" {
        return "Downloader error: No visible elements";
    }
    let own = text.strip_suffix(')').and_then(|text| text.rsplit_once(" (status "));
    own.map_or(text, |(own, _)| own)
}

/// What the older service told of a page: the languages it is in, as far as its item has one.
fn web_page(item: &[u8]) -> String {
    match language(item) {
        Some(language) => format!(r#"{{"inLanguages":[{{"code":{language}}}]}}"#),
        None => "{}".into(),
    }
}

/// The JSON text of the item's language.
fn language(item: &[u8]) -> Option<&str> {
    let mut cursor = Cursor::new(item).ok()?;
    cursor.enter_object().ok()?;
    while let Some(name) = cursor.next_member().ok()? {
        let span = cursor.skip().ok()?;
        let text = core::str::from_utf8(item.get(span.start..span.end)?).ok()?;
        if name.equals("inLanguage") && text.starts_with('"') {
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::{
        extraction::{ExtractionApi, PageType, Query},
        http::{Headers, Response},
        zyte_api,
    };

    fn bridged(status: u16, body: &str) -> FetchOutcome {
        let api = ExtractionApi::new("key").unwrap().with_dialect(zyte_api::EXTRACTION);
        let query = Query::new("http://shop.example/1", PageType::Article).unwrap();
        let mut headers = Headers::new();
        headers.append("Retry-After", "7").unwrap();
        match api.results(&[query], Response::new(status, headers, body)) {
            Ok(results) => BridgedQuery::of_result(results[0].view()).into(),
            Err(error) => {
                let (code, after) = (error.code(), error.retry_after());
                BridgedQuery::of_error(code, &error.to_string(), after).into()
            }
        }
    }

    #[test]
    fn an_item_comes_with_its_language() {
        let body = r#"{"url": "http://shop.example/1", "statusCode": 200, "browserHtml": "<p>",
            "article": {"headline": "H", "inLanguage": "de", "url": "http://shop.example/1",
            "metadata": {"probability": 1.0}}}"#;
        let FetchOutcome::Page { item, web_page, html } = bridged(200, body) else { panic!() };
        assert!(item.contains(r#""headline":"H""#), "{item}");
        assert_eq!(web_page, r#"{"inLanguages":[{"code":"de"}]}"#);
        assert_eq!(html.as_deref(), Some("<p>"));
    }

    fn error(text: &str, billed: bool) -> FetchOutcome {
        FetchOutcome::Error { text: text.into(), billed }
    }

    #[test]
    fn errors_are_spelled_as_programs_know_them_and_cost_what_the_newer_service_says() {
        for (status, kind, expected) in [
            (520, "/download/temporary-error", "Proxy error: banned"),
            (521, "/download/internal-error", "Downloader error: internal"),
            (451, "/download/domain-forbidden", "Extraction not permitted for this URL"),
            (
                429,
                "/limits/over-domain-limit",
                "Domain shop.example is occupied, please retry in 7 seconds",
            ),
            (500, "/server/timed-out", "query timed out"),
            (500, "/server/internal", "InternalError"),
        ] {
            let body = format!(r#"{{"type": "{kind}", "title": "Some (title)", "detail": "d"}}"#);
            assert_eq!(bridged(status, &body), error(expected, false), "{kind}");
        }
        let body = r#"{"url": "http://shop.example/1", "statusCode": 404, "article": {}}"#;
        assert_eq!(bridged(200, body), error("Downloader error: http404", true));
        let body = r#"{"url": "http://shop.example/1", "statusCode": 200}"#;
        assert_eq!(bridged(200, body), error("Downloader error: No visible elements", true));
    }

    #[test]
    fn what_is_about_the_account_is_about_the_request() {
        for (status, kind, expected) in [
            (401, "/auth/key-not-found", "unauthorized"),
            (403, "/auth/account-suspended", "account-disabled"),
            (429, "/limits/over-user-limit", "user-rate-limit-exceeded"),
            (503, "/limits/over-global-limit", "rate-limit-exceeded"),
        ] {
            let body = format!(r#"{{"type": "{kind}", "title": "t"}}"#);
            let FetchOutcome::Refused { problem, retry_after } = bridged(status, &body) else {
                panic!("{kind}")
            };
            assert_eq!((problem.as_str(), retry_after), (expected, Some(Duration::from_secs(7))));
        }
    }
}
