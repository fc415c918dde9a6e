//! What answers and failures mean for the jobs and sessions that waited for them.

use alloc::boxed::Box;
use core::time::Duration;

use super::{
    super::{Failure, classify, gate::Reaction},
    Ending, Errand, FORBIDDEN, Flight, Found, ProxyEngine, ProxyEvent, ProxyFetched, ProxyJobError,
    ProxyReply, Receipt, RequestId, UnknownRequest,
    send::Fetch,
};
use crate::{
    Timestamp,
    http::Response,
    proxy::{OptionPlace, ProxyAction, ProxyAnswer, ProxyErrorKind, ProxyServiceError, SessionId},
    schedule::{FailureClass, FirstUse, SessionKey, Verdict},
};

/// From here on the service refuses what is too fast ("hard limit: at 1000 s, 503 with
/// Retry-After"), so that such a word is about the session, not about the service.
const HARD_LIMIT: Duration = Duration::from_secs(1_000);

/// How often a job may go on through another session without using up a retry.
const FREE_RETRIES: u8 = 20;

/// A job that comes back without an answer of its target.
pub(super) struct Return {
    pub(super) verdict: Verdict,
    pub(super) error: ProxyJobError,
    /// How often at most to try again, where the error itself limits that.
    pub(super) limit: Option<u32>,
}

impl ProxyEngine {
    /// Takes the answer of a request, when its body has been read: its session is free again.
    pub fn handle_response(
        &mut self,
        request: RequestId,
        reply: impl Into<ProxyReply>,
        now: Timestamp,
    ) -> Result<Receipt, UnknownRequest> {
        let now = self.clock.see(now);
        let reply = reply.into();
        match self.flights.find(request)? {
            Found::Late => {
                if let Some(errand) = self.flights.take_late(request) {
                    self.answered_late(request);
                    self.counters.late += 1;
                    match errand {
                        Errand::Fetch(fetch) => self.settle_fetch(&fetch, &reply, now),
                        errand => self.settle_call(&errand, &reply.response, now),
                    }
                }
                Ok(Receipt::Late)
            }
            Found::Open(flight) => {
                if let Some(Flight { id, inner, .. }) = self.flights.end(flight) {
                    match inner {
                        Errand::Fetch(fetch) => self.take_answer(id, fetch, reply, now),
                        errand => self.take_call_answer(id, errand, &reply.response, now),
                    }
                }
                Ok(Receipt::Accepted)
            }
        }
    }

    /// Takes the failure of a request: there will be no answer.
    pub fn handle_failure(
        &mut self,
        request: RequestId,
        failure: Failure,
        now: Timestamp,
    ) -> Result<Receipt, UnknownRequest> {
        let now = self.clock.see(now);
        let flight = match self.flights.find(request)? {
            Found::Late => {
                if let Some(errand) = self.flights.take_late(request) {
                    self.answered_late(request);
                    if let Errand::Fetch(fetch) = &errand
                        && failure == Failure::NotSent
                    {
                        self.settle_cost(fetch, false);
                        self.return_lost(fetch);
                    }
                }
                return Ok(Receipt::Late);
            }
            Found::Open(flight) => flight,
        };
        let Some(Flight { id, inner, .. }) = self.flights.end(flight) else {
            return Ok(Receipt::Accepted);
        };
        match inner {
            Errand::Fetch(fetch) => self.take_failure(id, fetch, failure, now),
            errand => self.take_call_failure(id, errand, failure, now),
        }
        Ok(Receipt::Accepted)
    }

    /// An abort that is still to come out is not needed any more.
    fn answered_late(&mut self, request: RequestId) {
        if !self.outbox.is_empty() {
            self.answered.insert(request.0);
        }
    }

    fn take_failure(&mut self, id: RequestId, fetch: Fetch, failure: Failure, now: Timestamp) {
        self.gate.lost(id, &self.config.policy, now, &mut self.rng);
        let sent = failure != Failure::NotSent;
        self.counters.possibly_billed += u64::from(sent);
        if let Some(job) = self.jobs.get_mut(fetch.job) {
            if sent {
                job.cost.possibly_billed += 1;
            } else {
                job.attempts -= 1;
            }
        }
        let ending = match failure {
            Failure::Network => Ending::Broken,
            Failure::NotSent => Ending::NotSent,
            Failure::Timeout => Ending::TimedOut,
        };
        if let Some(usage) = fetch.usage {
            self.finish(usage, ending, fetch.line, now);
        }
        if let Some(place) = fetch.place {
            if sent {
                self.lose_made(place, fetch.session, fetch.line, fetch.sent, fetch.delay, now);
            } else {
                self.pool.cancel(place);
            }
            self.wake_starved();
        }
        let error = ProxyJobError::Failed(failure);
        let verdict = classify::failure(failure);
        self.come_back(fetch.job, Return { verdict, error, limit: None }, now);
    }

