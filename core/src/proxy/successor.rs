//! The proxy mode of Zyte API: the same options as its headers, and its errors as the older ones.

use alloc::{string::String, vec::Vec};

use super::{
    Cookies, InvalidProxyOptions, Profile, ProxyErrorKind, ProxyOptions, ProxyWarning, Session,
    option_names::{
        CITY, COOKIES, DEBUG, MAX_RETRIES, NO_BANCHECK, PROFILE, PROFILE_PASS, SESSION, STATE,
        TIMEOUT, USE_HTTPS,
    },
};
use crate::{http::Headers, problem::Problem};

/// Which service proxied requests go through.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProxyDialect {
    /// Smart Proxy Manager: `X-Crawlera-*` headers, sessions made by the service.
    #[default]
    SmartProxyManager,
    /// The proxy mode of Zyte API: `Zyte-*` headers, sessions made by the caller.
    ZyteApi,
}

impl ProxyDialect {
    /// Every dialect.
    pub const ALL: [Self; 2] = [Self::SmartProxyManager, Self::ZyteApi];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SmartProxyManager => "smart_proxy_manager",
            Self::ZyteApi => "zyte_api",
        }
    }

    /// The dialect of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name)
    }

    /// Where the service listens.
    pub const fn default_endpoint(self) -> &'static str {
        match self {
            Self::SmartProxyManager => super::DEFAULT_ENDPOINT,
            Self::ZyteApi => "http://api.zyte.com:8011",
        }
    }

    /// Whether the service makes the sessions and has calls to list and delete them; else any
    /// UUID of version 4 is a session from its first request on.
    pub const fn has_session_calls(self) -> bool {
        matches!(self, Self::SmartProxyManager)
    }
}

/// What every control header of Zyte API begins with.
const PREFIX: &str = "Zyte-";
pub(super) const ERROR_TYPE: &str = "Zyte-Error-Type";
pub(super) const ERROR_TITLE: &str = "Zyte-Error-Title";
pub(super) const SESSION_ID: &str = "Zyte-Session-ID";
/// The header that names the program that sends.
pub(super) const CLIENT: &str = "Zyte-Client";
/// The headers of the client's own that may win over those of the service (Zyte API docs, Proxy
/// mode).
const OVERRIDABLE: [&str; 3] = ["Accept", "Accept-Encoding", "User-Agent"];

