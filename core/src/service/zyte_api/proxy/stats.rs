//! What proxy mode counted.

use alloc::{collections::BTreeMap, string::String};

use serde::Serialize;

use crate::service::proxy::SessionStats;

/// The counts of a [`ZyteProxyService`](super::ZyteProxyService) since it was made.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ZyteProxyStats {
    /// Requests for a target, answered with a problem or not.
    pub requests: u64,
    /// Tunnels opened for https targets.
    pub tunnels: u64,
    /// Attempts to fetch from a target.
    pub fetches: u64,
    /// Redirects that were followed.
    pub redirects: u64,
    /// Answers of targets passed on, each of which costs money.
    pub relayed: u64,
    /// Bytes of bodies passed on.
    pub relayed_bytes: u64,
    /// Attempts that were banned.
    pub bans: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Requests that came faster than their key's rate allows.
    pub rate_violations: u64,
    /// Requests with `X-Crawlera-*` headers.
    pub old_headers: u64,
    /// Requests whose client went away first.
    pub clients_gone: u64,
    /// Problems by type.
    pub problems: BTreeMap<String, u64>,
    /// Sessions made.
    pub sessions_created: u64,
    /// Sessions ended by time.
    pub sessions_expired: u64,
    /// Sessions ended by bans.
    pub sessions_banned: u64,
    /// Sessions that live.
    pub sessions_living: usize,
    /// Outgoing addresses in all.
    pub addresses: usize,
    /// Of each session, where it leaves from and how many requests it made. Sessions that ended
    /// stay listed, up to a limit.
    pub sessions: BTreeMap<String, SessionStats>,
}

impl ZyteProxyStats {
    /// The counts as a JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