    /// What an answer says, and the error in it as far as it can be made out.
    fn read(&self, reply: &ProxyReply, in_session: bool) -> ProxyAnswer {
        let Response { status, headers, body, .. } = &reply.response;
        let mut answer = self.api.read(*status, headers, body);
        if reply.connect && answer.error.is_none() {
            answer.error = self.api.read_connect(*status, headers, body);
            // "If the options were on the CONNECT, a 400 most often means a dead session."
            if let Some(error) = &mut answer.error
                && error.kind == ProxyErrorKind::Unknown
                && error.status == 400
                && in_session
                && self.api.option_place() == OptionPlace::Connect
            {
                error.kind = ProxyErrorKind::BadSessionId;
            }
        }
        answer
    }

    fn take_answer(&mut self, id: RequestId, fetch: Fetch, reply: ProxyReply, now: Timestamp) {
        let answer = self.read(&reply, fetch.usage.is_some());
        let (index, first) = (fetch.job, fetch.place.is_some());
        let used = fetch.usage.is_some();
        let banned = reply.banned && answer.error.is_none();
        let session = fetch.session.clone().or_else(|| answer.session.clone());
        self.take_session_facts(fetch, &answer, banned, now);
        match &answer.error {
            None => self.counters.billed += 1,
            Some(_) => self.counters.unbilled += 1,
        }
        if let Some(job) = self.jobs.get_mut(index) {
            job.cost.billed += u32::from(answer.error.is_none());
        }
        let Some(error) = answer.error else {
            self.gate.answered(id);
            self.window.rise();
            if banned {
                let verdict = Verdict::Retry(FailureClass::Ban, answer.retry_after);
                let error = ProxyJobError::Banned(Box::new(reply.response));
                self.come_back(index, Return { verdict, error, limit: None }, now);
            } else {
                let outgoing = answer.outgoing;
                let response = reply.response;
                let fetched = ProxyFetched { request: id, response, session, outgoing };
                self.end(index, Ok(fetched), now);
            }
            return;
        };
        // What an answer says of a session that the request neither used nor made is like any other
        // error: without a wait and a budget it might go on for ever.
        let free = match error.action() {
            ProxyAction::DropSession if error.kind == ProxyErrorKind::SessionCreationError => false,
            ProxyAction::DropSession => used,
            ProxyAction::FreeSession => first,
            _ => false,
        };
        self.take_error(id, index, error, free, now);
    }

    fn take_error(
        &mut self,
        id: RequestId,
        index: u32,
        error: ProxyServiceError,
        free: bool,
        now: Timestamp,
    ) {
        let action = error.action();
        let mut verdict = classify::proxy_error(&error);
        let hard = error.retry_after.is_some_and(|asked| asked >= HARD_LIMIT);
        if action == ProxyAction::BackOff && hard && self.gate_is_of_session(index) {
            // The session rests; the job may go through another one.
            verdict = Verdict::Retry(FailureClass::Server, None);
        }
        let verdict = self.heed_verdict(id, verdict, &error, now);
        if action == ProxyAction::FinalForDomain {
            if self.forbidden.len() >= FORBIDDEN {
                self.forbidden.pop_first();
            }
            let domain = Box::from(self.jobs.domain(index));
            self.forbidden.insert(domain, error.clone());
        }
        if free && action == ProxyAction::FreeSession {
            self.meet_session_limit(error.retry_after, now);
        }
        let unlimited = action == ProxyAction::FreeSession;
        if free
            && !self.gate.is_closing()
            && let Some(job) = self.jobs.get_mut(index)
            && (unlimited || job.inner.free < FREE_RETRIES)
        {
            job.inner.free = job.inner.free.saturating_add(1);
            self.jobs.queue(index, true);
            return;
        }
        if let Verdict::Retry(FailureClass::Occupied, asked) = verdict {
            let domain = Box::<str>::from(self.jobs.domain(index));
            self.jobs.queues.park(&domain, false, now + asked.unwrap_or_default());
        }
        let limit = (action == ProxyAction::RetryOnce).then_some(1);
        self.come_back(index, Return { verdict, error: ProxyJobError::Service(error), limit }, now);
    }

