//! What queries cost.

use core::ops::{Add, AddAssign};

use super::{QueryResult, ResultEntry, ServiceFault};

/// Queries counted by whether the service charges for them (Automatic Extraction API docs, Errors
/// and Query-level errors). Each query of a batch counts for itself (Batching Queries).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// All queries: the sum of the others.
    pub queries: u64,
    /// Queries that are charged: items, and errors of fetching the page.
    pub billed: u64,
    /// Queries that are not charged: all other errors.
    pub unbilled: u64,
    /// Queries of which nobody can tell, because the service's answer does not.
    pub unknown: u64,
}

impl Usage {
    /// What the entries of an answer say. Results that belong to no query are nobody's cost.
    pub fn of_entries<'a>(entries: impl IntoIterator<Item = &'a ResultEntry>) -> Self {
        let mut usage = Self::default();
        for entry in entries {
            match &entry.error {
                None => usage.billed += 1,
                Some(error) => match error.code {
                    "ambiguous_result" | "foreign_result" | "surplus_result" => continue,
                    "missing_result" => usage.unknown += 1,
                    _ if error.billed => usage.billed += 1,
                    _ => usage.unbilled += 1,
                },
            }
            usage.queries += 1;
        }
        usage
    }

    /// What the results of an answer say.
    pub fn of_results(results: &[QueryResult]) -> Self {
        Self::of_entries(results.iter().map(QueryResult::entry))
    }

    /// What a failed request of so many queries cost: nothing, unless its answer promised results.
    pub fn of_fault(fault: &ServiceFault, queries: usize) -> Self {
        let queries = u64::try_from(queries).unwrap_or(u64::MAX);
        let (unbilled, unknown) = if fault.billing_known() { (queries, 0) } else { (0, queries) };
        Self { queries, billed: 0, unbilled, unknown }
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            queries: self.queries.saturating_add(other.queries),
            billed: self.billed.saturating_add(other.billed),
            unbilled: self.unbilled.saturating_add(other.unbilled),
            unknown: self.unknown.saturating_add(other.unknown),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
