//! Headers in the order and spelling they were given.

use alloc::{string::String, vec::Vec};
use core::fmt;

/// A header that cannot be sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// The name is empty or holds a character that no header name may hold.
    #[error("header name `{}` is not a token", name.escape_debug())]
    Name {
        /// The name as given.
        name: String,
    },
    /// The value holds a carriage return, line feed or NUL.
    #[error("value of header `{name}` holds a control character at byte {position}")]
    Value {
        /// The header's name; the value itself may be a secret.
        name: String,
        /// Where the character stands.
        position: usize,
    },
}

impl InvalidHeader {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["invalid_header_name", "invalid_header_value"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "invalid_header_name",
            Self::Value { .. } => "invalid_header_value",
        }
    }
}

/// A list of headers: ordered, spelling kept, looked up without regard to case.
///
/// Some services' clients compare names case-sensitively, so the spelling given is the spelling
/// sent. The values of credentials and cookies do not show in `Debug`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// An empty list.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes a received list as it is: what came over the wire is not judged here.
    pub fn from_received(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// Adds a header after the others, even if one of that name is there.
    pub fn append(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), InvalidHeader> {
        let (name, value) = (name.into(), value.into());
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(InvalidHeader::Name { name });
        }
        if let Some(position) = value.bytes().position(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
            return Err(InvalidHeader::Value { name, position });
        }
        self.0.push((name, value));
        Ok(())
    }

    /// Adds a header whose name and value the caller knows to be valid.
    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The first value under a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All values under a name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether a name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Removes all headers of a name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// Name and value of each header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Name and value of each header, in order, with `[redacted]` for the value of a secret: the
    /// form to show and to log.
    pub fn redacted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().map(|(name, value)| {
            let secret = SECRET.iter().any(|known| name.eq_ignore_ascii_case(known));
            (name, if secret { "[redacted]" } else { value })
        })
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The size of the block on the wire: names, values, `: ` and line ends.
    pub fn wire_size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum()
    }
}

/// Headers whose values are secrets.
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.redacted()).finish()
    }
}

impl IntoIterator for Headers {
    type Item = (String, String);
    type IntoIter = alloc::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Whether a byte may stand in a header name or method (RFC 9110, section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_spelling_and_finds_without_case() {
        let mut headers = Headers::new();
        headers.append("X-Crawlera-Session", "create").unwrap();
        headers.append("accept", "a").unwrap();
        headers.append("Accept", "b").unwrap();
        assert_eq!(headers.get("x-crawlera-session"), Some("create"));
        assert_eq!(headers.get_all("ACCEPT").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(headers.iter().next(), Some(("X-Crawlera-Session", "create")));
        headers.remove("ACCEPT");
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn refuses_what_could_split_a_message() {
        let mut headers = Headers::new();
        for name in ["", "a b", "a:", "a\r\n", "é"] {
            assert_eq!(headers.append(name, "v").unwrap_err().code(), "invalid_header_name");
        }
        for value in ["a\rb", "a\nb", "a\0b"] {
            let error = headers.append("Cookie", value).unwrap_err();
            assert_eq!(error, InvalidHeader::Value { name: "Cookie".into(), position: 1 });
        }
        assert!(headers.is_empty());
    }
}
