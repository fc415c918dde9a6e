//! Snapshots of the engine.

use alloc::{boxed::Box, collections::VecDeque, string::String, vec::Vec};
use core::time::Duration;

use super::{
    super::{
        Failure,
        clock::{age, micros},
        form::{saved_enum, saved_struct},
        gate::SavedGate,
        jobs::SavedJob,
        snapshot::{self, InvalidSnapshot, SavedBytes, SavedResponse},
    },
    Cost, Ending, ExtractionConfig, ExtractionEngine, ExtractionEvent, ExtractionJobError,
    ExtractionOutcome, ExtractionOutput, Flights, JobId, Ledger, UnmatchedResult, Work,
    stats::Counters,
};
use crate::{
    Rng, Timestamp,
    engine::gate::Gate,
    extraction::{Dialect, ExtractionApi, Query, QueryResult, ServiceError},
    http::{Headers, Response},
};

const MACHINE: &str = "extraction_engine";

#[derive(Default)]
struct State {
    rng: u64,
    next_job: u64,
    next_request: u64,
    rate_full_in_us: u64,
    gate: SavedGate,
    ledger: Ledger,
    counters: Counters,
    parked: Vec<(String, bool, u64)>,
    jobs: Vec<SavedJob<SavedWork>>,
    events: Vec<SavedEvent>,
}
saved_struct!(State {
    rng, next_job, next_request, rate_full_in_us, gate, ledger, counters, parked, jobs, events;
});

#[derive(Default)]
struct SavedWork {
    query: String,
    alone: bool,
    limited: u8,
}
saved_struct!(SavedWork { query; alone, limited });

enum SavedEvent {
    Finished(Box<SavedOutcome>),
    Stopped(SavedResponse),
    Unmatched(SavedUnmatched),
}
saved_enum!(SavedEvent {; "finished" Finished, "stopped" Stopped, "unmatched" Unmatched });

impl Default for SavedEvent {
    fn default() -> Self {
        Self::Stopped(SavedResponse::default())
    }
}

#[derive(Default)]
struct SavedUnmatched {
    raw: SavedBytes,
    query: Option<String>,
}
saved_struct!(SavedUnmatched { raw; query });

#[derive(Default)]
struct SavedOutcome {
    job: u64,
    key: Option<Box<str>>,
    query: String,
    outcome: SavedEnding,
    attempts: u32,
    billed: u32,
    possibly_billed: u32,
    elapsed_us: u64,
}
saved_struct!(SavedOutcome {
    job, query, outcome, attempts, billed, possibly_billed, elapsed_us; key
});

#[derive(Default)]
enum SavedEnding {
    #[default]
    Cancelled,
    Closed,
    Interrupted,
    Failed(String),
    /// An answer to the query alone.
    Answer(SavedResponse),
    /// The result's own bytes, which say whether it is an item or an error; none if it is missing.
    Result(Option<SavedBytes>),
    Service(SavedResponse),
}
saved_enum!(SavedEnding {
    "cancelled" Cancelled, "closed" Closed, "interrupted" Interrupted;
    "answer" Answer, "failed" Failed, "result" Result, "service" Service,
});

impl ExtractionEngine {
    /// Everything that a new process needs to go on: ages instead of moments, no key of the API.
    pub fn snapshot(&self, now: Timestamp) -> Vec<u8> {
        let now = self.clock.clone().see(now);
        let flying = self
            .flights
            .iter()
            .flat_map(|(_, flight)| flight.inner.seats.iter().copied().zip(&flight.inner.queries));
        let flying = flying.filter_map(|(index, query)| self.save_job(index, Some(query), now));
        let queued = self.jobs.queues.jobs().into_iter();
        let grounded = queued.chain(self.jobs.waiting_jobs());
        let grounded = grounded.filter_map(|index| self.save_job(index, None, now));
        let parked = self.jobs.queues.parked().into_iter();
        let events = self.outbox.iter().filter_map(|output| match output {
            ExtractionOutput::Event(event) => Some(SavedEvent::new(event)),
            _ => None,
        });
        snapshot::write(
            MACHINE,
            &State {
                rng: self.rng.state(),
                next_job: self.jobs.next_id(),
                next_request: self.flights.next_id(),
                rate_full_in_us: micros(self.limiter.full_in(now)),
                gate: self.gate.save(now),
                ledger: self.ledger.save(),
                counters: self.counters,
                parked: parked.map(|(name, wide, until)| (name, wide, age(now, until))).collect(),
                jobs: flying.chain(grounded).collect(),
                events: events.collect(),
            },
        )
    }

