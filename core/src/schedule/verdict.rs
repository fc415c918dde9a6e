//! What an answer means for the plan.

use core::time::Duration;

/// Why something did not succeed, as far as waits and budgets differ.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum FailureClass {
    /// The account or its key is refused.
    Account,
    /// The target refused the outgoing address.
    Ban,
    /// A query failed in a way that is billed, so that each retry costs money again.
    BilledQuery,
    /// The newer service could not download the page for a while (520).
    Download,
    /// The newer service failed inside while it downloaded the page (521).
    DownloadInternal,
    /// An answer that cannot be read, or that lacks a result.
    Garbled,
    /// The connection failed or timed out, or the request never left.
    Network,
    /// The service has no more capacity for one domain.
    Occupied,
    /// A query failed in a way that is not billed.
    Query,
    /// The service failed inside (HTTP 5xx).
    Server,
    /// The target is in trouble.
    Target,
    /// A rate limit of the account or of the whole service.
    Throttled,
}

impl FailureClass {
    /// How many classes there are.
    pub(crate) const COUNT: usize = 12;

    /// All classes, in the order of their names.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Account,
        Self::Ban,
        Self::BilledQuery,
        Self::Download,
        Self::DownloadInternal,
        Self::Garbled,
        Self::Network,
        Self::Occupied,
        Self::Query,
        Self::Server,
        Self::Target,
        Self::Throttled,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Ban => "ban",
            Self::BilledQuery => "billed_query",
            Self::Download => "download",
            Self::DownloadInternal => "download_internal",
            Self::Garbled => "garbled",
            Self::Network => "network",
            Self::Occupied => "occupied",
            Self::Query => "query",
            Self::Server => "server",
            Self::Target => "target",
            Self::Throttled => "throttled",
        }
    }

    /// The class of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// What an answer means for the plan. `engine::classify` is the one place that makes them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It did what it should.
    Success,
    /// It failed and would fail again.
    Final,
    /// This one thing is worth another try, after a delay if the service named one.
    Retry(FailureClass, Option<Duration>),
    /// The whole machine should wait, then probe.
    Pause(FailureClass, Option<Duration>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_class() {
        for (place, class) in FailureClass::ALL.into_iter().enumerate() {
            assert_eq!(FailureClass::from_name(class.as_str()), Some(class));
            assert_eq!(class.index(), place);
        }
        assert_eq!(FailureClass::from_name("other"), None);
    }
}
