//! Reading the body of a request.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::super::domains::{domain_of, host_of};

/// The page types of the documentation (Automatic Extraction API docs, Requests). Listed here
/// again on purpose: the two sides share no table.
const PAGE_TYPES: [&str; 10] = [
    "article",
    "articleList",
    "comments",
    "forumPosts",
    "jobPosting",
    "product",
    "productList",
    "realEstate",
    "reviews",
    "vehicle",
];

const MAX_DEPTH: usize = 128;
const MAX_META: usize = 4_096;
const MAX_CUSTOM_HTML: usize = 2_000_000;
const MAX_URL: usize = 4_096;

/// A body that is not a list of queries, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Malformed(pub(super) String);

/// A query as it was sent.
#[derive(Clone, Debug)]
pub(super) struct UserQuery {
    /// The query's own text, which every result repeats.
    pub(super) text: String,
    pub(super) url: String,
    pub(super) page_type: String,
    pub(super) article_body_raw: bool,
    pub(super) full_html: bool,
    pub(super) custom_html: Option<String>,
    pub(super) target: Target,
}

/// What a query's URL leads to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The URL to fetch, or the error that refuses it.
    pub(super) url: Result<String, &'static str>,
    pub(super) host: String,
    pub(super) domain: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    url: String,
    page_type: String,
    meta: Option<String>,
    article_body_raw: Option<bool>,
    full_html: Option<bool>,
    custom_html: Option<String>,
}

/// Splits a body into the texts of its queries. Nothing of them is copied or decoded, so that a
/// request of too many queries costs little.
pub(super) fn split(body: &[u8]) -> Result<Vec<&RawValue>, Malformed> {
    if let Some(position) = too_deep(body) {
        return Err(Malformed(format!("nested deeper than {MAX_DEPTH} levels at byte {position}")));
    }
    serde_json::from_slice(body).map_err(|error| Malformed(error.to_string()))
}

impl UserQuery {
    /// Reads one query of a request.
    pub(super) fn read(text: &RawValue, index: usize) -> Result<Self, Malformed> {
        let fault = |what: &dyn core::fmt::Display| Malformed(format!("query {index}: {what}"));
        // A derived reader would take a list for an object.
        if !text.get().starts_with('{') {
            return Err(fault(&"not an object"));
        }
        let members: Members = serde_json::from_str(text.get()).map_err(|error| fault(&error))?;
        if !PAGE_TYPES.contains(&members.page_type.as_str()) {
            return Err(fault(&"pageType is not a page type"));
        }
        if members.meta.is_some_and(|meta| meta.len() > MAX_META) {
            return Err(fault(&"meta is longer than 4096 bytes"));
        }
        if let Some(html) = &members.custom_html
            && html.len() > MAX_CUSTOM_HTML
            && html.chars().nth(MAX_CUSTOM_HTML).is_some()
        {
            return Err(fault(&"customHtml is longer than 2,000,000 characters"));
        }
        Ok(Self {
            text: text.get().to_owned(),
            target: Target::of(&members.url),
            url: members.url,
            page_type: members.page_type,
            article_body_raw: members.article_body_raw.unwrap_or(true),
            full_html: members.full_html.unwrap_or(false),
            custom_html: members.custom_html,
        })
    }
}

impl Target {
    /// Judges a URL (Automatic Extraction API docs, Reference, Query-level).
    fn of(text: &str) -> Self {
        let parsed = Url::parse(text);
        let host = parsed.as_ref().ok().and_then(host_of).unwrap_or_default();
        let url = if text.len() > MAX_URL && text.encode_utf16().count() > MAX_URL {
            Err("URL cannot be longer than 4096 UTF-16 characters")
        } else {
            match parsed {
                Err(_) => Err("malformed URL"),
                Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                    Err("non-HTTP schemes are not allowed")
                }
                Ok(_) if host.is_empty() => Err("malformed URL"),
                Ok(url) => Ok(url.into()),
            }
        };
        Self { url, domain: domain_of(&host).to_owned(), host }
    }
}

