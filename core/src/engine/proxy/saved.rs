//! Snapshots of the engine.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use super::{
    super::{
        clock::{age, micros},
        form::{gather, saved_struct},
        gate::SavedGate,
        jobs::SavedJob,
        snapshot::{self, InvalidSnapshot, SavedBytes},
    },
    Errand, Flights, IncompleteJob, JobId, NONE, POOLED, ProxyConfig, ProxyEngine, ProxyEvent,
    ProxyJobError, ProxyOutput, Seat, Stage, Target, Work,
    adoption::Listing,
    job::Missing,
    saved_parts::{
        SavedEnding, SavedEvent, SavedLoss, SavedOutcome, SavedRequest, SavedServiceError, pairs,
    },
    stats::Counters,
};
use crate::{
    Rng, Timestamp,
    engine::gate::Gate,
    http::{Headers, Method, Request},
    proxy::{LeakKind, ProxyApi, ProxyOptions, SessionId},
    schedule::SavedSession,
};

const MACHINE: &str = "proxy_engine";

#[derive(Default)]
struct State {
    rng: u64,
    next_job: u64,
    next_request: u64,
    next_line: u64,
    gate: SavedGate,
    counters: Counters,
    concurrency: u32,
    warm_up: u32,
    creation_wait_us: Option<u64>,
    creation_failures: u32,
    crowded: bool,
    sessions: Vec<SavedSession>,
    /// Places of creations whose answer is lost: for how long, and whether for a name.
    lost: Vec<(u64, bool)>,
    deletions: Vec<String>,
    foreign: Vec<String>,
    lines: Vec<SavedLine>,
    forbidden: Vec<(Box<str>, SavedServiceError)>,
    jobs: Vec<SavedJob<SavedWork>>,
    events: Vec<SavedEvent>,
}
saved_struct!(State {
    rng, next_job, next_request, next_line, gate, counters, concurrency, warm_up,
    creation_failures, crowded, sessions, lost, deletions, foreign, lines, forbidden, jobs, events;
    creation_wait_us
});

#[derive(Default)]
struct SavedLine {
    serial: u64,
    name: Box<str>,
    lost: bool,
    ending: bool,
}
saved_struct!(SavedLine { serial, name, lost, ending; });

#[derive(Default)]
struct SavedWork {
    request: SavedRequest,
    options: Vec<(String, String)>,
    /// The serial number of its line, and whether it may go through another session.
    line: Option<(u64, bool)>,
    outside: bool,
    limited: u8,
    free: u8,
}
saved_struct!(SavedWork { request; options, line, outside, limited, free });

impl ProxyEngine {
    /// Everything that a new process needs to go on: ages instead of moments, no key of the API,
    /// and of the jobs no `Cookie`, `Authorization` and body, unless configured.
    pub fn snapshot(&self, now: Timestamp) -> Vec<u8> {
        let now = self.clock.clone().see(now);
        let mut lost = self.pool.save_lost(now);
        let mut deletions: Vec<String> =
            self.calls.doomed().map(|id| id.as_str().to_string()).collect();
        let mut flying = Vec::new();
        let idle = micros(self.config.pool.idle());
        for (_, flight) in self.flights.iter() {
            match &flight.inner {
                Errand::Create { named, .. } => lost.push((idle, *named)),
                Errand::Delete { id, .. } => deletions.push(id.as_str().to_string()),
                Errand::Fetch(fetch) => {
                    flying.push(fetch.job);
                    lost.extend(fetch.place.as_ref().map(|place| (idle, place.is_named())));
                }
                Errand::List => {}
            }
        }
        lost.sort_unstable();
        let held = self.jobs.by_id().filter(|(_, job)| job.stage == Stage::Held);
        let jobs = flying.into_iter().chain(self.jobs.queues.jobs());
        let jobs = jobs.chain(self.jobs.waiting_jobs()).chain(held.map(|(index, _)| index));
        let lines = self.lines.table.iter().filter(|(_, line)| !line.borrowed);
        let lines = lines.map(|(_, line)| SavedLine {
            serial: line.serial,
            name: line.name.clone(),
            lost: line.lost,
            ending: line.ending,
        });
        let forbidden = self.forbidden.iter();
        let events = self.outbox.iter().filter_map(|output| match output {
            ProxyOutput::Event(event) => self.save_event(event),
            _ => None,
        });
        snapshot::write(
            MACHINE,
            &State {
                rng: self.rng.state(),
                next_job: self.jobs.next_id(),
                next_request: self.flights.next_id(),
                next_line: self.lines.next_serial,
                gate: self.gate.save(now),
                counters: self.counters,
                concurrency: self.window.limit(),
                warm_up: self.calls.warm,
                creation_wait_us: self.calls.not_before.map(|at| age(now, at)),
                creation_failures: self.calls.failures,
                crowded: self.calls.crowded,
                sessions: self.save_sessions(now),
                lost,
                deletions,
                foreign: self.calls.foreign.iter().map(|id| id.as_str().to_string()).collect(),
                lines: lines.collect(),
                forbidden: forbidden
                    .map(|(name, error)| (name.clone(), SavedServiceError::new(error)))
                    .collect(),
                jobs: jobs.filter_map(|index| self.save_job(index, now)).collect(),
                events: events.collect(),
            },
        )
    }