    /// Whether a job goes through a session.
    fn gate_is_of_session(&self, index: u32) -> bool {
        self.jobs.get(index).is_some_and(|job| job.inner.seat != super::Seat::Outside)
    }

    /// What an answer says of its session.
    fn take_session_facts(
        &mut self,
        fetch: Fetch,
        answer: &ProxyAnswer,
        banned: bool,
        now: Timestamp,
    ) {
        let action = answer.error.as_ref().map(ProxyServiceError::action);
        let banned = banned || answer.error.as_ref().is_some_and(ProxyServiceError::is_ban);
        self.counters.bans += u64::from(banned);
        let slower = slower(answer);
        self.counters.slowed += u64::from(slower.is_some());
        let address = answer.outgoing.as_ref().map(crate::proxy::OutgoingAddress::host);
        if let Some(usage) = fetch.usage {
            if let Some(address) = &address {
                self.pool.set_address(usage.session(), address);
            }
            let ending = match (action, slower) {
                (Some(ProxyAction::DropSession), _) => Ending::Gone,
                _ if banned => Ending::Banned,
                (_, Some(asked)) => Ending::Slower(Some(asked)),
                // No outgoing address: it did not get that far.
                (Some(_), None) if answer.outgoing.is_none() => Ending::Refused,
                _ => Ending::Answered,
            };
            self.finish(usage, ending, fetch.line, now);
            if let (Ending::Banned, Some(asked)) = (ending, slower) {
                self.pool.slow_down(usage.session(), Some(asked), now);
            }
        }
        let made = made(&fetch, answer);
        let Some(place) = fetch.place else { return };
        match made {
            Some(id) => {
                let sent = fetch.sent.min(now);
                let first = FirstUse { sent, delay: fetch.delay };
                self.creation_succeeded();
                let key = self.pool.add(place, id.as_str(), address.as_deref(), Some(first), now);
                if let Some(asked) = slower {
                    self.pool.slow_down(key, Some(asked), now);
                }
                self.name_session(fetch.line, key, id.clone(), now);
                if banned {
                    self.count_ban(key, id, fetch.line, now);
                }
            }
            // "An error answered to create carries no X-Crawlera-Session."
            None if answer.error.is_some() => self.pool.cancel(place),
            None => self.pool.lose(place, now),
        }
        self.wake_starved();
    }

    /// Counts a ban of a session that no request uses any more, or that its first one made.
    fn count_ban(
        &mut self,
        key: SessionKey,
        id: SessionId,
        line: Option<(u32, u64)>,
        now: Timestamp,
    ) {
        if self.pool.ban(key) {
            self.lose_line(line, super::SessionLoss::Banned);
            self.counters.sessions_retired += 1;
            self.delete(id, now);
        }
    }

    /// What a verdict means for the whole machine; the verdict for whoever asked.
    pub(super) fn heed_verdict(
        &mut self,
        id: RequestId,
        verdict: Verdict,
        error: &ProxyServiceError,
        now: Timestamp,
    ) -> Verdict {
        match verdict {
            Verdict::Pause(class, asked) => {
                self.counters.throttled += u64::from(class == FailureClass::Throttled);
                let known = self.gate.is_stopped();
                let policy = &self.config.policy;
                let reaction = self.gate.shut(id, class, asked, policy, now, &mut self.rng);
                if class == FailureClass::Account {
                    let over = error.action() == ProxyAction::StopAll;
                    if !known && (over || reaction == Reaction::Exhausted) {
                        self.gate.stop();
                        self.tell(ProxyEvent::Stopped(error.clone()));
                    }
                    return verdict;
                }
                if reaction == Reaction::Paused {
                    self.window.fall(self.flights.len() + 1);
                }
                if reaction == Reaction::Exhausted { Verdict::Final } else { verdict }
            }
            // Of what the service refuses for another reason, it is well.
            Verdict::Retry(FailureClass::Server, _)
                if matches!(
                    error.kind,
                    ProxyErrorKind::InternalError | ProxyErrorKind::Unknown
                ) =>
            {
                self.gate.lost(id, &self.config.policy, now, &mut self.rng);
                verdict
            }
            verdict => {
                self.gate.answered(id);
                verdict
            }
        }
    }

