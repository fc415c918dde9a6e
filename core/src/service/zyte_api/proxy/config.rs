//! What proxy mode enforces.

use alloc::{string::String, vec, vec::Vec};
use core::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use super::super::limits::Paces;
use crate::service::{Keys, Pace, domains::is_within, proxy::BanRule};

/// The limits and rules of a [`ZyteProxyService`](super::ZyteProxyService).
///
/// The defaults are the documented constants; what is unpublished says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ZyteProxyConfig {
    /// The accounts. Defaults to any non-empty key.
    pub keys: Keys,
    /// The outgoing addresses. Defaults to 127.0.0.2 alone.
    pub outgoing: Vec<IpAddr>,
    /// How many living sessions may share an address. Defaults to 1.
    pub sessions_per_address: usize,
    /// How many sessions one account may have at once. Unpublished. Defaults to 5000.
    pub max_sessions: usize,
    /// How long a session lives in all. Defaults to 15 minutes.
    pub session_life: Duration,
    /// How long it lives after a request. Defaults to 2 minutes.
    pub session_idle: Duration,
    /// How many bans in a row end it. Defaults to 3.
    pub session_bans: u32,
    /// Retries on other addresses for requests outside sessions. Unpublished. Defaults to 3.
    pub retries: u32,
    /// How many redirects of a request are followed. Unpublished. Defaults to 20.
    pub max_redirects: u32,
    /// The time one attempt has. Unpublished. Defaults to 30 s.
    pub timeout: Duration,
    /// The largest total of request headers in bytes (`/request/header-size`). Unpublished.
    /// Defaults to 100 KiB.
    pub max_header_bytes: usize,
    /// The largest body of an answer in bytes. Unpublished. Defaults to 500 MB.
    pub max_body_bytes: u64,
    /// What counts as a ban.
    pub bans: Vec<BanRule>,
    /// Domains that are forbidden, with all below them.
    pub forbidden_domains: Vec<String>,
    pub(super) paces: Paces,
}

impl Default for ZyteProxyConfig {
    fn default() -> Self {
        Self {
            keys: Keys::any(),
            outgoing: vec![IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))],
            sessions_per_address: 1,
            max_sessions: 5_000,
            session_life: Duration::from_secs(15 * 60),
            session_idle: Duration::from_secs(2 * 60),
            session_bans: 3,
            retries: 3,
            max_redirects: 20,
            timeout: Duration::from_secs(30),
            max_header_bytes: 100 * 1024,
            max_body_bytes: 500_000_000,
            bans: Vec::new(),
            forbidden_domains: Vec::new(),
            paces: Paces::default(),
        }
    }
}

impl ZyteProxyConfig {
    /// How many requests each key may send. Defaults to 3000 a minute, a minute's worth at once.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.paces.user = pace;
        self
    }

    /// How many requests all keys together may send. Defaults to no limit.
    #[must_use]
    pub fn with_system_pace(mut self, pace: Option<Pace>) -> Self {
        self.paces.system = pace;
        self
    }

    /// How many requests a website takes. Defaults to no limit; the real ones are unpublished.
    #[must_use]
    pub fn with_domain_pace(mut self, pace: Option<Pace>) -> Self {
        self.paces.domain = pace;
        self
    }

    pub(super) fn bans_of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a BanRule> {
        self.bans
            .iter()
            .filter(move |rule| rule.domain.as_deref().is_none_or(|domain| is_within(host, domain)))
    }

    pub(super) fn is_forbidden(&self, host: &str) -> bool {
        self.forbidden_domains.iter().any(|domain| is_within(host, domain))
    }
}
