//! Requests: what goes out, and what a lost one leaves behind.

use super::{
    super::Failure, Ending, Flight, JobId, NONE, Place, ProxyEngine, ProxyJobError, ProxyOutput,
    ProxySend, ProxySendKind, Seat, Session, SessionLoss, Use, answer::Return,
};
use crate::{
    Timestamp,
    engine::{classify, clock::Clock},
    proxy::{ProxiedRequest, SessionId},
    schedule::FirstUse,
    zyte_api,
};

/// What a request is for.
#[derive(Debug)]
pub(super) enum Errand {
    /// `POST /sessions`, for a line if so said.
    Create { place: Option<Place>, line: Option<(u32, u64)>, named: bool, warm: bool },
    /// `DELETE /sessions/<id>`, whose place is kept until the service has answered.
    Delete { id: SessionId, place: Option<Place>, tries: u8 },
    /// A job's request.
    Fetch(Fetch),
    /// `GET /sessions`.
    List,
}

impl Errand {
    pub(super) const fn is_delete(&self) -> bool {
        matches!(self, Self::Delete { .. })
    }
}

/// A job's request under way.
#[derive(Debug)]
pub(super) struct Fetch {
    /// [`NONE`] if nobody waits for it.
    pub(super) job: u32,
    pub(super) id: JobId,
    pub(super) usage: Option<Use>,
    /// The session that it goes through; also one that it makes, if the caller makes the ids.
    pub(super) session: Option<SessionId>,
    /// The place of the session that it makes.
    pub(super) place: Option<Place>,
    /// Whether that was lost with the answer, and was for a name.
    pub(super) lost: Option<bool>,
    pub(super) line: Option<(u32, u64)>,
    pub(super) delay: core::time::Duration,
    pub(super) sent: Timestamp,
}

/// Through what a request goes.
pub(super) enum Way {
    New(Place),
    Outside,
    Session(Use),
}

impl ProxyEngine {
    /// Sends a job's request; `None` if it turns out that it cannot be sent, so that the job ended.
    pub(super) fn send_fetch(&mut self, index: u32, way: Way, now: Timestamp) -> Option<ProxySend> {
        let (usage, place, session, announced) = match way {
            Way::Outside => (None, None, None, core::time::Duration::ZERO),
            Way::New(place) => {
                let own = !self.api.dialect().has_session_calls();
                let id = own.then(|| zyte_api::session_id(&mut self.rng));
                (None, Some(place), id, core::time::Duration::ZERO)
            }
            Way::Session(usage) => {
                let id = self.pool.id(usage.session()).and_then(|id| SessionId::new(id).ok());
                (Some(usage), None, id, self.pool.announced(usage.session()))
            }
        };
        let proxied = match self.proxied(index, session.as_ref(), place.is_some()) {
            Ok(proxied) => proxied,
            Err(error) => {
                if let Some(usage) = usage {
                    self.pool.finish(usage, Ending::NotSent, now);
                }
                if let Some(place) = place {
                    self.pool.cancel(place);
                }
                self.end(index, Err(ProxyJobError::Request(error)), now);
                self.wake_starved();
                return None;
            }
        };
        let delay = self.config.delay_of(self.jobs.domain(index));
        let job = self.jobs.get(index)?;
        let line = match job.inner.seat {
            Seat::Line { index, .. } => self.lines.get(index).map(|line| (index, line.serial)),
            Seat::Outside | Seat::Pool => None,
        };
        let session_name = line.and_then(|(index, _)| self.lines.get(index));
        let session_name = session_name.filter(|line| !line.borrowed);
        let session_name = session_name.map(|line| alloc::string::String::from(&*line.name));
        let id = job.id;
        let fetch = Fetch {
            job: index,
            id,
            usage,
            session: session.clone(),
            place,
            lost: None,
            line,
            delay,
            sent: now,
        };
        let deadline = now + self.config.deadline + announced;
        let (request, flight) = self.flights.begin(Errand::Fetch(fetch), deadline, now);
        self.jobs.take(index, flight, now);
        self.counters.requests += 1;
        let tries = self.jobs.get(index).map_or(1, |job| job.attempts);
        self.counters.retries += u64::from(tries > 1);
        self.gate.set_probe(request);
        Some(ProxySend {
            id: request,
            kind: ProxySendKind::Fetch,
            proxy: Some(self.endpoint.clone()),
            connect: proxied.connect,
            request: proxied.request,
            warnings: proxied.warnings,
            deadline: Clock::tell(deadline),
            job: Some(id),
            session,
            session_name,
        })
    }

    fn proxied(
        &self,
        index: u32,
        session: Option<&SessionId>,
        create: bool,
    ) -> Result<ProxiedRequest, crate::proxy::InvalidProxiedRequest> {
        let target = self.jobs.get(index).map(|job| &job.inner.target);
        let own = target.and_then(|target| target.options());
        let mut options = match own {
            None => self.config.options.clone(),
            Some(own) => own.clone().with_defaults(&self.config.options)?,
        };
        if let Some(id) = session {
            options = options.with_session(id.clone())?;
        } else if create {
            options = options.with_session(Session::Create)?;
        }
        let empty = || crate::http::Request::new(crate::http::Method::GET, "");
        self.api.request(target.map_or_else(empty, super::Target::request), &options)
    }

