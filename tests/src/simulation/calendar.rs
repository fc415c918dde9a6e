//! What happens when.

use std::{cmp::Ordering, collections::BinaryHeap};

/// Happenings in the order of their moments (microseconds); equal moments in the order in which
/// they were entered.
#[derive(Clone, Debug)]
pub(super) struct Calendar<H> {
    heap: BinaryHeap<Entry<H>>,
    entered: u64,
}

#[derive(Clone, Debug)]
struct Entry<H> {
    at: u64,
    order: u64,
    what: H,
}

impl<H> Default for Calendar<H> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), entered: 0 }
    }
}

impl<H> Calendar<H> {
    pub(super) fn enter(&mut self, at: u64, what: H) {
        self.entered += 1;
        self.heap.push(Entry { at, order: self.entered, what });
    }

    /// The next moment at which something happens.
    pub(super) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// Takes the next thing that has happened by `now`.
    pub(super) fn take(&mut self, now: u64) -> Option<H> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|entry| entry.what)
    }
}

impl<H> Entry<H> {
    fn key(&self) -> (u64, u64) {
        (self.at, self.order)
    }
}

impl<H> Ord for Entry<H> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest first.
        other.key().cmp(&self.key())
    }
}

impl<H> PartialOrd for Entry<H> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<H> PartialEq for Entry<H> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<H> Eq for Entry<H> {}
