//! The engine for Smart Proxy Manager.

mod adoption;
mod answer;
mod calls;
mod config;
mod job;
mod lines;
mod output;
mod poll;
mod saved;
mod saved_parts;
mod send;
mod stats;
mod window;

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    vec::Vec,
};
use core::time::Duration;

use super::{
    IdleReason, JobId, NotSubmitted, Receipt, RequestId, UnknownRequest, WaitReason,
    clock::Clock,
    contract::batch,
    flights::{Flight, Flights, Found},
    gate::Gate,
    host::host,
    jobs::{Job, Jobs, Stage},
};
use crate::{
    Rng, Timestamp,
    http::Request,
    proxy::{
        InvalidProxiedRequest, InvalidProxyOptions, ProxyApi, ProxyOptions, ProxyServiceError,
        Session, SessionId,
    },
    schedule::{Ending, NONE, Place, SessionPool, Use},
    zyte_api,
};
use calls::Calls;
use job::{Missing, Target};
use lines::Lines;
use send::Errand;
use stats::Counters;
use window::Window;

pub use config::{ProxyConfig, SessionCreation};
pub use job::{
    IncompleteJob, JobSession, ProxyEvent, ProxyFetched, ProxyJob, ProxyJobError, ProxyOutcome,
    ProxyReply, SessionLoss,
};
pub use output::{ProxyEndpoint, ProxyOutput, ProxySend, ProxySendKind};
pub use stats::ProxyStats;

/// The class of jobs that need any session of the pool.
const POOLED: u8 = 0;
/// The class of jobs that need none, or one of their own.
const DIRECT: u8 = 1;

/// Domains that are remembered as forbidden.
const FORBIDDEN: usize = 10_000;

/// Which session a job needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seat {
    Line { index: u32, replace: bool },
    Outside,
    Pool,
}

/// What the engine keeps of a job beside what all machines do.
#[derive(Clone, Debug)]
struct Work {
    target: Target,
    seat: Seat,
    /// Retries that were nobody's fault but the session's.
    free: u8,
    /// What a snapshot did not keep of its request.
    missing: Option<Box<Missing>>,
}

type JobEnd = Result<ProxyFetched, ProxyJobError>;

/// Decides which requests to send when, and through which session. Never sends anything itself;
/// see [the contract](crate::engine).
///
/// ```
/// use silkline::{
///     Timestamp,
///     engine::{ProxyConfig, ProxyEngine, ProxyJob, ProxyOutput},
///     http::{Headers, Method, Request, Response},
///     proxy::ProxyApi,
/// };
///
/// let (api, now) = (ProxyApi::new("my-key")?, Timestamp::ZERO);
/// let mut engine = ProxyEngine::new(api, ProxyConfig::default(), 1, now);
/// engine.submit(Request::new(Method::GET, "https://example.com/"), now)?;
/// let ProxyOutput::Send(send) = engine.poll(now) else { panic!() };
/// assert_eq!(send.request.headers.get("X-Crawlera-Session"), Some("create"));
/// assert_eq!(send.deadline, Timestamp::from_micros(190_000_000));
///
/// let mut headers = Headers::new();
/// headers.append("X-Crawlera-Session", "1836172")?;
/// let response = Response::new(200, headers, "the beginning of the page");
/// engine.handle_response(send.id, response, Timestamp::from_micros(900_000))?;
/// let ProxyOutput::Event(event) = engine.poll(now) else { panic!() };
/// assert_eq!(event.name(), "finished");
/// # Ok::<(), silkline::Error>(())
/// ```
#[derive(Debug)]
pub struct ProxyEngine {
    api: ProxyApi,
    endpoint: ProxyEndpoint,
    config: ProxyConfig,
    clock: Clock,
    rng: Rng,
    pool: SessionPool,
    jobs: Jobs<Work>,
    lines: Lines,
    flights: Flights<Errand>,
    gate: Gate,
    window: Window,
    calls: Calls,
    counters: Counters,
    /// Domains that the service forbids, with its word.
    forbidden: BTreeMap<Box<str>, ProxyServiceError>,
    /// Whether the class whose turn it is among equals is the direct one.
    direct_first: bool,
    /// Jobs that need what a snapshot did not keep.
    incomplete: u32,
    /// Events and aborts, to come out before anything is sent.
    outbox: VecDeque<ProxyOutput>,
    /// Requests in the outbox whose late answer came before their abort could.
    answered: BTreeSet<u64>,
}

