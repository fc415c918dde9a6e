//! The one place that turns a protocol's answer into a verdict.

use super::Failure;
use crate::schedule::{FailureClass, Verdict};

/// A request without an answer.
pub(super) const fn failure(failure: Failure) -> Verdict {
    match failure {
        Failure::Network | Failure::NotSent | Failure::Timeout => {
            Verdict::Retry(FailureClass::Network, None)
        }
    }
}
