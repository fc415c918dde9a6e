//! Sessions: which one is ready first, which are worn out.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
};
use core::time::Duration;

use super::{
    Pace, PoolConfig, Turn,
    slab::{NONE, Slab},
    timers::Timers,
};
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

/// A session of a pool, as long as it is in the pool.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionKey {
    pub(super) index: u32,
    pub(super) serial: u64,
}

/// A place in the pool, reserved for a session that is being created.
#[derive(Debug, Eq, PartialEq)]
pub struct Place {
    named: bool,
}

impl Place {
    /// Whether it is for a named session.
    pub const fn is_named(&self) -> bool {
        self.named
    }
}

/// The request that created a session and already went through it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FirstUse {
    /// When it was sent.
    pub sent: Timestamp,
    /// The delay of the domain it went to.
    pub delay: Duration,
}

/// A session in use by one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Use {
    session: SessionKey,
    turn: Turn,
}

impl Use {
    /// The session.
    pub const fn session(&self) -> SessionKey {
        self.session
    }

    /// When the request was sent, as far as known.
    pub const fn sent(&self) -> Timestamp {
        self.turn.sent()
    }
}

/// How a use ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ending {
    /// With an answer that says nothing about the session.
    Answered,
    /// With an answer that says the address is refused by the target.
    Banned,
    /// The connection broke: nobody knows whether the service saw the request.
    Broken,
    /// The service does not know the session.
    Gone,
    /// The request never left.
    NotSent,
    /// The service refused the request before it went through the session.
    Refused,
    /// With an answer that says it is too fast, with the delay if it names one.
    Slower(Option<Duration>),
    /// Without an answer.
    TimedOut,
}

/// Why no session can be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unavailable {
    /// All are in use.
    Busy,
    /// There is none.
    Empty,
    /// Not before this moment.
    Until(Timestamp),
}

/// Numbers of a pool.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Sessions, in use or not.
    pub sessions: u32,
    /// Sessions in use.
    pub in_use: u32,
    /// Named sessions and places for them.
    pub named: u32,
    /// Places kept for creations under way.
    pub reserved: u32,
    /// Places kept because a creation's answer was lost.
    pub lost: u32,
    /// How many sessions there may be at the moment.
    pub limit: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) serial: u64,
    pub(super) id: Box<str>,
    pub(super) name: Option<Box<str>>,
    pub(super) group: u32,
    pub(super) in_use: bool,
    /// When its first request was sent, as far as is known.
    pub(super) born: Timestamp,
    pub(super) sent: Timestamp,
    sent_before: Timestamp,
    pub(super) bans: u32,
    pub(super) timeouts: u32,
    /// The delay that the service announced last.
    announced: Duration,
    /// No request through it has been answered.
    fresh: bool,
    /// Counts among the named sessions: it has a name or was created for one.
    pub(super) for_name: bool,
    /// An address learned during a use, to be joined after it.
    address: Option<Box<str>>,
    previous: u32,
    next: u32,
}

/// Sessions of one address, or one whose address is unknown: they share a pace.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) pace: Pace,
    pub(super) address: Option<Box<str>>,
    members: u32,
    /// Free anonymous members, as a list.
    head: u32,
    tail: u32,
}

/// A pool of sessions: pure scheduling, without any request of its own.
///
/// A session serves one request at a time and is ready again when its [`Pace`] says so; sessions
/// known to leave from one address share one pace. Choosing costs O(log n). Sessions past their
/// idle time are never handed out.
#[derive(Clone, Debug)]
pub struct SessionPool {
    pub(super) config: PoolConfig,
    pub(super) sessions: Slab<Session>,
    pub(super) groups: Slab<Group>,
    pub(super) ids: BTreeMap<Box<str>, u32>,
    pub(super) names: BTreeMap<Box<str>, u32>,
    addresses: BTreeMap<Box<str>, u32>,
    /// Groups that have a free anonymous session, by when they are ready.
    ready: Timers,
    /// Free sessions, by when they are no longer used.
    expiry: Timers,
    /// Moments at which places of lost creations come back, and whether they were for names.
    pub(super) lost: VecDeque<(Timestamp, bool)>,
    expired: VecDeque<Box<str>>,
    reserved: u32,
    pub(super) named: u32,
    in_use: u32,
    limit: u32,
    pub(super) serial: u64,
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

