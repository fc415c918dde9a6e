//! Random worlds: a service that answers anything, or nothing, and a driver that crashes.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use super::{
    super::{Failure, IdleReason, JobId},
    tests::{answer, api, error, item, job, problem, secs},
    *,
};
use crate::{
    http::{Headers, Response},
    schedule::{Budget, FailureClass, Rate, RetryPolicy},
};

/// A request that the driver sent and the service has not answered.
struct Open {
    send: ExtractionSend,
    answer_at: Option<Timestamp>,
}

/// What a restart goes back to.
struct Saved {
    bytes: Vec<u8>,
    submitted: BTreeSet<JobId>,
    ended: BTreeSet<JobId>,
}

struct World {
    rng: Rng,
    engine: ExtractionEngine,
    config: ExtractionConfig,
    now: Timestamp,
    open: Vec<Open>,
    /// Requests whose answers came already, or were given up.
    closed: Vec<ExtractionSend>,
    submitted: BTreeSet<JobId>,
    ended: BTreeSet<JobId>,
    saved: Option<Saved>,
    sends: Vec<(u64, u64)>,
    /// Queries that the service billed in this cycle.
    billed: u64,
    log: Vec<(Timestamp, String)>,
    crashes: bool,
}

impl World {
    fn new(seed: u64, crashes: bool) -> Self {
        let mut rng = Rng::new(seed);
        let small = |rng: &mut Rng, most| u32::try_from(1 + rng.up_to(most)).unwrap();
        let policy = RetryPolicy::default()
            .with_budget(FailureClass::Network, Budget::Retries(3))
            .with_budget(FailureClass::Server, Budget::Retries(3))
            .with_budget(FailureClass::Account, Budget::Retries(small(&mut rng, 2) - 1));
        let config = ExtractionConfig::default()
            .with_rate(Rate::per_second(1 + rng.up_to(9)).unwrap())
            .with_burst(small(&mut rng, 3))
            .unwrap()
            .with_batch_size(small(&mut rng, 5))
            .unwrap()
            .with_concurrency(small(&mut rng, 6))
            .unwrap()
            .with_queue_size(20)
            .unwrap()
            .with_deadline(secs(30))
            .with_cap((!crashes && rng.up_to(1) == 0).then_some(20))
            .with_requeue(rng.up_to(3) > 0)
            .with_policy(policy);
        let now = Timestamp::from_micros(rng.up_to(1_000_000));
        Self {
            engine: ExtractionEngine::new(api(), config.clone(), seed, now),
            rng,
            config,
            now,
            open: Vec::new(),
            closed: Vec::new(),
            submitted: BTreeSet::new(),
            ended: BTreeSet::new(),
            saved: None,
            sends: Vec::new(),
            billed: 0,
            log: Vec::new(),
            crashes,
        }
    }

    fn note(&mut self, line: String) {
        self.log.push((self.now, line));
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.rng.up_to(n - 1) == 0
    }

    fn pick(&mut self, count: usize) -> usize {
        let most = u64::try_from(count - 1).unwrap();
        usize::try_from(self.rng.up_to(most)).unwrap()
    }

    fn submit(&mut self) {
        let domain = ["a.com", "x.a.com", "b.com", "c.org"][self.pick(4)];
        let priority = i32::try_from(self.rng.up_to(2)).unwrap();
        let job = job(&format!("http://{domain}/{}", self.rng.up_to(5))).with_priority(priority);
        let unfinished = self.submitted.len() - self.ended.len();
        match self.engine.submit(job, self.now) {
            Ok(id) => assert!(self.submitted.insert(id), "{id} twice"),
            Err(_) => assert!(unfinished >= 20 || self.engine.gate.is_closing()),
        }
    }

    fn cancel(&mut self) {
        let ids: Vec<JobId> = self.submitted.iter().copied().collect();
        if !ids.is_empty() {
            let id = ids[self.pick(ids.len())];
            let known = self.engine.contains(id);
            assert_eq!(self.engine.cancel(id, self.now), known);
        }
    }

