//! The requests that are under way.

use alloc::collections::{BTreeMap, VecDeque};

use super::{RequestId, UnknownRequest};
use crate::{
    Timestamp,
    schedule::{Slab, Timers},
};

/// How many given-up requests are remembered, so that their late answers count.
const LATE: usize = 1024;

/// A request under way.
#[derive(Clone, Debug)]
pub(crate) struct Flight<T> {
    pub(crate) id: RequestId,
    pub(crate) sent: Timestamp,
    pub(crate) inner: T,
}

/// What an id stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    Late,
    Open(u32),
}

/// The requests under way, with their deadlines, and those given up lately.
#[derive(Clone, Debug)]
pub(crate) struct Flights<T> {
    open: Slab<Flight<T>>,
    ids: BTreeMap<u64, u32>,
    deadlines: Timers,
    late: BTreeMap<u64, T>,
    order: VecDeque<u64>,
    next_id: u64,
}

impl<T> Flights<T> {
    pub(crate) fn new(next_id: u64) -> Self {
        Self {
            open: Slab::default(),
            ids: BTreeMap::new(),
            deadlines: Timers::default(),
            late: BTreeMap::new(),
            order: VecDeque::new(),
            next_id,
        }
    }

    /// Requests under way.
    pub(crate) fn len(&self) -> u32 {
        self.open.len()
    }

    /// Begins a request; its id and index.
    pub(crate) fn begin(
        &mut self,
        inner: T,
        deadline: Timestamp,
        now: Timestamp,
    ) -> (RequestId, u32) {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        let index = self.open.insert(Flight { id, sent: now, inner });
        self.ids.insert(id.0, index);
        self.deadlines.set(index, deadline);
        (id, index)
    }

    pub(crate) fn find(&self, id: RequestId) -> Result<Found, UnknownRequest> {
        match self.ids.get(&id.0) {
            Some(&index) => Ok(Found::Open(index)),
            None if self.late.contains_key(&id.0) => Ok(Found::Late),
            None => Err(UnknownRequest { id }),
        }
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Flight<T>> {
        self.open.get(index)
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Flight<T>> {
        self.open.get_mut(index)
    }

    /// Ends a request.
    pub(crate) fn end(&mut self, index: u32) -> Option<Flight<T>> {
        let flight = self.open.remove(index)?;
        self.ids.remove(&flight.id.0);
        self.deadlines.remove(index);
        Some(flight)
    }

    /// Remembers a request that was given up, for its late answer.
    pub(crate) fn remember(&mut self, id: RequestId, inner: T) {
        self.late.insert(id.0, inner);
        self.order.push_back(id.0);
        if self.order.len() > LATE
            && let Some(oldest) = self.order.pop_front()
        {
            self.late.remove(&oldest);
        }
    }

    /// Takes what was remembered of a request given up; its answer comes once.
    pub(crate) fn take_late(&mut self, id: RequestId) -> Option<T> {
        self.late.remove(&id.0)
    }

    /// A request past its deadline, left as it is.
    pub(crate) fn overdue(&self, now: Timestamp) -> Option<u32> {
        self.deadlines.first().filter(|(at, _)| *at <= now).map(|(_, index)| index)
    }

    /// The first deadline.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| at)
    }

    /// Moves a deadline.
    pub(crate) fn set_deadline(&mut self, index: u32, deadline: Timestamp) {
        self.deadlines.set(index, deadline);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Flight<T>)> {
        self.open.iter()
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn each_request_is_answered_once() {
        let mut flights = Flights::new(1);
        let (first, index) = flights.begin('a', at(10), at(0));
        let (second, other) = flights.begin('b', at(5), at(0));
        assert_eq!(flights.next_deadline(), Some(at(5)));
        assert_eq!((flights.overdue(at(4)), flights.overdue(at(5))), (None, Some(other)));
        assert_eq!(flights.find(first), Ok(Found::Open(index)));
        assert_eq!(flights.end(index).map(|flight| flight.inner), Some('a'));
        assert_eq!(flights.find(first), Err(UnknownRequest { id: first }));
        flights.end(other);
        flights.remember(second, 'b');
        assert_eq!(flights.find(second), Ok(Found::Late));
        assert_eq!(flights.take_late(second), Some('b'));
        assert!(flights.find(second).is_err());
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut flights = Flights::new(1);
        for _ in 0..LATE + 5 {
            let (id, index) = flights.begin((), at(10), at(0));
            flights.end(index);
            flights.remember(id, ());
        }
        assert_eq!((flights.late.len(), flights.order.len()), (LATE, LATE));
        assert!(flights.find(RequestId(5)).is_err());
        assert!(flights.find(RequestId(6)).is_ok());
    }
}
