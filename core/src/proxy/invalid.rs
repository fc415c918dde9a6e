//! What the caller got wrong.

use alloc::string::String;

use super::{InvalidSessionId, MAX_HEADERS_SIZE};
use crate::http::InvalidHeader;

/// Options that the service would refuse, or that contradict each other.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProxyOptions {
    /// The request's own header and the options say different things.
    #[error("header `{header}` of the request contradicts the options")]
    Contradiction {
        /// The option's header.
        header: String,
    },
    /// A value holds a control character, which could split the message.
    #[error("value of `{header}` holds a control character at byte {position}")]
    ControlCharacter {
        /// The option's header.
        header: String,
        /// Where the character stands.
        position: usize,
    },
    /// A number of retries that the service does not take.
    #[error("max retries is {value}, not 0 to 5")]
    MaxRetries {
        /// The number as given.
        value: u64,
    },
    /// One option is given twice, with different values.
    #[error("header `{header}` is given twice with different values")]
    Repeated {
        /// The option's header.
        header: String,
    },
    /// A session keeps its address, so no region can be asked for.
    #[error("a session cannot be used together with a region")]
    SessionWithRegion,
    /// The session's id cannot be sent.
    #[error(transparent)]
    SessionId(#[from] InvalidSessionId),
    /// A time-out outside what the service grants.
    #[error("timeout is {millis} ms, not 30000 to 180000")]
    Timeout {
        /// The time-out as given.
        millis: u64,
    },
    /// The service that the request goes through cannot do what an option asks for.
    #[error("value `{}` of `{header}` cannot be carried over to zyte_api: {reason}", value.escape_debug())]
    Unsupported {
        /// The option's header.
        header: &'static str,
        /// The value, cut to 100 characters.
        value: String,
        /// Why not.
        reason: &'static str,
    },
    /// The name of an extra option is not `X-Crawlera-` and something, or an option has that name.
    #[error("`{}` is not the name of an extra option", header.escape_debug())]
    UnknownOption {
        /// The name as given.
        header: String,
    },
    /// A value that the option does not take.
    #[error("value `{}` of `{header}` is not {expected}", value.escape_debug())]
    Value {
        /// The option's header.
        header: &'static str,
        /// The value as given, cut to 100 characters.
        value: String,
        /// What the option takes.
        expected: &'static str,
    },
}

impl InvalidProxyOptions {
    /// The codes of this error, less those of [`InvalidSessionId`].
    pub const CODES: &'static [&'static str] = &[
        "proxy_max_retries_range",
        "proxy_option_contradiction",
        "proxy_option_control_character",
        "proxy_option_repeated",
        "proxy_option_unknown",
        "proxy_option_unsupported",
        "proxy_option_value",
        "proxy_session_with_region",
        "proxy_timeout_range",
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Contradiction { .. } => "proxy_option_contradiction",
            Self::ControlCharacter { .. } => "proxy_option_control_character",
            Self::MaxRetries { .. } => "proxy_max_retries_range",
            Self::Repeated { .. } => "proxy_option_repeated",
            Self::SessionId(error) => error.code(),
            Self::SessionWithRegion => "proxy_session_with_region",
            Self::Timeout { .. } => "proxy_timeout_range",
            Self::UnknownOption { .. } => "proxy_option_unknown",
            Self::Unsupported { .. } => "proxy_option_unsupported",
            Self::Value { .. } => "proxy_option_value",
        }
    }

    /// Somebody else chooses the session.
    pub(crate) fn contradicting_session() -> Self {
        Self::Contradiction { header: "X-Crawlera-Session".into() }
    }

    pub(super) fn value(header: &'static str, value: &str, expected: &'static str) -> Self {
        Self::Value { header, value: value.chars().take(100).collect(), expected }
    }
}

/// A request that cannot go through the proxy.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProxiedRequest {
    /// A header of the request cannot be sent.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    /// The request headers are more than the service takes (it answers 413).
    #[error("request headers are {size} bytes, more than {MAX_HEADERS_SIZE}")]
    HeadersTooLarge {
        /// The size of the headers on the wire.
        size: usize,
    },
    /// The options cannot be sent.
    #[error(transparent)]
    Options(#[from] InvalidProxyOptions),
    /// The target's scheme is neither http nor https.
    #[error("target url `{}` is neither http nor https", url.escape_debug())]
    Scheme {
        /// The target's URL without user and password, cut to 200 characters.
        url: String,
    },
    /// The target is not an absolute URL.
    #[error("target url `{}` is not an absolute url", url.escape_debug())]
    Url {
        /// The target's URL, cut to 200 characters.
        url: String,
    },
}

impl InvalidProxiedRequest {
    /// The codes of this error, less those of [`InvalidProxyOptions`] and [`InvalidHeader`].
    pub const CODES: &'static [&'static str] =
        &["proxied_headers_too_large", "target_url_invalid", "target_url_scheme"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Header(error) => error.code(),
            Self::HeadersTooLarge { .. } => "proxied_headers_too_large",
            Self::Options(error) => error.code(),
            Self::Scheme { .. } => "target_url_scheme",
            Self::Url { .. } => "target_url_invalid",
        }
    }
}