    /// Takes outputs until there is nothing to do; the moment of the next one.
    fn drain(&mut self) -> Option<Timestamp> {
        loop {
            let output = self.engine.poll(self.now);
            match &output {
                ExtractionOutput::Send(send) => self.note(format!("send {}", send.id)),
                ExtractionOutput::Event(ExtractionEvent::Finished(outcome)) => {
                    let (job, code) = (outcome.job, outcome.error_code());
                    self.note(format!("job {job} {code:?} {:?}", outcome.cost));
                }
                ExtractionOutput::Event(event) => self.note(event.name().into()),
                other => self.note(format!("{other:?}")),
            }
            match output {
                ExtractionOutput::Send(send) => {
                    assert!(send.deadline > self.now);
                    self.sends.push((self.now.as_micros(), send.queries.into()));
                    let delay = Duration::from_millis(self.rng.up_to(5_000));
                    let answer_at = (!self.one_in(8)).then(|| self.now + delay);
                    self.open.push(Open { send, answer_at });
                }
                ExtractionOutput::Abort(id) => {
                    let index = self.open.iter().position(|open| open.send.id == id);
                    let open = self.open.swap_remove(index.expect("aborts what is under way"));
                    self.closed.push(open.send);
                }
                ExtractionOutput::Event(ExtractionEvent::Finished(outcome)) => {
                    assert!(self.submitted.contains(&outcome.job));
                    assert!(self.ended.insert(outcome.job), "{} ended twice", outcome.job);
                    assert!(!self.engine.contains(outcome.job));
                }
                ExtractionOutput::Event(_) => {}
                ExtractionOutput::WaitUntil { at, .. } => {
                    assert!(at > self.now, "{at:?} has come");
                    let first = self.open.iter().map(|open| open.send.deadline).min();
                    assert!(first.is_none_or(|deadline| at <= deadline));
                    return Some(at);
                }
                ExtractionOutput::Idle(reason) => {
                    assert!(self.open.is_empty(), "idle with something under way");
                    if reason == IdleReason::Empty {
                        assert_eq!(self.submitted, self.ended);
                    }
                    return None;
                }
            }
        }
    }

    /// Billed ones of the answer's results, and the answer.
    fn response(&mut self, send: &ExtractionSend) -> Response {
        let texts = [
            "Proxy error: banned",
            "query timed out",
            "Downloader error: http404",
            "Domain a.com is occupied, please retry in 20 seconds",
        ];
        match self.rng.up_to(19) {
            0 => problem(429, "user-rate-limit-exceeded"),
            1 => problem(500, "internal"),
            2 if self.one_in(4) => problem(401, "unauthorized"),
            3 => Response::new(200, Headers::new(), *b"[{\"query\": "),
            4 => Response::new(200, Headers::new(), *b"[]"),
            5 => Response::new(200, Headers::new(), *b"{}"),
            6 => problem(413, "queries-limit-reached"),
            7..=12 => {
                let text = texts[self.pick(4)];
                if text.starts_with("Proxy") || text.starts_with("Downloader") {
                    self.billed += u64::from(send.queries);
                }
                answer(&send.request, |_| error(text))
            }
            _ => {
                self.billed += u64::from(send.queries);
                answer(&send.request, |_| item())
            }
        }
    }

    /// Answers what is due.
    fn answer_due(&mut self) {
        while let Some(index) =
            self.open.iter().position(|open| open.answer_at.is_some_and(|at| at <= self.now))
        {
            let open = self.open.swap_remove(index);
            if self.one_in(8) {
                let failure = Failure::ALL[self.pick(3)];
                if failure != Failure::NotSent && self.one_in(2) {
                    self.billed += u64::from(open.send.queries);
                }
                if failure == Failure::NotSent {
                    self.forget_send(&open.send);
                }
                self.engine.handle_failure(open.send.id, failure, self.now).unwrap();
            } else {
                let response = self.response(&open.send);
                self.engine.handle_response(open.send.id, response, self.now).unwrap();
            }
            self.closed.push(open.send);
        }
    }

    /// What never left counts for no rate.
    fn forget_send(&mut self, send: &ExtractionSend) {
        let at = send.deadline - secs(30);
        let index = self.sends.iter().position(|(sent, _)| *sent == at.as_micros());
        if let Some(index) = index {
            self.sends.remove(index);
        }
    }

