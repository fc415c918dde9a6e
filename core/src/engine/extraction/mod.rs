//! The engine for the Automatic Extraction API.

mod answer;
mod config;
mod job;
mod ledger;
mod output;
mod poll;
mod saved;
mod stats;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_random;

use alloc::{
    boxed::Box,
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};
use core::time::Duration;

use super::{
    Cost, IdleReason, JobId, NotSubmitted, Receipt, RequestId, UnknownRequest, WaitReason,
    clock::Clock,
    contract::batch,
    flights::{Flight, Flights, Found},
    gate::Gate,
    host::host,
    jobs::{Job, Jobs, Stage},
};
use crate::{
    Rng, Timestamp,
    extraction::{ExtractionApi, Query, QueryResult},
    schedule::{NONE, RateLimiter},
};
use ledger::{Bill, Ledger};
use stats::Counters;

pub use config::ExtractionConfig;
pub use job::{
    ExtractionEvent, ExtractionJob, ExtractionJobError, ExtractionOutcome, UnmatchedResult,
};
pub use output::{ExtractionOutput, ExtractionSend};
pub use stats::ExtractionStats;

/// What the engine keeps of a job beside what all machines do.
#[derive(Clone, Debug)]
struct Work {
    /// Away while the query is under way.
    query: Option<Query>,
    /// Not to share a request: one that it was in was refused as a whole.
    alone: bool,
}

/// The queries of a request.
#[derive(Clone, Debug)]
struct Batch {
    queries: Vec<Query>,
    /// The job of each query; [`NONE`] for one that has ended.
    seats: Vec<u32>,
    cycle: u64,
}

type Ending = Result<QueryResult, ExtractionJobError>;

/// Decides which queries to send when. Never sends anything itself; see
/// [the contract](crate::engine).
///
/// ```
/// use silkline::{
///     Timestamp,
///     engine::{ExtractionConfig, ExtractionEngine, ExtractionJob, ExtractionOutput},
///     extraction::{ExtractionApi, PageType, Query},
/// };
///
/// let (api, now) = (ExtractionApi::new("my-key")?, Timestamp::ZERO);
/// let mut engine = ExtractionEngine::new(api, ExtractionConfig::default(), 1, now);
/// for url in ["https://example.com/a", "https://example.com/b"] {
///     engine.submit(ExtractionJob::new(Query::new(url, PageType::Article)?), now)?;
/// }
/// let ExtractionOutput::Send(send) = engine.poll(now) else { panic!() };
/// assert_eq!(send.deadline, Timestamp::from_micros(605_000_000));
/// let ExtractionOutput::WaitUntil { at, .. } = engine.poll(now) else { panic!() };
/// assert_eq!(at, Timestamp::from_micros(200_000), "5 queries a second");
/// # Ok::<(), silkline::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExtractionEngine {
    api: ExtractionApi,
    config: ExtractionConfig,
    clock: Clock,
    rng: Rng,
    limiter: RateLimiter,
    jobs: Jobs<Work>,
    flights: Flights<Batch>,
    gate: Gate,
    ledger: Ledger,
    counters: Counters,
    /// The request that took from the rate limit last.
    latest: Option<RequestId>,
    /// Events and aborts, to come out before anything is sent.
    outbox: VecDeque<ExtractionOutput>,
    /// Requests in the outbox whose late answer came before their abort could.
    answered: BTreeSet<u64>,
}

impl ExtractionEngine {
    /// An engine without jobs.
    pub fn new(api: ExtractionApi, config: ExtractionConfig, seed: u64, now: Timestamp) -> Self {
        let clock = Clock::new(now);
        let config = config.for_dialect(api.dialect());
        Self {
            limiter: RateLimiter::full_bucket(config.rate, config.burst, clock.latest()),
            jobs: Jobs::new(config.queue_size),
            flights: Flights::new(1),
            gate: Gate::default(),
            ledger: Ledger::default(),
            counters: Counters::default(),
            latest: None,
            outbox: VecDeque::new(),
            answered: BTreeSet::new(),
            rng: Rng::new(seed),
            clock,
            api,
            config,
        }
    }

    /// Takes a job in. A query that the service cannot do is refused at once.
    pub fn submit(
        &mut self,
        job: impl Into<ExtractionJob>,
        now: Timestamp,
    ) -> Result<JobId, NotSubmitted> {
        let now = self.clock.see(now);
        if self.gate.is_closing() {
            return Err(NotSubmitted::Closed);
        }
        let ExtractionJob { query, priority, key } = job.into();
        self.api.dialect().check(&query)?;
        let domain = host(query.url());
        let work = Work { query: Some(query), alone: false };
        let index = self.jobs.insert(&domain, priority, key, work, now)?;
        self.jobs.queue(index, false);
        self.counters.submitted += 1;
        Ok(self.jobs.get(index).map_or(JobId(0), |job| job.id))
    }

