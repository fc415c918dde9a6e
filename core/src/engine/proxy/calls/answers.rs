//! What came of calls.

use core::mem;

use super::{
    super::{super::Failure, Errand, Place, ProxyEngine, RequestId},
    Deletion, TRIES,
};
use crate::{
    Timestamp,
    engine::classify,
    http::Response,
    proxy::{ProxyAction, ProxyServiceError, SessionCallFailed, SessionId},
    schedule::{FailureClass, SessionKey, Verdict},
};

impl ProxyEngine {
    fn end_call(&mut self, errand: &Errand) {
        self.calls.under_way = self.calls.under_way.saturating_sub(1);
        if matches!(errand, Errand::Create { .. }) {
            self.calls.creating = self.calls.creating.saturating_sub(1);
        }
    }

    /// Takes the answer to a call.
    pub(in super::super) fn take_call_answer(
        &mut self,
        id: RequestId,
        errand: Errand,
        response: &Response,
        now: Timestamp,
    ) {
        self.end_call(&errand);
        let Response { status, headers, body, .. } = response;
        match errand {
            Errand::Create { place, line, warm, .. } => {
                let answer = self.api.read_created_session(*status, headers, body);
                if let Some(place) = place {
                    self.take_created(id, place, line, warm, answer, now);
                }
            }
            Errand::Delete { id: session, place, tries } => {
                let answer = self.api.read_deleted_session(*status, headers, body);
                if let Err(SessionCallFailed::Service(error)) = answer {
                    let unknown = error.action() == ProxyAction::DropSession;
                    let verdict = self.heed(id, &error, now);
                    let again = matches!(verdict, Verdict::Pause(..) | Verdict::Retry(..));
                    // In a storm, the end does not wait for the last session.
                    self.calls.unanswered = if again && !unknown && self.gate.is_closing() {
                        self.calls.unanswered.saturating_add(1)
                    } else {
                        0
                    };
                    if unknown {
                        self.free_place(place);
                    } else if again {
                        self.delete_again(session, place, tries, now);
                    } else {
                        self.lose_place(place, now);
                    }
                } else {
                    self.calls.unanswered = 0;
                    self.gate.answered(id);
                    self.counters.sessions_deleted += 1;
                    self.free_place(place);
                }
            }
            Errand::List => match self.api.read_session_list(*status, headers, body) {
                Ok(list) => {
                    self.gate.answered(id);
                    self.adopt(list.sessions, now);
                }
                Err(SessionCallFailed::Service(error)) => {
                    let verdict = self.heed(id, &error, now);
                    // Whole pauses do not count: nobody can tell before they are over.
                    let paused = matches!(verdict, Verdict::Pause(..));
                    self.list_again(paused, error.retry_after, now);
                }
                Err(_) => {
                    self.gate.answered(id);
                    self.list_again(false, None, now);
                }
            },
            Errand::Fetch(_) => {}
        }
        self.wake_starved();
    }

    fn take_created(
        &mut self,
        id: RequestId,
        place: Place,
        line: Option<(u32, u64)>,
        warm: bool,
        answer: Result<SessionId, SessionCallFailed>,
        now: Timestamp,
    ) {
        match answer {
            Ok(session) => {
                self.gate.answered(id);
                self.calls.fruitless = 0;
                self.creation_succeeded();
                let key = self.pool.add(place, session.as_str(), None, None, now);
                self.name_session(line, key, session, now);
            }
            Err(SessionCallFailed::Service(error)) => {
                self.pool.cancel(place);
                let verdict = self.heed(id, &error, now);
                if error.action() == ProxyAction::FreeSession {
                    self.meet_session_limit(error.retry_after, now);
                } else {
                    if !matches!(verdict, Verdict::Pause(..)) {
                        self.hold_creation(FailureClass::Server, error.retry_after, now);
                    }
                    self.warm_again(warm);
                }
            }
            Err(_) => {
                // A session may have been made whose id cannot be read.
                self.gate.answered(id);
                self.pool.lose(place, now);
                self.hold_creation(FailureClass::Server, None, now);
            }
        }
        self.end_line_creation(line);
    }

    /// Gives a session that was made for a line to it.
    pub(in super::super) fn name_session(
        &mut self,
        line: Option<(u32, u64)>,
        key: SessionKey,
        session: SessionId,
        now: Timestamp,
    ) {
        let Some((index, serial)) = line else { return };
        match self.lines.same(index, serial).map(|line| line.pool_name()) {
            Some(name) if self.pool.set_name(key, &name) => {
                self.lines.set_session(index, key, session);
            }
            _ => {
                self.pool.remove(key);
                self.delete(session, now);
            }
        }
    }

