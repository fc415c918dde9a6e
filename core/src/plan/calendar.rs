//! What happens when.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

/// Happenings in the order of their moments (microseconds); equal moments in the order in which
/// they were entered.
#[derive(Clone, Debug)]
pub(super) struct Calendar<H> {
    heap: BinaryHeap<Reverse<Entry<H>>>,
    entered: u64,
}

#[derive(Clone, Copy, Debug)]
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
        self.heap.push(Reverse(Entry { at, order: self.entered, what }));
    }

    /// The next moment at which something happens.
    pub(super) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes the next thing that has happened by `now`.
    pub(super) fn take(&mut self, now: u64) -> Option<H> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.what)
    }
}

impl<H> Ord for Entry<H> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<H> PartialOrd for Entry<H> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<H> PartialEq for Entry<H> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<H> Eq for Entry<H> {}
