//! What comes next: events, aborts, sends, or a wait and its reason.

use super::{
    super::gate::Passage, DIRECT, IdleReason, POOLED, ProxyEngine, ProxyJobError, ProxyOutput,
    ProxySend, Seat, SessionCreation, SessionLoss, Stage, WaitReason, send::Way,
};
use crate::{
    Timestamp,
    engine::clock::Clock,
    schedule::{Next, Unavailable},
};

/// Housekeeping that one call may cost.
const STEPS: u32 = 1024;

/// What came of trying to send a job's request.
#[expect(clippy::large_enum_variant, reason = "passed on at once")]
enum Tried {
    Sent(ProxySend),
    /// The job is over, in an event.
    Ended,
    /// Not yet.
    Not(Option<Timestamp>, WaitReason),
}

impl ProxyEngine {
    pub(super) fn next_output(&mut self, now: Timestamp) -> ProxyOutput {
        loop {
            if let Some(output) = self.outbox.pop_front() {
                match output {
                    ProxyOutput::Abort(id) if self.answered.remove(&id.0) => continue,
                    output => return output,
                }
            }
            self.answered.clear();
            if let Some(flight) = self.flights.overdue(now) {
                self.pass_deadline(flight, now);
                continue;
            }
            self.expire_sessions(now);
            if !self.outbox.is_empty() {
                continue;
            }
            let output = match self.gate.grace() {
                Some(grace) => self.next_of_closing(grace, now),
                None => self.next_send(now),
            };
            if let Some(output) = output {
                return output;
            }
        }
    }

    /// Drops sessions that the service is about to forget.
    fn expire_sessions(&mut self, now: Timestamp) {
        for _ in 0..64 {
            let Some(id) = self.pool.take_expired(now) else { return };
            self.counters.sessions_expired += 1;
            let Ok(id) = crate::proxy::SessionId::new(id) else { continue };
            self.calls.forget(&id);
            if let Some(line) = self.lines.of_session(&id) {
                let serial = self.lines.get(line).map_or(0, |line| line.serial);
                self.lose_line(Some((line, serial)), SessionLoss::Expired);
            }
            self.wake_starved();
        }
    }

    /// The first deadline or `at`, whichever comes first.
    pub(super) fn wait(&self, at: Option<Timestamp>, reason: WaitReason) -> ProxyOutput {
        let deadline = self.flights.next_deadline();
        let at = at.into_iter().chain(deadline).min().unwrap_or_else(|| self.clock.latest());
        ProxyOutput::WaitUntil { at: Clock::tell(at), reason }
    }

    /// Waits for answers, or stays idle without any.
    fn wait_or(&self, reason: WaitReason, idle: IdleReason) -> ProxyOutput {
        if self.flights.len() == 0 {
            return ProxyOutput::Idle(idle);
        }
        self.wait(None, reason)
    }

    fn next_of_closing(&mut self, grace: Timestamp, now: Timestamp) -> Option<ProxyOutput> {
        if let Some(send) = self.next_last_delete(now) {
            return Some(ProxyOutput::Send(send));
        }
        let mut flights = self.flights.iter();
        let other = flights.find(|(_, flight)| !flight.inner.is_delete()).map(|(index, _)| index);
        drop(flights);
        if let Some(flight) = other {
            if grace > now {
                return Some(self.wait(Some(grace), WaitReason::Answers));
            }
            self.end_grace(flight, now);
            return None;
        }
        if self.collect_deletions() {
            return None;
        }
        Some(self.wait_or(WaitReason::Answers, IdleReason::Closed))
    }

    fn next_send(&mut self, now: Timestamp) -> Option<ProxyOutput> {
        if self.gate.is_stopped() {
            return Some(self.wait_or(WaitReason::Answers, IdleReason::Stopped));
        }
        let idle = self.jobs.len() == 0;
        if idle && !self.calls_pending() {
            return Some(self.wait_or(WaitReason::Answers, IdleReason::Empty));
        }
        if self.flights.len() >= self.window.limit() {
            return Some(self.wait(None, WaitReason::SlotsBusy));
        }
        match self.gate.passage(now) {
            Passage::Probing => return Some(self.wait(None, WaitReason::BackOff)),
            Passage::Paused(until) => return Some(self.wait(Some(until), WaitReason::BackOff)),
            Passage::Open | Passage::Probe => {}
        }
        if let Some(send) = self.next_call(now) {
            return Some(ProxyOutput::Send(send));
        }
        if idle {
            return Some(match self.calls.next_at(now) {
                Some(at) => self.wait(Some(at), WaitReason::BackOff),
                None => self.wait_or(WaitReason::Answers, IdleReason::Empty),
            });
        }
        self.next_fetch(now)
    }

