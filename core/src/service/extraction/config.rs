//! What can be set.

use alloc::{collections::BTreeMap, collections::BTreeSet, string::String};
use core::time::Duration;

use super::super::{InvalidFaults, Keys, Pace, faults::Script};
use super::{refusal::Refused, script::Action};

/// The limits of an extraction service. The defaults are the documented ones (Automatic Extraction
/// API docs, Restrictions and Failure Modes).
#[derive(Clone, Debug)]
pub struct ExtractionConfig {
    pub(super) keys: Keys,
    pub(super) pace: Pace,
    pub(super) system_pace: Option<Pace>,
    pub(super) max_queries: usize,
    pub(super) max_payload: usize,
    pub(super) query_timeout: Duration,
    pub(super) blacklist: BTreeSet<String>,
    pub(super) occupied: BTreeMap<String, Duration>,
    pub(super) domain_pace: Option<Pace>,
    pub(super) domain_concurrency: Option<u32>,
    pub(super) domain_wait: Duration,
    pub(super) shuffled: bool,
    pub(super) faults: Script<Action>,
    pub(super) epoch_ms: u64,
    pub(super) algorithm_version: String,
}

impl Default for ExtractionConfig {
    fn default() -> Self {
        Self {
            keys: Keys::any(),
            pace: Pace::every(Duration::from_millis(200)).with_burst(5),
            system_pace: None,
            max_queries: 100,
            max_payload: 32 * 1024 * 1024,
            query_timeout: Duration::from_secs(600),
            blacklist: BTreeSet::new(),
            occupied: BTreeMap::new(),
            domain_pace: None,
            domain_concurrency: None,
            domain_wait: Duration::from_secs(5),
            shuffled: false,
            faults: Script::default(),
            epoch_ms: 1_700_000_000_000,
            algorithm_version: crate::VERSION.into(),
        }
    }
}

impl ExtractionConfig {
    /// Who may ask. Defaults to any non-empty key.
    #[must_use]
    pub fn with_keys(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }

    /// How many queries each key may send. Defaults to 5 a second, 5 of them at once.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// How many queries all keys together may send. Defaults to no limit.
    #[must_use]
    pub fn with_system_pace(self, pace: Option<Pace>) -> Self {
        Self { system_pace: pace, ..self }
    }

    /// How many queries a request may hold. Defaults to 100.
    #[must_use]
    pub fn with_max_queries(self, count: usize) -> Self {
        Self { max_queries: count, ..self }
    }

    /// How many bytes the body of a request may have. Defaults to 32 MiB, room for the largest
    /// `customHtml` with every character escaped.
    #[must_use]
    pub fn with_max_payload(self, bytes: usize) -> Self {
        Self { max_payload: bytes, ..self }
    }

    /// How long a query may take. Defaults to 10 minutes.
    #[must_use]
    pub fn with_query_timeout(self, timeout: Duration) -> Self {
        Self { query_timeout: timeout, ..self }
    }

    /// Domains from which nothing is extracted, with all below them. Defaults to none.
    #[must_use]
    pub fn with_blacklist(self, domains: impl IntoIterator<Item = String>) -> Self {
        let blacklist = domains.into_iter().map(|domain| plain(&domain)).collect();
        Self { blacklist, ..self }
    }

    /// Domains that are occupied for some time from the first query for them on, with all below
    /// them. Defaults to none.
    #[must_use]
    pub fn with_occupied(self, domains: impl IntoIterator<Item = (String, Duration)>) -> Self {
        let occupied = domains.into_iter().map(|(domain, time)| (plain(&domain), time)).collect();
        Self { occupied, ..self }
    }

    /// How many queries a domain takes before it is occupied. Defaults to no limit.
    #[must_use]
    pub fn with_domain_pace(self, pace: Option<Pace>) -> Self {
        Self { domain_pace: pace, ..self }
    }

    /// How many queries a domain takes at a time before it is occupied. Defaults to no limit.
    #[must_use]
    pub fn with_domain_concurrency(self, count: Option<u32>) -> Self {
        Self { domain_concurrency: count, ..self }
    }

    /// The wait announced for a domain whose queries at a time are all in use. Defaults to 5 s.
    #[must_use]
    pub fn with_domain_wait(self, wait: Duration) -> Self {
        Self { domain_wait: wait, ..self }
    }

    /// Whether results come in a random order, as the documentation allows. Defaults to the order
    /// of the queries.
    #[must_use]
    pub fn with_shuffled_results(self, shuffled: bool) -> Self {
        Self { shuffled, ..self }
    }

    /// Faults to show, as a JSON list of rules. Defaults to none.
    ///
    /// A rule is `{"when": …, "skip": n, "times": n, "then": …}`. `when` may name `url` (with `*`
    /// for any run of characters), `domain`, `page_type`, `request` (its number from 1, counting
    /// those that passed all checks), `every` (each so many requests) and `probability`; without
    /// conditions it always fits. Of the rules for a request the first that fits is applied, and
    /// of the rules for a query likewise. `then` holds, for a query, `error` (its text) and `slow`
    /// (seconds before its result is there); for a request: `problem` (the last segment of a
    /// problem type), `status`, `title`, `members` (of the problem), `body`, `content_type` (empty
    /// for none), `headers`, `retry_after` (seconds or text), `delay` (seconds), `drop`,
    /// `truncate` (bytes to send), `garbage` (bytes of noise instead of the body), `echo` (members
    /// added to each `userQuery`) and `results`, a list of `missing`, `surplus`, `foreign`,
    /// `reversed`, `shuffled`, `object`.
    pub fn with_faults(self, script: &str) -> Result<Self, InvalidFaults> {
        Ok(Self {
            faults: Script::from_json(script, |action: &Action| action.check(Refused::named))?,
            ..self
        })
    }

    /// The milliseconds since 1970 at the driver's epoch, for query ids. Defaults to a fixed
    /// moment, so that runs can be compared.
    #[must_use]
    pub fn with_epoch_ms(self, epoch_ms: u64) -> Self {
        Self { epoch_ms, ..self }
    }

    /// The version told with each result. Defaults to that of this library.
    #[must_use]
    pub fn with_algorithm_version(self, version: impl Into<String>) -> Self {
        Self { algorithm_version: version.into(), ..self }
    }

    /// How many queries each key may send.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// How many bytes of a request's body the host has to read at most: one more than is allowed
    /// shows that it is too large.
    pub fn max_payload(&self) -> usize {
        self.max_payload
    }
}

fn plain(domain: &str) -> String {
    domain.trim_matches(['.', '[', ']']).to_lowercase()
}
