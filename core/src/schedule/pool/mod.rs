//! Sessions: which one is ready first, which are worn out.

mod config;
mod handles;
mod names;
mod saved;
mod store;
#[cfg(test)]
mod tests;

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
};
use core::time::Duration;

pub use config::{InvalidPool, PoolConfig};
pub use handles::{Ending, FirstUse, Place, PoolStats, SessionKey, Unavailable, Use};
pub(crate) use saved::SavedSession;

use self::store::{Group, Session};
use super::{NONE, Pace, Slab, Timers, Turn};
use crate::Timestamp;

/// Housekeeping that one call may cost.
const STEPS: u32 = 1024;

/// From here on an answer through an address that nobody knew was slow because it was held back.
const HELD: Duration = Duration::from_secs(3);

/// Whether a first request may have been held back, because its address cooled from somebody
/// else's: then it counts from when it was let through, which only its answer limits.
fn was_held(turn: Turn, now: Timestamp) -> bool {
    now.since(turn.sent()) > HELD
}

/// A pool of sessions: pure scheduling, without any request of its own.
///
/// A session serves one request at a time and is ready again when its [`Pace`] says so; sessions
/// known to leave from one address share one pace. Choosing costs O(log n). Sessions past their
/// idle time are never handed out.
#[derive(Clone, Debug)]
pub struct SessionPool {
    config: PoolConfig,
    sessions: Slab<Session>,
    groups: Slab<Group>,
    ids: BTreeMap<Box<str>, u32>,
    names: BTreeMap<Box<str>, u32>,
    addresses: BTreeMap<Box<str>, u32>,
    /// Groups that have a free anonymous session, by when they are ready.
    ready: Timers,
    /// Free sessions, by when they are no longer used.
    expiry: Timers,
    /// Moments at which places of lost creations come back, and whether they were for names.
    lost: VecDeque<(Timestamp, bool)>,
    expired: VecDeque<Box<str>>,
    reserved: u32,
    named: u32,
    in_use: u32,
    limit: u32,
    serial: u64,
}

impl SessionPool {
    /// An empty pool.
    pub fn new(config: PoolConfig) -> Self {
        Self {
            limit: config.size,
            config,
            sessions: Slab::default(),
            groups: Slab::default(),
            ids: BTreeMap::new(),
            names: BTreeMap::new(),
            addresses: BTreeMap::new(),
            ready: Timers::default(),
            expiry: Timers::default(),
            lost: VecDeque::new(),
            expired: VecDeque::new(),
            reserved: 0,
            named: 0,
            in_use: 0,
            serial: 0,
        }
    }