    fn late_or_twice(&mut self) {
        if !self.closed.is_empty() {
            let index = self.pick(self.closed.len());
            let send = self.closed[index].clone();
            let before = self.billed;
            let response = self.response(&send);
            self.billed = before;
            // Late or unknown: a value in any case.
            let _ = self.engine.handle_response(send.id, response, self.now);
        }
    }

    fn save_or_crash(&mut self) {
        match self.saved.take() {
            Some(saved) if self.one_in(2) => {
                let downtime = self.one_in(2).then(|| secs(self.rng.up_to(60)));
                // A new process has a clock of its own.
                self.now = Timestamp::from_micros(self.rng.up_to(1_000_000));
                let (api, config) = (api(), self.config.clone());
                let engine =
                    ExtractionEngine::restore(api, config, &saved.bytes, self.now, downtime);
                self.engine = engine.unwrap();
                self.open.clear();
                self.closed.clear();
                self.sends.clear();
                self.submitted = saved.submitted;
                self.ended = saved.ended;
            }
            _ => {
                self.saved = Some(Saved {
                    bytes: self.engine.snapshot(self.now),
                    submitted: self.submitted.clone(),
                    ended: self.ended.clone(),
                });
            }
        }
    }

    fn step(&mut self) {
        match self.rng.up_to(19) {
            0..=7 => self.submit(),
            8 => self.cancel(),
            9 => self.late_or_twice(),
            10 if self.crashes => self.save_or_crash(),
            11 if self.one_in(5) => self.engine.resume(self.now),
            _ => self.advance(),
        }
        let stats = self.engine.stats();
        assert!(self.config.cap.is_none_or(|cap| stats.spent <= cap && self.billed <= cap));
        let requests = u32::try_from(self.open.len()).unwrap();
        assert!(requests <= self.config.concurrency);
    }

    fn advance(&mut self) {
        let next = self.drain();
        let answer = self.open.iter().filter_map(|open| open.answer_at).min();
        if let Some(at) = next.into_iter().chain(answer).min() {
            self.now = self.now.max(at);
        }
        self.answer_due();
    }

    /// Runs until all is done.
    fn finish(&mut self) {
        for step in 0.. {
            assert!(step < 20_000, "it never ends");
            self.advance();
            if self.drain().is_none()
                && let ExtractionOutput::Idle(reason) = self.engine.poll(self.now)
            {
                match reason {
                    IdleReason::Stopped => self.engine.resume(self.now),
                    IdleReason::OutOfBudget => {
                        self.billed = 0;
                        self.engine.start_cycle(self.now);
                    }
                    IdleReason::Closed | IdleReason::Empty => break,
                    IdleReason::Incomplete => panic!("not of this machine"),
                }
            }
        }
        assert_eq!(self.submitted, self.ended, "each job ends exactly once");
        let stats = self.engine.stats();
        assert_eq!((stats.queued, stats.waiting, stats.queries_in_flight), (0, 0, 0));
        assert_eq!(self.engine.jobs.queues.domains(), 0);
    }

    fn check_rate(&self) {
        let per_second = self.config.rate.count();
        let batch = u64::from(self.config.batch_size);
        for first in 0..self.sends.len() {
            let mut sum = 0;
            for (at, queries) in &self.sends[first..] {
                sum += queries;
                let window = at - self.sends[first].0;
                let bound = (u64::from(self.config.burst) + batch - 1) * 1_000_000;
                assert!(sum * 1_000_000 <= bound + per_second * window);
            }
        }
    }
}

fn run(seed: u64, crashes: bool, close: bool) -> Vec<(Timestamp, String)> {
    let mut world = World::new(seed, crashes);
    for _ in 0..150 {
        world.step();
    }
    if close {
        let grace = secs(world.rng.up_to(40));
        world.engine.close(world.now, grace);
    }
    world.finish();
    world.check_rate();
    world.log
}

#[test]
fn every_job_ends_once_within_rate_and_cap() {
    for seed in 0..100 {
        std::println!("seed {seed}");
        run(seed, false, seed % 3 == 0);
    }
}