/// Where a text first goes deeper than the limit, if it does. Strings are passed by; whether it is
/// JSON at all is the reader's question.
fn too_deep(text: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (position, &byte) in text.iter().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(position);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<UserQuery, Malformed> {
        let body = format!("[{query}]");
        let queries = split(body.as_bytes())?;
        UserQuery::read(queries[0], 0)
    }

    #[test]
    fn a_query_keeps_its_text() {
        let text = r#"{ "pageType":"product", "x": 1.0, "url": "http://a.example/é", "y": {}}"#;
        let query = read(text).unwrap();
        assert_eq!(query.text, text);
        assert_eq!(query.target.url.as_deref(), Ok("http://a.example/%C3%A9"));
        assert_eq!(query.target.domain, "a.example");
        assert!(query.article_body_raw && !query.full_html && query.custom_html.is_none());
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for (query, reason) in [
            ("1", "not an object"),
            (r#"["http://a/", "article"]"#, "not an object"),
            (r#"{"url": "http://a/"}"#, "missing field `pageType`"),
            (r#"{"pageType": "article"}"#, "missing field `url`"),
            (r#"{"url": 1, "pageType": "article"}"#, "invalid type"),
            (r#"{"url": "http://a/", "pageType": "Article"}"#, "not a page type"),
            (r#"{"url": "http://a/", "pageType": "article", "meta": 1}"#, "invalid type"),
            (r#"{"url": "http://a/", "pageType": "article", "fullHtml": "no"}"#, "invalid type"),
            (r#"{"url": "a", "url": "b", "pageType": "article"}"#, "duplicate field"),
            (r#"{"url": "\ud800", "pageType": "article"}"#, "hex escape"),
        ] {
            let error = read(query).unwrap_err();
            assert!(error.0.contains(reason), "{query}: {error:?}");
        }
    }

    #[test]
    fn lengths_are_allowed_up_to_their_limits() {
        let with = |name: &str, value: &str| {
            read(&format!(r#"{{"url":"http://a/","pageType":"article","{name}":"{value}"}}"#))
        };
        assert!(with("meta", &"é".repeat(2_048)).is_ok());
        assert!(with("meta", &"é".repeat(2_049)).is_err());
        assert!(with("customHtml", &"é".repeat(2_000_000)).is_ok());
        assert!(with("customHtml", &"é".repeat(2_000_001)).is_err());
    }

    #[test]
    fn urls_are_judged_as_documented() {
        let error = |url: &str| Target::of(url).url.err();
        let long = format!("http://a/{}", "é".repeat(4_087));
        assert_eq!(error(&long), None);
        assert!(error(&format!("{long}x")).is_some_and(|text| text.contains("4096 UTF-16")));
        for url in ["", "a", "/x", "http://", "http://a:b/", "http://[::/", "//a/", "http://a b/"] {
            assert_eq!(error(url), Some("malformed URL"), "{url}");
        }
        for url in ["file:///etc/passwd", "ftp://a/", "data:,x", "javascript:0", "HTPP://a/"] {
            assert_eq!(error(url), Some("non-HTTP schemes are not allowed"), "{url}");
        }
        assert_eq!(error("HTTPS://A/"), None);
    }

    #[test]
    fn depth_is_limited_before_anything_is_read() {
        let nested = |depth: usize| {
            format!(
                r#"{{"url":"http://a/","pageType":"article","x":{}{}}}"#,
                "[".repeat(depth),
                "]".repeat(depth)
            )
        };
        assert!(read(&nested(126)).is_ok());
        assert!(read(&nested(127)).unwrap_err().0.contains("deeper"));
        assert!(split("[".repeat(1_000_000).as_bytes()).is_err());
        let quoted =
            format!(r#"{{"url":"http://a/","pageType":"article","x":"\"{}"}}"#, "[".repeat(999));
        assert!(read(&quoted).is_ok());
    }
}
