//! Errors of a whole request.

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use super::super::pace::whole_seconds;
use crate::{
    http::{Headers, Response},
    problem::{self, Problem},
};

/// A reason to refuse a request (Automatic Extraction API docs, Reference, Request-level).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    /// The last segment of the problem's type.
    pub(super) kind: &'static str,
    status: u16,
    title: &'static str,
}

const fn refusal(kind: &'static str, status: u16, title: &'static str) -> Refusal {
    Refusal { kind, status, title }
}

pub(super) const QUERIES_LIMIT_REACHED: Refusal =
    refusal("queries-limit-reached", 413, "Limit of 100 queries per request exceeded");
pub(super) const MALFORMED_JSON: Refusal =
    refusal("malformed-json", 400, "Could not parse request JSON");
pub(super) const RATE_LIMIT_EXCEEDED: Refusal =
    refusal("rate-limit-exceeded", 429, "System-wide rate limit exceeded");
pub(super) const USER_RATE_LIMIT_EXCEEDED: Refusal =
    refusal("user-rate-limit-exceeded", 429, "User rate limit exceeded");
pub(super) const ACCOUNT_DISABLED: Refusal =
    refusal("account-disabled", 403, "Account has been disabled - contact support");
pub(super) const UNRECOGNIZED_CONTENT_TYPE: Refusal = refusal(
    "unrecognized-content-type",
    415,
    "Unsupported request content type: should be application/json",
);
pub(super) const EMPTY_REQUEST: Refusal =
    refusal("empty-request", 400, "Empty request body - should be JSON document");
pub(super) const MALFORMED_REQUEST: Refusal =
    refusal("malformed-request", 400, "Unparseable request");
const HTTP_PIPELINING: Refusal = refusal(
    "http-pipelining-not-supported",
    400,
    "Attempt to second HTTP request over TCP connection",
);
pub(super) const UNKNOWN_URI: Refusal = refusal("unknown-uri", 404, "Invalid API endpoint");
pub(super) const METHOD_NOT_ALLOWED: Refusal =
    refusal("method-not-allowed", 405, "Invalid HTTP method (only POST is supported)");
/// Not in the table, seen in the wild.
pub(super) const NO_TOKEN: Refusal = refusal("unauthorized", 401, "no authentication token");
/// Not in the table, seen in the wild.
pub(super) const INVALID_TOKEN: Refusal = refusal("unauthorized", 401, "token invalid");

const ALL: [Refusal; 12] = [
    QUERIES_LIMIT_REACHED,
    MALFORMED_JSON,
    RATE_LIMIT_EXCEEDED,
    USER_RATE_LIMIT_EXCEEDED,
    ACCOUNT_DISABLED,
    UNRECOGNIZED_CONTENT_TYPE,
    EMPTY_REQUEST,
    MALFORMED_REQUEST,
    HTTP_PIPELINING,
    UNKNOWN_URI,
    METHOD_NOT_ALLOWED,
    INVALID_TOKEN,
];

/// A refusal as the service writes it: a problem document with its status and headers.
#[derive(Clone, Debug)]
pub(in crate::service) struct Refused {
    pub(in crate::service) kind: String,
    pub(in crate::service) status: u16,
    pub(in crate::service) document: Box<Problem>,
    headers: Vec<(String, String)>,
}

impl Refused {
    /// A problem of any service's.
    pub(in crate::service) fn new(kind: String, status: u16, document: Problem) -> Self {
        Self { kind, status, document: Box::new(document), headers: Vec::new() }
    }

    /// The problem of a kind, documented or not.
    pub(super) fn named(kind: &str) -> Self {
        let known = ALL.into_iter().find(|refusal| refusal.kind == kind);
        let (status, title) = known.map_or((400, kind), |known| (known.status, known.title));
        let uri = format!("http://errors.xod.scrapinghub.com/{kind}.html");
        Self::new(kind.to_owned(), status, Problem::new(uri).with_title(title))
    }

    fn with(mut self, change: impl FnOnce(Problem) -> Problem) -> Self {
        *self.document = change(core::mem::take(&mut *self.document));
        self
    }

    pub(in crate::service) fn with_title(self, title: impl Into<String>) -> Self {
        self.with(|document| document.with_title(title))
    }

    pub(in crate::service) fn with_detail(self, detail: String) -> Self {
        self.with(|document| document.with_detail(detail))
    }

    /// Another status, in the answer and in its document.
    pub(in crate::service) fn with_status(self, status: u16) -> Self {
        Self { status, ..self.with(|document| document.with_status(status)) }
    }

    pub(in crate::service) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(in crate::service) fn with_retry_after(self, wait: Duration) -> Self {
        self.with_header("Retry-After", &whole_seconds(wait).to_string())
    }

    /// The response that tells it.
    pub(in crate::service) fn into_response(self) -> Response {
        let content_type = ("Content-Type".to_owned(), problem::CONTENT_TYPE.to_owned());
        let headers = core::iter::once(content_type).chain(self.headers);
        Response::new(self.status, Headers::from_received(headers), self.document.to_json())
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, ..Self::named(refusal.kind).with_title(refusal.title) }
    }
}

/// The answer for a body that is not even looked at: "If it is not possible to return a JSON
/// description of the error, then no content type header will be set for the response and the
/// response body will be empty" (Automatic Extraction API docs, Errors).
pub(super) fn payload_too_large() -> Response {
    Response::new(413, Headers::new(), Vec::new())
}
