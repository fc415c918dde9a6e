//! Moments by key, earliest first.

use alloc::vec::Vec;

use super::slab::{Column, NONE};
use crate::Timestamp;

/// Children of a node: four are as shallow as a heap gets while siblings share a cache line.
const ARITY: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Timestamp,
    order: u64,
    key: u32,
}

impl Entry {
    fn before(&self, other: &Self) -> bool {
        (self.at, self.order) < (other.at, other.order)
    }
}

/// One moment for each key, in order of time; equal moments in the order they were set.
///
/// A four-ary heap with the places of its keys. A timing wheel is a little faster on average, but
/// pays for a whole slot at once when time enters it, and knows the next moment only roughly:
/// here each call costs O(log n) at worst and the next moment is exact.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    heap: Vec<Entry>,
    places: Column<u32>,
    order: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Self { heap: Vec::new(), places: Column::new(NONE), order: 0 }
    }
}

impl Timers {
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Sets or moves the moment of a key.
    pub(crate) fn set(&mut self, key: u32, at: Timestamp) {
        self.remove(key);
        let entry = Entry { at, order: self.order, key };
        self.order += 1;
        self.heap.push(entry);
        self.rise(self.heap.len() - 1, entry);
    }

    /// Forgets a key; false if it had no moment.
    pub(crate) fn remove(&mut self, key: u32) -> bool {
        let place = self.places.get(key);
        if place == NONE {
            return false;
        }
        self.places.set(key, NONE);
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        if let Some(last) = self.heap.pop()
            && place < self.heap.len()
        {
            let place = self.sink(place, last);
            self.rise(place, last);
        }
        true
    }

    /// The moment of a key.
    pub(crate) fn at(&self, key: u32) -> Option<Timestamp> {
        let place = usize::try_from(self.places.get(key)).ok()?;
        self.heap.get(place).filter(|entry| entry.key == key).map(|entry| entry.at)
    }

    /// The earliest moment and its key.
    pub(crate) fn first(&self) -> Option<(Timestamp, u32)> {
        self.heap.first().map(|entry| (entry.at, entry.key))
    }

    /// Takes the earliest key whose moment has come.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<u32> {
        let (at, key) = self.first()?;
        if at > now {
            return None;
        }
        self.remove(key);
        Some(key)
    }

    /// All keys with their moments, earliest first: for snapshots only.
    pub(crate) fn sorted(&self) -> Vec<(u32, Timestamp)> {
        let mut entries = self.heap.clone();
        entries.sort_unstable_by_key(|entry| (entry.at, entry.order));
        entries.into_iter().map(|entry| (entry.key, entry.at)).collect()
    }

    fn put(&mut self, place: usize, entry: Entry) {
        if let Some(slot) = self.heap.get_mut(place) {
            *slot = entry;
        }
        self.places.set(entry.key, u32::try_from(place).unwrap_or(NONE));
    }

    /// Moves `entry`, to be put at `place`, up to where it belongs.
    fn rise(&mut self, mut place: usize, entry: Entry) {
        while place > 0 {
            let above = (place - 1) / ARITY;
            match self.heap.get(above).copied() {
                Some(parent) if entry.before(&parent) => self.put(place, parent),
                _ => break,
            }
            place = above;
        }
        self.put(place, entry);
    }

    /// Moves `entry`, to be put at `place`, down to where it belongs; gives its place.
    fn sink(&mut self, mut place: usize, entry: Entry) -> usize {
        loop {
            let first = place * ARITY + 1;
            let children = self.heap.get(first..).unwrap_or_default().iter().take(ARITY);
            let least = children
                .copied()
                .zip(first..)
                .reduce(|least, child| if child.0.before(&least.0) { child } else { least });
            match least {
                Some((child, below)) if child.before(&entry) => {
                    self.put(place, child);
                    place = below;
                }
                _ => break,
            }
        }
        self.put(place, entry);
        place
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;
    use crate::Rng;

    fn at(micros: u64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn equal_moments_come_in_the_order_they_were_set() {
        let mut timers = Timers::default();
        for key in [5, 1, 9, 3] {
            timers.set(key, at(10));
        }
        timers.set(1, at(10));
        assert_eq!(timers.pop_due(at(9)), None);
        let order: Vec<_> = core::iter::from_fn(|| timers.pop_due(at(10))).collect();
        assert_eq!(order, [5, 9, 3, 1]);
    }

    #[test]
    fn behaves_like_a_sorted_map() {
        let mut rng = Rng::new(3);
        let mut timers = Timers::default();
        let mut model: BTreeMap<u32, (Timestamp, u64)> = BTreeMap::new();
        for order in 0..20_000 {
            let key = u32::try_from(rng.up_to(300)).unwrap();
            match rng.up_to(2) {
                0 => {
                    let moment = at(rng.up_to(50));
                    timers.set(key, moment);
                    model.insert(key, (moment, order));
                }
                1 => assert_eq!(timers.remove(key), model.remove(&key).is_some()),
                _ => {
                    let now = at(rng.up_to(20));
                    let due = model.iter().min_by_key(|(_, when)| **when);
                    let due = due.filter(|(_, when)| when.0 <= now).map(|(key, _)| *key);
                    assert_eq!(timers.pop_due(now), due);
                    due.and_then(|key| model.remove(&key));
                }
            }
            assert_eq!(timers.len(), model.len());
            assert_eq!(timers.at(key), model.get(&key).map(|when| when.0));
            let first = model.iter().min_by_key(|(_, when)| **when);
            assert_eq!(timers.first(), first.map(|(key, when)| (when.0, *key)));
        }
    }
}
