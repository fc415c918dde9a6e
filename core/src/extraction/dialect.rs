//! What differs between the services that queries can go to.

use alloc::{string::String, vec::Vec};
use core::{fmt, time::Duration};

use super::{
    DEFAULT_ENDPOINT, InvalidQuery, MAX_QUERIES, MAX_URL, PageType, Query, ResultEntry,
    ServiceFault, answer,
};
use crate::{http::Headers, json::Kind};

/// The service that queries go to, and how it is spoken to. Made by the module that knows the
/// service; everything above works with any.
///
/// ```
/// use silkline::extraction::{Dialect, ExtractionApi};
///
/// let api = ExtractionApi::new("my-key")?;
/// assert_eq!(api.dialect(), Dialect::AUTOMATIC_EXTRACTION);
/// assert_eq!(api.dialect().name(), "automatic_extraction");
/// # Ok::<(), silkline::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Dialect(&'static dyn Wire);

/// An item in the schema of the Automatic Extraction API, made from one of another schema.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConvertedItem {
    /// The item's JSON text.
    pub item: String,
    /// Place (a JSON pointer into the original) and JSON text of each part that the schema has no
    /// room for.
    pub unmapped: Vec<(String, String)>,
}

/// A dialect from within.
pub(crate) trait Wire: Sync {
    fn name(&self) -> &'static str;
    fn endpoint(&self) -> &'static str;
    fn max_queries(&self) -> usize;
    /// The longest URL and the unit it is counted in.
    fn max_url(&self) -> (usize, UrlUnit);
    fn deadline(&self) -> Duration;
    /// Queries in a period.
    fn rate(&self) -> (u64, Duration);
    /// Whether the service can do what a query asks for.
    fn check(&self, query: &Query) -> Result<(), InvalidQuery>;
    fn write(&self, queries: &[Query], body: &mut String);
    fn read(
        &self,
        queries: &[Query],
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<Vec<ResultEntry>, ServiceFault>;
    /// Whether a member of a result, of a name and a type, is one that its getters give.
    fn is_envelope(&self, name: &str, kind: Kind) -> bool;
    /// An item as the service sent it, in the schema of the Automatic Extraction API; `None` if it
    /// is in that schema.
    fn convert(&self, page_type: PageType, item: &[u8]) -> Option<ConvertedItem>;
}

/// What a URL's length is counted in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UrlUnit {
    Characters,
    Utf16,
}

impl UrlUnit {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Utf16 => "utf-16 units",
        }
    }
}

impl Dialect {
    /// The Automatic Extraction API.
    pub const AUTOMATIC_EXTRACTION: Self = Self(&AutomaticExtraction);

    pub(crate) const fn new(wire: &'static dyn Wire) -> Self {
        Self(wire)
    }

    pub(crate) fn wire(self) -> &'static dyn Wire {
        self.0
    }

    /// The stable name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Where the service lives.
    pub fn default_endpoint(self) -> &'static str {
        self.0.endpoint()
    }

    /// The most queries that one request may carry.
    pub fn max_queries(self) -> usize {
        self.0.max_queries()
    }

    /// How long an answer may take before a client should give up.
    pub fn deadline(self) -> Duration {
        self.0.deadline()
    }

    /// How many queries in which time the service takes by default.
    pub fn rate(self) -> (u64, Duration) {
        self.0.rate()
    }

    /// Whether the service can do what a query asks for.
    pub fn check(self, query: &Query) -> Result<(), InvalidQuery> {
        self.check_url(query.url())?;
        self.0.check(query)
    }

    /// An item as the service sent it, in the schema of the Automatic Extraction API; `None` if it
    /// is in that schema.
    pub fn convert(self, page_type: PageType, item: &[u8]) -> Option<ConvertedItem> {
        self.0.convert(page_type, item)
    }

    /// Whether a URL is short enough.
    pub(super) fn check_url(self, url: &str) -> Result<(), InvalidQuery> {
        let (limit, unit) = self.0.max_url();
        // The number of bytes is never below the number of characters or UTF-16 units.
        if url.len() <= limit {
            return Ok(());
        }
        let length = match unit {
            UrlUnit::Characters => url.chars().count(),
            UrlUnit::Utf16 => url.encode_utf16().count(),
        };
        if length <= limit {
            return Ok(());
        }
        Err(InvalidQuery::UrlTooLong { length, limit, unit: unit.as_str() })
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::AUTOMATIC_EXTRACTION
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Eq for Dialect {}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

struct AutomaticExtraction;

impl Wire for AutomaticExtraction {
    fn name(&self) -> &'static str {
        "automatic_extraction"
    }

    fn endpoint(&self) -> &'static str {
        DEFAULT_ENDPOINT
    }

    fn max_queries(&self) -> usize {
        MAX_QUERIES
    }

    fn max_url(&self) -> (usize, UrlUnit) {
        (MAX_URL, UrlUnit::Utf16)
    }

    /// The service's own limit is 10 minutes (Automatic Extraction API docs, Restrictions and
    /// Failure Modes).
    fn deadline(&self) -> Duration {
        Duration::from_secs(605)
    }

    /// "A rate limit of 5 queries per second is enforced" (the docs, Restrictions and Failure
    /// Modes).
    fn rate(&self) -> (u64, Duration) {
        (5, Duration::from_secs(1))
    }

    fn check(&self, _: &Query) -> Result<(), InvalidQuery> {
        Ok(())
    }

    /// A JSON array of queries (the docs, Requests; Batching Queries).
    fn write(&self, queries: &[Query], body: &mut String) {
        body.push('[');
        for (index, query) in queries.iter().enumerate() {
            if index > 0 {
                body.push(',');
            }
            query.write(body);
        }
        body.push(']');
    }

    fn read(
        &self,
        queries: &[Query],
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<Vec<ResultEntry>, ServiceFault> {
        answer::read(queries, status, headers, body)
    }

    fn is_envelope(&self, name: &str, kind: Kind) -> bool {
        match name {
            "query" => kind == Kind::Object,
            "html" | "algorithmVersion" => kind == Kind::String,
            "error" | "webPage" => true,
            _ => false,
        }
    }

    fn convert(&self, _: PageType, _: &[u8]) -> Option<ConvertedItem> {
        None
    }
}
