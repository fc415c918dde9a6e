//! The address of a service.

use alloc::string::String;
use core::fmt;

use url::Url;

/// An address that cannot be an endpoint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEndpoint {
    /// The address holds a user name or password. It is not shown.
    #[error("endpoint holds credentials: the key has its own place")]
    Credentials,
    /// The address of a proxy has a path, query or fragment.
    #[error("endpoint `{}` of a proxy has more than scheme, host and port", endpoint.escape_debug())]
    NotOrigin {
        /// The address as given.
        endpoint: String,
    },
    /// The address is not absolute, not http(s), has no host, or holds white space or controls.
    #[error("endpoint `{}` is not an absolute http(s) url with a host", endpoint.escape_debug())]
    Url {
        /// The address as given.
        endpoint: String,
    },
}

impl InvalidEndpoint {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] =
        &["endpoint_credentials", "endpoint_invalid", "endpoint_not_origin"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Credentials => "endpoint_credentials",
            Self::NotOrigin { .. } => "endpoint_not_origin",
            Self::Url { .. } => "endpoint_invalid",
        }
    }
}

/// The address that a protocol's requests go to: an absolute http(s) URL without credentials.
#[derive(Clone, Eq, PartialEq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Checks an address. It is used as given, so white space and controls, which URL parsers
    /// forgive, are refused.
    pub fn new(endpoint: impl Into<String>) -> Result<Self, InvalidEndpoint> {
        let endpoint = endpoint.into();
        let Ok(url) = Url::parse(&endpoint) else {
            return Err(InvalidEndpoint::Url { endpoint });
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidEndpoint::Credentials);
        }
        let usable = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && !endpoint.contains(|c: char| c.is_whitespace() || c.is_control());
        if usable { Ok(Self(endpoint)) } else { Err(InvalidEndpoint::Url { endpoint }) }
    }

    /// The address as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn an_absolute_http_address_is_kept_as_given() {
        for address in ["http://127.0.0.1:8010/v1/extract", "https://a", "HTTPS://A/b?c"] {
            assert_eq!(Endpoint::new(address).unwrap().as_str(), address);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for address in ["", "a", "/v1", "ftp://a/", "http://", " http://a/", "http://a/\n"] {
            assert_eq!(Endpoint::new(address).unwrap_err().code(), "endpoint_invalid", "{address}");
        }
        for address in ["http://key:@a/", "http://:word@a/", "ftp://key@a/"] {
            let error = Endpoint::new(address).unwrap_err();
            assert_eq!(error.code(), "endpoint_credentials");
            assert!(!format!("{error:?} {error}").contains("key@"));
        }
    }
}
