//! Sessions of an earlier process: taken over once the service lists them.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::time::Duration;

use super::{ProxyEngine, ProxyEvent, SessionLoss, calls::TRIES};
use crate::{
    Timestamp,
    engine::classify,
    proxy::{OutgoingAddress, SessionId},
    schedule::{FailureClass, SavedSession},
};

/// Sessions of an earlier process, until the service has listed them.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) known: BTreeMap<Box<str>, SavedSession>,
    /// Those to be deleted: the list may still hold them.
    pub(super) doomed: BTreeSet<SessionId>,
    pub(super) elapsed: Duration,
    /// When this process began.
    pub(super) since: Timestamp,
    pub(super) under_way: bool,
    pub(super) tries: u8,
    pub(super) not_before: Option<Timestamp>,
}

impl ProxyEngine {
    pub(super) fn list_again(&mut self, paused: bool, asked: Option<Duration>, now: Timestamp) {
        let wait = self.config.policy.rule(FailureClass::Server).wait.after(1, &mut self.rng);
        let Some(listing) = &mut self.calls.listing else { return };
        listing.under_way = false;
        listing.tries -= u8::from(paused);
        listing.not_before = Some(now + wait.max(classify::believed(asked).unwrap_or_default()));
        if listing.tries >= TRIES {
            // Nobody knows which of them live: their places are kept until none can.
            if let Some(Listing { known, .. }) = self.calls.listing.take() {
                for session in known.into_values() {
                    if let Some(place) = self.pool.reserve(false, now) {
                        self.pool.lose(place, now);
                    }
                    self.lose_saved(&session);
                }
            }
            self.wake_lines();
        }
    }

    /// Takes the sessions of an earlier process where nobody can list them: all that have not
    /// expired, if it is known how long ago that process ended, else none.
    pub(super) fn adopt_unlisted(&mut self, is_known: bool, now: Timestamp) {
        let ids = self.calls.listing.iter().flat_map(|listing| listing.known.keys());
        let ids = ids.filter(|_| is_known).filter_map(|id| SessionId::new(id.clone()).ok());
        let listed = ids.map(|id| (id, None)).collect();
        self.adopt(listed, now);
    }

    /// Takes the sessions that live from an earlier process.
    pub(super) fn adopt(
        &mut self,
        listed: Vec<(SessionId, Option<OutgoingAddress>)>,
        now: Timestamp,
    ) {
        let listing = self.calls.listing.take();
        let Some(Listing { mut known, doomed, elapsed, since, .. }) = listing else { return };
        let elapsed = elapsed + now.since(since);
        let ready = now + self.config.delay;
        for (id, address) in listed.into_iter().filter(|(id, _)| !doomed.contains(id)) {
            let address = address.map(|address| address.host());
            let key = if let Some(mut saved) = known.remove(id.as_str()) {
                if let Some(address) = &address {
                    saved.address = Some(address.as_str().into());
                }
                let name = saved.name.clone();
                let delay = self.config.delay;
                let Some(key) = self.pool.take_back(&saved, elapsed, delay, now) else { continue };
                if let Some(line) = name.and_then(|name| self.lines.of_pool_name(&name)) {
                    self.lines.set_session(line, key, id);
                }
                key
            } else if self.config.adopt_all && self.pool.has_room() {
                self.calls.foreign.insert(id.clone());
                self.pool.adopt(id.as_str(), address.as_deref(), self.config.delay, now)
            } else {
                continue;
            };
            // As if used at this moment.
            self.pool.not_before(key, ready);
            self.counters.sessions_adopted += 1;
        }
        for saved in known.values() {
            self.counters.sessions_gone += 1;
            self.lose_saved(saved);
        }
        self.wake_lines();
    }

    /// A session of an earlier process does not live any more: tells whose it was.
    fn lose_saved(&mut self, saved: &SavedSession) {
        let line = saved.name.as_ref().and_then(|name| self.lines.of_pool_name(name));
        let Some(record) = line.and_then(|line| self.lines.get_mut(line)) else { return };
        record.lost = true;
        let name = record.name.clone();
        if let Ok(session) = SessionId::new(saved.id.clone()) {
            let cause = SessionLoss::Gone;
            self.tell(ProxyEvent::SessionLost { name, session, cause });
        }
    }

    fn wake_lines(&mut self) {
        let lines: Vec<u32> = self.lines.table.iter().map(|(index, _)| index).collect();
        let now = self.clock.latest();
        for line in lines {
            self.wake_line(line);
            self.close_line(line, now);
        }
    }
}
