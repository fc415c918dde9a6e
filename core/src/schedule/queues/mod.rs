//! Which job next: strict priority, then round robin over the domains that have ready jobs.

mod lanes;

use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use core::cmp::Reverse;

use self::lanes::{Lane, new_ring};
use super::{
    parking::Parking,
    slab::{Column, NONE, Slab},
};
use crate::Timestamp;

/// What [`DomainQueues::next`] found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// This job may go.
    Job(u32),
    /// No job is ready.
    Nothing,
    /// There was more to park than one call may cost: call again.
    Unfinished,
}

/// Housekeeping that one call may cost, so that no call grows with the number of domains.
pub(crate) const STEPS: u32 = 1024;

#[derive(Clone, Debug)]
struct Domain {
    name: Arc<str>,
    users: u32,
    /// The lane of the level used first; those of others are in `more`.
    lane: u32,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    lane: u32,
    previous: u32,
    next: u32,
}

const UNLINKED: Link = Link { lane: NONE, previous: NONE, next: NONE };

/// Where a lane stands: what its jobs need, as a small number that the machine gives a meaning, and
/// their priority, highest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Level {
    class: u8,
    priority: Reverse<i32>,
}

impl Level {
    pub(crate) const fn new(class: u8, priority: i32) -> Self {
        Self { class, priority: Reverse(priority) }
    }
}

impl From<i32> for Level {
    fn from(priority: i32) -> Self {
        Self::new(0, priority)
    }
}

/// Rings of lanes by level: each is a sentinel lane, so that a lane leaves its ring without knowing
/// which it is, and a whole ring joins another at once.
pub(super) type Rings = BTreeMap<Level, u32>;

/// Queues of jobs (small integers) by domain. A parked domain's lanes are set aside when they come
/// up, found by the suffixes of their name; they come back all at once.
#[derive(Clone, Debug)]
pub(crate) struct DomainQueues {
    names: BTreeMap<Arc<str>, u32>,
    domains: Slab<Domain>,
    lanes: Slab<Lane>,
    more: BTreeMap<(u32, Level), u32>,
    rings: Rings,
    links: Column<Link>,
    parking: Parking,
    len: u32,
}

impl Default for DomainQueues {
    fn default() -> Self {
        Self {
            names: BTreeMap::new(),
            domains: Slab::default(),
            lanes: Slab::default(),
            more: BTreeMap::new(),
            rings: Rings::new(),
            links: Column::new(UNLINKED),
            parking: Parking::default(),
            len: 0,
        }
    }
}

impl DomainQueues {
    /// Jobs in the queues, parked ones too.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Domains that have users.
    pub(crate) fn domains(&self) -> u32 {
        self.domains.len()
    }

    /// The index of a domain, kept until as many [`release`](Self::release) calls.
    pub(crate) fn retain(&mut self, name: &str) -> u32 {
        if let Some(&index) = self.names.get(name) {
            if let Some(domain) = self.domains.get_mut(index) {
                domain.users += 1;
            }
            return index;
        }
        let name: Arc<str> = name.into();
        let index = self.domains.insert(Domain { name: name.clone(), users: 1, lane: NONE });
        self.names.insert(name, index);
        index
    }

    /// Lets go of a domain; without users it is forgotten.
    pub(crate) fn release(&mut self, index: u32) {
        if let Some(domain) = self.domains.get_mut(index) {
            domain.users -= 1;
            if domain.users == 0
                && let Some(domain) = self.domains.remove(index)
            {
                self.names.remove(&domain.name);
            }
        }
    }

    /// The name of a domain.
    pub(crate) fn name(&self, index: u32) -> &str {
        self.domains.get(index).map_or("", |domain| &domain.name)
    }

    /// Puts a job behind the others of its domain and level.
    pub(crate) fn push(&mut self, job: u32, domain: u32, level: impl Into<Level>) {
        let lane = self.lane(domain, level.into());
        let Some(record) = self.lanes.get_mut(lane) else { return };
        let previous = record.tail;
        record.tail = job;
        if previous == NONE {
            record.head = job;
        }
        self.links.set(job, Link { lane, previous, next: NONE });
        self.relink(previous, |link| link.next = job);
        self.len += 1;
    }

    /// Puts a job before the others of its domain and level.
    pub(crate) fn push_front(&mut self, job: u32, domain: u32, level: impl Into<Level>) {
        let lane = self.lane(domain, level.into());
        let Some(record) = self.lanes.get_mut(lane) else { return };
        let next = record.head;
        record.head = job;
        if next == NONE {
            record.tail = job;
        }
        self.links.set(job, Link { lane, previous: NONE, next });
        self.relink(next, |link| link.previous = job);
        self.len += 1;
    }

