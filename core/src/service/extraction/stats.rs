//! What the service counted.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    string::{String, ToString},
};

use serde::Serialize;

use super::result::Written;

/// The counts of an extraction service since it began.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExtractionStats {
    /// Requests of any kind, good or bad.
    pub requests: u64,
    /// Requests that are being processed.
    pub in_flight: u64,
    /// Queries of the requests that passed all checks.
    pub queries: u64,
    /// Queries by page type.
    pub page_types: BTreeMap<String, u64>,
    /// Results with an item.
    pub items: u64,
    /// Refused requests by the last segment of the problem's type, or by status.
    pub request_errors: BTreeMap<String, u64>,
    /// Results with an error, by the documented text with `...` for what varies (but `httpNNN` by
    /// its status).
    pub query_errors: BTreeMap<String, u64>,
    /// Requests that came faster than their key's rate allows.
    pub rate_violations: u64,
    /// Queries that cost money: items, and errors of the downloader or the proxy. Where results
    /// come from another service, what that one says.
    pub billed: u64,
    /// Queries that cost nothing.
    pub unbilled: u64,
    /// Queries whose client went away before their result was there.
    pub abandoned: u64,
    /// Actions of the fault script that were carried out.
    pub faults: u64,
}

impl ExtractionStats {
    /// The counts as a JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn refused(&mut self, kind: &str) {
        add(&mut self.request_errors, kind);
    }

    pub(super) fn asked(&mut self, page_type: &str) {
        self.queries += 1;
        add(&mut self.page_types, page_type);
    }

    pub(super) fn finished(&mut self, result: &Written) {
        match &result.error {
            None => self.items += 1,
            Some(text) => add(&mut self.query_errors, &general(text)),
        }
        if result.billed {
            self.billed += 1;
        } else {
            self.unbilled += 1;
        }
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
    } else {
        counts.insert(name.to_owned(), 1);
    }
}

/// The text without what names one domain only, so that the list stays short.
fn general(text: &str) -> String {
    if text.starts_with("Domain ") && text.contains(" is occupied, please retry in ") {
        "Domain ... is occupied, please retry in ... seconds".to_string()
    } else {
        text.to_owned()
    }
}
