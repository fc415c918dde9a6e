//! The calls of the sessions API: when sessions are made ahead, deleted and listed.

mod answers;

use alloc::{
    boxed::Box,
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};
use core::time::Duration;

use super::{Errand, Place, ProxyConfig, ProxyEngine, ProxySend, ProxySendKind, adoption::Listing};
use crate::{
    Timestamp,
    engine::{classify, clock::Clock},
    http::{Method, Request},
    proxy::SessionId,
    schedule::FailureClass,
};

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a call is tried.
pub(super) const TRIES: u8 = 3;

/// A session to be deleted; the place that it still takes at the service.
#[derive(Debug)]
struct Deletion {
    id: SessionId,
    place: Option<Place>,
    tries: u8,
}

/// What is to be called, and when.
#[derive(Debug)]
pub(super) struct Calls {
    deletions: VecDeque<Deletion>,
    under_way: u32,
    creating: u32,
    /// Sessions to be made ahead.
    pub(super) warm: u32,
    /// No session is made before.
    pub(super) not_before: Option<Timestamp>,
    pub(super) failures: u32,
    /// Waits in a row before a call that makes a session, without a call that made one.
    fruitless: u8,
    /// The service has no room for more sessions.
    pub(super) crowded: bool,
    pub(super) listing: Option<Listing>,
    /// Sessions that somebody else made.
    pub(super) foreign: BTreeSet<SessionId>,
    collected: bool,
    /// Deletions in a row that had no answer.
    unanswered: u8,
}

impl Calls {
    pub(super) const fn new(warm: u32) -> Self {
        Self {
            deletions: VecDeque::new(),
            under_way: 0,
            creating: 0,
            warm,
            not_before: None,
            failures: 0,
            fruitless: 0,
            crowded: false,
            listing: None,
            foreign: BTreeSet::new(),
            collected: false,
            unanswered: 0,
        }
    }

    pub(super) const fn is_listing(&self) -> bool {
        self.listing.is_some()
    }

    /// Whether one more session may be made ahead for `waiting` jobs.
    pub(super) const fn may_create(&self, config: &ProxyConfig, waiting: u32) -> bool {
        self.under_way < config.call_concurrency && self.creating < waiting
    }

    /// When a call comes that has to wait.
    pub(super) fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let at = match &self.listing {
            Some(listing) if listing.under_way => None,
            Some(listing) => listing.not_before,
            None => self.not_before.filter(|_| self.warm > 0),
        };
        at.filter(|at| *at > now)
    }

    /// Whether calls make no sessions, however often tried: other ways have to do.
    pub(super) const fn are_fruitless(&self) -> bool {
        self.fruitless >= TRIES
    }

    /// Sessions may be deleted again, whatever became of earlier tries.
    pub(super) fn forgive(&mut self) {
        self.unanswered = 0;
    }

    /// Lets sessions be made again.
    pub(super) fn allow(&mut self, now: Timestamp) {
        self.fruitless = 0;
        if self.not_before.is_some_and(|at| at > now) {
            self.not_before = Some(now);
        }
    }

    pub(super) fn forget(&mut self, id: &SessionId) {
        self.foreign.remove(id);
    }

    /// The sessions to be deleted, for a snapshot.
    pub(super) fn doomed(&self) -> impl Iterator<Item = &SessionId> {
        self.deletions.iter().map(|deletion| &deletion.id)
    }

    pub(super) fn doom(&mut self, id: SessionId) {
        self.deletions.push_back(Deletion { id, place: None, tries: 0 });
    }
}

impl ProxyEngine {
    pub(super) fn calls_pending(&self) -> bool {
        self.calls.warm > 0 || self.calls.is_listing() || !self.calls.deletions.is_empty()
    }

    /// A place for a new session; else when one may be had, if that can be told.
    pub(super) fn place(
        &mut self,
        named: bool,
        now: Timestamp,
    ) -> Result<Place, Option<Timestamp>> {
        if let Some(at) = self.calls.not_before {
            if at > now {
                return Err(Some(at));
            }
            self.calls.not_before = None;
            if core::mem::take(&mut self.calls.crowded) {
                self.pool.grow(1);
            }
        }
        self.pool.reserve(named, now).ok_or_else(|| self.pool.next_place())
    }

    /// Makes no session for a while.
    pub(super) fn hold_creation(
        &mut self,
        class: FailureClass,
        asked: Option<Duration>,
        now: Timestamp,
    ) {
        if self.calls.not_before.is_none_or(|at| at <= now) && class != FailureClass::Throttled {
            self.calls.fruitless = self.calls.fruitless.saturating_add(1);
        }
        self.calls.failures = self.calls.failures.saturating_add(1);
        let rule = self.config.policy.rule(class);
        let wait = rule.wait.after(self.calls.failures, &mut self.rng);
        let at = now + wait.max(classify::believed(asked).unwrap_or_default());
        self.calls.not_before = Some(self.calls.not_before.map_or(at, |known| known.max(at)));
    }

