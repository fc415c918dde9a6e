//! Requests and responses as plain data.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use super::{Headers, headers::is_token};

/// An HTTP method.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Method(Cow<'static, str>);

/// A text that is not an HTTP method.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("method `{}` is not a token", method.escape_debug())]
pub struct InvalidMethod {
    /// The text as given.
    pub method: String,
}

impl InvalidMethod {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["invalid_method"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        "invalid_method"
    }
}

impl Method {
    /// `CONNECT`
    pub const CONNECT: Self = Self(Cow::Borrowed("CONNECT"));
    /// `DELETE`
    pub const DELETE: Self = Self(Cow::Borrowed("DELETE"));
    /// `GET`
    pub const GET: Self = Self(Cow::Borrowed("GET"));
    /// `POST`
    pub const POST: Self = Self(Cow::Borrowed("POST"));

    /// The method as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Method {
    type Err = InvalidMethod;

    fn from_str(text: &str) -> Result<Self, InvalidMethod> {
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err(InvalidMethod { method: text.into() });
        }
        Ok(Self(Cow::Owned(text.into())))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request for the driver to send.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// The headers, in the order to send them. The client adds `Host` and `Content-Length`.
    pub headers: Headers,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Headers::new(), body: Vec::new() }
    }

    /// The same with headers.
    #[must_use]
    pub fn with_headers(self, headers: Headers) -> Self {
        Self { headers, ..self }
    }

    /// The same with a body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method.as_str())
            .field("url", &self.url)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// A response that the driver received.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, in the order they came.
    pub headers: Headers,
    /// The body, with any content coding undone.
    pub body: Vec<u8>,
}

impl Response {
    /// A response.
    pub fn new(status: u16, headers: Headers, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers, body: body.into() }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn debug_hides_credentials() {
        let mut headers = Headers::new();
        headers.append("authorization", "Basic c2VjcmV0Og==").unwrap();
        headers.append("Accept", "text/html").unwrap();
        let shown = format!("{:?}", Request::new(Method::GET, "http://a/").with_headers(headers));
        assert!(shown.contains("[redacted]") && shown.contains("text/html"), "{shown}");
        assert!(!shown.contains("c2Vj"), "{shown}");
    }

    #[test]
    fn a_method_is_a_token() {
        assert_eq!("PURGE".parse::<Method>().unwrap().as_str(), "PURGE");
        assert_eq!("GET /".parse::<Method>().unwrap_err().code(), "invalid_method");
    }
}
