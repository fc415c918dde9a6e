//! Refusals of Zyte API, as their older counterparts.

use alloc::{
    format,
    string::{String, ToString},
};
use core::time::Duration;

use url::Url;

use crate::{
    extraction::{QueryError, RetryClass, ServiceFault},
    http::{Headers, retry_after},
    problem::Problem,
};

/// Refusals of the account or of the whole request: what tells the problem types apart, the code
/// of the older counterpart, and what it means for further requests (Zyte API docs, Error
/// handling).
const FAULTS: [(&str, &str, RetryClass); 9] = [
    ("account-suspended", "account_disabled", RetryClass::Account),
    ("header-size", "malformed_request", RetryClass::Final),
    ("invalid-json", "malformed_json", RetryClass::Final),
    ("key-not-found", "unauthorized", RetryClass::Account),
    ("not-valid", "unauthorized", RetryClass::Account),
    ("over-global-limit", "rate_limit_exceeded", RetryClass::Throttling),
    ("over-user-limit", "user_rate_limit_exceeded", RetryClass::Throttling),
    ("proxy-auth-not-valid", "unauthorized", RetryClass::Account),
    ("unprocessable", "malformed_request", RetryClass::Final),
];

/// Failures of one query: the problem type and the older text.
const FAILURES: [(&str, &str); 6] = [
    ("domain-forbidden", "Extraction not permitted for this URL"),
    ("domain-unreachable", "Proxy error: nxdomain"),
    ("internal", "InternalError"),
    ("internal-error", "Downloader error: internal"),
    ("temporary-error", "Proxy error: banned"),
    ("timed-out", "query timed out"),
];

/// "The client should be ready for the absence of a problem object. In this case, the HTTP status code
/// should be used" (Zyte API reference, extract, default response): what the statuses mean for the
/// account or the whole request. 402 is not among the documented ones.
const BARE: [(u16, &str, RetryClass); 9] = [
    (400, "malformed_request", RetryClass::Final),
    (401, "unauthorized", RetryClass::Account),
    (402, "account_disabled", RetryClass::Account),
    (403, "account_disabled", RetryClass::Account),
    (407, "unauthorized", RetryClass::Account),
    (422, "malformed_request", RetryClass::Final),
    (429, "user_rate_limit_exceeded", RetryClass::Throttling),
    (431, "malformed_request", RetryClass::Final),
    (503, "rate_limit_exceeded", RetryClass::Throttling),
];

/// How long a domain counts as occupied when the service does not say: its limits count requests
/// per minute (Zyte API docs, Rate limits).
const OCCUPIED: Duration = Duration::from_secs(60);

/// What an answer that is no success says of its query; the fault if it says something of the
/// account or of the whole request.
pub(super) fn refusal(
    url: Option<&str>,
    status: u16,
    headers: &Headers,
    body: &[u8],
) -> Result<QueryError, ServiceFault> {
    let fault = ServiceFault::refused(status, headers, body);
    let kind = fault.problem().and_then(Problem::kind).unwrap_or_default().to_ascii_lowercase();
    if let Some((_, code, retry)) = FAULTS.iter().find(|(known, ..)| *known == kind) {
        return Err(fault.with_meaning(code, *retry));
    }
    let failure = FAILURES.iter().find(|(known, _)| *known == kind).map(|(_, text)| *text);
    let known = match (kind.as_str(), status) {
        ("over-domain-limit" | "over-org-domain-limit", _) => {
            return Ok(occupied(url, status, headers, &fault));
        }
        ("invalid", _) if blames_url(&fault) => Some("malformed URL"),
        ("invalid", _) => return Err(fault.with_meaning("malformed_request", RetryClass::Final)),
        _ => failure.or(match status {
            421 => Some("Proxy error: nxdomain"),
            500 if fault.problem().is_none() => Some("InternalError"),
            451 => Some("Extraction not permitted for this URL"),
            520 => Some("Proxy error: banned"),
            521 => Some("Downloader error: internal"),
            _ => None,
        }),
    };
    if fault.problem().is_none()
        && let Some((_, code, retry)) = BARE.iter().find(|(bare, ..)| *bare == status)
    {
        return Err(fault.with_meaning(code, *retry));
    }
    match known {
        Some(text) => Ok(told(text, status, headers, &fault)),
        // The newer service throttles with both.
        None if matches!(status, 429 | 503) => {
            let code = fault.code();
            Err(fault.with_meaning(code, RetryClass::Throttling))
        }
        None => Err(fault),
    }
}

/// Whether what is wrong with a request is its URL: so the problem says, or nothing at all.
fn blames_url(fault: &ServiceFault) -> bool {
    let Some(problem) = fault.problem() else { return false };
    let speaks = |text: &str| text.to_ascii_lowercase().contains("url");
    match problem.detail() {
        Some(detail) => speaks(detail) || problem.title().is_some_and(speaks),
        None => true,
    }
}

/// An older text, with what the newer service said. "Unsuccessful responses" are not billed (Zyte
/// API docs, Error handling), though their older counterparts were.
fn told(text: &str, status: u16, headers: &Headers, fault: &ServiceFault) -> QueryError {
    let error = QueryError::from_text(text);
    let (text, retry_after) = (format!("{text}{}", note(status, fault)), asked(headers, fault));
    QueryError { text, billed: false, retry_after, answer_status: Some(status), ..error }
}

fn occupied(url: Option<&str>, status: u16, headers: &Headers, fault: &ServiceFault) -> QueryError {
    let delay = asked(headers, fault).unwrap_or(OCCUPIED);
    let host = url.and_then(|url| Some(Url::parse(url).ok()?.host_str()?.to_string()));
    let (host, seconds) = (host.unwrap_or_else(|| "unknown".into()), delay.as_micros());
    let seconds = u64::try_from(seconds.div_ceil(1_000_000)).unwrap_or(u64::MAX);
    let error = QueryError::from_text(format!(
        "Domain {host} is occupied, please retry in {seconds} seconds"
    ));
    let text = format!("{}{}", error.text, note(status, fault));
    QueryError { text, retry_after: Some(delay), answer_status: Some(status), ..error }
}

fn asked(headers: &Headers, fault: &ServiceFault) -> Option<Duration> {
    retry_after(headers).or_else(|| fault.problem().and_then(Problem::retry_delay))
}

/// What the newer service itself said, in brackets.
fn note(status: u16, fault: &ServiceFault) -> String {
    let title = fault.problem().and_then(|problem| problem.title().or(problem.detail()));
    match title {
        Some(title) => {
            let title: String = title.chars().take(200).collect();
            format!(" (status {status}: `{}`)", title.escape_debug())
        }
        None => format!(" (status {status})"),
    }
}