    /// Sends the request of the job that is next, if there is a session for it.
    fn next_fetch(&mut self, now: Timestamp) -> Option<ProxyOutput> {
        let mut blocked = None;
        for _ in 0..STEPS {
            while let Some(line) = self.lines.cooling.pop_due(now) {
                self.wake_line(line);
            }
            let direct = self.jobs.next_of(DIRECT, now);
            let pooled = match blocked {
                None => self.jobs.next_of(POOLED, now),
                Some(_) => Next::Nothing,
            };
            let (index, is_direct) = match (direct, pooled) {
                (Next::Unfinished, _) | (_, Next::Unfinished) => break,
                (Next::Job(direct), Next::Job(pooled)) => self.fairer(direct, pooled),
                (Next::Job(direct), Next::Nothing) => (direct, true),
                (Next::Nothing, Next::Job(pooled)) => (pooled, false),
                (Next::Nothing, Next::Nothing) => return Some(self.rest(blocked, now)),
            };
            if let Some(error) = self.forbidden.get(self.jobs.domain(index)).cloned() {
                self.end(index, Err(ProxyJobError::Service(error)), now);
                return None;
            }
            let tried =
                if is_direct { self.try_direct(index, now) } else { self.try_pooled(index, now) };
            match tried {
                Tried::Sent(send) => return Some(ProxyOutput::Send(send)),
                Tried::Ended => return None,
                Tried::Not(at, reason) if !is_direct => blocked = Some((at, reason)),
                Tried::Not(..) => {}
            }
        }
        Some(self.wait(Some(now), WaitReason::SessionCooling))
    }

    /// Of the first jobs of both classes the one with the higher priority, or the one whose class
    /// has its turn.
    fn fairer(&mut self, direct: u32, pooled: u32) -> (u32, bool) {
        let priority = |index| self.jobs.get(index).map(|job| job.priority);
        let is_direct = match priority(direct).cmp(&priority(pooled)) {
            core::cmp::Ordering::Greater => true,
            core::cmp::Ordering::Less => false,
            core::cmp::Ordering::Equal => {
                self.direct_first = !self.direct_first;
                self.direct_first
            }
        };
        (if is_direct { direct } else { pooled }, is_direct)
    }

    /// Nothing can be sent: until when, and why.
    fn rest(
        &self,
        blocked: Option<(Option<Timestamp>, WaitReason)>,
        now: Timestamp,
    ) -> ProxyOutput {
        let cooling = self.lines.cooling.first();
        let moments = [
            blocked.and_then(|(at, reason)| Some((at?, reason))),
            cooling.map(|(at, _)| (at, WaitReason::SessionCooling)),
            self.jobs.next_return(),
            self.calls.next_at(now).map(|at| (at, WaitReason::BackOff)),
            // A session that nobody ends leaves its place when it expires.
            self.pool
                .next_expiry()
                .filter(|_| blocked.is_some() || self.lines.are_starved())
                .map(|at| (at, WaitReason::SessionCooling)),
        ];
        match moments.into_iter().flatten().min_by_key(|(at, _)| *at) {
            Some((at, reason)) => self.wait(Some(at), reason),
            None if self.incomplete > 0 => {
                self.wait_or(WaitReason::Answers, IdleReason::Incomplete)
            }
            None => {
                let reason = blocked.map_or(WaitReason::Answers, |(_, reason)| reason);
                self.wait_or(reason, IdleReason::Empty)
            }
        }
    }

    /// Whether a job's request makes its session: as configured, or because calls make none. Then
    /// the job's own budget says when to give up.
    fn creates_by_header(&self) -> bool {
        self.config.creation == SessionCreation::Header || self.calls.are_fruitless()
    }

    fn sent(send: Option<ProxySend>) -> Tried {
        send.map_or(Tried::Ended, Tried::Sent)
    }

    /// Sends the request of a job through any session of the pool, or through a new one.
    fn try_pooled(&mut self, index: u32, now: Timestamp) -> Tried {
        if self.calls.is_listing() {
            return Tried::Not(None, WaitReason::Answers);
        }
        let delay = self.config.delay_of(self.jobs.domain(index));
        let unavailable = match self.pool.try_acquire(delay, now) {
            Ok(usage) => return Self::sent(self.send_fetch(index, Way::Session(usage), now)),
            Err(unavailable) => unavailable,
        };
        let later = match self.place(false, now) {
            Ok(place) if self.creates_by_header() => {
                return Self::sent(self.send_fetch(index, Way::New(place), now));
            }
            Ok(place) if self.calls.may_create(&self.config, self.jobs.queues.len()) => {
                return Tried::Sent(self.send_create(place, None, false, now));
            }
            Ok(place) => {
                self.pool.cancel(place);
                None
            }
            Err(later) => later,
        };
        match unavailable {
            Unavailable::Until(at) => {
                let at = later.map_or(at, |later| later.min(at));
                Tried::Not(Some(at), WaitReason::SessionCooling)
            }
            Unavailable::Empty if self.pool.stats().reserved > 0 => {
                Tried::Not(later, WaitReason::SlotsBusy)
            }
            Unavailable::Busy => Tried::Not(later, WaitReason::SlotsBusy),
            Unavailable::Empty => Tried::Not(later, WaitReason::BackOff),
        }
    }

