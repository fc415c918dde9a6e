//! The one place that turns a protocol's answer into a verdict.

use core::time::Duration;

use super::Failure;
use crate::{
    extraction::{QueryError, RetryClass, ServiceFault},
    proxy::{ProxyAction, ProxyErrorKind, ProxyServiceError},
    schedule::{FailureClass, Verdict},
};

/// The longest delay that a service is believed: a slip in a number must not stall a crawl.
const MAX_ASKED: Duration = Duration::from_secs(7 * 86_400);

/// How long a domain rests whose limit the service names without a delay: such limits count
/// requests per minute.
const PER_MINUTE: Duration = Duration::from_secs(60);

/// How much of a delay that a service asked for is believed.
pub(super) fn believed(asked: Option<Duration>) -> Option<Duration> {
    asked.map(|asked| asked.min(MAX_ASKED))
}

/// A request without an answer.
pub(super) const fn failure(failure: Failure) -> Verdict {
    match failure {
        Failure::Network | Failure::NotSent | Failure::Timeout => {
            Verdict::Retry(FailureClass::Network, None)
        }
    }
}

/// An answer that refuses a whole extraction request, or that cannot be read.
pub(super) fn service_fault(fault: &ServiceFault) -> Verdict {
    let asked = believed(fault.retry_after());
    match fault.retry() {
        RetryClass::Account => Verdict::Pause(FailureClass::Account, asked),
        RetryClass::Throttling => Verdict::Pause(FailureClass::Throttled, asked),
        // What promised results and was cut may have been billed: by count, not by time.
        RetryClass::Server if !fault.billing_known() => {
            Verdict::Retry(FailureClass::Garbled, asked)
        }
        RetryClass::Server => Verdict::Retry(FailureClass::Server, asked),
        RetryClass::Final => Verdict::Final,
    }
}

/// The answer to one extraction query.
pub(super) fn query_error(error: &QueryError) -> Verdict {
    let class = match error.code {
        _ if !error.retry => return Verdict::Final,
        "domain_occupied" => FailureClass::Occupied,
        "missing_result" => FailureClass::Garbled,
        // The newer service's own failures, as its own client tells them apart.
        "proxy_error_banned" if error.answer_status.is_some() => FailureClass::Download,
        "downloader_internal" if error.answer_status.is_some() => FailureClass::DownloadInternal,
        _ if error.answer_status.is_some_and(|status| status >= 500) => FailureClass::Server,
        _ if error.billed => FailureClass::BilledQuery,
        _ => FailureClass::Query,
    };
    Verdict::Retry(class, believed(error.retry_after))
}

/// An error of the proxy. What it says of the session is not in the verdict.
pub(super) fn proxy_error(error: &ProxyServiceError) -> Verdict {
    let asked = believed(error.retry_after);
    match error.action() {
        ProxyAction::BackOff | ProxyAction::LowerConcurrency => {
            Verdict::Pause(FailureClass::Throttled, asked)
        }
        ProxyAction::StopAll | ProxyAction::StopAllAfterRetries => {
            Verdict::Pause(FailureClass::Account, asked)
        }
        ProxyAction::BackOffDomain => {
            Verdict::Retry(FailureClass::Occupied, asked.or(Some(PER_MINUTE)))
        }
        ProxyAction::RetryElsewhere if error.is_successors() => {
            Verdict::Retry(FailureClass::Download, asked)
        }
        ProxyAction::RetryElsewhere => Verdict::Retry(FailureClass::Ban, asked),
        ProxyAction::Retry if error.is_successors() && error.status == 521 => {
            Verdict::Retry(FailureClass::DownloadInternal, asked)
        }
        // One of the answers with status 503, which the successor's own client tries for ever; it is
        // not about all requests, though.
        ProxyAction::DropSession if error.kind == ProxyErrorKind::SessionCreationError => {
            Verdict::Retry(FailureClass::Throttled, asked)
        }
        ProxyAction::DropSession | ProxyAction::FreeSession => {
            Verdict::Retry(FailureClass::Server, asked)
        }
        ProxyAction::Retry | ProxyAction::RetryOnce => {
            let own = matches!(error.kind, ProxyErrorKind::InternalError | ProxyErrorKind::Unknown);
            let class = if own { FailureClass::Server } else { FailureClass::Target };
            Verdict::Retry(class, asked)
        }
        ProxyAction::Final | ProxyAction::FinalForDomain | ProxyAction::Ignore => Verdict::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_errors_by_what_they_say_and_cost() {
        let verdict = |text: &str| query_error(&QueryError::from_text(text));
        let retry = |class| Verdict::Retry(class, None);
        assert_eq!(verdict("query timed out"), retry(FailureClass::Query));
        assert_eq!(verdict("Proxy error: banned"), retry(FailureClass::BilledQuery));
        assert_eq!(verdict("Downloader error: http404"), Verdict::Final);
        assert_eq!(verdict("malformed URL"), Verdict::Final);
        assert_eq!(
            verdict("Domain a.com is occupied, please retry in 7 seconds"),
            Verdict::Retry(FailureClass::Occupied, Some(Duration::from_secs(7)))
        );
        assert_eq!(
            verdict("Domain a.com is occupied, please retry in 99999999999 seconds"),
            Verdict::Retry(FailureClass::Occupied, Some(MAX_ASKED))
        );
    }
}
