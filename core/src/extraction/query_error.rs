//! What went wrong with one query, as data.

use alloc::{format, string::String};
use core::time::Duration;

use super::PageType;
use crate::{http::parse_seconds, json::Kind};

/// How long a domain counts as occupied when the service's own number cannot be read.
const OCCUPIED: Duration = Duration::from_secs(300);

/// Why a query has no item. Data, not a failure of the call: the other queries have theirs.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text}")]
#[non_exhaustive]
pub struct QueryError {
    /// The stable code, one of [`QueryError::CODES`].
    pub code: &'static str,
    /// The service's own text, or what is wrong with its result.
    pub text: String,
    /// Whether the service charges for the query nevertheless. Charged are errors that start with
    /// "Downloader error" or "Proxy error" (Automatic Extraction API docs, Query-level errors).
    pub billed: bool,
    /// Whether another attempt can succeed.
    pub retry: bool,
    /// How often at most to try again, where the error itself limits that.
    pub max_retries: Option<u32>,
    /// How long the service wants to be left alone.
    pub retry_after: Option<Duration>,
    /// The domain that is occupied. It is a statement about the domain, not about this query.
    pub domain: Option<String>,
    /// The HTTP status that the page was answered with.
    pub status: Option<u16>,
    /// The status of the service's own answer, in dialects where that tells of one query.
    pub answer_status: Option<u16>,
}

/// Texts of the table, in lower case: the code and whether another attempt can succeed.
type Row = (&'static str, &'static str, bool);

/// Errors of fetching the page: they are billed (the docs, Query-level errors).
const FETCHING: [Row; 14] = [
    ("downloader error: no visible elements", "downloader_no_visible_elements", false),
    ("downloader error: no response", "downloader_no_response", true),
    ("downloader error: globaltimeouterror", "downloader_global_timeout", true),
    ("downloader error: connectionresetbypeer", "downloader_connection_reset", true),
    ("downloader error: internal", "downloader_internal", true),
    ("proxy error: banned", "proxy_error_banned", true),
    ("proxy error: internal_error", "proxy_error_internal", true),
    ("proxy error: timeout", "proxy_error_timeout", true),
    ("proxy error: msgtimeout", "proxy_error_msgtimeout", true),
    ("proxy error: econnrefused", "proxy_error_econnrefused", true),
    ("proxy error: connect_timeout", "proxy_error_connect_timeout", true),
    ("proxy error: ssl_tunnel_error", "proxy_error_ssl_tunnel", true),
    ("proxy error: nxdomain", "proxy_error_nxdomain", true),
    ("proxy error: domain_forbidden", "proxy_error_domain_forbidden", false),
];

/// Errors outside of fetching: they are not billed.
const OTHERS: [Row; 7] = [
    ("query timed out", "query_timed_out", true),
    ("malformed url", "malformed_url", false),
    ("url cannot be longer than 4096 utf-16 characters", "url_too_long", false),
    ("non-http schemes are not allowed", "scheme_not_allowed", false),
    ("non-http schemas are not allowed", "scheme_not_allowed", false),
    ("extraction not permitted for this url", "extraction_not_permitted", false),
    ("internalerror", "extraction_internal", true),
];

impl QueryError {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &[
        "ambiguous_result",
        "domain_occupied",
        "downloader_connection_reset",
        "downloader_global_timeout",
        "downloader_http",
        "downloader_internal",
        "downloader_no_response",
        "downloader_no_visible_elements",
        "downloader_other",
        "extraction_internal",
        "extraction_not_permitted",
        "foreign_result",
        "malformed_url",
        "missing_result",
        "proxy_error_banned",
        "proxy_error_connect_timeout",
        "proxy_error_domain_forbidden",
        "proxy_error_econnrefused",
        "proxy_error_internal",
        "proxy_error_msgtimeout",
        "proxy_error_nxdomain",
        "proxy_error_other",
        "proxy_error_ssl_tunnel",
        "proxy_error_timeout",
        "query_timed_out",
        "result_without_item",
        "scheme_not_allowed",
        "surplus_result",
        "unknown_query_error",
        "url_too_long",
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Reads the text of a result's `error` member. A text that no table knows is kept, and is
    /// judged by how it starts.
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        // Texts come from the network: only so much of one is looked at.
        let known: String = text.chars().take(1000).map(|c| c.to_ascii_lowercase()).collect();
        let (code, retry) = if let Some(row) = find(&FETCHING, &known) {
            row
        } else if let Some(status) = downloader_status(&known) {
            let retry = matches!(status, 429 | 500..=511 | 520..=530);
            return Self {
                status: Some(status),
                ..Self::new("downloader_http", text, true, retry)
            };
        } else if known.trim_start().starts_with("downloader error") {
            ("downloader_other", false)
        } else if known.trim_start().starts_with("proxy error") {
            ("proxy_error_other", false)
        } else {
            return Self::from_unbilled(&known, text);
        };
        let max_retries = (code == "proxy_error_nxdomain").then_some(1);
        Self { max_retries, ..Self::new(code, text, true, retry) }
    }

