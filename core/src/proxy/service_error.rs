//! An error that the service answered.

use alloc::string::String;
use core::time::Duration;

use super::{ProxyAction, ProxyErrorKind, error_kind::action_by_status};

/// An error of the service, not of the target.
///
/// Answers with an error are not billed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("proxy answered {status} `{}`{}{}", text.escape_debug(), if detail.is_empty() { "" } else { ": " }, detail.escape_debug())]
#[non_exhaustive]
pub struct ProxyServiceError {
    /// The row of the table.
    pub kind: ProxyErrorKind,
    /// The status of the answer; 0 if not even that is known.
    pub status: u16,
    /// The code as the service spelled it; empty if it sent none.
    pub text: String,
    /// What the service says about it: the beginning of the body.
    pub detail: String,
    /// How long the service wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl ProxyServiceError {
    /// The codes of this error: those of [`ProxyErrorKind`].
    pub const CODES: &'static [&'static str] = &CODES;

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// What the documentation advises. Unknown codes are judged by the status.
    pub fn action(&self) -> ProxyAction {
        self.kind.known_action().unwrap_or(action_by_status(self.status))
    }

    /// Whether the target banned the outgoing address.
    pub fn is_ban(&self) -> bool {
        self.kind == ProxyErrorKind::Banned
    }

    /// Whether the error is told in the words of Zyte API.
    pub(crate) fn is_successors(&self) -> bool {
        self.text.contains('/') || matches!(self.status, 520 | 521)
    }

    /// Whether the answer costs money: never.
    pub const fn billed(&self) -> bool {
        false
    }
}

const CODES: [&str; ProxyErrorKind::ALL.len()] = {
    let mut codes = [""; ProxyErrorKind::ALL.len()];
    let mut at = 0;
    while at < codes.len() {
        #[expect(clippy::indexing_slicing, reason = "both have the same length")]
        {
            codes[at] = ProxyErrorKind::ALL[at].code();
        }
        at += 1;
    }
    codes
};