    /// Reserves a place for a session to be created; `None` if the pool is full, or if it may hold
    /// no further named one.
    pub fn reserve(&mut self, named: bool, now: Timestamp) -> Option<Place> {
        while self.lost.front().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, true)) = self.lost.pop_front() {
                self.named -= 1;
            }
        }
        if self.taken() >= self.limit
            || (named && self.named >= self.config.named_limit(self.config.size))
        {
            return None;
        }
        self.reserved += 1;
        self.named += u32::from(named);
        Some(Place { named })
    }

    /// Fills a place with the session that the service made; `address` if it told one; `first` if
    /// the request that created the session went through it.
    ///
    /// A known id is the same session again: it keeps its state and the place is free.
    pub fn add(
        &mut self,
        place: Place,
        id: &str,
        address: Option<&str>,
        first: Option<FirstUse>,
        now: Timestamp,
    ) -> SessionKey {
        let named = place.named;
        self.cancel(place);
        if let Some(key) = self.find(id) {
            return key;
        }
        let sent = first.map_or(now, |first| first.sent);
        let key = self.insert(id, Pace::new(self.config.margin, now), sent);
        if let (Some(first), Some(group)) = (first, self.group_mut(key.index)) {
            let turn = group.pace.begin(first.delay, first.sent);
            if was_held(turn, now) {
                group.pace.timed_out(turn, now);
            } else {
                group.pace.answered(turn, now);
            }
            if let Some(session) = self.sessions.get_mut(key.index) {
                session.fresh = false;
            }
        }
        if let Some(address) = address {
            self.join(key.index, address);
        }
        if named {
            // Until it gets its name it serves nobody.
            self.count_named(key.index);
            self.expiry.set(key.index, self.config.expiry(sent, sent));
        } else {
            self.free(key.index);
        }
        key
    }

    /// Takes in a session that the service lists, as if used at this moment. Beyond the limit too:
    /// it exists.
    pub fn adopt(
        &mut self,
        id: &str,
        address: Option<&str>,
        delay: Duration,
        now: Timestamp,
    ) -> SessionKey {
        self.reserved += 1;
        let first = FirstUse { sent: now, delay };
        self.add(Place { named: false }, id, address, Some(first), now)
    }

    /// Gives back the place of a creation that failed.
    #[expect(clippy::needless_pass_by_value, reason = "a place is used up")]
    pub fn cancel(&mut self, place: Place) {
        self.reserved -= 1;
        self.named -= u32::from(place.named);
    }

    /// Keeps the place of a creation whose answer was lost until the service has forgotten the
    /// session that it may have made.
    #[expect(clippy::needless_pass_by_value, reason = "a place is used up")]
    pub fn lose(&mut self, place: Place, now: Timestamp) {
        self.reserved -= 1;
        self.lost.push_back((now + self.config.idle, place.named));
    }

    /// Takes back the place of a lost creation, because its answer came after all; `None` if none
    /// of that kind is kept.
    pub fn find_lost(&mut self, named: bool) -> Option<Place> {
        let index = self.lost.iter().rposition(|(_, lost)| *lost == named)?;
        self.lost.remove(index)?;
        self.reserved += 1;
        Some(Place { named })
    }

    /// When the first place of a lost creation comes back.
    pub fn next_place(&self) -> Option<Timestamp> {
        self.lost.front().map(|(until, _)| *until)
    }

    /// Whether an anonymous session can be had at `now`.
    pub fn ready_at(&self, now: Timestamp) -> Result<(), Unavailable> {
        match self.ready.first() {
            Some((at, _)) if at <= now => Ok(()),
            Some((at, _)) => Err(Unavailable::Until(at)),
            None if self.sessions.len() == 0 => Err(Unavailable::Empty),
            None => Err(Unavailable::Busy),
        }
    }

    /// Takes the anonymous session that has been ready longest, for a request to a domain that asks
    /// for `delay` afterwards.
    pub fn try_acquire(&mut self, delay: Duration, now: Timestamp) -> Result<Use, Unavailable> {
        for _ in 0..STEPS {
            self.ready_at(now)?;
            let group = self.ready.first().map_or(NONE, |(_, group)| group);
            let index = self.groups.get(group).map_or(NONE, |group| group.head);
            match self.expiry.at(index) {
                Some(expiry) if expiry <= now => self.expire_session(index),
                _ => return self.begin(index, delay, now).ok_or(Unavailable::Busy),
            }
        }
        Err(Unavailable::Until(now))
    }

    /// Takes a certain session, named or not.
    pub fn try_acquire_session(
        &mut self,
        key: SessionKey,
        delay: Duration,
        now: Timestamp,
    ) -> Result<Use, Unavailable> {
        let session = self.session(key).ok_or(Unavailable::Empty)?;
        if session.in_use {
            return Err(Unavailable::Busy);
        }
        if self.expiry.at(key.index).is_some_and(|expiry| expiry <= now) {
            self.expire_session(key.index);
            return Err(Unavailable::Empty);
        }
        let ready = self.groups.get(session.group).map_or(now, |group| group.pace.ready_at());
        if ready == Timestamp::MAX {
            return Err(Unavailable::Busy);
        }
        if ready > now {
            return Err(Unavailable::Until(ready));
        }
        self.begin(key.index, delay, now).ok_or(Unavailable::Busy)
    }

    /// The request left later than it was handed out.
    pub fn sent(&mut self, usage: &mut Use, now: Timestamp) {
        let index = usage.session.index;
        if self.session(usage.session).is_none() {
            return;
        }
        if let Some(group) = self.group_mut(index) {
            group.pace.sent(&mut usage.turn, now);
        }
        if let Some(session) = self.sessions.get_mut(index) {
            session.sent = usage.turn.sent();
        }
        self.settle(index);
    }

    /// Ends a use. `true` if the session is retired: gone, worn out by bans or time-outs.
    pub fn finish(&mut self, usage: Use, ending: Ending, now: Timestamp) -> bool {
        let index = usage.session.index;
        if self.session(usage.session).is_none() {
            return true;
        }
        let turn = usage.turn;
        let margin = self.config.margin.unwrap_or_default();
        let fresh = self.session(usage.session).is_some_and(|session| session.fresh);
        if let Some(group) = self.group_mut(index) {
            match ending {
                Ending::NotSent => group.pace.not_sent(turn),
                Ending::TimedOut => group.pace.timed_out(turn, now),
                Ending::Broken => group.pace.timed_out(turn, now.max(turn.sent() + margin)),
                _ if fresh && was_held(turn, now) => group.pace.timed_out(turn, now),
                Ending::Answered
                | Ending::Banned
                | Ending::Gone
                | Ending::Refused
                | Ending::Slower(_) => {
                    group.pace.answered(turn, now);
                }
            }
            match ending {
                Ending::Slower(asked) => group.pace.slow_down(asked, now),
                Ending::Answered => group.pace.recover(),
                _ => {}
            }
        }
        let announced = match ending {
            Ending::Slower(asked) => Some(asked.unwrap_or_default()),
            Ending::Answered => Some(Duration::ZERO),
            _ => None,
        };
        let (max_bans, max_timeouts) = (self.config.max_bans, self.config.max_timeouts);
        let Some(session) = self.sessions.get_mut(index) else { return true };
        session.in_use = false;
        session.announced = announced.unwrap_or(session.announced);
        session.fresh &=
            matches!(ending, Ending::Broken | Ending::NotSent | Ending::Refused | Ending::TimedOut);
        self.in_use -= 1;
        match ending {
            // What may not have gone through keeps no session alive.
            Ending::Broken | Ending::NotSent => session.sent = session.sent_before,
            Ending::Refused => {
                session.sent = session.sent_before;
                session.timeouts = 0;
            }
            Ending::TimedOut => {
                session.sent = session.sent_before;
                session.timeouts += 1;
            }
            Ending::Banned => {
                session.bans += 1;
                session.timeouts = 0;
            }
            Ending::Answered | Ending::Gone | Ending::Slower(_) => {
                session.timeouts = 0;
                if self.config.bans_in_a_row {
                    session.bans = 0;
                }
            }
        }
        let worn = ending == Ending::Gone
            || (ending == Ending::Banned && session.bans >= max_bans)
            || (ending == Ending::TimedOut && session.timeouts >= max_timeouts);
        if let Some(address) = session.address.take()
            && !worn
        {
            self.join(index, &address);
        }
        if worn {
            self.drop_session(index);
        } else {
            self.free(index);
        }
        worn
    }

    /// Counts a ban that was learned outside of the end of a use. `true` if the session is retired.
    pub fn ban(&mut self, key: SessionKey) -> bool {
        if self.session(key).is_none() {
            return false;
        }
        let Some(session) = self.sessions.get_mut(key.index) else { return false };
        session.bans += 1;
        let worn = session.bans >= self.config.max_bans;
        if worn {
            self.drop_session(key.index);
        }
        worn
    }

    /// Takes a session out of the pool; its id, or `None` if it is gone already.
    pub fn remove(&mut self, key: SessionKey) -> Option<Box<str>> {
        self.session(key)?;
        self.drop_session(key.index)
    }

    /// A session past its idle time, each given once: the service has forgotten it.
    pub fn take_expired(&mut self, now: Timestamp) -> Option<Box<str>> {
        if self.expired.is_empty()
            && let Some((at, index)) = self.expiry.first()
            && at <= now
        {
            self.expire_session(index);
        }
        self.expired.pop_front()
    }

    /// When the next session that nobody uses is past its idle time.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiry.first().map(|(at, _)| at)
    }

    /// The session with an id.
    pub fn find(&self, id: &str) -> Option<SessionKey> {
        let &index = self.ids.get(id)?;
        self.sessions.get(index).map(|session| SessionKey { index, serial: session.serial })
    }

    /// The id of a session.
    pub fn id(&self, key: SessionKey) -> Option<&str> {
        self.session(key).map(|session| &*session.id)
    }

    /// The address of a session, if known.
    pub fn address(&self, key: SessionKey) -> Option<&str> {
        self.groups.get(self.session(key)?.group)?.address.as_deref()
    }

    /// Says from which address a session leaves: it shares the pace of others there. Of a session
    /// in use, it counts from the end of the use on.
    pub fn set_address(&mut self, key: SessionKey, address: &str) {
        if self.session(key).is_none() || self.address(key) == Some(address) {
            return;
        }
        let Some(session) = self.sessions.get_mut(key.index) else { return };
        if session.in_use {
            session.address = Some(address.into());
            return;
        }
        let listed = self.unlist(key.index);
        self.join(key.index, address);
        if listed {
            self.list(key.index);
        }
    }

    /// When a session's pace lets the next request through.
    pub fn session_ready_at(&self, key: SessionKey) -> Option<Timestamp> {
        Some(self.groups.get(self.session(key)?.group)?.pace.ready_at())
    }

    /// The delay that the service announced with the last answer of a session; zero if none.
    pub fn announced(&self, key: SessionKey) -> Duration {
        self.session(key).map_or(Duration::ZERO, |session| session.announced)
    }

    /// The service says that a session is too fast, outside of the end of a use.
    pub fn slow_down(&mut self, key: SessionKey, asked: Option<Duration>, now: Timestamp) {
        if self.session(key).is_none() {
            return;
        }
        if let Some(group) = self.group_mut(key.index) {
            group.pace.slow_down(asked, now);
        }
        if let Some(session) = self.sessions.get_mut(key.index) {
            session.announced = asked.unwrap_or_default();
        }
        self.settle(key.index);
    }

    /// Nothing is to go through a session before a moment.
    pub fn not_before(&mut self, key: SessionKey, moment: Timestamp) {
        if self.session(key).is_some()
            && let Some(group) = self.group_mut(key.index)
        {
            group.pace.not_before(moment);
            self.settle(key.index);
        }
    }

    /// Whether there is a place for one more session.
    pub fn has_room(&self) -> bool {
        self.taken() < self.limit
    }

    /// The service keeps no more sessions than there are: the limit falls to that, at least 1.
    pub fn shrink(&mut self) {
        self.limit = self.taken().clamp(1, self.config.size);
    }

    /// Raises the limit again, up to the configured size.
    pub fn grow(&mut self, by: u32) {
        self.limit = self.limit.saturating_add(by).min(self.config.size);
    }

    /// The ids of all sessions, oldest index first; linear.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.sessions.iter().map(|(_, session)| &*session.id)
    }

    /// The pool's numbers.
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            sessions: self.sessions.len(),
            in_use: self.in_use,
            named: self.named,
            reserved: self.reserved,
            lost: u32::try_from(self.lost.len()).unwrap_or(u32::MAX),
            limit: self.limit,
        }
    }
}