impl ProxyEngine {
    /// An engine without jobs.
    pub fn new(api: ProxyApi, config: ProxyConfig, seed: u64, now: Timestamp) -> Self {
        let config = config.for_dialect(api.dialect());
        Self {
            endpoint: ProxyEndpoint {
                url: Arc::from(api.endpoint()),
                authorization: Arc::from(api.authorization()),
            },
            clock: Clock::new(now),
            rng: Rng::new(seed),
            pool: SessionPool::new(config.pool.clone()),
            jobs: Jobs::new(config.queue_size),
            lines: Lines::default(),
            flights: Flights::new(1),
            gate: Gate::default(),
            window: Window::new(config.concurrency),
            calls: Calls::new(config.warm_up.min(config.pool.size())),
            counters: Counters::default(),
            forbidden: BTreeMap::new(),
            direct_first: false,
            incomplete: 0,
            outbox: VecDeque::new(),
            answered: BTreeSet::new(),
            api,
            config,
        }
    }

    /// Takes a job in. A request that could not be sent is refused at once.
    pub fn submit(
        &mut self,
        job: impl Into<ProxyJob>,
        now: Timestamp,
    ) -> Result<JobId, NotSubmitted> {
        let now = self.clock.see(now);
        if self.gate.is_closing() {
            return Err(NotSubmitted::Closed);
        }
        let ProxyJob { request, options, session, priority, key } = job.into();
        if matches!(session, JobSession::Named { .. }) && !self.pool.has_names() {
            return Err(NotSubmitted::NamesExcluded);
        }
        self.check(&request, &options, session == JobSession::Outside)?;
        let domain = host(&request.url);
        let target = Target::new(request, options);
        let work = Work { target, seat: Seat::Outside, free: 0, missing: None };
        let index = self.jobs.insert(&domain, priority, key, work, now)?;
        let id = self.jobs.get(index).map_or(JobId(0), |job| job.id);
        let (seat, first) = match session {
            JobSession::Pool => (Seat::Pool, true),
            JobSession::Outside => (Seat::Outside, true),
            JobSession::Named { name, replace } => {
                let line = self.lines.open(&name);
                self.sit_down(line, replace, id, index)
            }
            JobSession::Stay { session } => match self.line_of(&session) {
                Some(line) => self.sit_down(line, false, id, index),
                None => (Seat::Pool, true),
            },
        };
        if let Some(job) = self.jobs.get_mut(index) {
            job.inner.seat = seat;
            job.class = if seat == Seat::Pool { POOLED } else { DIRECT };
        }
        if first {
            self.jobs.queue(index, false);
        }
        self.counters.submitted += 1;
        Ok(id)
    }

    /// Puts a job at the end of a line; whether it is the first one there.
    fn sit_down(&mut self, line: u32, replace: bool, id: JobId, index: u32) -> (Seat, bool) {
        let jobs = self.lines.get_mut(line).map(|line| {
            line.jobs.insert(id.0, index);
            line.jobs.len()
        });
        (Seat::Line { index: line, replace }, jobs == Some(1))
    }

    /// The line through a session, which is set aside if it has none; `None` if it is gone.
    fn line_of(&mut self, session: &SessionId) -> Option<u32> {
        if let Some(line) = self.lines.of_session(session) {
            return Some(line).filter(|line| self.lines.get(*line).is_some_and(|it| !it.ending));
        }
        let key = self.pool.find(session.as_str())?;
        let line = self.lines.borrow();
        let name = self.lines.get(line).map(lines::Line::pool_name)?;
        if !self.pool.set_aside(key, &name) {
            self.lines.remove(line);
            return None;
        }
        self.lines.set_session(line, key, session.clone());
        Some(line)
    }

