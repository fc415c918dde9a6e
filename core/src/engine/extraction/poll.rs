//! What comes next: events, aborts, sends, or a wait and its reason.

use alloc::vec::Vec;

use super::{
    super::{Failure, gate::Passage},
    Batch, ExtractionEngine, ExtractionJobError, ExtractionOutput, ExtractionSend, IdleReason,
    WaitReason,
    answer::Return,
};
use crate::{
    Timestamp,
    engine::clock::Clock,
    schedule::{NONE, Next},
};

impl ExtractionEngine {
    pub(super) fn next_output(&mut self, now: Timestamp) -> ExtractionOutput {
        loop {
            if let Some(output) = self.outbox.pop_front() {
                match output {
                    ExtractionOutput::Abort(id) if self.answered.remove(&id.0) => continue,
                    output => return output,
                }
            }
            self.answered.clear();
            if let Some(flight) = self.flights.overdue(now) {
                self.pass_deadline(flight, now);
                continue;
            }
            if let Some(grace) = self.gate.grace() {
                if self.flights.len() == 0 {
                    return ExtractionOutput::Idle(IdleReason::Closed);
                }
                if grace > now {
                    return self.wait(Some(grace), WaitReason::Answers);
                }
                self.end_grace(now);
                continue;
            }
            return self.next_send(now);
        }
    }

    /// The first deadline or `at`, whichever comes first.
    fn wait(&self, at: Option<Timestamp>, reason: WaitReason) -> ExtractionOutput {
        let deadline = self.flights.next_deadline();
        let at = at.into_iter().chain(deadline).min().unwrap_or_else(|| self.clock.latest());
        ExtractionOutput::WaitUntil { at: Clock::tell(at), reason }
    }

    /// Waits for answers, or stays idle without any.
    fn wait_or(&self, reason: WaitReason, idle: IdleReason) -> ExtractionOutput {
        if self.flights.len() == 0 {
            return ExtractionOutput::Idle(idle);
        }
        self.wait(None, reason)
    }

    fn next_send(&mut self, now: Timestamp) -> ExtractionOutput {
        if self.gate.is_stopped() {
            return self.wait_or(WaitReason::Answers, IdleReason::Stopped);
        }
        if self.jobs.len() == 0 {
            return self.wait_or(WaitReason::Answers, IdleReason::Empty);
        }
        if self.flights.len() >= self.config.concurrency {
            return self.wait(None, WaitReason::SlotsBusy);
        }
        match self.gate.passage(now) {
            Passage::Probing => return self.wait(None, WaitReason::BackOff),
            Passage::Paused(until) => return self.wait(Some(until), WaitReason::BackOff),
            Passage::Open | Passage::Probe => {}
        }
        match self.jobs.next(now) {
            Next::Job(index) => self.send_from(index, now),
            Next::Nothing => match self.jobs.next_return() {
                Some((at, reason)) => self.wait(Some(at), reason),
                None => self.wait_or(WaitReason::Answers, IdleReason::Empty),
            },
            Next::Unfinished => self.wait(Some(now), WaitReason::DomainOccupied),
        }
    }

    fn send_from(&mut self, index: u32, now: Timestamp) -> ExtractionOutput {
        let room = self.ledger.room(self.config.cap);
        if room == 0 {
            return self.wait_or(WaitReason::Budget, IdleReason::OutOfBudget);
        }
        let ready = self.limiter.ready_at(now);
        if ready > now {
            return self.wait(Some(ready), WaitReason::Rate);
        }
        let most = match self.gate.passage(now) {
            Passage::Open => u64::from(self.config.batch_size).min(room),
            _ => 1,
        };
        match self.send(index, most, now) {
            Some(send) => ExtractionOutput::Send(send),
            None => self.wait_or(WaitReason::Answers, IdleReason::Empty),
        }
    }

    /// Takes up to `most` jobs into a request, beginning with the one at `first`.
    fn send(&mut self, first: u32, most: u64, now: Timestamp) -> Option<ExtractionSend> {
        let deadline = now + self.config.deadline;
        let batch = Batch { queries: Vec::new(), seats: Vec::new(), cycle: self.ledger.cycle() };
        let (id, flight) = self.flights.begin(batch, deadline, now);
        let mut count = 0_u32;
        let mut next = Some(first);
        while let Some(index) = next {
            self.jobs.take(index, flight, now);
            let job = self.jobs.get_mut(index)?;
            self.counters.retries += u64::from(job.attempts > 1);
            let alone = job.inner.alone;
            let query = job.inner.query.take()?;
            let batch = &mut self.flights.get_mut(flight)?.inner;
            batch.queries.push(query);
            batch.seats.push(index);
            count += 1;
            next = (!alone && u64::from(count) < most).then(|| self.next_companion(now)).flatten();
        }
        // The moment was found to be ready, and a batch is never empty nor too large.
        self.limiter.try_acquire(count, now).ok();
        self.ledger.begin(count.into());
        self.counters.requests += 1;
        self.gate.set_probe(id);
        self.latest = Some(id);
        let request = self.api.request(&self.flights.get(flight)?.inner.queries).ok()?;
        Some(ExtractionSend { id, request, deadline: Clock::tell(deadline), queries: count })
    }

    /// A further job for a request.
    fn next_companion(&mut self, now: Timestamp) -> Option<u32> {
        let Next::Job(index) = self.jobs.next(now) else { return None };
        self.jobs.get(index).filter(|job| !job.inner.alone).map(|_| index)
    }

    /// Gives up a request at its deadline: its jobs are tried again.
    fn pass_deadline(&mut self, flight: u32, now: Timestamp) {
        self.counters.timed_out += 1;
        self.ground(flight, |engine, index| {
            let error = ExtractionJobError::Failed(Failure::Timeout);
            let verdict = crate::engine::classify::failure(Failure::Timeout);
            engine.come_back(index, Return { verdict, error, limit: None }, now);
        });
        self.give_up(flight, now);
    }

    /// Aborts what is under way at the end of the grace.
    fn end_grace(&mut self, now: Timestamp) {
        let Some(flight) = self.flights.overdue(Timestamp::MAX) else { return };
        self.ground(flight, |engine, index| {
            engine.end(index, Err(ExtractionJobError::Closed), now);
        });
        self.give_up(flight, now);
    }

    /// Takes the jobs out of a request whose answer nobody waits for, each possibly billed.
    fn ground(&mut self, flight: u32, mut then: impl FnMut(&mut Self, u32)) {
        let Some(batch) = self.flights.get_mut(flight).map(|flight| &mut flight.inner) else {
            return;
        };
        let seats = core::mem::take(&mut batch.seats);
        let queries = batch.queries.clone();
        for (index, query) in seats.into_iter().zip(queries) {
            if index == NONE {
                continue;
            }
            if let Some(job) = self.jobs.get_mut(index) {
                job.inner.query = Some(query);
                job.cost.possibly_billed += 1;
                then(self, index);
            }
        }
    }
}