    fn from_unbilled(known: &str, text: String) -> Self {
        if let Some((domain, delay)) = occupied(known) {
            let (retry_after, domain) = (Some(delay), Some(domain.into()));
            return Self { retry_after, domain, ..Self::new("domain_occupied", text, false, true) };
        }
        let (code, retry) = find(&OTHERS, known).unwrap_or(("unknown_query_error", false));
        Self::new(code, text, false, retry)
    }

    fn new(code: &'static str, text: String, billed: bool, retry: bool) -> Self {
        Self {
            code,
            text,
            billed,
            retry,
            max_retries: None,
            retry_after: None,
            domain: None,
            status: None,
            answer_status: None,
        }
    }

    /// The answer has no result for the query.
    pub(crate) fn missing() -> Self {
        Self::new("missing_result", "the answer has no result for this query".into(), false, true)
    }

    /// The query has a result already.
    pub(super) fn surplus() -> Self {
        let text = "the answer has more results for this query than it was asked for";
        Self::new("surplus_result", text.into(), false, false)
    }

    /// No query asked for the result.
    pub(crate) fn foreign() -> Self {
        Self::new("foreign_result", "the result belongs to no query".into(), false, false)
    }

    /// So many results that belong to no query, or cannot be told apart, in one.
    pub(super) fn foreign_rest(count: usize) -> Self {
        let text = format!("{count} more results belong to no query");
        Self::new("foreign_result", text, false, false)
    }

    /// What the result says of its query fits several that are not the same.
    pub(super) fn ambiguous() -> Self {
        let text = "the result does not tell which of several queries it belongs to";
        Self::new("ambiguous_result", text.into(), false, false)
    }

    /// The result has neither an error nor an item.
    pub(crate) fn without_item(page_type: PageType, found: Option<Kind>) -> Self {
        let text = match found {
            None => format!("the result has neither error nor {page_type}"),
            Some(kind) => {
                format!("the result's {page_type} is of type {}, not an object", kind.as_str())
            }
        };
        Self::new("result_without_item", text, false, false)
    }
}

fn find(rows: &[Row], text: &str) -> Option<(&'static str, bool)> {
    let (_, code, retry) = rows.iter().find(|(known, _, _)| text.contains(known))?;
    Some((code, *retry))
}

/// `NNN` of "downloader error: httpNNN".
fn downloader_status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("downloader error: http")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, _) = rest.split_at(end);
    if digits.len() == 3 { digits.parse().ok() } else { None }
}

/// `X` and `N` of "domain X is occupied, please retry in N seconds".
fn occupied(text: &str) -> Option<(&str, Duration)> {
    let (before, after) = text.split_once(" is occupied")?;
    let (_, domain) = before.split_once("domain ")?;
    let domain = domain.trim_matches(|c: char| !c.is_alphanumeric() && c != '[' && c != ']');
    if domain.is_empty() {
        return None;
    }
    let delay = after.split_once("retry in ").and_then(|(_, rest)| {
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        if unit.trim_start().starts_with('s') { parse_seconds(number) } else { None }
    });
    Some((domain, delay.unwrap_or(OCCUPIED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_tables_is_listed() {
        for (_, code, _) in FETCHING.iter().chain(&OTHERS) {
            assert!(QueryError::CODES.contains(code), "{code}");
        }
    }

    #[test]
    fn an_occupied_domain_gives_its_name_and_delay() {
        let read = |text: &str| {
            let error = QueryError::from_text(text);
            (
                error.domain.unwrap_or_default(),
                error.retry_after.map_or(0, |delay| delay.as_millis()),
            )
        };
        let text = "Domain Example.com is occupied, please retry in 12.5 seconds";
        assert_eq!(read(text), ("example.com".into(), 12_500));
        for unreadable in ["soon", "-5 seconds", "2 minutes", "", "nan seconds", "1e3 seconds"] {
            let text = format!("Domain 'a.b' is occupied, please retry in {unreadable}");
            assert_eq!(read(&text), ("a.b".into(), 300_000), "{text}");
        }
        assert_eq!(read("domain a is occupied"), ("a".into(), 300_000));
        assert_eq!(QueryError::from_text("Domain is occupied").code, "unknown_query_error");
    }

    #[test]
    fn a_long_text_is_kept_whole() {
        let text = "InternalError".repeat(10_000);
        let error = QueryError::from_text(text.clone());
        assert_eq!((error.code, error.text), ("extraction_internal", text));
    }
}
