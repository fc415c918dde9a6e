//! An engine's numbers.

use pyo3::prelude::*;
use silkline::engine::ProxyStats;

use crate::schedule::PyPoolStats;

/// The numbers of a `ProxyEngine`, since it was made or since the snapshots that it comes from began.
///
/// >>> from silkline import ProxyApi, ProxyEngine
/// >>> engine = ProxyEngine(ProxyApi("KEY"))
/// >>> job = engine.submit("https://example.com/", 0.0)
/// >>> stats = engine.stats()
/// >>> stats.submitted, stats.queued, stats.pool.limit
/// (1, 1, 100)
#[pyclass(name = "ProxyStats", module = "silkline.engine", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct PyProxyStats {
    /// Jobs taken in.
    submitted: u64,
    /// Jobs that ended with an answer of the target.
    succeeded: u64,
    /// Jobs that ended with an error, other than those of the next two.
    failed: u64,
    /// Jobs that ended because they were cancelled.
    cancelled: u64,
    /// Jobs that ended because the engine was closed.
    closed: u64,
    /// Requests handed out for jobs.
    requests: u64,
    /// Tries beyond the first of their job.
    retries: u64,
    /// Calls of the sessions API handed out.
    calls: u64,
    /// Answers that are billed.
    billed: u64,
    /// Answers that are not: errors of the service.
    unbilled: u64,
    /// Requests of which nobody knows, because their answer was lost.
    possibly_billed: u64,
    /// Answers that asked the whole engine to wait.
    throttled: u64,
    /// Answers that asked for a slower pace of their session.
    slowed: u64,
    /// Answers that were bans, by the service's or the application's word.
    bans: u64,
    /// Requests given up at their deadline.
    timed_out: u64,
    /// Answers that came after that.
    late: u64,
    /// Sessions made.
    sessions_created: u64,
    /// Sessions taken over from an earlier process.
    sessions_adopted: u64,
    /// Sessions deleted at the service.
    sessions_deleted: u64,
    /// Sessions that the service did not know any more.
    sessions_gone: u64,
    /// Sessions retired after bans or time-outs.
    sessions_retired: u64,
    /// Sessions dropped because nothing was sent through them for too long.
    sessions_expired: u64,
    /// Times that the service had no room for a further session.
    session_limits: u64,
    /// Jobs that can be sent as soon as slots and sessions let them.
    queued: u32,
    /// Jobs that wait before another try.
    waiting: u32,
    /// Jobs unfinished.
    unfinished: u32,
    /// Requests under way, with calls of the sessions API.
    in_flight: u32,
    /// How many requests may be under way at the moment.
    concurrency: u32,
    /// Names that have a session, or jobs.
    names: u32,
    /// The pool's numbers.
    pool: PyPoolStats,
    /// Whether the engine waits because of a limit of the account or the service.
    paused: bool,
    /// Whether it is stopped because the account is refused.
    stopped: bool,
}

impl From<ProxyStats> for PyProxyStats {
    fn from(stats: ProxyStats) -> Self {
        Self {
            submitted: stats.submitted,
            succeeded: stats.succeeded,
            failed: stats.failed,
            cancelled: stats.cancelled,
            closed: stats.closed,
            requests: stats.requests,
            retries: stats.retries,
            calls: stats.calls,
            billed: stats.billed,
            unbilled: stats.unbilled,
            possibly_billed: stats.possibly_billed,
            throttled: stats.throttled,
            slowed: stats.slowed,
            bans: stats.bans,
            timed_out: stats.timed_out,
            late: stats.late,
            sessions_created: stats.sessions_created,
            sessions_adopted: stats.sessions_adopted,
            sessions_deleted: stats.sessions_deleted,
            sessions_gone: stats.sessions_gone,
            sessions_retired: stats.sessions_retired,
            sessions_expired: stats.sessions_expired,
            session_limits: stats.session_limits,
            queued: stats.queued,
            waiting: stats.waiting,
            unfinished: stats.unfinished,
            in_flight: stats.in_flight,
            concurrency: stats.concurrency,
            names: stats.names,
            pool: stats.pool.into(),
            paused: stats.paused,
            stopped: stats.stopped,
        }
    }
}

#[pymethods]
impl PyProxyStats {
    fn __repr__(&self) -> String {
        format!(
            "<ProxyStats {} submitted, {} succeeded, {} failed, {} requests>",
            self.submitted, self.succeeded, self.failed, self.requests
        )
    }
}
