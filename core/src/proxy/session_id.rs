//! The id of a session.

use alloc::string::String;
use core::{fmt, str::FromStr};

/// An id that no service can have made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("session id `{}` {reason}", id.escape_debug())]
#[non_exhaustive]
pub struct InvalidSessionId {
    /// The id as given, cut to 40 characters.
    pub id: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl InvalidSessionId {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["session_id_invalid"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        "session_id_invalid"
    }
}

/// The id of a session, made by the service.
///
/// Opaque (decimal in Smart Proxy Manager docs, Sessions; a UUID in the successor's), so it is only
/// checked for what would break a header or a path: visible ASCII, at most
/// [`MAX_LENGTH`](Self::MAX_LENGTH) characters, not the word `create`, and no path of dots.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(String);

impl SessionId {
    /// The most characters an id may have.
    pub const MAX_LENGTH: usize = 256;

    /// Checks an id.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidSessionId> {
        let id = id.into();
        let reason = if id.is_empty() {
            "is empty"
        } else if id.len() > Self::MAX_LENGTH {
            "has more than 256 characters"
        } else if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            "holds white space, a control or a non-ASCII character"
        } else if id.eq_ignore_ascii_case("create") {
            "is the word that asks for a new session"
        } else if id == "." || id == ".." {
            "would change the path of a call"
        } else {
            return Ok(Self(id));
        };
        Err(InvalidSessionId { id: id.chars().take(40).collect(), reason })
    }

    /// The id as the service gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(id: &str) -> Result<Self, InvalidSessionId> {
        Self::new(id)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
