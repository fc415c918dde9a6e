//! An engine's numbers.

use super::super::form::saved_struct;
use crate::extraction::Usage;

/// The numbers of an [`ExtractionEngine`](super::ExtractionEngine), since it was made or since the
/// snapshots that it comes from began.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ExtractionStats {
    /// Jobs taken in.
    pub submitted: u64,
    /// Jobs that ended with an item.
    pub succeeded: u64,
    /// Jobs that ended with an error, other than those of the next two.
    pub failed: u64,
    /// Jobs that ended because they were cancelled.
    pub cancelled: u64,
    /// Jobs that ended because the machine was closed.
    pub closed: u64,
    /// Jobs that can be sent as soon as rate, slots, budget and their domain let them.
    pub queued: u32,
    /// Jobs that wait before another try.
    pub waiting: u32,
    /// Requests under way.
    pub requests_in_flight: u32,
    /// Queries under way.
    pub queries_in_flight: u64,
    /// Requests handed out.
    pub requests: u64,
    /// Tries beyond the first of their job.
    pub retries: u64,
    /// Retries of queries that failed in a way that is billed.
    pub billed_retries: u64,
    /// Answers that asked the whole machine to wait.
    pub throttled: u64,
    /// Answers that said a domain is occupied.
    pub occupied: u64,
    /// Requests given up at their deadline.
    pub timed_out: u64,
    /// Answers that came after that.
    pub late: u64,
    /// Queries whose answer had no result for them.
    pub missing: u64,
    /// Results that belong to no query.
    pub unmatched: u64,
    /// Queries that are not under way any more, by billing.
    pub usage: Usage,
    /// What counts against the cap of this cycle: billed, unknown and under way.
    pub spent: u64,
    /// Whether the machine waits because of a limit of the account or the service.
    pub paused: bool,
    /// Whether it is stopped because the account is refused.
    pub stopped: bool,
}

/// The numbers that only grow, as a snapshot keeps them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) submitted: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
    pub(super) closed: u64,
    pub(super) requests: u64,
    pub(super) retries: u64,
    pub(super) billed_retries: u64,
    pub(super) throttled: u64,
    pub(super) occupied: u64,
    pub(super) timed_out: u64,
    pub(super) late: u64,
    pub(super) missing: u64,
    pub(super) unmatched: u64,
}

saved_struct!(Counters {;
    submitted, succeeded, failed, cancelled, closed, requests, retries, billed_retries, throttled,
    occupied, timed_out, late, missing, unmatched,
});

impl Counters {
    /// All numbers, to be checked.
    pub(super) fn numbers(&self) -> [u64; 14] {
        [
            self.submitted,
            self.succeeded,
            self.failed,
            self.cancelled,
            self.closed,
            self.requests,
            self.retries,
            self.billed_retries,
            self.throttled,
            self.occupied,
            self.timed_out,
            self.late,
            self.missing,
            self.unmatched,
        ]
    }

    pub(super) fn stats(self) -> ExtractionStats {
        ExtractionStats {
            submitted: self.submitted,
            succeeded: self.succeeded,
            failed: self.failed,
            cancelled: self.cancelled,
            closed: self.closed,
            requests: self.requests,
            retries: self.retries,
            billed_retries: self.billed_retries,
            throttled: self.throttled,
            occupied: self.occupied,
            timed_out: self.timed_out,
            late: self.late,
            missing: self.missing,
            unmatched: self.unmatched,
            ..ExtractionStats::default()
        }
    }
}