    /// Takes the job and what it held out of a request whose answer nobody waits for.
    pub(super) fn ground(&mut self, flight: u32, ending: Ending, now: Timestamp) -> u32 {
        let Some(Flight { inner: Errand::Fetch(fetch), .. }) = self.flights.get_mut(flight) else {
            return NONE;
        };
        let index = core::mem::replace(&mut fetch.job, NONE);
        let (usage, line) = (fetch.usage, fetch.line);
        let place = fetch.place.take();
        let made = fetch.session.clone().filter(|_| usage.is_none());
        fetch.lost = place.as_ref().filter(|_| made.is_none()).map(Place::is_named);
        let (sent, delay) = (fetch.sent, fetch.delay);
        self.counters.possibly_billed += 1;
        if let Some(job) = self.jobs.get_mut(index) {
            job.cost.possibly_billed += 1;
        }
        if let Some(usage) = usage {
            self.finish(usage, ending, line, now);
        }
        if let Some(place) = place {
            self.lose_made(place, made, line, sent, delay, now);
            // Lines that wait for a place know when this one comes back.
            self.wake_starved();
        }
        index
    }

    /// Sees to the session that a request may have made whose answer is lost: one whose id is known
    /// can be used, of another the place is kept.
    pub(super) fn lose_made(
        &mut self,
        place: Place,
        made: Option<SessionId>,
        line: Option<(u32, u64)>,
        sent: Timestamp,
        delay: core::time::Duration,
        now: Timestamp,
    ) {
        let Some(id) = made else { return self.pool.lose(place, now) };
        let first = FirstUse { sent: sent.min(now), delay };
        let key = self.pool.add(place, id.as_str(), None, Some(first), now);
        self.counters.sessions_created += 1;
        self.name_session(line, key, id, now);
    }

    /// Ends a use of a session; a retired one is deleted at the service.
    pub(super) fn finish(
        &mut self,
        usage: Use,
        ending: Ending,
        line: Option<(u32, u64)>,
        now: Timestamp,
    ) {
        let key = usage.session();
        let id = self.pool.id(key).and_then(|id| SessionId::new(id).ok());
        let retired = self.pool.finish(usage, ending, now);
        if let Some(id) = id
            && retired
        {
            let cause = match ending {
                Ending::Banned => SessionLoss::Banned,
                Ending::TimedOut => SessionLoss::TimedOut,
                _ => SessionLoss::Gone,
            };
            self.lose_line(line, cause);
            if cause == SessionLoss::Gone {
                self.counters.sessions_gone += 1;
                self.calls.forget(&id);
            } else {
                self.counters.sessions_retired += 1;
                self.delete(id, now);
            }
        }
        self.wake_starved();
    }

    /// Tells that the session of a line is lost.
    pub(super) fn lose_line(&mut self, line: Option<(u32, u64)>, cause: SessionLoss) {
        let Some((index, serial)) = line else { return };
        let Some(line) = self.lines.same(index, serial) else { return };
        if line.session.is_none() {
            return;
        }
        if line.borrowed {
            // Its jobs go through any other.
            self.lines.take_session(index);
            return;
        }
        line.lost = true;
        let name = line.name.clone();
        if let Some((_, session)) = self.lines.take_session(index) {
            self.tell(super::ProxyEvent::SessionLost { name, session, cause });
        }
    }

    /// Looks again at the line that has waited longest for a session or a place.
    pub(super) fn wake_starved(&mut self) {
        while let Some(index) = self.lines.next_starved() {
            if self.wake_line(index) {
                return;
            }
        }
    }

    /// Gives the first job of a line its turn; false if it does not wait for one.
    pub(super) fn wake_line(&mut self, index: u32) -> bool {
        let Some(head) = self.lines.get(index).map(super::lines::Line::head) else { return false };
        let waits = self.jobs.get(head).is_some_and(|job| job.stage == super::Stage::Held);
        if waits {
            self.take_turn(head);
        }
        waits
    }

    /// Gives a request up, whose job has been seen to: its answer may still come late.
    pub(super) fn give_up(&mut self, flight: u32, now: Timestamp) {
        let Some(Flight { id, inner, .. }) = self.flights.end(flight) else { return };
        self.gate.lost(id, &self.config.policy, now, &mut self.rng);
        self.flights.remember(id, inner);
        self.outbox.push_back(ProxyOutput::Abort(id));
    }

    /// Gives up a request at its deadline: its job is tried again.
    pub(super) fn pass_deadline(&mut self, flight: u32, now: Timestamp) {
        self.counters.timed_out += 1;
        let index = self.ground(flight, Ending::TimedOut, now);
        if index == NONE {
            self.lose_call(flight, Failure::Timeout, now);
        } else {
            let verdict = classify::failure(Failure::Timeout);
            let error = ProxyJobError::Failed(Failure::Timeout);
            self.come_back(index, Return { verdict, error, limit: None }, now);
        }
        self.give_up(flight, now);
    }

    /// Aborts what is under way at the end of the grace.
    pub(super) fn end_grace(&mut self, flight: u32, now: Timestamp) {
        let index = self.ground(flight, Ending::Broken, now);
        if index == NONE {
            self.lose_call(flight, Failure::Network, now);
        } else {
            self.end(index, Err(ProxyJobError::Closed), now);
        }
        self.give_up(flight, now);
    }
}