    fn taken(&self) -> u32 {
        self.sessions.len() + self.reserved + u32::try_from(self.lost.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn session(&self, key: SessionKey) -> Option<&Session> {
        self.sessions.get(key.index).filter(|session| session.serial == key.serial)
    }

    fn group_mut(&mut self, index: u32) -> Option<&mut Group> {
        let group = self.sessions.get(index)?.group;
        self.groups.get_mut(group)
    }

    pub(super) fn insert(&mut self, id: &str, pace: Pace, sent: Timestamp) -> SessionKey {
        let group = Group { pace, address: None, members: 1, head: NONE, tail: NONE };
        let group = self.groups.insert(group);
        let serial = self.serial;
        self.serial += 1;
        let index = self.sessions.insert(Session {
            serial,
            id: id.into(),
            name: None,
            group,
            in_use: false,
            born: sent,
            sent,
            sent_before: sent,
            bans: 0,
            timeouts: 0,
            announced: Duration::ZERO,
            fresh: true,
            for_name: false,
            address: None,
            previous: NONE,
            next: NONE,
        });
        self.ids.insert(id.into(), index);
        SessionKey { index, serial }
    }

    fn begin(&mut self, index: u32, delay: Duration, now: Timestamp) -> Option<Use> {
        self.unlist(index);
        self.expiry.remove(index);
        let turn = self.group_mut(index)?.pace.begin(delay, now);
        let session = self.sessions.get_mut(index)?;
        session.in_use = true;
        session.sent_before = session.sent;
        session.sent = now;
        let usage = Use { session: SessionKey { index, serial: session.serial }, turn };
        self.in_use += 1;
        self.settle(index);
        Some(usage)
    }

    /// Makes a session available that nobody uses.
    pub(super) fn free(&mut self, index: u32) {
        let Some(session) = self.sessions.get(index) else { return };
        self.expiry.set(index, self.config.expiry(session.born, session.sent));
        if session.for_name {
            self.settle(index);
        } else {
            self.list(index);
        }
    }

    /// Puts a session at the end of its group's free ones.
    fn list(&mut self, index: u32) {
        let Some(session) = self.sessions.get_mut(index) else { return };
        let Some(group) = self.groups.get_mut(session.group) else { return };
        if group.head == index || session.previous != NONE {
            return;
        }
        let last = group.tail;
        (session.previous, session.next) = (last, NONE);
        group.tail = index;
        if last == NONE {
            group.head = index;
        } else if let Some(last) = self.sessions.get_mut(last) {
            last.next = index;
        }
        self.settle(index);
    }

    /// Takes a session off its group's free ones; false if it was not among them.
    pub(super) fn unlist(&mut self, index: u32) -> bool {
        let Some(session) = self.sessions.get_mut(index) else { return false };
        let (previous, next) = (session.previous, session.next);
        let Some(group) = self.groups.get_mut(session.group) else { return false };
        if group.head != index && previous == NONE {
            return false;
        }
        (session.previous, session.next) = (NONE, NONE);
        if previous == NONE {
            group.head = next;
        }
        if next == NONE {
            group.tail = previous;
        }
        if let Some(previous) = self.sessions.get_mut(previous) {
            previous.next = next;
        }
        if let Some(next) = self.sessions.get_mut(next) {
            next.previous = previous;
        }
        self.settle(index);
        true
    }

    /// Puts the group of a session where its pace and its free members want it.
    fn settle(&mut self, index: u32) {
        let Some(session) = self.sessions.get(index) else { return };
        let key = session.group;
        let Some(group) = self.groups.get(key) else { return };
        let at = group.pace.ready_at();
        if group.head == NONE || at == Timestamp::MAX {
            self.ready.remove(key);
        } else if self.ready.at(key) != Some(at) {
            self.ready.set(key, at);
        }
    }

    /// Moves an unlisted session to the group of an address.
    pub(super) fn join(&mut self, index: u32, address: &str) {
        let Some(session) = self.sessions.get(index) else { return };
        let old = session.group;
        let Some(from) = self.groups.get_mut(old) else { return };
        if from.address.as_deref() == Some(address) {
            return;
        }
        let target = self.addresses.get(address).copied();
        let target = match target {
            Some(target) => target,
            // Nobody else is there: the group itself gets the address, or a new one does.
            None if from.members == 1 && from.address.is_none() => {
                from.address = Some(address.into());
                self.addresses.insert(address.into(), old);
                return;
            }
            None => {
                let (pace, address) = (from.pace.clone(), Some(address.into()));
                let group = Group { pace, address, members: 0, head: NONE, tail: NONE };
                self.groups.insert(group)
            }
        };
        let ready = self.groups.get(old).map_or(Timestamp::ZERO, |group| group.pace.ready_at());
        if let Some(group) = self.groups.get_mut(target) {
            group.members += 1;
            if ready < Timestamp::MAX {
                group.pace.not_before(ready);
            }
        }
        self.addresses.insert(address.into(), target);
        if let Some(session) = self.sessions.get_mut(index) {
            session.group = target;
        }
        self.leave(old);
        self.settle(index);
    }

    fn leave(&mut self, group: u32) {
        let Some(record) = self.groups.get_mut(group) else { return };
        record.members -= 1;
        if record.members == 0 {
            self.ready.remove(group);
            if let Some(Group { address: Some(address), .. }) = self.groups.remove(group) {
                self.addresses.remove(&address);
            }
        }
    }

    fn expire_session(&mut self, index: u32) {
        if let Some(id) = self.drop_session(index) {
            self.expired.push_back(id);
        }
    }

    fn drop_session(&mut self, index: u32) -> Option<Box<str>> {
        self.unlist(index);
        self.expiry.remove(index);
        let session = self.sessions.remove(index)?;
        self.in_use -= u32::from(session.in_use);
        self.ids.remove(&session.id);
        if let Some(name) = &session.name {
            self.names.remove(name);
        }
        self.named -= u32::from(session.for_name);
        self.leave(session.group);
        Some(session.id)
    }
}
