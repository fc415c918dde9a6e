//! Keys and Basic authorization.

use alloc::{format, string::String};
use core::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

/// A key that cannot be sent. The key itself is never shown.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidApiKey {
    /// The key is empty.
    #[error("api key is empty")]
    Empty,
    /// The key holds a colon, white space, a control or a non-ASCII character.
    #[error("api key holds a character at position {position} that no key has (of {length})")]
    Character {
        /// Where the character stands, counted in characters from 0.
        position: usize,
        /// How many characters the key has.
        length: usize,
    },
}

impl InvalidApiKey {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["api_key_empty", "api_key_invalid"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "api_key_empty",
            Self::Character { .. } => "api_key_invalid",
        }
    }
}

/// A service's key. It shows neither in `Debug` nor in any error.
#[derive(Clone, Eq, PartialEq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Checks a key: printable ASCII without a colon, since it becomes the user name of Basic
    /// authorization (Automatic Extraction API docs, How the API works).
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidApiKey> {
        let key = key.into();
        if key.is_empty() {
            return Err(InvalidApiKey::Empty);
        }
        match key.chars().position(|c| !c.is_ascii_graphic() || c == ':') {
            Some(position) => {
                Err(InvalidApiKey::Character { position, length: key.chars().count() })
            }
            None => Ok(Self(key)),
        }
    }

    /// The value of `Authorization` or `Proxy-Authorization`: the key as user, no password.
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:", self.0)))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// Reads user and password out of a Basic authorization value; `None` if it is none.
pub fn basic_credentials(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.into(), password.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_user_and_the_password_is_empty() {
        let basic = ApiKey::new("secret").unwrap().basic();
        assert_eq!(basic, "Basic c2VjcmV0Og==");
        assert_eq!(basic_credentials(&basic), Some(("secret".into(), String::new())));
        assert_eq!(basic_credentials("bearer abc"), None);
        assert_eq!(basic_credentials("Basic ???"), None);
    }

    #[test]
    fn bad_keys_are_refused_without_being_shown() {
        assert_eq!(ApiKey::new("").unwrap_err().code(), "api_key_empty");
        for key in ["sec:ret", "sec ret", "sec\nret", "secé"] {
            let error = ApiKey::new(key).unwrap_err();
            assert_eq!(error.code(), "api_key_invalid");
            assert!(!format!("{error} {error:?}").contains("sec"), "{error:?}");
        }
        assert_eq!(format!("{:?}", ApiKey::new("secret").unwrap()), "ApiKey([redacted])");
    }
}