    /// Whether a request can be sent, as far as that can be told before its session is known.
    fn check(
        &self,
        request: &Request,
        options: &ProxyOptions,
        outside: bool,
    ) -> Result<(), InvalidProxiedRequest> {
        let own = ProxyOptions::from_headers(&request.headers)?;
        if own.session().is_some() || options.session().is_some() {
            return Err(InvalidProxyOptions::contradicting_session().into());
        }
        let mut options = options.clone().with_defaults(&self.config.options)?;
        if !outside {
            options = options.with_session(if self.api.dialect().has_session_calls() {
                Session::Create
            } else {
                // Any id will do to see whether the rest can be sent.
                zyte_api::session_id(&mut Rng::new(0)).into()
            })?;
        }
        self.api.request(request.clone(), &options).map(|_| ())
    }

    /// Ends a job as cancelled; false if it has ended. A request under way for it is aborted; what
    /// it cost still counts.
    pub fn cancel(&mut self, job: JobId, now: Timestamp) -> bool {
        let now = self.clock.see(now);
        let Some(index) = self.jobs.find(job) else { return false };
        let stage = self.jobs.get(index).map_or(Stage::Held, |job| job.stage);
        if let Stage::Flying(flight) = stage {
            self.ground(flight, Ending::Broken, now);
            self.give_up(flight, now);
        }
        self.end(index, Err(ProxyJobError::Cancelled), now);
        true
    }

    /// Gives a job the request that a snapshot did not keep whole; false if none is waited for.
    pub fn supply(
        &mut self,
        job: JobId,
        request: Request,
        now: Timestamp,
    ) -> Result<bool, InvalidProxiedRequest> {
        self.clock.see(now);
        let Some(index) = self.jobs.find(job) else { return Ok(false) };
        let Some(work) = self.jobs.get(index).map(|job| &job.inner) else { return Ok(false) };
        if work.missing.is_none() {
            return Ok(false);
        }
        let options = work.target.options().cloned().unwrap_or_default();
        self.check(&request, &options, work.seat == Seat::Outside)?;
        if let Some(job) = self.jobs.get_mut(index) {
            job.inner.target.replace(request);
            job.inner.missing = None;
        }
        self.incomplete -= 1;
        self.take_turn(index);
        Ok(true)
    }

    /// Ends a named session after the jobs that it has so far: no other request goes through it,
    /// and it is deleted. A job submitted under the name from here on begins another one. False if
    /// there is none of that name.
    pub fn end_session(&mut self, name: &str, now: Timestamp) -> bool {
        let now = self.clock.see(now);
        let Some(index) = self.lines.find(name) else { return false };
        let Some(line) = self.lines.get_mut(index) else { return false };
        if core::mem::replace(&mut line.ending, true) {
            return false;
        }
        self.close_line(index, now);
        true
    }

    /// Says that a request left, if the driver knows. Optional: a session's rest then begins with
    /// that moment.
    pub fn handle_sent(
        &mut self,
        request: RequestId,
        now: Timestamp,
    ) -> Result<Receipt, UnknownRequest> {
        let now = self.clock.see(now);
        let flight = match self.flights.find(request)? {
            Found::Late => return Ok(Receipt::Late),
            Found::Open(flight) => flight,
        };
        if let Some(flight) = self.flights.get_mut(flight) {
            flight.sent = now;
            if let Errand::Fetch(fetch) = &mut flight.inner {
                fetch.sent = now;
                if let Some(usage) = &mut fetch.usage {
                    self.pool.sent(usage, now);
                }
            }
        }
        Ok(Receipt::Accepted)
    }

    /// Goes on after a stop, as if the account were well again; also ends a pause.
    pub fn resume(&mut self, now: Timestamp) {
        let now = self.clock.see(now);
        self.gate.resume();
        self.forbidden.clear();
        self.calls.allow(now);
    }

    /// Ends all jobs that are not under way as closed; what is under way may finish until `grace`
    /// has passed, then it is aborted. Then the sessions of this machine are deleted. Nothing else
    /// is sent or taken in from here on.
    pub fn close(&mut self, now: Timestamp, grace: Duration) {
        let now = self.clock.see(now);
        self.calls.forgive();
        self.gate.close(now + grace);
        self.end_grounded(now);
    }

    /// What to do next. Call until it says `WaitUntil` or `Idle`.
    pub fn poll(&mut self, now: Timestamp) -> ProxyOutput {
        let now = self.clock.see(now);
        self.next_output(now)
    }