    /// Takes a job out; false if it is in no queue.
    pub(crate) fn remove(&mut self, job: u32) -> bool {
        let link = self.links.get(job);
        let Some(lane) = self.lanes.get_mut(link.lane) else { return false };
        if link.previous == NONE {
            lane.head = link.next;
        }
        if link.next == NONE {
            lane.tail = link.previous;
        }
        let empty = lane.head == NONE;
        self.relink(link.previous, |before| before.next = link.next);
        self.relink(link.next, |after| after.previous = link.previous);
        self.links.set(job, UNLINKED);
        self.len -= 1;
        if empty {
            self.drop_lane(link.lane);
        }
        true
    }

    /// The job of class 0 that is next, left in its queue.
    pub(crate) fn next(&mut self, now: Timestamp) -> Next {
        self.next_of(0, now)
    }

    /// The job of a class that is next, left in its queue.
    pub(crate) fn next_of(&mut self, class: u8, now: Timestamp) -> Next {
        let mut steps = STEPS;
        while steps > 0
            && let Some(freed) = self.parking.pop_due(now)
        {
            steps -= 1;
            for (level, ring) in freed {
                self.join(level, ring);
            }
        }
        while steps > 0 {
            steps -= 1;
            let first = self.rings.range(Level::new(class, i32::MAX)..).next();
            let Some((level, ring)) = first
                .map(|(level, ring)| (*level, *ring))
                .filter(|(level, _)| level.class == class)
            else {
                return if self.parking.is_due(now) { Next::Unfinished } else { Next::Nothing };
            };
            let lane = self.lanes.get(ring).map_or(NONE, |ring| ring.next);
            if lane == ring || lane == NONE {
                self.rings.remove(&level);
                self.lanes.remove(ring);
                continue;
            }
            let Some(record) = self.lanes.get(lane).copied() else { return Next::Nothing };
            let name = self.domains.get(record.domain).map_or("", |domain| &domain.name);
            let Some(spot) = self.parking.find(name, now) else { return Next::Job(record.head) };
            self.unlink(lane);
            let lanes = &mut self.lanes;
            let ring = self.parking.ring(spot, record.level, || new_ring(lanes));
            self.append(ring, lane);
        }
        Next::Unfinished
    }

    /// Takes the job that [`next`](Self::next) gave; its domain goes to the end of the round.
    pub(crate) fn take(&mut self, job: u32) {
        let lane = self.links.get(job).lane;
        if self.remove(job)
            && let Some(record) = self.lanes.get(lane).copied()
            && record.head != NONE
            && record.domain != NONE
        {
            self.unlink(lane);
            let ring = self.ring(record.level);
            self.append(ring, lane);
        }
    }

    /// Parks a domain, with its subdomains if so said, until a moment (never earlier than an
    /// earlier word said).
    pub(crate) fn park(&mut self, name: &str, subdomains: bool, until: Timestamp) {
        self.parking.park(name, subdomains, until);
    }

    /// Whether a domain of that name is parked.
    pub(crate) fn is_parked(&self, name: &str, now: Timestamp) -> bool {
        self.parking.find(name, now).is_some()
    }

    /// When the first parked jobs come back.
    pub(crate) fn next_return(&self) -> Option<Timestamp> {
        self.parking.next_return()
    }

    /// What is parked: name, with subdomains or not, and until when.
    pub(crate) fn parked(&self) -> Vec<(String, bool, Timestamp)> {
        self.parking.all()
    }

    /// All jobs in the order in which they would come, as far as the rings tell, parked ones last;
    /// linear.
    pub(crate) fn jobs(&self) -> Vec<u32> {
        let mut jobs = Vec::new();
        for rings in core::iter::once(&self.rings).chain(self.parking.rings()) {
            for &ring in rings.values() {
                let mut lane = self.lanes.get(ring).map_or(NONE, |ring| ring.next);
                while lane != ring
                    && let Some(record) = self.lanes.get(lane)
                {
                    let mut job = record.head;
                    while job != NONE {
                        jobs.push(job);
                        job = self.links.get(job).next;
                    }
                    lane = record.next;
                }
            }
        }
        jobs
    }