    /// The pool's sessions, and those that are still to be listed.
    fn save_sessions(&self, now: Timestamp) -> Vec<SavedSession> {
        let mut sessions = self.pool.save(now);
        // What was set aside serves everybody in another process.
        let borrowed = self.lines.table.iter().filter(|(_, line)| line.borrowed);
        let names: BTreeSet<String> = gather(borrowed.map(|(_, line)| line.pool_name()));
        for session in &mut sessions {
            session.name = session.name.take().filter(|name| !names.contains(&**name));
        }
        if let Some(listing) = &self.calls.listing {
            let passed = micros(listing.elapsed).saturating_add(age(listing.since, now));
            sessions.extend(listing.known.values().cloned().map(|session| SavedSession {
                idle_us: session.idle_us.saturating_add(passed),
                age_us: session.age_us.map(|age| age.saturating_add(passed)),
                wait_us: session.wait_us.map(|wait| wait.saturating_sub(passed)),
                ..session
            }));
        }
        sessions
    }

    fn save_job(&self, index: u32, now: Timestamp) -> Option<SavedJob<SavedWork>> {
        let borrows = |work: &Work| match work.seat {
            Seat::Line { index, .. } => self.lines.get(index).is_some_and(|line| line.borrowed),
            Seat::Outside | Seat::Pool => false,
        };
        let mut saved = self.jobs.save(index, now, |job| {
            let work = &job.inner;
            let line = match work.seat {
                Seat::Line { index, replace } if !borrows(work) => {
                    self.lines.get(index).map(|line| (line.serial, replace))
                }
                Seat::Line { .. } | Seat::Outside | Seat::Pool => None,
            };
            SavedWork {
                request: self.save_request(work.target.request(), work.missing.as_deref()),
                options: work
                    .target
                    .options()
                    .map(|known| pairs(&known.headers()))
                    .unwrap_or_default(),
                line,
                outside: work.seat == Seat::Outside,
                limited: job.limited,
                free: work.free,
            }
        })?;
        if self.jobs.get(index).is_some_and(|job| borrows(&job.inner)) {
            saved.class = POOLED;
        }
        Some(saved)
    }

    /// A request less its secrets, and the key in any case.
    fn save_request(&self, mut request: Request, missing: Option<&Missing>) -> SavedRequest {
        let mut lacks = missing.cloned().unwrap_or_default();
        request.headers.remove("Proxy-Authorization");
        let secrets = if self.config.keep_secrets { &[][..] } else { &["Authorization", "Cookie"] };
        let leaks = self.api.leaks(&request).into_iter();
        let leaks = leaks.filter(|leak| leak.kind == LeakKind::Key).map(|leak| leak.name);
        let mut names: Vec<String> = leaks.chain(secrets.iter().map(ToString::to_string)).collect();
        names.retain(|name| request.headers.contains(name));
        for name in names {
            request.headers.remove(&name);
            if !lacks.headers.contains(&name) {
                lacks.headers.push(name);
            }
        }
        if let Some(url) = without_user(&request.url)
            && (!self.config.keep_secrets || self.shows_key(&request.url))
        {
            request.url = url;
            if !lacks.headers.iter().any(|name| name == "Authorization") {
                lacks.headers.push("Authorization".into());
            }
        }
        if self.shows_key(&request.url) {
            request.url = String::new();
            lacks.url = true;
        }
        let keep =
            self.config.keep_secrets && !self.shows_key(&String::from_utf8_lossy(&request.body));
        lacks.body |= !request.body.is_empty() && !keep;
        let body = (!request.body.is_empty() && keep).then(|| SavedBytes::new(&request.body));
        SavedRequest {
            method: request.method.as_str().into(),
            url: request.url,
            headers: pairs(&request.headers),
            body,
            missing_headers: lacks.headers,
            missing_body: lacks.body,
            missing_url: lacks.url,
        }
    }