    /// Places a job again that comes back without an answer of its target, or ends it.
    pub(super) fn come_back(&mut self, index: u32, back: Return, now: Timestamp) {
        let Return { verdict, error, limit } = back;
        let (policy, rng) = (&self.config.policy, &mut self.rng);
        if self.gate.is_closing() || !self.jobs.come_back(index, verdict, limit, policy, now, rng) {
            self.end(index, Err(error), now);
        }
    }

    /// Counts what a late answer says of costs and of its session.
    fn settle_fetch(&mut self, fetch: &Fetch, reply: &ProxyReply, now: Timestamp) {
        let answer = self.read(reply, fetch.usage.is_some());
        self.settle_cost(fetch, answer.error.is_none());
        if answer.error.is_none() {
            self.counters.billed += 1;
        } else {
            self.counters.unbilled += 1;
        }
        let address = answer.outgoing.as_ref().map(crate::proxy::OutgoingAddress::host);
        if let Some(usage) = fetch.usage {
            let key = usage.session();
            let action = answer.error.as_ref().map(ProxyServiceError::action);
            if action == Some(ProxyAction::DropSession) {
                if self.pool.remove(key).is_some() {
                    self.counters.sessions_gone += 1;
                    self.lose_line(fetch.line, super::SessionLoss::Gone);
                }
                return;
            }
            if let Some(address) = &address {
                self.pool.set_address(key, address);
            }
            if let Some(asked) = slower(&answer) {
                self.counters.slowed += 1;
                self.pool.slow_down(key, Some(asked), now);
            }
            let told = answer.error.as_ref().is_some_and(ProxyServiceError::is_ban);
            if told || (reply.banned && answer.error.is_none()) {
                self.counters.bans += 1;
                if let Some(id) = fetch.session.clone() {
                    self.count_ban(key, id, fetch.line, now);
                }
            }
        }
        match made(fetch, &answer) {
            Some(id) if fetch.lost.is_some() => {
                self.return_lost(fetch);
                let first = FirstUse { sent: now, delay: fetch.delay };
                self.add_late(id, address.as_deref(), Some(first), now);
            }
            None if answer.error.is_some() => self.return_lost(fetch),
            _ => {}
        }
    }

    /// Takes a session in of which nobody knew that it was made.
    pub(super) fn add_late(
        &mut self,
        id: SessionId,
        address: Option<&str>,
        first: Option<FirstUse>,
        now: Timestamp,
    ) {
        self.counters.sessions_created += 1;
        let doomed = self.gate.is_closing() && self.config.delete_on_close;
        match if doomed { None } else { self.pool.reserve(false, now) } {
            Some(place) => {
                self.pool.add(place, id.as_str(), address, first, now);
            }
            None => self.delete(id, now),
        }
    }

    /// Gives back the place that was kept for a session whose creation was lost.
    fn return_lost(&mut self, fetch: &Fetch) {
        if let Some(place) = fetch.lost.and_then(|named| self.pool.find_lost(named)) {
            self.pool.cancel(place);
            self.wake_starved();
        }
    }

    /// A request that counted as possibly billed became known.
    fn settle_cost(&mut self, fetch: &Fetch, billed: bool) {
        self.counters.possibly_billed = self.counters.possibly_billed.saturating_sub(1);
        let index = self.jobs.find(fetch.id);
        if let Some(job) = index.and_then(|index| self.jobs.get_mut(index)) {
            job.cost.possibly_billed = job.cost.possibly_billed.saturating_sub(1);
            job.cost.billed += u32::from(billed);
        }
    }
}

/// The session that a request made: the service names it in its answer, unless the caller did.
fn made(fetch: &Fetch, answer: &ProxyAnswer) -> Option<SessionId> {
    if answer.session.is_some() {
        return answer.session.clone();
    }
    let lives = match answer.error.as_ref().map(ProxyServiceError::action) {
        None
        | Some(
            ProxyAction::Final
            | ProxyAction::FinalForDomain
            | ProxyAction::Retry
            | ProxyAction::RetryElsewhere
            | ProxyAction::RetryOnce,
        ) => true,
        Some(_) => false,
    };
    fetch.session.clone().filter(|_| lives && fetch.usage.is_none())
}

/// How long the session has to wait, if the answer says so.
fn slower(answer: &ProxyAnswer) -> Option<Duration> {
    let hard = answer
        .error
        .as_ref()
        .filter(|error| error.action() == ProxyAction::BackOff)
        .and_then(|error| error.retry_after)
        .filter(|asked| *asked >= HARD_LIMIT);
    answer.next_request_in.into_iter().chain(hard).max()
}