    /// Sends the request of a job that needs no session, or one of its own.
    fn try_direct(&mut self, index: u32, now: Timestamp) -> Tried {
        let seat = self.jobs.get(index).map_or(Seat::Outside, |job| job.inner.seat);
        let Seat::Line { index: line, replace } = seat else {
            return Self::sent(self.send_fetch(index, Way::Outside, now));
        };
        let delay = self.config.delay_of(self.jobs.domain(index));
        let Some(record) = self.lines.get(line) else { return Tried::Ended };
        if let Some((key, _)) = record.session {
            return match self.pool.try_acquire_session(key, delay, now) {
                Ok(usage) => Self::sent(self.send_fetch(index, Way::Session(usage), now)),
                Err(Unavailable::Empty) => {
                    let serial = record.serial;
                    self.lose_line(Some((line, serial)), SessionLoss::Expired);
                    Tried::Ended
                }
                Err(Unavailable::Until(at)) => self.hold(index, line, Some(at)),
                Err(Unavailable::Busy) => self.hold(index, line, None),
            };
        }
        if record.borrowed {
            self.leave_borrowed(index, line, now);
            return Tried::Not(None, WaitReason::SessionCooling);
        }
        if (record.lost && !replace) || !self.pool.has_names() {
            let name = record.name.clone();
            self.end(index, Err(ProxyJobError::SessionLost { name }), now);
            return Tried::Ended;
        }
        self.begin_line(index, line, now)
    }

    /// Lets a job go through any session, since the one that it was to stay in is gone.
    fn leave_borrowed(&mut self, index: u32, line: u32, now: Timestamp) {
        self.jobs.leave(index, Stage::Held);
        let Some(job) = self.jobs.get_mut(index) else { return };
        (job.inner.seat, job.class) = (Seat::Pool, POOLED);
        let id = job.id;
        self.leave_line(line, id, now);
        self.jobs.queue(index, true);
    }

    /// Sends the first request of a line: through a new session, or one that the pool can spare.
    fn begin_line(&mut self, index: u32, line: u32, now: Timestamp) -> Tried {
        let Some(record) = self.lines.get(line) else { return Tried::Ended };
        if record.creating || self.calls.is_listing() {
            self.jobs.leave(index, Stage::Held);
            return Tried::Not(None, WaitReason::Answers);
        }
        let (serial, pool_name) = (record.serial, record.pool_name());
        let later = match self.place(true, now) {
            Ok(place) if self.creates_by_header() => {
                return Self::sent(self.send_fetch(index, Way::New(place), now));
            }
            Ok(place) => {
                if let Some(record) = self.lines.get_mut(line) {
                    record.creating = true;
                }
                self.jobs.leave(index, Stage::Held);
                return Tried::Sent(self.send_create(place, Some((line, serial)), false, now));
            }
            Err(later) => later,
        };
        if !self.pool.may_name() {
            return self.hold(index, line, later);
        }
        let delay = self.config.delay_of(self.jobs.domain(index));
        match self.pool.try_acquire(delay, now) {
            Ok(usage) => {
                let key = usage.session();
                self.pool.set_name(key, &pool_name);
                let id = self.pool.id(key).and_then(|id| crate::proxy::SessionId::new(id).ok());
                if let Some(id) = id {
                    self.lines.set_session(line, key, id);
                }
                Self::sent(self.send_fetch(index, Way::Session(usage), now))
            }
            Err(Unavailable::Until(at)) => {
                let at = later.map_or(at, |later| later.min(at));
                self.hold(index, line, Some(at))
            }
            Err(_) => self.hold(index, line, later),
        }
    }

    /// Lets the first job of a line wait for a moment, or for a session or a place.
    fn hold(&mut self, index: u32, line: u32, until: Option<Timestamp>) -> Tried {
        self.jobs.leave(index, Stage::Held);
        match until {
            Some(at) => self.lines.cool(line, at),
            None => self.lines.starve(line),
        }
        Tried::Not(until, WaitReason::SessionCooling)
    }
}
