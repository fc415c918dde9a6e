//! What an answer through the proxy says.

use alloc::string::{String, ToString};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{ProxyErrorKind, ProxyServiceError, SessionId, successor};
use crate::http::{Headers, parse_seconds, retry_after};

/// Whose answer it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// The service's own: an error.
    Service,
    /// The target's, passed on by the service, whatever its status.
    Target,
    /// Neither, or the service hides: nothing in the headers names it.
    Other,
}

impl Origin {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Target => "target",
            Self::Other => "other",
        }
    }
}

/// The address that a request left from, as the service tells it: mostly `ip:port`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OutgoingAddress(String);

impl OutgoingAddress {
    /// Takes what the service says; `None` if it says nothing.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// As the service spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without the port; `None` if the service hides it behind another word.
    pub fn ip(&self) -> Option<IpAddr> {
        if let Ok(address) = self.0.parse::<SocketAddr>() {
            return Some(address.ip());
        }
        let bare = self.0.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        bare.unwrap_or(&self.0).parse().ok()
    }

    /// The port, if there is one.
    pub fn port(&self) -> Option<u16> {
        self.0.parse::<SocketAddr>().ok().map(|address| address.port())
    }

    /// What sessions that share an address have in common: the address without the port, or the
    /// word that stands for it.
    pub fn host(&self) -> String {
        self.ip().map_or_else(|| self.0.clone(), |ip| ip.to_string())
    }
}

/// What the head of an answer says about session, pace and error.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxyAnswer {
    /// Whose answer it is.
    pub origin: Origin,
    /// The session that the request went through.
    pub session: Option<SessionId>,
    /// The address that the request left from.
    pub outgoing: Option<OutgoingAddress>,
    /// The version of the service.
    pub version: Option<String>,
    /// How long the next request of the session has to wait, from the soft limit on.
    pub next_request_in: Option<Duration>,
    /// What `Retry-After` says: of the service or of the target, as `origin` tells.
    pub retry_after: Option<Duration>,
    /// How long the target took, if asked for.
    pub debug_request_time: Option<Duration>,
    /// Which user agent the target saw, if asked for.
    pub debug_ua: Option<String>,
    /// The service's error.
    pub error: Option<ProxyServiceError>,
}

impl ProxyAnswer {
    /// Whether the answer costs money: answers with an error do not.
    pub const fn billed(&self) -> bool {
        self.error.is_none()
    }
}

/// How much of a body is kept as an error's detail.
const DETAIL_LENGTH: usize = 500;

/// Reads an answer that came through the proxy. See [`ProxyApi::read`](super::ProxyApi::read).
pub(super) fn read(status: u16, headers: &Headers, body_prefix: &[u8]) -> ProxyAnswer {
    let text = |name: &str| {
        let value = headers.get(name)?.trim();
        (!value.is_empty()).then(|| String::from(value))
    };
    let seconds = |name: &str| parse_seconds(headers.get(name)?.trim());
    let mut names = ["X-Crawlera-Session", successor::SESSION_ID].into_iter();
    let session =
        names.find_map(|name| headers.get(name)).and_then(|id| SessionId::new(id.trim()).ok());
    let outgoing = headers.get("X-Crawlera-Slave").and_then(OutgoingAddress::new);
    let version = text("X-Crawlera-Version");
    let marked = headers
        .iter()
        .any(|(name, _)| super::option_names::is_option(name) || successor::is_zyte(name));
    let error_type = text(successor::ERROR_TYPE);
    let passed_on = outgoing.is_some() || session.is_some();
    let kind = match headers.get("X-Crawlera-Error").map(str::trim) {
        Some("") => Some(by_status(status)),
        Some(code) => Some(ProxyErrorKind::from_code(code)),
        None if error_type.is_some() => {
            error_type.as_deref().map(|error_type| successor::kind(error_type, status))
        }
        // The two errors of a proxy that may come without a code.
        None if status == 413 && !passed_on => Some(ProxyErrorKind::HeadersTooLarge),
        None if status == 407 && !passed_on => Some(ProxyErrorKind::BadProxyAuth),
        None => None,
    };
    let service_realm = headers
        .get_all("Proxy-Authenticate")
        .any(|value| value.to_ascii_lowercase().contains("crawlera"));
    let origin = match &kind {
        Some(_) if marked || service_realm => Origin::Service,
        None if marked => Origin::Target,
        _ => Origin::Other,
    };
    let retry_after = retry_after(headers);
    let error = kind.map(|kind| ProxyServiceError {
        kind,
        status,
        text: text("X-Crawlera-Error").or(error_type).unwrap_or_default(),
        detail: text(successor::ERROR_TITLE).unwrap_or_else(|| detail(body_prefix)),
        retry_after,
    });
    ProxyAnswer {
        origin,
        session,
        outgoing,
        version,
        next_request_in: seconds("X-Crawlera-Next-Request-In"),
        retry_after,
        debug_request_time: seconds("X-Crawlera-Debug-Request-Time"),
        debug_ua: text("X-Crawlera-Debug-UA"),
        error,
    }
}

/// The row of an error that has a status but no code: only where one row has it.
pub(super) fn by_status(status: u16) -> ProxyErrorKind {
    match status {
        407 => ProxyErrorKind::BadProxyAuth,
        413 => ProxyErrorKind::HeadersTooLarge,
        429 => ProxyErrorKind::TooManyConns,
        470 => ProxyErrorKind::HeaderAuth,
        500 => ProxyErrorKind::InternalError,
        504 => ProxyErrorKind::Timeout,
        523 => ProxyErrorKind::DomainForbidden,
        540 => ProxyErrorKind::BadHeader,
        541 => ProxyErrorKind::DataError,
        542 => ProxyErrorKind::BadEndpoint,
        _ => ProxyErrorKind::Unknown,
    }
}

/// The beginning of a body as a text.
pub(super) fn detail(body: &[u8]) -> String {
    let start = body.get(..body.len().min(DETAIL_LENGTH * 4)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let text = text.trim().trim_end_matches('\u{fffd}');
    text.chars().take(DETAIL_LENGTH).collect()
}