#[test]
fn every_job_of_a_snapshot_ends_once_after_it() {
    for seed in 1_000..1_100 {
        std::println!("seed {seed}");
        run(seed, true, seed % 3 == 0);
    }
}

#[test]
fn the_same_seed_gives_the_same_outputs() {
    for seed in 0..20 {
        assert_eq!(run(seed, true, false), run(seed, true, false));
    }
}

/// A snapshot at each step of a run is as good as any other, and does not disturb the run.
#[test]
fn any_snapshot_will_do() {
    for seed in 0..5 {
        let mut world = World::new(seed, false);
        for _ in 0..100 {
            world.step();
            let bytes = world.engine.snapshot(world.now);
            let config = world.config.clone().with_requeue(seed % 2 == 0).with_cap(None);
            let mut other = World::new(seed, false);
            other.engine =
                ExtractionEngine::restore(api(), config, &bytes, other.now, None).unwrap();
            other.submitted.clone_from(&world.submitted);
            other.ended.clone_from(&world.ended);
            other.finish();
            let again = world.engine.snapshot(world.now);
            assert_eq!(bytes, again);
        }
        world.finish();
    }
}

/// Undelivered events come out of a snapshot as they were.
#[test]
fn events_come_back_as_they_were() {
    let mut events: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..30 {
        let mut world = World::new(seed, false);
        for _ in 0..60 {
            world.step();
            let bytes = world.engine.snapshot(world.now);
            let config = world.config.clone();
            let other = ExtractionEngine::restore(api(), config, &bytes, world.now, None).unwrap();
            let told = world.engine.outbox.iter();
            let mut told = told.filter_map(|output| match output {
                ExtractionOutput::Event(event) => Some(event),
                _ => None,
            });
            for output in &other.outbox {
                let ExtractionOutput::Event(event) = output else { panic!() };
                // What was under way may have ended as interrupted, after all others.
                let Some(expected) = told.next() else { break };
                assert_eq!(event.name(), expected.name());
                *events.entry(event.name()).or_default() += 1;
                match (event, expected) {
                    (ExtractionEvent::Finished(event), ExtractionEvent::Finished(expected)) => {
                        assert_eq!(event.error_code(), expected.error_code());
                        assert_eq!((event.job, &event.query), (expected.job, &expected.query));
                        assert_eq!((event.cost, event.elapsed), (expected.cost, expected.elapsed));
                        let item = |outcome: &ExtractionOutcome| {
                            let item = outcome.outcome.as_ref().ok()?.item_bytes()?;
                            Some(Vec::from(item))
                        };
                        assert_eq!(item(event), item(expected));
                    }
                    (ExtractionEvent::Unmatched(event), ExtractionEvent::Unmatched(expected)) => {
                        assert_eq!(event.result.error(), expected.result.error());
                    }
                    _ => {}
                }
            }
            assert!(told.next().is_none(), "nothing is left out");
        }
    }
    assert!(events["finished"] > 100, "{events:?}");
}

/// A damaged snapshot is refused, or gives an engine that works.
#[test]
fn a_damaged_snapshot_does_no_harm() {
    let (mut refused, mut taken) = (0, 0);
    for seed in 0..20 {
        let mut world = World::new(seed, false);
        for _ in 0..60 {
            world.step();
        }
        let bytes = world.engine.snapshot(world.now);
        for _ in 0..50 {
            let mut damaged = bytes.clone();
            for _ in 0..=world.rng.up_to(2) {
                let at = world.pick(damaged.len());
                damaged[at] = b"0123456789-\",:{}[]anul"[world.pick(22)];
            }
            let config = world.config.clone().with_cap(None);
            let restored = ExtractionEngine::restore(api(), config, &damaged, world.now, None);
            let Ok(mut engine) = restored else {
                refused += 1;
                continue;
            };
            taken += 1;
            engine.close(world.now, Duration::ZERO);
            let _ = engine.snapshot(world.now);
            assert!(engine.poll_batch(world.now, 100).len() < 100);
        }
    }
    assert!(refused > 50 && taken > 50, "{refused} refused, {taken} taken");
}