    fn save_job(
        &self,
        index: u32,
        away: Option<&Query>,
        now: Timestamp,
    ) -> Option<SavedJob<SavedWork>> {
        self.jobs.save(index, now, |job| SavedWork {
            query: away.or(job.inner.query.as_ref()).map(Query::to_json).unwrap_or_default(),
            alone: job.inner.alone,
            limited: job.limited,
        })
    }

    /// An engine that goes on where a snapshot was taken, `downtime` ago if that is known (zero
    /// else). Jobs that were under way are tried again, possibly billed twice, or end as
    /// interrupted, as configured.
    pub fn restore(
        api: ExtractionApi,
        config: ExtractionConfig,
        bytes: &[u8],
        now: Timestamp,
        downtime: Option<Duration>,
    ) -> Result<Self, InvalidSnapshot> {
        let state: State = snapshot::read(MACHINE, bytes)?;
        snapshot::check_numbers([state.next_job, state.next_request])?;
        snapshot::check_numbers(state.counters.numbers())?;
        snapshot::check_numbers(state.ledger.numbers())?;
        let elapsed = downtime.unwrap_or_default();
        let mut engine = Self::new(api, config, 0, now);
        let now = engine.clock.latest();
        let left = |wait_us| Duration::from_micros(wait_us).saturating_sub(elapsed);
        engine.rng = Rng::new(state.rng);
        engine.flights = Flights::new(state.next_request);
        engine.limiter.set_full_in(left(state.rate_full_in_us), now);
        engine.gate = Gate::take_back(&state.gate, elapsed, now);
        engine.ledger = state.ledger;
        engine.counters = state.counters;
        engine.jobs.set_next_id(state.next_job);
        for (name, wide, wait_us) in state.parked {
            engine.jobs.queues.park(&name, wide, now + left(wait_us));
        }
        for event in state.events {
            let event = event.into_event(&engine.api)?;
            engine.outbox.push_back(ExtractionOutput::Event(event));
        }
        for saved in &state.jobs {
            engine.take_back(saved, elapsed, now)?;
        }
        if engine.gate.is_closing() {
            engine.end_grounded(now);
        }
        Ok(engine)
    }

    fn take_back(
        &mut self,
        saved: &SavedJob<SavedWork>,
        elapsed: Duration,
        now: Timestamp,
    ) -> Result<(), InvalidSnapshot> {
        let query = Some(read_query(self.api.dialect(), &saved.inner.query)?);
        let work = Work { query, alone: saved.inner.alone };
        let index = self.jobs.take_back(saved, work, elapsed, now);
        let index = index.ok_or_else(|| InvalidSnapshot::content("a job cannot be"))?;
        if let Some(job) = self.jobs.get_mut(index) {
            job.limited = saved.inner.limited;
            job.cost.possibly_billed += u32::from(saved.in_flight);
        }
        if saved.in_flight && !self.config.requeue {
            self.end(index, Err(ExtractionJobError::Interrupted), now);
        }
        Ok(())
    }
}

fn read_query(dialect: Dialect, json: &str) -> Result<Query, InvalidSnapshot> {
    let query =
        Query::from_json_in(dialect, json).and_then(|query| dialect.check(&query).map(|()| query));
    query.map_err(|error| InvalidSnapshot::content(alloc::format!("{error}")))
}

/// What the ending of a job can be made of again.
fn ending(result: &QueryResult) -> SavedEnding {
    match &result.entry().head {
        None => SavedEnding::Result(raw(result)),
        Some(head) => {
            let response = Response::new(head.status, head.headers.clone(), &result.body()[..]);
            SavedEnding::Answer(SavedResponse::new(&response))
        }
    }
}

/// The bytes of a result, from which it can be made again.
fn raw(result: &QueryResult) -> Option<SavedBytes> {
    result.raw().map(SavedBytes::new)
}

/// Reads results again from their own bytes.
fn read_results(
    api: &ExtractionApi,
    queries: &[Query],
    raw: &[&[u8]],
) -> Result<VecDeque<QueryResult>, InvalidSnapshot> {
    let mut body = Vec::from(*b"[");
    body.extend_from_slice(&raw.join(&b','));
    body.push(b']');
    let results = api.results(queries, Response::new(200, Headers::new(), body));
    results.map(VecDeque::from).map_err(|_| InvalidSnapshot::content("a result is none"))
}

/// The end of a job by its result, the first of these.
fn finished(mut results: VecDeque<QueryResult>) -> Result<Ending, InvalidSnapshot> {
    let result = results.pop_front();
    let result = result.ok_or_else(|| InvalidSnapshot::content("a result is missing"))?;
    Ok(if result.is_ok() { Ok(result) } else { Err(ExtractionJobError::Query(Box::new(result))) })
}