    fn shows_key(&self, text: &str) -> bool {
        !self.api.leaks(&Request::new(Method::GET, text)).is_empty()
    }

    /// An engine that goes on where a snapshot was taken, `downtime` ago if that is known (zero
    /// else). Its sessions are used again once the service has listed them; those that the caller
    /// makes at once, if it is known that they cannot have expired. Jobs that were under
    /// way are tried again, possibly billed twice, or end as interrupted, as configured.
    pub fn restore(
        api: ProxyApi,
        config: ProxyConfig,
        bytes: &[u8],
        now: Timestamp,
        downtime: Option<Duration>,
    ) -> Result<Self, InvalidSnapshot> {
        let state: State = snapshot::read(MACHINE, bytes)?;
        let elapsed = downtime.unwrap_or_default();
        let mut engine = Self::new(api, config, 0, now);
        let now = engine.clock.latest();
        let left = |wait_us| Duration::from_micros(wait_us).saturating_sub(elapsed);
        engine.rng = Rng::new(state.rng);
        engine.flights = Flights::new(state.next_request);
        engine.gate = Gate::take_back(&state.gate, elapsed, now);
        engine.counters = state.counters;
        engine.window.set_limit(state.concurrency);
        if engine.api.dialect().has_session_calls() {
            engine.calls.warm = state.warm_up.min(engine.config.pool.size());
        }
        engine.calls.not_before = state.creation_wait_us.map(|wait| now + left(wait));
        engine.calls.failures = state.creation_failures;
        engine.calls.crowded = state.crowded && engine.calls.not_before.is_some();
        engine.jobs.set_next_id(state.next_job);
        engine.lines.next_serial = state.next_line;
        for (wait_us, named) in state.lost {
            if left(wait_us) > Duration::ZERO {
                engine.pool.take_back_lost(left(wait_us), named, now);
            }
        }
        let foreign = state.foreign.into_iter();
        engine.calls.foreign = gather(foreign.filter_map(|id| SessionId::new(id).ok()));
        let listed = engine.api.dialect().has_session_calls() && engine.config.adopt_all;
        if !state.sessions.is_empty() || listed {
            let known = state.sessions.into_iter().map(|session| (session.id.clone(), session));
            engine.calls.listing = Some(Listing {
                known: gather(known),
                doomed: BTreeSet::new(),
                elapsed,
                since: now,
                under_way: false,
                tries: 0,
                not_before: None,
            });
        }
        for id in state.deletions.into_iter().filter_map(|id| SessionId::new(id).ok()) {
            engine.delete(id, now);
        }
        let forbidden = state.forbidden.into_iter();
        engine.forbidden = gather(forbidden.map(|(name, error)| (name, error.into_error())));
        for event in state.events {
            let event = event.into_event()?;
            engine.tell(event);
        }
        let mut lines = BTreeMap::new();
        // Of lines of one name the latest takes further jobs.
        let mut saved_lines = state.lines;
        saved_lines.sort_unstable_by_key(|line| line.serial);
        for saved in saved_lines {
            let index = engine.lines.insert(saved.serial, &saved.name);
            if let Some(line) = engine.lines.get_mut(index) {
                (line.lost, line.ending) = (saved.lost, saved.ending);
            }
            lines.insert(saved.serial, index);
        }
        let mut interrupted = Vec::new();
        for saved in state.jobs {
            interrupted.extend(engine.take_back(saved, &lines, elapsed, now)?);
        }
        for index in interrupted {
            engine.end(index, Err(ProxyJobError::Interrupted), now);
        }
        if !engine.api.dialect().has_session_calls() {
            engine.adopt_unlisted(downtime.is_some(), now);
        }
        for index in lines.into_values() {
            let head = engine.lines.get(index).map_or(NONE, super::lines::Line::head);
            engine.take_turn(head);
            engine.close_line(index, now);
        }
        if engine.gate.is_closing() {
            engine.end_grounded(now);
        }
        Ok(engine)
    }

