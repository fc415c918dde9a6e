//! What went wrong with a whole request.

use alloc::{boxed::Box, format, string::String};
use core::{fmt, ops::Deref, time::Duration};

use crate::{
    http::{Headers, Response, retry_after},
    json::InvalidJson,
    problem::{InvalidProblem, Problem},
};

/// What a failed request means for those that follow.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RetryClass {
    /// The account cannot be used: no request will succeed until somebody has seen to it.
    Account,
    /// The same request will fail again.
    Final,
    /// The server failed, or the answer was lost on the way: as good as a network failure.
    Server,
    /// Too much at once: the same request will succeed later.
    Throttling,
}

impl RetryClass {
    /// The name of the class.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Final => "final",
            Self::Server => "server",
            Self::Throttling => "throttling",
        }
    }
}

/// The problem types of the documentation (Automatic Extraction API docs, Reference,
/// Request-level), and `unauthorized`, which is seen in the wild.
const KINDS: [(&str, &str, RetryClass); 12] = [
    ("account-disabled", "account_disabled", RetryClass::Account),
    ("empty-request", "empty_request", RetryClass::Final),
    // Another connection will do.
    ("http-pipelining-not-supported", "http_pipelining_not_supported", RetryClass::Server),
    ("malformed-json", "malformed_json", RetryClass::Final),
    ("malformed-request", "malformed_request", RetryClass::Final),
    ("method-not-allowed", "method_not_allowed", RetryClass::Final),
    ("queries-limit-reached", "queries_limit_reached", RetryClass::Final),
    ("rate-limit-exceeded", "rate_limit_exceeded", RetryClass::Throttling),
    ("unauthorized", "unauthorized", RetryClass::Account),
    ("unknown-uri", "unknown_uri", RetryClass::Final),
    ("unrecognized-content-type", "unrecognized_content_type", RetryClass::Final),
    ("user-rate-limit-exceeded", "user_rate_limit_exceeded", RetryClass::Throttling),
];

/// Why there are no results at all: the service refused the request, or its answer cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ServiceFault {
    code: &'static str,
    message: String,
    status: u16,
    problem: Option<Box<Problem>>,
    retry_after: Option<Duration>,
    retry: RetryClass,
}

