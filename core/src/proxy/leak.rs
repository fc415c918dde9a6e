//! What must not leave on a request that does not go through the proxy.

use alloc::{string::String, vec::Vec};

use super::option_names::is_option;
use crate::http::Headers;

/// Why a header must not reach a target.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LeakKind {
    /// It holds the key.
    Key,
    /// It is an option of the service or of its successor: `X-Crawlera-*` or `Zyte-*`.
    Option,
    /// It authorizes at a proxy.
    ProxyAuthorization,
}

impl LeakKind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Option => "option",
            Self::ProxyAuthorization => "proxy_authorization",
        }
    }
}

/// A header that must not reach a target. Its value is not told: it may be a key.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Leak {
    /// The header's name as it is spelled, or `url` for the URL itself.
    pub name: String,
    /// Why it must not.
    pub kind: LeakKind,
}

/// Finds the headers that must not reach a target: options of the service and of its successor
/// (`X-Crawlera-*`, `Zyte-*`) and what authorizes at a proxy.
///
/// [`ProxyApi::leaks`](super::ProxyApi::leaks) finds the key itself, too.
pub fn proxy_leaks(headers: &Headers) -> Vec<Leak> {
    let found = headers.iter().filter_map(|(name, _)| Some((name, kind(name)?)));
    found.map(|(name, kind)| Leak { name: name.into(), kind }).collect()
}

/// The same headers without those that [`proxy_leaks`] finds.
pub fn strip_proxy_leaks(headers: Headers) -> Headers {
    Headers::from_received(headers.into_iter().filter(|(name, _)| kind(name).is_none()))
}

fn kind(name: &str) -> Option<LeakKind> {
    let zyte = name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("zyte-"));
    if is_option(name) || zyte {
        Some(LeakKind::Option)
    } else if name.eq_ignore_ascii_case("Proxy-Authorization") {
        Some(LeakKind::ProxyAuthorization)
    } else {
        None
    }
}
