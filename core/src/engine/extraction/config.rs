//! How an extraction engine is set up.

use core::time::Duration;

use super::super::InvalidSetting;
use crate::{
    extraction::{Dialect, MAX_QUERIES},
    schedule::{InvalidRate, Rate, RetryPolicy},
};

/// The highest queue size: indices of jobs are 32 bits wide.
const MAX_QUEUE: u32 = 1 << 31;

/// How an [`ExtractionEngine`](super::ExtractionEngine) is set up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExtractionConfig {
    pub(super) rate: Rate,
    pub(super) burst: u32,
    pub(super) concurrency: u32,
    pub(super) queue_size: u32,
    pub(super) batch_size: u32,
    pub(super) deadline: Duration,
    pub(super) policy: RetryPolicy,
    pub(super) cap: Option<u64>,
    pub(super) requeue: bool,
    chosen: Chosen,
}

/// What was set, and does not follow the service.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Chosen {
    rate: bool,
    deadline: bool,
    policy: bool,
}

impl Default for ExtractionConfig {
    fn default() -> Self {
        Self {
            // "A rate limit of 5 queries per second is enforced" (Automatic Extraction API docs,
            // Restrictions and Failure Modes).
            rate: Rate::FIVE_PER_SECOND,
            burst: 1,
            concurrency: 100,
            queue_size: 1_000_000,
            batch_size: 1,
            deadline: Duration::from_secs(605),
            policy: RetryPolicy::default(),
            cap: None,
            requeue: true,
            chosen: Chosen::default(),
        }
    }
}

impl ExtractionConfig {
    /// The same with what was not set as the service wants it.
    pub(super) fn for_dialect(mut self, dialect: Dialect) -> Self {
        let (count, period) = dialect.rate();
        if !self.chosen.rate
            && let Ok(rate) = Rate::new(count, period)
        {
            self.rate = rate;
        }
        if !self.chosen.deadline {
            self.deadline = dialect.deadline();
        }
        if !self.chosen.policy && dialect != Dialect::AUTOMATIC_EXTRACTION {
            self.policy = RetryPolicy::zyte_api();
        }
        self.batch_size = self.batch_size.min(u32::try_from(dialect.max_queries()).unwrap_or(1));
        self
    }

    /// How many queries may be sent on average. Defaults to what the service of the API object
    /// enforces: 5 a second for the Automatic Extraction API, 3000 a minute for Zyte API.
    #[must_use]
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.chosen.rate = true;
        Self { rate, ..self }
    }

    /// How many queries may be sent at once after a rest. Defaults to 1.
    pub fn with_burst(self, burst: u32) -> Result<Self, InvalidRate> {
        if burst == 0 { Err(InvalidRate::Burst) } else { Ok(Self { burst, ..self }) }
    }

    /// How many requests may be under way at once. Defaults to 100: at 5 queries a second, enough
    /// for answers that take 20 seconds.
    pub fn with_concurrency(self, concurrency: u32) -> Result<Self, InvalidSetting> {
        let concurrency = InvalidSetting::check("concurrency", concurrency, 1, 1_000_000)?;
        Ok(Self { concurrency, ..self })
    }

    /// How many requests may be under way at once.
    pub const fn concurrency(&self) -> u32 {
        self.concurrency
    }

    /// How many jobs may be unfinished at once. Defaults to a million.
    pub fn with_queue_size(self, size: u32) -> Result<Self, InvalidSetting> {
        let queue_size = InvalidSetting::check("queue_size", size, 1, MAX_QUEUE)?;
        Ok(Self { queue_size, ..self })
    }

    /// How many queries a request may carry, 1 to 100. Defaults to 1, as the service recommends
    /// (the docs, Batching Queries). Zyte API takes no more than that.
    pub fn with_batch_size(self, size: u32) -> Result<Self, InvalidSetting> {
        let most = u32::try_from(MAX_QUERIES).unwrap_or(100);
        let batch_size = InvalidSetting::check("batch_size", size, 1, most)?;
        Ok(Self { batch_size, ..self })
    }

    /// How long an answer may take. Defaults to 605 seconds: the service's own limit is 10 minutes
    /// (the docs, Restrictions and Failure Modes); for Zyte API to 320, as its own client.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.chosen.deadline = true;
        Self { deadline, ..self }
    }

    /// Waits and budgets of failures. Defaults to [`RetryPolicy::default`], for Zyte API to
    /// [`RetryPolicy::zyte_api`].
    #[must_use]
    pub fn with_policy(mut self, policy: RetryPolicy) -> Self {
        self.chosen.policy = true;
        Self { policy, ..self }
    }

    /// How many queries may be billed in a cycle; what is under way or unknown counts as billed.
    /// Defaults to no cap.
    #[must_use]
    pub fn with_cap(self, cap: Option<u64>) -> Self {
        Self { cap, ..self }
    }

    /// Whether jobs that were under way when a snapshot was taken are tried again after `restore`
    /// (they may be billed twice), or end as interrupted. Defaults to trying again.
    #[must_use]
    pub fn with_requeue(self, requeue: bool) -> Self {
        Self { requeue, ..self }
    }
}