    /// What to do next, up to `most` things at once: the last one is `WaitUntil` or `Idle`, unless
    /// there are more.
    pub fn poll_batch(&mut self, now: Timestamp, most: usize) -> Vec<ProxyOutput> {
        let now = self.clock.see(now);
        batch(most, || self.next_output(now), ProxyOutput::is_rest)
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
    pub fn stats(&self) -> ProxyStats {
        let mut stats = self.counters.stats();
        stats.queued = self.jobs.queues.len();
        stats.waiting = self.jobs.waiting();
        stats.unfinished = self.jobs.len();
        stats.in_flight = self.flights.len();
        stats.concurrency = self.window.limit();
        stats.names = self.lines.len();
        stats.pool = self.pool.stats();
        stats.paused = self.gate.is_paused();
        stats.stopped = self.gate.is_stopped();
        stats
    }

    /// How the engine is set up.
    pub const fn config(&self) -> &ProxyConfig {
        &self.config
    }

    /// Ends a job in one event.
    fn end(&mut self, index: u32, outcome: JobEnd, now: Timestamp) {
        let Some(Job { id, key, attempts, cost, submitted, inner, .. }) = self.jobs.end(index)
        else {
            return;
        };
        let counter = match &outcome {
            Ok(_) => &mut self.counters.succeeded,
            Err(ProxyJobError::Cancelled) => &mut self.counters.cancelled,
            Err(ProxyJobError::Closed) => &mut self.counters.closed,
            Err(_) => &mut self.counters.failed,
        };
        *counter += 1;
        self.incomplete -= u32::from(inner.missing.is_some());
        let elapsed = now.since(submitted);
        let request = inner.target.request();
        let outcome = ProxyOutcome { job: id, key, request, outcome, attempts, cost, elapsed };
        self.tell(ProxyEvent::Finished(Box::new(outcome)));
        if let Seat::Line { index: line, .. } = inner.seat {
            self.leave_line(line, id, now);
            // What it may have waited for is there for the next.
            self.wake_starved();
        }
    }

    /// Takes an ended job out of its line; the next one has its turn.
    fn leave_line(&mut self, index: u32, job: JobId, now: Timestamp) {
        let Some(line) = self.lines.get_mut(index) else { return };
        let first = line.jobs.first_key_value().is_some_and(|(id, _)| *id == job.0);
        line.jobs.remove(&job.0);
        let head = line.head();
        if head == NONE {
            self.close_line(index, now);
        } else if first {
            self.take_turn(head);
        }
    }

    /// Forgets a line without jobs whose session is not needed: ended, or never had.
    fn close_line(&mut self, index: u32, now: Timestamp) {
        let Some(line) = self.lines.get(index) else { return };
        let borrowed = line.borrowed;
        let over = line.ending || borrowed || (line.session.is_none() && !line.lost);
        // Until it is listed, nobody knows whether a line of an earlier process has a session.
        if !line.jobs.is_empty() || line.creating || !over || self.calls.is_listing() {
            return;
        }
        if borrowed {
            let name = line.pool_name();
            self.pool.end_name(&name);
        } else if let Some((key, id)) = self.lines.take_session(index) {
            self.pool.remove(key);
            self.delete(id, now);
        }
        self.lines.remove(index);
    }

    /// Puts a job into its queue that is held; in a line, only if it is its turn.
    fn take_turn(&mut self, index: u32) {
        let Some(job) = self.jobs.get(index) else { return };
        if job.stage != Stage::Held || job.inner.missing.is_some() {
            return;
        }
        if let Seat::Line { index: line, .. } = job.inner.seat
            && self.lines.get(line).is_none_or(|line| line.head() != index)
        {
            return;
        }
        self.jobs.queue(index, true);
    }

    fn tell(&mut self, event: ProxyEvent) {
        self.outbox.push_back(ProxyOutput::Event(event));
    }

    /// Ends all jobs that are not under way as closed.
    fn end_grounded(&mut self, now: Timestamp) {
        let grounded = self.jobs.by_id().filter(|(_, job)| !matches!(job.stage, Stage::Flying(_)));
        let grounded: Vec<u32> = grounded.map(|(index, _)| index).collect();
        for index in grounded {
            self.end(index, Err(ProxyJobError::Closed), now);
        }
    }
}
