//! Where a pool keeps its sessions: by address, with the free ones of each address in a list, and
//! the addresses by when they are ready.

use alloc::boxed::Box;
use core::time::Duration;

use super::{SessionKey, SessionPool, Use};
use crate::{
    Timestamp,
    schedule::{NONE, Pace},
};

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
    pub(super) sent_before: Timestamp,
    pub(super) bans: u32,
    pub(super) timeouts: u32,
    /// The delay that the service announced last.
    pub(super) announced: Duration,
    /// No request through it has been answered.
    pub(super) fresh: bool,
    /// Counts among the named sessions: it has a name or was created for one.
    pub(super) for_name: bool,
    /// An address learned during a use, to be joined after it.
    pub(super) address: Option<Box<str>>,
    pub(super) previous: u32,
    pub(super) next: u32,
}

/// Sessions of one address, or one whose address is unknown: they share a pace.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) pace: Pace,
    pub(super) address: Option<Box<str>>,
    pub(super) members: u32,
    /// Free anonymous members, as a list.
    pub(super) head: u32,
    pub(super) tail: u32,
}

impl SessionPool {
    pub(super) fn taken(&self) -> u32 {
        self.sessions.len() + self.reserved + u32::try_from(self.lost.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn session(&self, key: SessionKey) -> Option<&Session> {
        self.sessions.get(key.index).filter(|session| session.serial == key.serial)
    }

    pub(super) fn group_mut(&mut self, index: u32) -> Option<&mut Group> {
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

    pub(super) fn begin(&mut self, index: u32, delay: Duration, now: Timestamp) -> Option<Use> {
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
    pub(super) fn list(&mut self, index: u32) {
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
    pub(super) fn settle(&mut self, index: u32) {
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

    pub(super) fn expire_session(&mut self, index: u32) {
        if let Some(id) = self.drop_session(index) {
            self.expired.push_back(id);
        }
    }

    pub(super) fn drop_session(&mut self, index: u32) -> Option<Box<str>> {
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
