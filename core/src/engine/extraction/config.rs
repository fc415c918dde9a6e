//! How an extraction engine is set up.

use core::time::Duration;

use super::super::InvalidSetting;
use crate::{
    extraction::MAX_QUERIES,
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
        }
    }
}

impl ExtractionConfig {
    /// How many queries may be sent on average. Defaults to 5 a second, what the service enforces.
    #[must_use]
    pub fn with_rate(self, rate: Rate) -> Self {
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

    /// How many jobs may be unfinished at once. Defaults to a million.
    pub fn with_queue_size(self, size: u32) -> Result<Self, InvalidSetting> {
        let queue_size = InvalidSetting::check("queue_size", size, 1, MAX_QUEUE)?;
        Ok(Self { queue_size, ..self })
    }

    /// How many queries a request may carry, 1 to 100. Defaults to 1, as the service recommends
    /// (the docs, Batching Queries).
    pub fn with_batch_size(self, size: u32) -> Result<Self, InvalidSetting> {
        let most = u32::try_from(MAX_QUERIES).unwrap_or(100);
        let batch_size = InvalidSetting::check("batch_size", size, 1, most)?;
        Ok(Self { batch_size, ..self })
    }

    /// How long an answer may take. Defaults to 605 seconds: the service's own limit is 10 minutes
    /// (the docs, Restrictions and Failure Modes).
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Waits and budgets of failures. Defaults to [`RetryPolicy::default`].
    #[must_use]
    pub fn with_policy(self, policy: RetryPolicy) -> Self {
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
