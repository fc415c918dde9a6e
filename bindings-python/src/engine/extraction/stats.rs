//! An engine's numbers.

use pyo3::prelude::*;
use silkline::engine::ExtractionStats;

use crate::extraction::PyUsage;

/// The numbers of an `ExtractionEngine`, since it was made or since the snapshots that it comes from
/// began.
///
/// >>> from silkline import ExtractionApi, ExtractionEngine
/// >>> engine = ExtractionEngine(ExtractionApi("KEY"))
/// >>> job = engine.submit({"url": "https://example.com/", "pageType": "article"}, 0.0)
/// >>> stats = engine.stats()
/// >>> stats.submitted, stats.queued, stats.usage
/// (1, 1, Usage(queries=0, billed=0, unbilled=0, unknown=0))
#[pyclass(name = "ExtractionStats", module = "silkline.engine", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct PyExtractionStats {
    /// Jobs taken in.
    submitted: u64,
    /// Jobs that ended with an item.
    succeeded: u64,
    /// Jobs that ended with an error, other than those of the next two.
    failed: u64,
    /// Jobs that ended because they were cancelled.
    cancelled: u64,
    /// Jobs that ended because the engine was closed.
    closed: u64,
    /// Jobs that can be sent as soon as rate, slots, budget and their domain let them.
    queued: u32,
    /// Jobs that wait before another try.
    waiting: u32,
    /// Requests under way.
    requests_in_flight: u32,
    /// Queries under way.
    queries_in_flight: u64,
    /// Requests handed out.
    requests: u64,
    /// Tries beyond the first of their job.
    retries: u64,
    /// Retries of queries that failed in a way that is billed.
    billed_retries: u64,
    /// Answers that asked the whole engine to wait.
    throttled: u64,
    /// Answers that said a domain is occupied.
    occupied: u64,
    /// Requests given up at their deadline.
    timed_out: u64,
    /// Answers that came after that.
    late: u64,
    /// Queries whose answer had no result for them.
    missing: u64,
    /// Results that belong to no query.
    unmatched: u64,
    /// Queries that are not under way any more, by billing.
    usage: PyUsage,
    /// What counts against the cap of this cycle: billed, unknown and under way.
    spent: u64,
    /// Whether the engine waits because of a limit of the account or the service.
    paused: bool,
    /// Whether it is stopped because the account is refused.
    stopped: bool,
}

impl From<ExtractionStats> for PyExtractionStats {
    fn from(stats: ExtractionStats) -> Self {
        Self {
            submitted: stats.submitted,
            succeeded: stats.succeeded,
            failed: stats.failed,
            cancelled: stats.cancelled,
            closed: stats.closed,
            queued: stats.queued,
            waiting: stats.waiting,
            requests_in_flight: stats.requests_in_flight,
            queries_in_flight: stats.queries_in_flight,
            requests: stats.requests,
            retries: stats.retries,
            billed_retries: stats.billed_retries,
            throttled: stats.throttled,
            occupied: stats.occupied,
            timed_out: stats.timed_out,
            late: stats.late,
            missing: stats.missing,
            unmatched: stats.unmatched,
            usage: stats.usage.into(),
            spent: stats.spent,
            paused: stats.paused,
            stopped: stats.stopped,
        }
    }
}

#[pymethods]
impl PyExtractionStats {
    fn __repr__(&self) -> String {
        format!(
            "<ExtractionStats {} submitted, {} succeeded, {} failed, {} requests, {}>",
            self.submitted,
            self.succeeded,
            self.failed,
            self.requests,
            self.usage.__repr__()
        )
    }
}
