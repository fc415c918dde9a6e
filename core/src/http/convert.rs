//! To and from the types of the `http` crate.

use alloc::{string::String, vec::Vec};

use super::{Headers, Request, Response};

impl TryFrom<Request> for http::Request<Vec<u8>> {
    type Error = http::Error;

    fn try_from(request: Request) -> Result<Self, http::Error> {
        let mut builder =
            http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
        for (name, value) in request.headers.iter() {
            builder = builder.header(name, value);
        }
        builder.body(request.body)
    }
}

impl<B: Into<Vec<u8>>> From<http::Response<B>> for Response {
    /// Header values that are not UTF-8 are read as Latin-1, as HTTP says.
    fn from(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        let headers = parts.headers.iter().map(|(name, value)| {
            let text = core::str::from_utf8(value.as_bytes()).map_or_else(
                |_| value.as_bytes().iter().map(|&byte| char::from(byte)).collect(),
                String::from,
            );
            (String::from(name.as_str()), text)
        });
        Self::new(parts.status.as_u16(), Headers::from_received(headers), body)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::http::Method;

    #[test]
    fn a_request_crosses_whole() {
        let mut headers = Headers::new();
        headers.append("Accept", "a").unwrap();
        let request =
            Request::new(Method::POST, "http://a/b?c").with_headers(headers).with_body(*b"x");
        let converted = http::Request::<Vec<u8>>::try_from(request).unwrap();
        assert_eq!(converted.method(), "POST");
        assert_eq!(converted.uri(), "http://a/b?c");
        assert_eq!(converted.headers()["accept"], "a");
        assert_eq!(converted.body(), b"x");
    }

    #[test]
    fn a_response_crosses_whole() {
        let response = http::Response::builder()
            .status(429)
            .header("Retry-After", "3")
            .header("X", http::HeaderValue::from_bytes(b"\xe9").unwrap())
            .body(vec![1])
            .unwrap();
        let converted = Response::from(response);
        assert_eq!((converted.status, converted.body.as_slice()), (429, &[1][..]));
        assert_eq!(converted.headers.get("Retry-After"), Some("3"));
        assert_eq!(converted.headers.get("x"), Some("é"));
    }
}
