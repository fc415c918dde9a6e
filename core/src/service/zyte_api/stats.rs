//! What the service counted.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    string::{String, ToString},
};

use serde::Serialize;

/// The counts of a [`ZyteApiService`](super::ZyteApiService) since it was made.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ZyteApiStats {
    /// Requests of any kind, good or bad.
    pub requests: u64,
    /// Requests that are being processed.
    pub in_flight: u64,
    /// Requests that passed all checks, by what they asked for.
    pub outputs: BTreeMap<String, u64>,
    /// Successful answers by the target's status.
    pub statuses: BTreeMap<String, u64>,
    /// Problems by type.
    pub problems: BTreeMap<String, u64>,
    /// Requests that came faster than their key's rate allows.
    pub rate_violations: u64,
    /// Successful answers, which cost money whatever the target's status.
    pub billed: u64,
    /// Other answers.
    pub unbilled: u64,
    /// Requests whose client went away before the answer was there.
    pub abandoned: u64,
    /// Actions of the fault script that were carried out.
    pub faults: u64,
}

impl ZyteApiStats {
    /// The counts as a JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn refused(&mut self, kind: &str) {
        add(&mut self.problems, kind);
        self.unbilled += 1;
    }

    pub(super) fn answered(&mut self, status: u16) {
        add(&mut self.statuses, &status.to_string());
        self.billed += 1;
    }

    pub(super) fn asked(&mut self, output: &str) {
        add(&mut self.outputs, output);
    }
}

pub(super) fn add(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
    } else {
        counts.insert(name.to_owned(), 1);
    }
}
