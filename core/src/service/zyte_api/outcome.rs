//! What the host is asked to fetch, and what came of it.

use alloc::{string::String, vec::Vec};

use super::problems;
use crate::http::{Headers, Method};

/// A page that the host fetches, and what it is wanted for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PageWish {
    /// The page's URL: absolute, http or https, as it is to be fetched.
    pub url: String,
    /// The method.
    pub method: Method,
    /// Headers that the target is to see besides those of a browser.
    pub headers: Headers,
    /// The body to send.
    pub body: Vec<u8>,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// The item to extract, by Zyte API's name of it.
    pub item: Option<String>,
    /// Whether the page is wanted as a browser shows it.
    pub browser_html: bool,
}

/// What came of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PageOutcome {
    /// The target answered, whatever its status.
    Page {
        /// Where, after all redirects.
        url: String,
        /// The target's status.
        status: u16,
        /// The target's headers.
        headers: Headers,
        /// The target's body.
        body: Vec<u8>,
        /// The page as a browser shows it; wanted where the request asks for it.
        browser_html: Option<String>,
        /// The item, as JSON in Zyte API's schema; wanted where the request asks for it.
        item: Option<String>,
    },
    /// There is no page.
    Failed(PageFailure),
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum PageFailure {
    /// The host does not let anybody fetch this address.
    Forbidden,
    /// The extraction failed.
    Internal,
    /// The host's name has no address.
    NameNotFound,
    /// The target cannot be reached, or broke off.
    Unreachable,
    /// The page cannot be used: too large or in an unreadable coding.
    Unusable,
}

impl PageFailure {
    const TABLE: [(Self, &'static str, &'static str); 5] = [
        (Self::Forbidden, "forbidden", problems::DOMAIN_FORBIDDEN),
        (Self::Internal, "internal", problems::SERVER_INTERNAL),
        (Self::NameNotFound, "name_not_found", problems::UNREACHABLE),
        (Self::Unreachable, "unreachable", problems::TEMPORARY),
        (Self::Unusable, "unusable", problems::DOWNLOAD_INTERNAL),
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

    /// The type of the problem that clients read.
    pub(super) fn problem(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, &'static str) {
        let row = Self::TABLE.into_iter().find(|row| row.0 == self);
        row.unwrap_or((Self::Internal, "internal", problems::SERVER_INTERNAL))
    }
}