    /// Takes a job back; its index if it is to end because it was under way.
    fn take_back(
        &mut self,
        mut saved: SavedJob<SavedWork>,
        lines: &BTreeMap<u64, u32>,
        elapsed: Duration,
        now: Timestamp,
    ) -> Result<Option<u32>, InvalidSnapshot> {
        let (request, missing) = saved.inner.request.read()?;
        let options = Headers::from_received(core::mem::take(&mut saved.inner.options));
        let options = ProxyOptions::from_headers(&options)
            .map_err(|error| InvalidSnapshot::content(alloc::format!("{error}")))?;
        let line = match saved.inner.line {
            None => None,
            Some((serial, replace)) => {
                let none = || InvalidSnapshot::content("a job's line is missing");
                Some((*lines.get(&serial).ok_or_else(none)?, replace))
            }
        };
        let seat = match line {
            Some((index, replace)) => Seat::Line { index, replace },
            None if saved.inner.outside => Seat::Outside,
            None => Seat::Pool,
        };
        let incomplete = missing.is_some();
        let work = Work {
            target: Target::new(request, options),
            seat,
            free: saved.inner.free,
            missing: missing.map(Box::new),
        };
        let index = self.jobs.take_back(&saved, work, elapsed, now);
        let index = index.ok_or_else(|| InvalidSnapshot::content("a job is there twice"))?;
        self.incomplete += u32::from(incomplete);
        let id = self.jobs.get(index).map_or(JobId(0), |job| job.id);
        if let Some((line, _)) = line
            && let Some(line) = self.lines.get_mut(line)
        {
            line.jobs.insert(id.0, index);
        }
        if let Some(job) = self.jobs.get_mut(index) {
            job.limited = saved.inner.limited;
            job.cost.possibly_billed += u32::from(saved.in_flight);
        }
        if saved.in_flight {
            self.counters.possibly_billed += 1;
            if !self.config.requeue {
                return Ok(Some(index));
            }
        }
        let queued = self.jobs.get(index).is_some_and(|job| job.stage == Stage::Queued);
        if incomplete || (line.is_some() && queued) {
            self.jobs.leave(index, Stage::Held);
        }
        if incomplete && let Some(job) = self.jobs.get(index) {
            let missing = job.inner.missing.as_deref().cloned().unwrap_or_default();
            let event = IncompleteJob {
                job: job.id,
                key: job.key.clone(),
                request: job.inner.target.request(),
                headers: missing.headers,
                body: missing.body,
                url: missing.url,
            };
            self.tell(ProxyEvent::Incomplete(Box::new(event)));
        }
        Ok(None)
    }

    fn save_event(&self, event: &ProxyEvent) -> Option<SavedEvent> {
        Some(match event {
            ProxyEvent::Finished(outcome) => SavedEvent::Finished(Box::new(SavedOutcome {
                job: outcome.job.as_u64(),
                key: outcome.key.clone(),
                request: self.save_request(outcome.request.clone(), None),
                outcome: SavedEnding::new(&outcome.outcome),
                attempts: outcome.attempts,
                billed: outcome.cost.billed,
                possibly_billed: outcome.cost.possibly_billed,
                elapsed_us: micros(outcome.elapsed),
            })),
            // Its job is in the snapshot, and tells it again.
            ProxyEvent::Incomplete(_) => return None,
            ProxyEvent::SessionLost { name, session, cause } => {
                SavedEvent::SessionLost(SavedLoss {
                    name: name.clone(),
                    session: session.as_str().into(),
                    cause: cause.as_str().into(),
                })
            }
            ProxyEvent::Stopped(error) => SavedEvent::Stopped(SavedServiceError::new(error)),
        })
    }
}

/// A URL without user and password; `None` if it has none.
fn without_user(url: &str) -> Option<String> {
    if !url.contains('@') {
        return None;
    }
    let mut parsed = url::Url::parse(url).ok()?;
    if parsed.username().is_empty() && parsed.password().is_none() {
        return None;
    }
    parsed.set_username("").ok()?;
    parsed.set_password(None).ok()?;
    Some(parsed.into())
}