    fn end_line_creation(&mut self, line: Option<(u32, u64)>) {
        let Some((index, serial)) = line else { return };
        let Some(record) = self.lines.same(index, serial) else { return };
        record.creating = false;
        if record.jobs.is_empty() {
            let now = self.clock.latest();
            self.close_line(index, now);
        } else {
            self.wake_line(index);
        }
    }

    /// A session could not be made ahead: another try, unless all fail. Jobs make theirs anyway,
    /// and without any the machine is to come to rest.
    fn warm_again(&mut self, warm: bool) {
        if self.calls.are_fruitless() || self.gate.failures() >= u32::from(TRIES) {
            self.calls.warm = 0;
        } else {
            self.calls.warm += u32::from(warm);
        }
    }

    fn free_place(&mut self, place: Option<Place>) {
        if let Some(place) = place {
            self.pool.cancel(place);
        }
    }

    fn lose_place(&mut self, place: Option<Place>, now: Timestamp) {
        if let Some(place) = place {
            self.pool.lose(place, now);
        }
    }

    fn delete_again(&mut self, id: SessionId, place: Option<Place>, tries: u8, now: Timestamp) {
        let tries = tries + 1;
        if tries < TRIES {
            self.calls.deletions.push_back(Deletion { id, place, tries });
        } else {
            self.lose_place(place, now);
        }
    }

    /// Takes the failure of a call.
    pub(in super::super) fn take_call_failure(
        &mut self,
        id: RequestId,
        mut errand: Errand,
        failure: Failure,
        now: Timestamp,
    ) {
        self.gate.lost(id, &self.config.policy, now, &mut self.rng);
        self.lose_errand(&mut errand, failure, now);
        self.wake_starved();
    }

    /// Takes what a call under way held, because nobody waits for its answer any more.
    pub(in super::super) fn lose_call(&mut self, index: u32, failure: Failure, now: Timestamp) {
        let Some(flight) = self.flights.get_mut(index) else { return };
        let mut errand = mem::replace(&mut flight.inner, Errand::List);
        self.lose_errand(&mut errand, failure, now);
        if let Some(flight) = self.flights.get_mut(index) {
            flight.inner = errand;
        }
        self.wake_starved();
    }

    fn lose_errand(&mut self, errand: &mut Errand, failure: Failure, now: Timestamp) {
        if matches!(errand, Errand::Fetch(_)) {
            return;
        }
        self.end_call(errand);
        match errand {
            Errand::Create { place, line, warm, .. } => {
                let place = place.take();
                if failure == Failure::NotSent {
                    self.free_place(place);
                } else {
                    self.lose_place(place, now);
                }
                self.hold_creation(FailureClass::Network, None, now);
                self.warm_again(*warm && failure == Failure::NotSent);
                let line = *line;
                self.end_line_creation(line);
            }
            Errand::Delete { id, place, tries } => {
                let (id, place, tries) = (id.clone(), place.take(), *tries);
                self.calls.unanswered = self.calls.unanswered.saturating_add(1);
                self.delete_again(id, place, tries, now);
            }
            Errand::List => self.list_again(false, None, now),
            Errand::Fetch(_) => {}
        }
    }

    /// The late answer to a call: a session that was made after all fills the place kept for it.
    pub(in super::super) fn settle_call(
        &mut self,
        errand: &Errand,
        response: &Response,
        now: Timestamp,
    ) {
        let Errand::Create { named, .. } = errand else { return };
        let Response { status, headers, body, .. } = response;
        match self.api.read_created_session(*status, headers, body) {
            Ok(session) => {
                if let Some(place) = self.pool.find_lost(*named) {
                    self.pool.cancel(place);
                }
                self.add_late(session, None, None, now);
            }
            Err(SessionCallFailed::Service(_)) => {
                if let Some(place) = self.pool.find_lost(*named) {
                    self.pool.cancel(place);
                }
            }
            Err(_) => {}
        }
    }

    /// What an error of the service means for the whole machine: the verdict for whoever asked.
    pub(in super::super) fn heed(
        &mut self,
        id: RequestId,
        error: &ProxyServiceError,
        now: Timestamp,
    ) -> Verdict {
        let verdict = classify::proxy_error(error);
        self.heed_verdict(id, verdict, error, now)
    }
}
