//! What a proxy service counted.

use alloc::{collections::BTreeMap, string::String};

use serde::Serialize;

/// The counts of a [`ProxyService`](super::ProxyService) since it was made.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProxyStats {
    /// Requests for a target, answered with an error or not.
    pub requests: u64,
    /// Tunnels opened for https targets.
    pub tunnels: u64,
    /// Attempts to fetch from a target.
    pub fetches: u64,
    /// Answers of targets passed on.
    pub relayed: u64,
    /// Bytes of bodies passed on.
    pub relayed_bytes: u64,
    /// Requests that came before the spacing allowed.
    pub early_requests: u64,
    /// Requests that were held back, for whatever reason.
    pub delayed_requests: u64,
    /// Attempts that were banned.
    pub bans: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Requests whose client went away first.
    pub clients_gone: u64,
    /// Errors answered, by code.
    pub errors: BTreeMap<String, u64>,
    /// Sessions made.
    pub sessions_created: u64,
    /// Sessions deleted by their owner.
    pub sessions_deleted: u64,
    /// Sessions ended by time.
    pub sessions_expired: u64,
    /// Sessions that live.
    pub sessions_living: usize,
    /// Outgoing addresses in all.
    pub addresses: usize,
    /// Of each session, where it leaves from and how many requests it made. Sessions that ended
    /// stay listed, up to a limit.
    pub sessions: BTreeMap<String, SessionStats>,
}

impl ProxyStats {
    /// The counts as a JSON object.
    pub fn to_json(&self) -> String {
        // Maps with texts as keys always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The counts of one session.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SessionStats {
    /// The address it leaves from.
    pub address: String,
    /// How many requests were let through it.
    pub requests: u64,
    /// Whether it lives.
    pub living: bool,
}
