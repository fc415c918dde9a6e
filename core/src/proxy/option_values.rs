//! What the options of a proxied request can be, and what is worth a warning.

use core::fmt;

use super::{
    SessionId,
    option_names::{COOKIES, DEBUG, MAX_RETRIES, NO_BANCHECK, PROFILE_PASS, TIMEOUT},
};

/// Which session a request goes through (`X-Crawlera-Session`).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the header takes `create` or an id, nothing else")]
pub enum Session {
    /// A new one, whose id comes with the answer.
    Create,
    /// One that exists.
    Id(SessionId),
}

impl Session {
    /// The header's value.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Create => "create",
            Self::Id(id) => id.as_str(),
        }
    }
}

impl From<SessionId> for Session {
    fn from(id: SessionId) -> Self {
        Self::Id(id)
    }
}

/// What the service does with cookies (`X-Crawlera-Cookies`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Cookies {
    /// It keeps a jar for each outgoing node and drops the client's `Cookie` header.
    Enable,
    /// It keeps none, and the client's `Cookie` header passes.
    Disable,
    /// It keeps none and drops the target's cookies.
    Discard,
}

impl Cookies {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Enable, Self::Disable, Self::Discard];

    /// The header's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Discard => "discard",
        }
    }
}

/// Whose browser headers the target sees (`X-Crawlera-Profile`, and the older `X-Crawlera-UA`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Profile {
    /// The client's own.
    Pass,
    /// Those of a desktop browser.
    Desktop,
    /// Those of a mobile browser.
    Mobile,
}

impl Profile {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::Pass, Self::Desktop, Self::Mobile];

    /// The header's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Desktop => "desktop",
            Self::Mobile => "mobile",
        }
    }
}

/// Which debug headers the answer should have (`X-Crawlera-Debug`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "both values of the header are here")]
pub struct DebugFields {
    /// How long the target took.
    pub request_time: bool,
    /// Which user agent the target saw.
    pub ua: bool,
}

impl DebugFields {
    /// The words of the header's value.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let words = [("request-time", self.request_time), ("ua", self.ua)];
        words.into_iter().filter_map(|(word, set)| set.then_some(word))
    }

    /// The header's value; `None` when nothing is asked for.
    pub const fn as_str(self) -> Option<&'static str> {
        match (self.request_time, self.ua) {
            (false, false) => None,
            (true, false) => Some("request-time"),
            (false, true) => Some("ua"),
            (true, true) => Some("request-time,ua"),
        }
    }
}

/// Something that is allowed but hardly meant.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ProxyWarning {
    /// The request has a `Cookie` header, which the service drops unless its cookies are disabled.
    CookieDropped,
    /// The target sees the key, in another header or in its URL.
    KeyExposed,
    /// `X-Crawlera-UA` is deprecated: `X-Crawlera-Profile` takes the same values.
    UaDeprecated,
    /// `X-Crawlera-UA` is ignored because `X-Crawlera-Profile` is there.
    UaIgnored,
    /// An option is not sent: the service that the request goes through has no counterpart.
    Unmapped {
        /// The option's header.
        header: &'static str,
    },
}

impl ProxyWarning {
    /// Every warning; one of each option that may be unmapped.
    pub const ALL: &'static [Self] = &[
        Self::CookieDropped,
        Self::KeyExposed,
        Self::UaDeprecated,
        Self::UaIgnored,
        Self::Unmapped { header: COOKIES },
        Self::Unmapped { header: DEBUG },
        Self::Unmapped { header: "X-Crawlera-*" },
        Self::Unmapped { header: MAX_RETRIES },
        Self::Unmapped { header: NO_BANCHECK },
        Self::Unmapped { header: PROFILE_PASS },
        Self::Unmapped { header: TIMEOUT },
    ];

    /// The stable code of this warning.
    pub fn code(self) -> &'static str {
        match self {
            Self::CookieDropped => "cookie_dropped",
            Self::KeyExposed => "key_exposed",
            Self::UaDeprecated => "ua_deprecated",
            Self::UaIgnored => "ua_ignored",
            Self::Unmapped { header } => match header {
                COOKIES => "cookies_unmapped",
                DEBUG => "debug_unmapped",
                MAX_RETRIES => "max_retries_unmapped",
                NO_BANCHECK => "no_bancheck_unmapped",
                PROFILE_PASS => "profile_pass_unmapped",
                TIMEOUT => "timeout_unmapped",
                _ => "extra_unmapped",
            },
        }
    }
}

impl fmt::Display for ProxyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unmapped { header } => {
                return write!(f, "`{header}` has no counterpart and is not sent");
            }
            Self::CookieDropped => {
                "the service drops the `Cookie` header unless cookies are disabled"
            }
            Self::KeyExposed => "the target would see the key",
            Self::UaDeprecated => "`X-Crawlera-UA` is deprecated: use the profile",
            Self::UaIgnored => "`X-Crawlera-UA` is ignored because a profile is given",
        })
    }
}