    fn relink(&mut self, job: u32, change: impl FnOnce(&mut Link)) {
        if job != NONE {
            let mut link = self.links.get(job);
            change(&mut link);
            self.links.set(job, link);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    struct Queues(DomainQueues, u32);

    impl Queues {
        fn new(jobs: &[(&str, i32)]) -> Self {
            let mut queues = Self(DomainQueues::default(), 0);
            for (name, priority) in jobs {
                queues.push(name, *priority);
            }
            queues
        }

        fn push(&mut self, name: &str, priority: i32) {
            let domain = self.0.retain(name);
            self.0.push(self.1, domain, priority);
            self.1 += 1;
        }

        fn drain(&mut self, now: u64) -> Vec<u32> {
            let mut taken = Vec::new();
            while let Next::Job(job) = self.0.next(at(now)) {
                self.0.take(job);
                taken.push(job);
            }
            taken
        }
    }

    #[test]
    fn priority_first_then_round_robin() {
        let mut queues =
            Queues::new(&[("a", 0), ("a", 0), ("a", 0), ("b", 0), ("b", 0), ("c", 0), ("a", 5)]);
        assert_eq!(queues.0.jobs(), [6, 0, 1, 2, 3, 4, 5]);
        assert_eq!(queues.drain(0), [6, 0, 3, 5, 1, 4, 2]);
        assert_eq!((queues.0.len(), queues.0.next(at(0))), (0, Next::Nothing));
        assert_eq!(queues.0.lanes.len(), 0, "rings of no lanes are gone");
    }

    #[test]
    fn a_parked_domain_takes_its_subdomains_along_and_nothing_else() {
        let names = ["a.com", "x.a.com", "y.x.a.com", "ba.com", "com", "www.b.org", "b.org"];
        let jobs: Vec<(&str, i32)> = names.iter().map(|name| (*name, 0)).collect();
        let mut queues = Queues::new(&jobs);
        queues.0.park("a.com", true, at(100));
        queues.0.park("www.b.org", false, at(50));
        assert_eq!(queues.drain(0), [3, 4, 6]);
        assert_eq!(queues.0.next_return(), Some(at(50)));
        queues.push("z.a.com", 1);
        assert_eq!(queues.drain(99), [5]);
        assert_eq!(queues.0.next_return(), Some(at(100)));
        assert_eq!(queues.drain(100), [7, 0, 1, 2]);
        assert!(!queues.0.is_parked("a.com", at(100)));
        assert_eq!(queues.0.next_return(), None);
    }

    #[test]
    fn parking_is_only_ever_made_longer() {
        let mut queues = Queues::new(&[("a.com", 0)]);
        queues.0.park("a.com", true, at(100));
        queues.0.park("a.com", true, at(50));
        assert!(queues.drain(60).is_empty());
        queues.0.park("a.com", true, at(200));
        assert!(queues.drain(100).is_empty());
        assert_eq!(queues.0.parked(), [("a.com".into(), true, at(200))]);
        assert_eq!(queues.drain(200), [0]);
    }

    #[test]
    fn jobs_leave_from_anywhere() {
        let mut queues = Queues::new(&[("a", 0), ("a", 0), ("a", 0), ("b", 0), ("b", 1)]);
        queues.0.park("b", true, at(100));
        assert_eq!(queues.0.next(at(0)), Next::Job(0));
        for job in [1, 3, 4] {
            assert!(queues.0.remove(job));
            assert!(!queues.0.remove(job));
        }
        assert_eq!(queues.drain(0), [0, 2]);
        assert!(queues.drain(100).is_empty());
        assert_eq!(queues.0.lanes.len(), 0);
        for domain in [0, 0, 0, 1, 1] {
            queues.0.release(domain);
        }
        assert_eq!((queues.0.domains(), queues.0.names.len()), (0, 0));
    }

    #[test]
    fn a_job_given_back_is_first_of_its_domain() {
        let mut queues = Queues::new(&[("a", 0), ("a", 0)]);
        assert_eq!(queues.0.next(at(0)), Next::Job(0));
        queues.0.take(0);
        queues.0.push_front(0, 0, 0);
        assert_eq!(queues.drain(0), [0, 1]);
    }

    #[test]
    fn no_call_costs_more_than_a_bounded_number_of_steps() {
        let mut queues = Queues::new(&[]);
        for n in 0..5_000 {
            queues.push(&alloc::format!("{n}.a.com"), 0);
        }
        queues.push("b.com", 0);
        queues.0.park("a.com", true, at(100));
        let calls = (0..100).find(|_| queues.0.next(at(0)) != Next::Unfinished);
        assert_eq!(calls, Some(4));
        assert_eq!(queues.drain(0), [5_000]);
        assert_eq!(queues.0.next(at(100)), Next::Job(0), "they come back in one step");
    }
}
