//! One page to extract.

use alloc::{string::String, vec::Vec};

use crate::json::{Cursor, InvalidJson, MAX_DEPTH, write_string};

use super::{
    Dialect, InvalidQuery, PageType,
    query_json::{is_documented, lone_surrogate_escape},
    url_check::{Verdict, judge},
};

/// The longest URL that the service takes, in UTF-16 units (Automatic Extraction API docs,
/// Query-level errors).
pub const MAX_URL: usize = 4096;
/// The longest `meta` that the service takes, in bytes of UTF-8 (the docs' "4 Kb", Requests).
pub const MAX_META: usize = 4096;
/// The longest `customHtml` that the service takes, in Unicode code points (the docs'
/// "2,000,000 characters", Requests).
pub const MAX_CUSTOM_HTML: usize = 2_000_000;

/// How many levels of a request's body are around the value of an extra member: the array of
/// queries and the query.
pub(super) const LEVELS_AROUND_EXTRA: usize = 2;
/// How many levels of arrays and objects the value of an extra member may have, so that a reader
/// with this library's own limit can read the request.
pub(super) const MAX_EXTRA_DEPTH: usize = MAX_DEPTH - 1 - LEVELS_AROUND_EXTRA;

/// A page to extract and how: the members of the documentation (Requests), and any others.
///
/// A query is checked when it is made, so one that exists can be sent.
///
/// ```
/// use silkline::extraction::{PageType, Query};
///
/// let query = Query::new("https://example.com/a", PageType::Article)?.with_meta("first")?;
/// assert_eq!(
///     query.to_json(),
///     r#"{"url":"https://example.com/a","pageType":"article","meta":"first"}"#
/// );
/// assert!(Query::new("example.com/a", PageType::Article).is_err());
/// # Ok::<(), silkline::extraction::InvalidQuery>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Query {
    url: String,
    page_type: PageType,
    meta: Option<String>,
    article_body_raw: Option<bool>,
    full_html: Option<bool>,
    custom_html: Option<String>,
    extra: Vec<(String, String)>,
}

impl Query {
    /// A query for a page. The URL is sent as given.
    pub fn new(url: impl Into<String>, page_type: PageType) -> Result<Self, InvalidQuery> {
        Self::new_in(Dialect::default(), url, page_type)
    }

    /// A query for a page, for a service that may take longer URLs.
    pub fn new_in(
        dialect: Dialect,
        url: impl Into<String>,
        page_type: PageType,
    ) -> Result<Self, InvalidQuery> {
        let url = url.into();
        dialect.check_url(&url)?;
        match judge(&url) {
            Verdict::Good => {}
            Verdict::Invalid => return Err(InvalidQuery::Url { url }),
            Verdict::Scheme => return Err(InvalidQuery::UrlScheme { url }),
        }
        Ok(Self {
            url,
            page_type,
            meta: None,
            article_body_raw: None,
            full_html: None,
            custom_html: None,
            extra: Vec::new(),
        })
    }

    /// The same with a text that comes back with the result.
    pub fn with_meta(self, meta: impl Into<String>) -> Result<Self, InvalidQuery> {
        let meta = meta.into();
        if meta.len() > MAX_META {
            return Err(InvalidQuery::MetaTooLong { length: meta.len() });
        }
        Ok(Self { meta: Some(meta), ..self })
    }

    /// The same with or without the article's HTML in the item; the service includes it by default.
    #[must_use]
    pub fn with_article_body_raw(self, wanted: bool) -> Self {
        Self { article_body_raw: Some(wanted), ..self }
    }

    /// The same with or without the whole page's HTML in the result; the service leaves it out by
    /// default.
    #[must_use]
    pub fn with_full_html(self, wanted: bool) -> Self {
        Self { full_html: Some(wanted), ..self }
    }

    /// The same with the HTML to extract from, instead of what the URL gives.
    pub fn with_custom_html(self, html: impl Into<String>) -> Result<Self, InvalidQuery> {
        let html = html.into();
        // The number of bytes is never below the number of code points.
        if html.len() > MAX_CUSTOM_HTML {
            let length = html.chars().count();
            if length > MAX_CUSTOM_HTML {
                return Err(InvalidQuery::CustomHtmlTooLong { length });
            }
        }
        Ok(Self { custom_html: Some(html), ..self })
    }

    /// The same with a member that the documentation does not name, given as JSON text. It is sent
    /// as given.
    pub fn with_extra(mut self, name: &str, json: &str) -> Result<Self, InvalidQuery> {
        if self.extra.iter().any(|(known, _)| known == name) {
            return Err(InvalidQuery::FieldDuplicate { field: name.into() });
        }
        self.push_extra(name, json)?;
        Ok(self)
    }

    /// Adds an extra member whose name is known to be new.
    pub(super) fn push_extra(&mut self, name: &str, json: &str) -> Result<(), InvalidQuery> {
        if is_documented(name) {
            return Err(InvalidQuery::ExtraReserved { field: name.into() });
        }
        let checked = Cursor::new(json.as_bytes()).and_then(|mut cursor| {
            cursor.skip_inside(LEVELS_AROUND_EXTRA)?;
            cursor.end()
        });
        checked.map_err(|fault| match fault {
            InvalidJson::TooDeep { .. } => InvalidQuery::ExtraTooDeep { field: name.into() },
            _ => InvalidQuery::ExtraJson {
                field: name.into(),
                length: json.len(),
                position: fault.position(),
            },
        })?;
        if let Some(position) = lone_surrogate_escape(json) {
            return Err(InvalidQuery::lone_surrogate(name, position));
        }
        self.extra.push((name.into(), json.trim_ascii().into()));
        Ok(())
    }

    /// The URL as given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The page type.
    pub fn page_type(&self) -> PageType {
        self.page_type
    }

    /// The text that comes back with the result.
    pub fn meta(&self) -> Option<&str> {
        self.meta.as_deref()
    }

    /// Whether the article's HTML is wanted; `None` leaves it to the service.
    pub fn article_body_raw(&self) -> Option<bool> {
        self.article_body_raw
    }

    /// Whether the whole page's HTML is wanted; `None` leaves it to the service.
    pub fn full_html(&self) -> Option<bool> {
        self.full_html
    }

    /// The HTML to extract from.
    pub fn custom_html(&self) -> Option<&str> {
        self.custom_html.as_deref()
    }

    /// Name and JSON text of each extra member, in the order they were added.
    pub fn extra(&self) -> impl Iterator<Item = (&str, &str)> {
        self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The query as compact JSON, as it is sent.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    pub(super) fn write(&self, out: &mut String) {
        out.push_str("{\"url\":");
        write_string(out, &self.url);
        out.push_str(",\"pageType\":\"");
        out.push_str(self.page_type.as_str());
        out.push('"');
        for (name, text) in [("meta", &self.meta), ("customHtml", &self.custom_html)] {
            if let Some(text) = text {
                write_name(out, name);
                write_string(out, text);
            }
        }
        for (name, flag) in
            [("articleBodyRaw", self.article_body_raw), ("fullHtml", self.full_html)]
        {
            if let Some(flag) = flag {
                write_name(out, name);
                out.push_str(if flag { "true" } else { "false" });
            }
        }
        for (name, value) in &self.extra {
            write_name(out, name);
            out.push_str(value);
        }
        out.push('}');
    }
}

pub(crate) fn write_name(out: &mut String, name: &str) {
    out.push(',');
    write_string(out, name);
    out.push(':');
}
