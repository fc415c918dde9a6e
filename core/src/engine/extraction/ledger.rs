//! What queries cost, and how much may still be spent.

use super::super::form::saved_struct;
use crate::extraction::Usage;

/// Queries by billing, in all and in the current cycle.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    billed: u64,
    unbilled: u64,
    unknown: u64,
    cycle_billed: u64,
    cycle_unknown: u64,
    in_flight: u64,
    /// Numbers the cycles, so that late news of an old one leaves the current one alone.
    cycle: u64,
}
// What is under way is unknown in a snapshot.
saved_struct!(Ledger { billed, unbilled, unknown, cycle_billed, cycle_unknown, cycle; });

/// What became known about a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Bill {
    Billed,
    Unbilled,
    Unknown,
}

impl Ledger {
    /// How many queries still fit under the cap: what is under way or unknown counts as billed.
    pub(super) fn room(&self, cap: Option<u64>) -> u64 {
        let spent = self.cycle_billed + self.cycle_unknown + self.in_flight;
        cap.map_or(u64::MAX, |cap| cap.saturating_sub(spent))
    }

    pub(super) fn cycle(&self) -> u64 {
        self.cycle
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// A query is sent.
    pub(super) fn begin(&mut self, queries: u64) {
        self.in_flight += queries;
    }

    /// A query is not under way any more.
    pub(super) fn end(&mut self, bill: Bill) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match bill {
            Bill::Billed => {
                self.billed += 1;
                self.cycle_billed += 1;
            }
            Bill::Unbilled => self.unbilled += 1,
            Bill::Unknown => {
                self.unknown += 1;
                self.cycle_unknown += 1;
            }
        }
    }

    /// A query never left.
    pub(super) fn undo(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A query that counted as unknown in `cycle` became known, or never left.
    pub(super) fn settle(&mut self, bill: Option<Bill>, cycle: u64) {
        if bill == Some(Bill::Unknown) {
            return;
        }
        self.unknown = self.unknown.saturating_sub(1);
        let current = cycle == self.cycle;
        if current {
            self.cycle_unknown = self.cycle_unknown.saturating_sub(1);
        }
        match bill {
            Some(Bill::Billed) => {
                self.billed += 1;
                self.cycle_billed += u64::from(current);
            }
            Some(Bill::Unbilled) => self.unbilled += 1,
            _ => {}
        }
    }

    /// A new cycle: what is under way counts for it.
    pub(super) fn start_cycle(&mut self) {
        self.cycle += 1;
        (self.cycle_billed, self.cycle_unknown) = (0, 0);
    }

    /// Queries whose answers are all in, by billing.
    pub(super) fn usage(&self) -> Usage {
        Usage {
            queries: self.billed + self.unbilled + self.unknown,
            billed: self.billed,
            unbilled: self.unbilled,
            unknown: self.unknown,
        }
    }

    /// What counts against the cap.
    pub(super) fn spent(&self) -> u64 {
        self.cycle_billed + self.cycle_unknown + self.in_flight
    }

    /// All numbers, to be checked.
    pub(super) fn numbers(&self) -> [u64; 6] {
        [
            self.billed,
            self.unbilled,
            self.unknown,
            self.cycle_billed,
            self.cycle_unknown,
            self.cycle,
        ]
    }

    /// The ledger of a snapshot: nobody will hear of what is under way.
    pub(super) fn save(&self) -> Self {
        let mut saved = self.clone();
        for _ in 0..self.in_flight {
            saved.end(Bill::Unknown);
        }
        saved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_counts_as_billed_until_it_is_known() {
        let mut ledger = Ledger::default();
        ledger.begin(3);
        assert_eq!(ledger.room(Some(5)), 2);
        ledger.end(Bill::Billed);
        ledger.end(Bill::Unbilled);
        ledger.end(Bill::Unknown);
        assert_eq!((ledger.room(Some(5)), ledger.room(None)), (3, u64::MAX));
        ledger.settle(Some(Bill::Unbilled), 0);
        assert_eq!(ledger.room(Some(5)), 4);
        assert_eq!((ledger.usage().billed, ledger.usage().unbilled), (1, 2));
    }

    #[test]
    fn a_new_cycle_keeps_what_is_under_way() {
        let mut ledger = Ledger::default();
        ledger.begin(2);
        ledger.end(Bill::Unknown);
        ledger.start_cycle();
        assert_eq!(ledger.room(Some(5)), 4);
        ledger.settle(Some(Bill::Billed), 0);
        assert_eq!(ledger.room(Some(5)), 4, "that was billed in the old cycle");
        assert_eq!(ledger.save().room(Some(5)), 4);
        ledger.undo();
        assert_eq!(ledger.room(Some(5)), 5);
    }
}