    /// Ends a job as cancelled; false if it has ended. A request whose jobs are all cancelled is
    /// aborted; what it cost still counts.
    pub fn cancel(&mut self, job: JobId, now: Timestamp) -> bool {
        let now = self.clock.see(now);
        let Some(index) = self.jobs.find(job) else { return false };
        let stage = self.jobs.get(index).map_or(Stage::Held, |job| job.stage);
        let Stage::Flying(flight) = stage else {
            self.end(index, Err(ExtractionJobError::Cancelled), now);
            return true;
        };
        let Some(batch) = self.flights.get_mut(flight).map(|flight| &mut flight.inner) else {
            return false;
        };
        let mut empty = true;
        let mut query = None;
        for (seat, sent) in batch.seats.iter_mut().zip(&batch.queries) {
            if *seat == index {
                *seat = NONE;
                query = Some(sent.clone());
            }
            empty &= *seat == NONE;
        }
        if let Some(job) = self.jobs.get_mut(index) {
            job.inner.query = query;
            job.cost.possibly_billed += 1;
        }
        self.end(index, Err(ExtractionJobError::Cancelled), now);
        if empty {
            self.give_up(flight, now);
        }
        true
    }

    /// Says that a request left, if the driver knows. Optional.
    pub fn handle_sent(
        &mut self,
        request: RequestId,
        now: Timestamp,
    ) -> Result<Receipt, UnknownRequest> {
        self.clock.see(now);
        self.flights.find(request).map(|found| match found {
            Found::Late => Receipt::Late,
            Found::Open(_) => Receipt::Accepted,
        })
    }

    /// Goes on after a stop, as if the account were well again; also ends a pause.
    pub fn resume(&mut self, now: Timestamp) {
        self.clock.see(now);
        self.gate.resume();
    }

    /// Begins a billing cycle: what was billed counts no longer against the cap.
    pub fn start_cycle(&mut self, now: Timestamp) {
        self.clock.see(now);
        self.ledger.start_cycle();
    }

    /// Ends all jobs that are not under way as closed; what is under way may finish until `grace`
    /// has passed, then it is aborted. Nothing is sent or taken in from here on.
    pub fn close(&mut self, now: Timestamp, grace: Duration) {
        let now = self.clock.see(now);
        self.gate.close(now + grace);
        self.end_grounded(now);
    }

    /// What to do next. Call until it says `WaitUntil` or `Idle`.
    pub fn poll(&mut self, now: Timestamp) -> ExtractionOutput {
        let now = self.clock.see(now);
        self.next_output(now)
    }

    /// What to do next, up to `most` things at once: the last one is `WaitUntil` or `Idle`, unless
    /// there are more.
    pub fn poll_batch(&mut self, now: Timestamp, most: usize) -> Vec<ExtractionOutput> {
        let now = self.clock.see(now);
        batch(most, || self.next_output(now), ExtractionOutput::is_rest)
    }

    /// How many further jobs are taken in; none once the machine is closed.
    pub fn room(&self) -> u32 {
        let taken = if self.gate.is_closing() { u32::MAX } else { self.jobs.len() };
        self.config.queue_size.saturating_sub(taken)
    }

    /// Whether a job is unfinished.
    pub fn contains(&self, job: JobId) -> bool {
        self.jobs.find(job).is_some()
    }

    /// The engine's numbers.
    pub fn stats(&self) -> ExtractionStats {
        let mut stats = self.counters.stats();
        stats.queued = self.jobs.queues.len();
        stats.waiting = self.jobs.waiting();
        stats.requests_in_flight = self.flights.len();
        stats.queries_in_flight = self.ledger.in_flight();
        stats.usage = self.ledger.usage();
        stats.spent = self.ledger.spent();
        stats.paused = self.gate.is_paused();
        stats.stopped = self.gate.is_stopped();
        stats
    }

    /// How the engine is set up.
    pub const fn config(&self) -> &ExtractionConfig {
        &self.config
    }

    /// Ends a job in one event.
    fn end(&mut self, index: u32, outcome: Ending, now: Timestamp) {
        let Some(Job { id, key, attempts, cost, submitted, inner, .. }) = self.jobs.end(index)
        else {
            return;
        };
        // A job's query is only away while it is under way, and comes back before it ends.
        let Some(query) = inner.query else {
            debug_assert!(false, "a job without its query");
            return;
        };
        let counter = match &outcome {
            Ok(_) => &mut self.counters.succeeded,
            Err(ExtractionJobError::Cancelled) => &mut self.counters.cancelled,
            Err(ExtractionJobError::Closed) => &mut self.counters.closed,
            Err(_) => &mut self.counters.failed,
        };
        *counter += 1;
        let elapsed = now.since(submitted);
        let outcome = ExtractionOutcome { job: id, key, query, outcome, attempts, cost, elapsed };
        self.tell(ExtractionEvent::Finished(Box::new(outcome)));
    }

    fn tell(&mut self, event: ExtractionEvent) {
        self.outbox.push_back(ExtractionOutput::Event(event));
    }

    /// Ends all jobs that are not under way as closed.
    fn end_grounded(&mut self, now: Timestamp) {
        let grounded = self.jobs.by_id().filter(|(_, job)| !matches!(job.stage, Stage::Flying(_)));
        let grounded: Vec<u32> = grounded.map(|(index, _)| index).collect();
        for index in grounded {
            self.end(index, Err(ExtractionJobError::Closed), now);
        }
    }

    /// Gives a request up, whose jobs have been seen to: its answer may still come late.
    fn give_up(&mut self, flight: u32, now: Timestamp) {
        let Some(Flight { id, mut inner, .. }) = self.flights.end(flight) else { return };
        for _ in &inner.queries {
            self.ledger.end(Bill::Unknown);
        }
        inner.cycle = self.ledger.cycle();
        self.gate.lost(id, &self.config.policy, now, &mut self.rng);
        self.flights.remember(id, inner);
        self.outbox.push_back(ExtractionOutput::Abort(id));
    }
}