    /// The service has no room for a further session.
    pub(super) fn meet_session_limit(&mut self, asked: Option<Duration>, now: Timestamp) {
        self.counters.session_limits += 1;
        self.pool.shrink();
        if !self.calls.crowded {
            self.hold_creation(FailureClass::Throttled, asked, now);
        }
        self.calls.crowded = true;
    }

    /// A session was made.
    pub(super) fn creation_succeeded(&mut self) {
        self.counters.sessions_created += 1;
        self.calls.failures = 0;
        if self.calls.not_before.is_none() {
            self.pool.grow(1);
        }
    }

    /// Deletes a session that the pool has dropped. Its place is kept until that is done.
    pub(super) fn delete(&mut self, id: SessionId, now: Timestamp) {
        if self.calls.foreign.remove(&id) || !self.api.dialect().has_session_calls() {
            return;
        }
        if let Some(listing) = &mut self.calls.listing {
            listing.doomed.insert(id.clone());
        }
        let place = self.pool.reserve(false, now);
        self.calls.deletions.push_back(Deletion { id, place, tries: 0 });
    }

    /// A call that does not wait for a job.
    pub(super) fn next_call(&mut self, now: Timestamp) -> Option<ProxySend> {
        if self.calls.under_way >= self.config.call_concurrency {
            return None;
        }
        if let Some(listing) = &mut self.calls.listing
            && !listing.under_way
            && listing.not_before.is_none_or(|at| at <= now)
        {
            listing.under_way = true;
            listing.tries += 1;
            let request = self.api.call(Method::GET, None);
            return Some(self.send_call(Errand::List, request, now));
        }
        if let Some(send) = self.next_delete(now) {
            return Some(send);
        }
        if self.calls.warm > 0 && !self.calls.is_listing() {
            match self.place(false, now) {
                Ok(place) => {
                    self.calls.warm -= 1;
                    return Some(self.send_create(place, None, true, now));
                }
                // Full: whatever made it so, there is nothing left to make.
                Err(_) if self.calls.not_before.is_none() => self.calls.warm = 0,
                Err(_) => {}
            }
        }
        None
    }

    /// The next session to delete, while that has not turned out to be in vain.
    pub(super) fn next_last_delete(&mut self, now: Timestamp) -> Option<ProxySend> {
        if self.gate.is_stopped() || self.calls.unanswered >= TRIES {
            self.calls.deletions.clear();
        }
        self.next_delete(now)
    }

    fn next_delete(&mut self, now: Timestamp) -> Option<ProxySend> {
        if self.calls.under_way >= self.config.call_concurrency {
            return None;
        }
        let Deletion { id, place, tries } = self.calls.deletions.pop_front()?;
        let request = self.api.call(Method::DELETE, Some(&id));
        Some(self.send_call(Errand::Delete { id, place, tries }, request, now))
    }

    pub(super) fn send_create(
        &mut self,
        place: Place,
        line: Option<(u32, u64)>,
        warm: bool,
        now: Timestamp,
    ) -> ProxySend {
        let named = place.is_named();
        let request = self.api.call(Method::POST, None);
        self.calls.creating += 1;
        self.send_call(Errand::Create { place: Some(place), line, named, warm }, request, now)
    }

    fn send_call(&mut self, errand: Errand, request: Request, now: Timestamp) -> ProxySend {
        let (kind, session) = match &errand {
            Errand::Delete { id, .. } => (ProxySendKind::DeleteSession, Some(id.clone())),
            Errand::List => (ProxySendKind::ListSessions, None),
            _ => (ProxySendKind::CreateSession, None),
        };
        let deadline = now + self.config.deadline.min(DEADLINE);
        let (id, _) = self.flights.begin(errand, deadline, now);
        self.gate.set_probe(id);
        self.calls.under_way += 1;
        self.counters.calls += 1;
        ProxySend {
            id,
            kind,
            proxy: None,
            connect: None,
            request,
            warnings: Vec::new(),
            deadline: Clock::tell(deadline),
            job: None,
            session,
            session_name: None,
        }
    }

    /// All sessions of this machine are to be deleted; false if that was said already.
    pub(super) fn collect_deletions(&mut self) -> bool {
        if self.gate.is_stopped() || self.calls.unanswered >= TRIES {
            self.calls.collected = true;
            return false;
        }
        if core::mem::replace(&mut self.calls.collected, true) || !self.config.delete_on_close {
            return false;
        }
        let listing = self.calls.listing.take().map(|listing| listing.known).unwrap_or_default();
        let ids: Vec<Box<str>> =
            self.pool.ids().map(Box::from).chain(listing.into_keys()).collect();
        for id in ids {
            if let Some(key) = self.pool.find(&id) {
                self.pool.remove(key);
            }
            if let Ok(id) = SessionId::new(id)
                && !self.calls.foreign.contains(&id)
            {
                self.calls.doom(id);
            }
        }
        true
    }
}
