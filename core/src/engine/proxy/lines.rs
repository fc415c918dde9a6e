//! Named sessions: sequences of jobs that go one after the other through one session.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    string::{String, ToString},
};

use crate::{
    Timestamp,
    proxy::SessionId,
    schedule::{NONE, SessionKey, Slab, Timers},
};

/// A named session with the jobs that wait for it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub(super) struct Line {
    /// Never used twice, unlike the index and the name.
    pub(super) serial: u64,
    pub(super) name: Box<str>,
    /// By id, so in the order of submission.
    pub(super) jobs: BTreeMap<u64, u32>,
    pub(super) session: Option<(SessionKey, SessionId)>,
    /// A call that makes its session is under way.
    pub(super) creating: bool,
    /// Its session was lost, and none was asked for again.
    pub(super) lost: bool,
    /// The application wants no more of it than its jobs so far.
    pub(super) ending: bool,
    /// It has no name of the application's, and its session comes back to the pool after its jobs.
    pub(super) borrowed: bool,
}

impl Line {
    /// The job whose turn it is.
    pub(super) fn head(&self) -> u32 {
        self.jobs.first_key_value().map_or(NONE, |(_, index)| *index)
    }

    /// What the pool calls it: its own names are for one process.
    pub(super) fn pool_name(&self) -> String {
        self.serial.to_string()
    }
}

/// All named sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    pub(super) table: Slab<Line>,
    names: BTreeMap<Box<str>, u32>,
    sessions: BTreeMap<SessionId, u32>,
    /// When to look again whether a line's first job can go.
    pub(super) cooling: Timers,
    /// Lines that wait until a session or a place is free.
    starved: VecDeque<u32>,
    pub(super) next_serial: u64,
    /// How many borrow their session.
    borrowing: u32,
}

impl Lines {
    /// The line that takes jobs of a name, made if need be.
    pub(super) fn open(&mut self, name: &str) -> u32 {
        if let Some(&index) = self.names.get(name)
            && self.table.get(index).is_some_and(|line| !line.ending)
        {
            return index;
        }
        let serial = self.next_serial;
        self.insert(serial, name)
    }

    pub(super) fn insert(&mut self, serial: u64, name: &str) -> u32 {
        let index = self.put(serial, name, false);
        self.names.insert(name.into(), index);
        index
    }

    /// A line that borrows its session from the pool.
    pub(super) fn borrow(&mut self) -> u32 {
        self.put(self.next_serial, "", true)
    }

    fn put(&mut self, serial: u64, name: &str, borrowed: bool) -> u32 {
        self.next_serial = self.next_serial.max(serial + 1);
        self.borrowing += u32::from(borrowed);
        self.table.insert(Line {
            serial,
            name: name.into(),
            jobs: BTreeMap::new(),
            session: None,
            creating: false,
            lost: false,
            ending: false,
            borrowed,
        })
    }

    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// The line that the pool knows by a name; linear.
    pub(super) fn of_pool_name(&self, name: &str) -> Option<u32> {
        let serial: u64 = name.parse().ok()?;
        self.table.iter().find(|(_, line)| line.serial == serial).map(|(index, _)| index)
    }

    pub(super) fn get(&self, index: u32) -> Option<&Line> {
        self.table.get(index)
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Line> {
        self.table.get_mut(index)
    }

    /// The line at an index, if it is still the same.
    pub(super) fn same(&mut self, index: u32, serial: u64) -> Option<&mut Line> {
        self.table.get_mut(index).filter(|line| line.serial == serial)
    }

    /// How many have a name.
    pub(super) fn len(&self) -> u32 {
        self.table.len() - self.borrowing
    }

    pub(super) fn set_session(&mut self, index: u32, key: SessionKey, id: SessionId) {
        if let Some(line) = self.table.get_mut(index) {
            line.session = Some((key, id.clone()));
            line.lost = false;
            self.sessions.insert(id, index);
        }
    }

    /// The line of a session.
    pub(super) fn of_session(&self, id: &SessionId) -> Option<u32> {
        self.sessions.get(id).copied()
    }

    /// Takes the session from a line.
    pub(super) fn take_session(&mut self, index: u32) -> Option<(SessionKey, SessionId)> {
        let session = self.table.get_mut(index)?.session.take()?;
        self.sessions.remove(&session.1);
        Some(session)
    }

    /// Looks again at a line at a moment.
    pub(super) fn cool(&mut self, index: u32, until: Timestamp) {
        self.cooling.set(index, until);
    }

    /// Looks again at a line when a session or a place is free.
    pub(super) fn starve(&mut self, index: u32) {
        self.starved.push_back(index);
    }

    pub(super) fn are_starved(&self) -> bool {
        !self.starved.is_empty()
    }

    pub(super) fn next_starved(&mut self) -> Option<u32> {
        self.starved.pop_front()
    }

    pub(super) fn remove(&mut self, index: u32) {
        self.take_session(index);
        self.cooling.remove(index);
        let Some(line) = self.table.remove(index) else { return };
        self.borrowing -= u32::from(line.borrowed);
        if self.names.get(&line.name) == Some(&index) {
            self.names.remove(&line.name);
        }
    }
}