/// What is wrong with an answer whose status promises results.
pub(crate) enum Unreadable {
    ContentType(String),
    Element { index: usize, found: &'static str },
    Empty,
    Html,
    Json(InvalidJson),
    NotArray { found: &'static str },
    NotObject { found: &'static str },
}

impl ServiceFault {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &[
        "account_disabled",
        "answer_content_type",
        "answer_element",
        "answer_empty",
        "answer_html",
        "answer_not_array",
        "answer_not_object",
        "answer_not_utf8",
        "answer_syntax",
        "answer_too_deep",
        "answer_truncated",
        "empty_request",
        "error_body_empty",
        "error_body_html",
        "error_body_not_object",
        "error_body_not_utf8",
        "error_body_syntax",
        "error_body_too_deep",
        "error_body_too_large",
        "error_body_truncated",
        "http_pipelining_not_supported",
        "malformed_json",
        "malformed_request",
        "method_not_allowed",
        "queries_limit_reached",
        "rate_limit_exceeded",
        "unauthorized",
        "unexpected_status",
        "unknown_problem",
        "unknown_uri",
        "unrecognized_content_type",
        "user_rate_limit_exceeded",
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The status of the answer.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The problem document, if the answer held one.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_deref()
    }

    /// How long the service wants to be left alone: `Retry-After`, else the problem's own delay.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What the failure means for further requests.
    pub const fn retry(&self) -> RetryClass {
        self.retry
    }

    /// Whether the service charges for the queries: never for an error of the whole request
    /// (the docs, Errors). What an unreadable answer cost is not known: see
    /// [`billing_known`](Self::billing_known).
    pub const fn billed(&self) -> bool {
        false
    }

    /// Whether the service is known not to have worked on the queries. It is not when the answer
    /// promised results and cannot be read.
    pub const fn billing_known(&self) -> bool {
        !matches!(self.status, 200..=299)
    }

    /// The same with a code and a meaning of another table.
    #[must_use]
    pub(crate) fn with_meaning(self, code: &'static str, retry: RetryClass) -> Self {
        Self { code, retry, ..self }
    }

    /// A refusal, read from the answer's body.
    pub(crate) fn refused(status: u16, headers: &Headers, body: &[u8]) -> Self {
        if !(400..=u16::MAX).contains(&status) {
            let message = format!("status {status} is neither a result nor an error");
            return Self::new("unexpected_status", message, status, headers, None);
        }
        let start = body.trim_ascii_start();
        if start.is_empty() {
            let message = format!("status {status} with an empty body");
            return Self::new("error_body_empty", message, status, headers, None);
        }
        if start.starts_with(b"<") {
            let message = format!("status {status} with a page of html ({} bytes)", body.len());
            return Self::new("error_body_html", message, status, headers, None);
        }
        match Problem::read(body) {
            Ok(problem) => Self::from_problem(status, headers, problem),
            Err(fault) => {
                let note = compression(body);
                let message = format!("status {status}: {fault}{note} (of {} bytes)", body.len());
                let code = match fault {
                    InvalidProblem::Json(InvalidJson::TooDeep { .. }) => "error_body_too_deep",
                    InvalidProblem::Json(InvalidJson::Truncated { .. }) => "error_body_truncated",
                    InvalidProblem::Json(InvalidJson::Utf8 { .. }) => "error_body_not_utf8",
                    InvalidProblem::Json(_) => "error_body_syntax",
                    InvalidProblem::TooLarge { .. } => "error_body_too_large",
                    _ => "error_body_not_object",
                };
                Self::new(code, message, status, headers, None)
            }
        }
    }

    fn from_problem(status: u16, headers: &Headers, problem: Problem) -> Self {
        let row = problem
            .kind()
            .and_then(|kind| KINDS.iter().find(|(known, _, _)| kind.eq_ignore_ascii_case(known)));
        let text = problem.title().or(problem.detail()).or(problem.problem_type());
        let text: String = text.unwrap_or("no title").chars().take(200).collect();
        let message = format!("status {status}: `{}`", text.escape_debug());
        let code = row.map_or("unknown_problem", |(_, code, _)| code);
        let mut fault = Self::new(code, message, status, headers, Some(problem));
        if let Some((_, _, retry)) = row {
            fault.retry = *retry;
        }
        fault
    }

    /// An answer whose status promises results that cannot be read.
    pub(crate) fn unreadable(
        status: u16,
        headers: &Headers,
        body: &[u8],
        reason: Unreadable,
    ) -> Self {
        let size = body.len();
        let (code, text, problem) = match reason {
            Unreadable::ContentType(found) => {
                let found: String = found.chars().take(100).collect();
                let found = found.escape_debug();
                let text = format!("is of content type `{found}`, not application/json");
                ("answer_content_type", text, misplaced_problem(body))
            }
            Unreadable::Element { index, found } => {
                let text = format!("has a result of type {found} at index {index}, not an object");
                ("answer_element", text, None)
            }
            Unreadable::Empty => ("answer_empty", "is empty".into(), None),
            Unreadable::Html => ("answer_html", "is a page of html".into(), None),
            Unreadable::Json(fault) => {
                let code = match fault {
                    InvalidJson::TooDeep { .. } => "answer_too_deep",
                    InvalidJson::Truncated { .. } => "answer_truncated",
                    InvalidJson::Utf8 { .. } => "answer_not_utf8",
                    InvalidJson::Syntax { .. } => "answer_syntax",
                };
                (code, format!("cannot be read: {fault}{}", compression(body)), None)
            }
            Unreadable::NotArray { found } => {
                let text = format!("is of type {found}, not an array");
                ("answer_not_array", text, misplaced_problem(body))
            }
            Unreadable::NotObject { found } => {
                ("answer_not_object", format!("is of type {found}, not an object"), None)
            }
        };
        let message = format!("answer with status {status} ({size} bytes) {text}");
        let mut fault = Self::new(code, message, status, headers, problem);
        // An answer that was cut is a failure of the network; any other fault would come again.
        fault.retry = match code {
            "answer_empty" | "answer_truncated" => RetryClass::Server,
            _ => RetryClass::Final,
        };
        fault
    }

    fn new(
        code: &'static str,
        message: String,
        status: u16,
        headers: &Headers,
        problem: Option<Problem>,
    ) -> Self {
        let delay = retry_after(headers);
        let delay = delay.or_else(|| problem.as_ref().and_then(Problem::retry_delay));
        let retry = match status {
            401..=403 => RetryClass::Account,
            429 => RetryClass::Throttling,
            408 | 500.. => RetryClass::Server,
            _ => RetryClass::Final,
        };
        Self { code, message, status, problem: problem.map(Box::new), retry_after: delay, retry }
    }
}

/// What to add about a body that its driver left compressed: requests accept gzip, and not every
/// HTTP client undoes it.
fn compression(body: &[u8]) -> &'static str {
    if body.starts_with(b"\x1f\x8b") { ", it is still compressed by gzip" } else { "" }
}

/// The problem document in an answer that should hold results. Any object can be read as one, so
/// it counts only if it says what it is about.
fn misplaced_problem(body: &[u8]) -> Option<Problem> {
    let problem = Problem::read(body).ok()?;
    (problem.problem_type().is_some() || problem.title().is_some()).then_some(problem)
}

/// A [`ServiceFault`] together with the answer that it was read from.
#[derive(Clone, Eq, PartialEq)]
pub struct ServiceError(Box<(ServiceFault, Response)>);

impl ServiceError {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = ServiceFault::CODES;

    pub(super) fn new(fault: ServiceFault, response: Response) -> Self {
        Self(Box::new((fault, response)))
    }

    /// What is wrong.
    pub fn fault(&self) -> &ServiceFault {
        &self.0.0
    }

    /// The answer as it came.
    pub fn response(&self) -> &Response {
        &self.0.1
    }

    /// The answer as it came, for keeping.
    pub fn into_response(self) -> Response {
        self.0.1
    }
}

impl Deref for ServiceError {
    type Target = ServiceFault;

    fn deref(&self) -> &ServiceFault {
        self.fault()
    }
}

impl fmt::Debug for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceError")
            .field("fault", self.fault())
            .field("response", self.response())
            .finish()
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

impl core::error::Error for ServiceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_codes_are_listed() {
        for (kind, code, _) in KINDS {
            assert_eq!(kind.replace('-', "_"), code);
            assert!(ServiceFault::CODES.contains(&code), "{code}");
        }
    }
}