/// Whether a header is one of Zyte API's.
pub(super) fn is_zyte(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn unsupported(header: &'static str, value: &str, reason: &'static str) -> InvalidProxyOptions {
    let value = value.chars().take(100).collect();
    InvalidProxyOptions::Unsupported { header, value, reason }
}

/// Whether an id is a UUID of version 4, as the service wants its sessions named.
fn is_uuid4(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => matches!(byte.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b'),
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The options as headers of Zyte API, and what of them is not sent because it has no counterpart.
/// Refused is what would change the meaning.
pub(super) fn headers(
    options: &ProxyOptions,
    follow_redirects: bool,
) -> Result<(Headers, Vec<ProxyWarning>), InvalidProxyOptions> {
    let (mut headers, mut warnings) = (Headers::new(), Vec::new());
    let mut unmapped = |header: &'static str, is_set: bool| {
        if is_set {
            warnings.push(ProxyWarning::Unmapped { header });
        }
    };
    match options.session() {
        Some(Session::Create) => {
            let reason = "the caller makes the ids of sessions";
            return Err(unsupported(SESSION, "create", reason));
        }
        Some(Session::Id(id)) if !is_uuid4(id.as_str()) => {
            let reason = "ids of sessions are uuids of version 4";
            return Err(unsupported(SESSION, id.as_str(), reason));
        }
        Some(Session::Id(id)) => headers.push(SESSION_ID, id.as_str()),
        None => {}
    }
    // The profile wins over its deprecated form.
    match options.profile().or(options.ua()) {
        Some(Profile::Mobile) => headers.push("Zyte-Device", "mobile"),
        Some(Profile::Pass) => {
            let reason = "the service chooses the headers of the browser";
            return Err(unsupported(PROFILE, "pass", reason));
        }
        Some(Profile::Desktop) | None => {}
    }
    let (sent, lost): (Vec<&String>, Vec<&String>) = options
        .profile_pass()
        .iter()
        .partition(|name| OVERRIDABLE.iter().any(|known| known.eq_ignore_ascii_case(name)));
    if !sent.is_empty() {
        let names: Vec<&str> = sent.into_iter().map(String::as_str).collect();
        headers.push("Zyte-Override-Headers", names.join(","));
    }
    unmapped(PROFILE_PASS, !lost.is_empty());
    if options.cookies() == Some(Cookies::Discard) {
        headers.push("Zyte-Cookie-Management", "discard");
    }
    unmapped(COOKIES, matches!(options.cookies(), Some(Cookies::Enable | Cookies::Disable)));
    if let Some(region) = options.region() {
        headers.push("Zyte-Geolocation", region);
    }
    for (header, place) in [(STATE, options.state()), (CITY, options.city())] {
        if let Some(place) = place {
            return Err(unsupported(header, place, "the service chooses by country alone"));
        }
    }
    if options.use_https() {
        return Err(unsupported(USE_HTTPS, "1", "the service fetches the url as it is"));
    }
    if let Some(job) = options.job_id() {
        headers.push("Zyte-JobId", job);
    }
    if let Some(client) = options.client() {
        headers.push(CLIENT, client);
    }
    if !follow_redirects {
        headers.push("Zyte-Disable-Follow-Redirect", "true");
    }
    unmapped(MAX_RETRIES, options.max_retries().is_some());
    unmapped(TIMEOUT, options.timeout().is_some());
    unmapped(NO_BANCHECK, options.no_bancheck());
    unmapped(DEBUG, options.debug().as_str().is_some());
    unmapped("X-Crawlera-*", !options.extra().is_empty());
    Ok((headers, warnings))
}

/// The error types of Zyte API (Zyte API docs, Error handling; Proxy mode), by their last part.
const TYPES: [(&str, ProxyErrorKind); 20] = [
    ("account-suspended", ProxyErrorKind::UserSuspended),
    ("domain-forbidden", ProxyErrorKind::DomainForbidden),
    ("domain-unreachable", ProxyErrorKind::Nxdomain),
    ("header-size", ProxyErrorKind::HeadersTooLarge),
    ("internal", ProxyErrorKind::InternalError),
    ("internal-error", ProxyErrorKind::InternalError),
    ("invalid", ProxyErrorKind::InvalidRequest),
    ("key-not-found", ProxyErrorKind::BadProxyAuth),
    ("not-valid", ProxyErrorKind::BadProxyAuth),
    ("over-domain-limit", ProxyErrorKind::OverDomainLimit),
    ("over-global-limit", ProxyErrorKind::Serverbusy),
    ("over-org-domain-limit", ProxyErrorKind::OverDomainLimit),
    ("over-session-limit", ProxyErrorKind::UserSessionLimit),
    ("over-user-limit", ProxyErrorKind::TooManyConns),
    ("proxy-auth-not-valid", ProxyErrorKind::BadProxyAuth),
    ("session-creation-error", ProxyErrorKind::SessionCreationError),
    ("session-expired", ProxyErrorKind::BadSessionId),
    ("temporary-error", ProxyErrorKind::Banned),
    ("timed-out", ProxyErrorKind::Timeout),
    ("unprocessable", ProxyErrorKind::InvalidRequest),
];

/// The older counterpart of an error type; unknown ones are judged by the status.
pub(super) fn kind(error_type: &str, status: u16) -> ProxyErrorKind {
    let problem = Problem::new(error_type);
    let last = problem.kind().unwrap_or_default();
    let row = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(last));
    row.map_or_else(|| by_status(status), |(_, kind)| *kind)
}

/// The error that a status of Zyte API stands for, where one alone has it.
pub(super) const fn by_status(status: u16) -> ProxyErrorKind {
    match status {
        401 | 407 => ProxyErrorKind::BadProxyAuth,
        403 => ProxyErrorKind::UserSuspended,
        421 => ProxyErrorKind::Nxdomain,
        429 => ProxyErrorKind::TooManyConns,
        431 => ProxyErrorKind::HeadersTooLarge,
        451 => ProxyErrorKind::DomainForbidden,
        500 | 521 => ProxyErrorKind::InternalError,
        503 => ProxyErrorKind::Serverbusy,
        520 => ProxyErrorKind::Banned,
        _ => ProxyErrorKind::Unknown,
    }
}
