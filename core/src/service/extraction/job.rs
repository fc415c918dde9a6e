//! A request that is being processed.

use alloc::{string::String, vec::Vec};

use super::{query::UserQuery, result::Written, script::Action};
use crate::Timestamp;

/// One query of a request on its way.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) query: UserQuery,
    /// What its result begins with.
    pub(super) head: String,
    /// Its result comes no earlier.
    pub(super) earliest: Timestamp,
    /// Whether it takes a place of its domain.
    pub(super) holds_place: bool,
    /// Its result, and the moment it counts from.
    pub(super) result: Option<Finished>,
}

/// A result that is there.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) written: Written,
    pub(super) at: Timestamp,
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) slots: Vec<Slot>,
    /// The moment at which what is missing has timed out.
    pub(super) deadline: Timestamp,
    /// What the fault script wants of the answer.
    pub(super) action: Option<Action>,
}

impl Job {
    /// When the results are complete, by what is known so far.
    pub(super) fn complete_at(&self) -> Timestamp {
        let mut latest = Timestamp::ZERO;
        for slot in &self.slots {
            match &slot.result {
                Some(finished) => latest = latest.max(finished.at),
                None => return self.deadline,
            }
        }
        latest.min(self.deadline)
    }
}
