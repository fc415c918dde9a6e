//! Writing results.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value, value::RawValue};

use super::{outcome::FetchOutcome, query::UserQuery};

/// A result, as it goes out and as it is counted.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) error: Option<String>,
    /// Whether the query costs money.
    pub(super) billed: bool,
}

/// A JSON text in quotes.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}

/// What every result of a query begins with: the query, with its id.
pub(super) fn head(query: &UserQuery, id: &str, echo: &Map<String, Value>) -> String {
    let mut user_query = query.text.clone();
    if !echo.is_empty() {
        // The service may repeat more members than were sent; they come before the query's own.
        let own = user_query.trim_start_matches('{').trim_start();
        let members = Value::Object(echo.clone()).to_string();
        let members = members.strip_suffix('}').unwrap_or_default();
        user_query = format!("{members},{own}");
    }
    format!(
        r#""query":{{"id":{},"domain":{},"userQuery":{user_query}}}"#,
        quoted(id),
        quoted(&query.target.domain),
    )
}

/// A result: with the item, or with the error.
pub(super) fn write(
    head: &str,
    query: &UserQuery,
    outcome: &FetchOutcome,
    version: &str,
) -> Written {
    if let FetchOutcome::Page { item, web_page, html } = outcome {
        if !is_object(item) || !is_object(web_page) {
            return failed(head, "InternalError", version);
        }
        let html = match html {
            Some(html) if query.full_html => format!(r#""html":{},"#, quoted(html)),
            _ => String::new(),
        };
        let text = format!(
            r#"{{{head},{}:{item},{html}"webPage":{web_page},"algorithmVersion":{}}}"#,
            quoted(&query.page_type),
            quoted(version),
        );
        return Written { text, error: None, billed: true };
    }
    let written = failed(head, &outcome.error().unwrap_or_default(), version);
    match outcome {
        FetchOutcome::Error { billed, .. } => Written { billed: *billed, ..written },
        _ => written,
    }
}

/// A result with an error. The version "is optional and only added when it's possible to report"
/// (Automatic Extraction API docs, Query-level): where the page was asked for. "Errors starting with
/// 'Downloader error…' or 'Proxy error…' will be billed for, while other types of error will not"
/// (Reference).
pub(super) fn failed(head: &str, error: &str, version: &str) -> Written {
    let version = if error.starts_with("Downloader error") {
        format!(r#","algorithmVersion":{}"#, quoted(version))
    } else {
        String::new()
    };
    let text = format!(r#"{{{head},"error":{}{version}}}"#, quoted(error));
    let billed = error.starts_with("Downloader error") || error.starts_with("Proxy error");
    Written { text, error: Some(error.into()), billed }
}

/// A result of a query that nobody sent.
pub(super) fn foreign(id: &str) -> String {
    format!(
        concat!(
            r#"{{"query":{{"id":{},"domain":"foreign.example","userQuery":"#,
            r#"{{"url":"http://foreign.example/","pageType":"article"}}}},"#,
            r#""article":{{"url":"http://foreign.example/","probability":0.5}},"webPage":{{}}}}"#
        ),
        quoted(id)
    )
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get().starts_with('{'))
}

/// The list of all results.
pub(super) fn list(results: &[String]) -> Vec<u8> {
    let mut body = Vec::with_capacity(results.iter().map(String::len).sum::<usize>() + 64);
    body.push(b'[');
    for (index, result) in results.iter().enumerate() {
        if index > 0 {
            body.extend_from_slice(b",\n");
        }
        body.extend_from_slice(result.as_bytes());
    }
    body.push(b']');
    body
}
