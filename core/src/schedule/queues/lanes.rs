//! Lanes, and the rings that they stand in.

use super::{DomainQueues, Level};
use crate::schedule::slab::{NONE, Slab};

/// The waiting jobs of one domain and level, as a list; and the lane's place in its ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) domain: u32,
    pub(super) level: Level,
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) previous: u32,
    pub(super) next: u32,
}

impl DomainQueues {
    /// The lane of a domain and level, made at the end of its ring if need be.
    pub(super) fn lane(&mut self, domain: u32, level: Level) -> u32 {
        let first = self.domains.get(domain).map_or(NONE, |domain| domain.lane);
        if self.lanes.get(first).is_some_and(|lane| lane.level == level) {
            return first;
        }
        if let Some(&lane) = self.more.get(&(domain, level)) {
            return lane;
        }
        let record = Lane { domain, level, head: NONE, tail: NONE, previous: NONE, next: NONE };
        let lane = self.lanes.insert(record);
        match self.domains.get_mut(domain) {
            Some(domain) if domain.lane == NONE => domain.lane = lane,
            _ => {
                self.more.insert((domain, level), lane);
            }
        }
        let ring = self.ring(level);
        self.append(ring, lane);
        lane
    }

    pub(super) fn drop_lane(&mut self, lane: u32) {
        self.unlink(lane);
        if let Some(record) = self.lanes.remove(lane) {
            match self.domains.get_mut(record.domain) {
                Some(domain) if domain.lane == lane => domain.lane = NONE,
                _ => {
                    self.more.remove(&(record.domain, record.level));
                }
            }
        }
    }

    /// The ring of a level.
    pub(super) fn ring(&mut self, level: Level) -> u32 {
        if let Some(&ring) = self.rings.get(&level) {
            return ring;
        }
        let ring = new_ring(&mut self.lanes);
        self.rings.insert(level, ring);
        ring
    }

    fn set_next(&mut self, lane: u32, next: u32) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.next = next;
        }
    }

    fn set_previous(&mut self, lane: u32, previous: u32) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.previous = previous;
        }
    }

    pub(super) fn unlink(&mut self, lane: u32) {
        if let Some(record) = self.lanes.get(lane).copied() {
            self.set_next(record.previous, record.next);
            self.set_previous(record.next, record.previous);
        }
    }

    pub(super) fn append(&mut self, ring: u32, lane: u32) {
        let last = self.lanes.get(ring).map_or(NONE, |ring| ring.previous);
        self.set_next(last, lane);
        self.set_previous(ring, lane);
        self.set_previous(lane, last);
        self.set_next(lane, ring);
    }

    /// Appends all lanes of another ring to that of a level.
    pub(super) fn join(&mut self, level: Level, other: u32) {
        let Some(joining) = self.lanes.remove(other) else { return };
        if joining.next == other {
            return;
        }
        let ring = self.ring(level);
        let last = self.lanes.get(ring).map_or(NONE, |ring| ring.previous);
        self.set_next(last, joining.next);
        self.set_previous(joining.next, last);
        self.set_next(joining.previous, ring);
        self.set_previous(ring, joining.previous);
    }
}

pub(super) fn new_ring(lanes: &mut Slab<Lane>) -> u32 {
    let level = Level::new(0, 0);
    let sentinel = Lane { domain: NONE, level, head: NONE, tail: NONE, previous: NONE, next: NONE };
    let ring = lanes.insert(sentinel);
    if let Some(sentinel) = lanes.get_mut(ring) {
        (sentinel.previous, sentinel.next) = (ring, ring);
    }
    ring
}
