//! What the host is asked to fetch, and what came of it.

use alloc::string::String;
use core::time::Duration;

/// A query whose page the host fetches and extracts.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FetchQuery {
    /// Its place in the request, by which the outcome is told.
    pub index: usize,
    /// The page's URL: absolute, http or https, as it is to be fetched.
    pub url: String,
    /// The page type, which is also the item's name in the result.
    pub page_type: String,
    /// Whether an article is to hold its raw HTML.
    pub article_body_raw: bool,
    /// Whether the whole page is to be given.
    pub full_html: bool,
    /// The page itself: nothing is fetched then.
    pub custom_html: Option<String>,
}

/// What came of a query.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FetchOutcome {
    /// The page was read.
    Page {
        /// The item, as JSON.
        item: String,
        /// What is known of the page as such, as JSON.
        web_page: String,
        /// The page's HTML; wanted where the query asks for it.
        html: Option<String>,
    },
    /// The target answered with something else than a page: its status.
    Status(u16),
    /// There is no page.
    Failed(FetchFailure),
    /// There is none, in the words that the client is to read.
    Error {
        /// The words.
        text: String,
        /// Whether the query costs money, which the words alone do not tell: who answers here may
        /// have it from a service with rules of its own.
        billed: bool,
    },
    /// The whole request cannot be served: the last segment of the problem's type. Where other
    /// queries of it have their result already, only this one fails.
    Refused {
        /// The problem.
        problem: String,
        /// When to try again.
        retry_after: Option<Duration>,
    },
}

impl FetchOutcome {
    /// The text of the error, if it is one.
    pub(super) fn error(&self) -> Option<String> {
        match self {
            Self::Page { .. } => None,
            Self::Status(status) => Some(alloc::format!("Downloader error: http{status:03}")),
            Self::Failed(failure) => Some(failure.text().into()),
            Self::Error { text, .. } => Some(text.clone()),
            Self::Refused { .. } => Some(FetchFailure::Internal.text().into()),
        }
    }
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum FetchFailure {
    /// The connection took too long to open.
    ConnectTimeout,
    /// The other side broke the connection.
    ConnectionReset,
    /// The host does not let anybody fetch this address.
    Forbidden,
    /// The extraction failed.
    Internal,
    /// The host's name has no address.
    NameNotFound,
    /// The page shows nothing.
    NoVisibleElements,
    /// Redirects without end, or to where none is followed.
    Redirects,
    /// The other side takes no connection.
    Refused,
    /// The other side closed before its answer was whole.
    ShortAnswer,
    /// The answer took too long.
    Timeout,
    /// TLS could not be set up.
    Tls,
    /// The page cannot be used: too large or in an unreadable coding.
    Unusable,
}

impl FetchFailure {
    /// Every failure with its name at the border and the error that a client reads (Automatic
    /// Extraction API docs, Reference, Query-level, and the rarer texts that clients know).
    const TABLE: [(Self, &'static str, &'static str); 12] = [
        (Self::ConnectTimeout, "connect_timeout", "Proxy error: connect_timeout"),
        (Self::ConnectionReset, "connection_reset", "Downloader error: ConnectionResetByPeer"),
        (Self::Forbidden, "forbidden", "Extraction not permitted for this URL"),
        (Self::Internal, "internal", "InternalError"),
        (Self::NameNotFound, "name_not_found", "Proxy error: nxdomain"),
        (Self::NoVisibleElements, "no_visible_elements", "Downloader error: No visible elements"),
        (Self::Redirects, "redirects", "Downloader error: No response (network301)"),
        (Self::Refused, "refused", "Proxy error: econnrefused"),
        (Self::ShortAnswer, "short_answer", "Downloader error: No response (network5)"),
        (Self::Timeout, "timeout", "Downloader error: GlobalTimeoutError"),
        (Self::Tls, "tls", "Proxy error: ssl_tunnel_error"),
        (Self::Unusable, "unusable", "Downloader error: internal"),
    ];

    /// Every failure.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.into_iter().map(|(failure, _, _)| failure)
    }

    /// Finds a failure by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::TABLE.into_iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Its name, as bindings give it.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    fn text(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, &'static str) {
        let row = Self::TABLE.into_iter().find(|row| row.0 == self);
        row.unwrap_or((Self::Internal, "internal", "InternalError"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn every_failure_has_a_name_and_a_text_of_its_own() {
        let mut texts: Vec<_> = FetchFailure::all().map(FetchFailure::text).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), FetchFailure::TABLE.len());
        for failure in FetchFailure::all() {
            assert_eq!(FetchFailure::from_name(failure.name()), Some(failure));
        }
        assert_eq!(FetchFailure::from_name("no"), None);
        assert_eq!(FetchOutcome::Status(404).error().as_deref(), Some("Downloader error: http404"));
    }
}