fn read_service_error(
    api: &ExtractionApi,
    response: SavedResponse,
) -> Result<ServiceError, InvalidSnapshot> {
    match api.results(&[], response.into_response()?) {
        Ok(_) => Err(InvalidSnapshot::content("a refusal is none")),
        Err(error) => Ok(error),
    }
}

impl SavedEvent {
    fn new(event: &ExtractionEvent) -> Self {
        match event {
            ExtractionEvent::Finished(outcome) => {
                Self::Finished(Box::new(SavedOutcome::new(outcome)))
            }
            ExtractionEvent::Stopped(error) => Self::Stopped(SavedResponse::new(error.response())),
            ExtractionEvent::Unmatched(unmatched) => Self::Unmatched(SavedUnmatched {
                raw: raw(&unmatched.result).unwrap_or_else(|| SavedBytes::new(b"{}")),
                query: unmatched.query.as_ref().map(Query::to_json),
            }),
        }
    }

    fn into_event(self, api: &ExtractionApi) -> Result<ExtractionEvent, InvalidSnapshot> {
        let none = || InvalidSnapshot::content("a result is missing");
        Ok(match self {
            Self::Finished(outcome) => {
                ExtractionEvent::Finished(Box::new(outcome.into_outcome(api)?))
            }
            Self::Stopped(response) => ExtractionEvent::Stopped(read_service_error(api, response)?),
            Self::Unmatched(SavedUnmatched { raw, query }) => {
                let raw = raw.into_bytes()?;
                let read = |json| read_query(api.dialect(), json);
                let query = query.as_deref().map(read).transpose()?;
                // The second result of a query is one too many; without a query each is.
                let mut results = match &query {
                    Some(query) => read_results(api, core::slice::from_ref(query), &[&raw, &raw]),
                    None => read_results(api, &[], &[&raw]),
                }?;
                let result = results.pop_back().ok_or_else(none)?;
                ExtractionEvent::Unmatched(Box::new(UnmatchedResult { result, query }))
            }
        })
    }
}

impl SavedOutcome {
    fn new(outcome: &ExtractionOutcome) -> Self {
        let ending = match &outcome.outcome {
            Ok(result) => ending(result),
            Err(ExtractionJobError::Query(result)) => ending(result),
            Err(ExtractionJobError::Cancelled) => SavedEnding::Cancelled,
            Err(ExtractionJobError::Closed) => SavedEnding::Closed,
            Err(ExtractionJobError::Interrupted) => SavedEnding::Interrupted,
            Err(ExtractionJobError::Failed(failure)) => {
                SavedEnding::Failed(failure.as_str().into())
            }
            Err(ExtractionJobError::Service(error)) => {
                SavedEnding::Service(SavedResponse::new(error.response()))
            }
        };
        Self {
            job: outcome.job.as_u64(),
            key: outcome.key.clone(),
            query: outcome.query.to_json(),
            outcome: ending,
            attempts: outcome.attempts,
            billed: outcome.cost.billed,
            possibly_billed: outcome.cost.possibly_billed,
            elapsed_us: micros(outcome.elapsed),
        }
    }

    fn into_outcome(self, api: &ExtractionApi) -> Result<ExtractionOutcome, InvalidSnapshot> {
        let query = read_query(api.dialect(), &self.query)?;
        let outcome = match self.outcome {
            SavedEnding::Cancelled => Err(ExtractionJobError::Cancelled),
            SavedEnding::Closed => Err(ExtractionJobError::Closed),
            SavedEnding::Interrupted => Err(ExtractionJobError::Interrupted),
            SavedEnding::Failed(name) => {
                let failure = Failure::from_name(&name);
                Err(ExtractionJobError::Failed(failure.unwrap_or(Failure::Network)))
            }
            SavedEnding::Service(response) => {
                Err(ExtractionJobError::Service(read_service_error(api, response)?))
            }
            SavedEnding::Answer(response) => {
                let response = response.into_response()?;
                let results = api.results(core::slice::from_ref(&query), response);
                finished(results.map(VecDeque::from).unwrap_or_default())?
            }
            SavedEnding::Result(raw) => {
                let raw = raw.map(SavedBytes::into_bytes).transpose()?;
                let raw: Vec<&[u8]> = raw.as_deref().into_iter().collect();
                finished(read_results(api, core::slice::from_ref(&query), &raw)?)?
            }
        };
        Ok(ExtractionOutcome {
            job: JobId(self.job),
            key: self.key,
            query,
            outcome,
            attempts: self.attempts,
            cost: Cost { billed: self.billed, possibly_billed: self.possibly_billed },
            elapsed: Duration::from_micros(self.elapsed_us),
        })
    }
}
