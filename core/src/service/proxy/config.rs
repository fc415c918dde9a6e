//! What a proxy service enforces.

use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};
use core::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use crate::service::{Keys, domains::is_within};

/// The limits and rules of a [`ProxyService`](super::ProxyService).
///
/// The defaults are the documented constants; what is unpublished says so.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProxyConfig {
    /// The accounts. A disabled key gets `user_suspended`. Defaults to any non-empty key.
    pub keys: Keys,
    /// The outgoing addresses. Defaults to 127.0.0.2 alone.
    pub outgoing: Vec<IpAddr>,
    /// How many living sessions may share an address. Defaults to 1.
    pub sessions_per_address: usize,
    /// How many sessions one account may have at once. Defaults to 5000.
    pub max_sessions: usize,
    /// How long after its last request a session expires. Defaults to 30 minutes.
    pub session_idle: Duration,
    /// How far apart requests of one address have to be. Defaults to 12 s.
    pub delay: Duration,
    /// Other values for some domains and what lies below them.
    pub domain_delays: BTreeMap<String, Duration>,
    /// How much each excess request in a row adds to the spacing, in hundredths of the domain's
    /// delay. The growth of the real service is unpublished. Defaults to 100: the spacing after
    /// the n-th excess request is 1 + n delays, and each request that is on time takes one back.
    pub delay_growth_percent: u32,
    /// The delay from which on answers carry `X-Crawlera-Next-Request-In`. Defaults to 120 s.
    pub soft_limit: Duration,
    /// The longest time that a request is held back. Defaults to 15 minutes.
    pub max_delay: Duration,
    /// The delay from which on requests are refused. Defaults to 1000 s.
    pub hard_limit: Duration,
    /// Retries on other addresses for requests outside sessions. The documents disagree on 3 and
    /// 5. Defaults to 5.
    pub retries: u32,
    /// The time one attempt has unless the request says otherwise. Defaults to 30 s.
    pub timeout: Duration,
    /// How many requests an account may have open (`too_many_conns`). Defaults to no limit.
    pub max_connections: Option<usize>,
    /// How many requests the service has open at most (`serverbusy`). Defaults to no limit.
    pub max_outstanding: Option<usize>,
    /// The largest total of request headers in bytes (413). Defaults to 100 KiB.
    pub max_header_bytes: usize,
    /// The largest body of an answer in bytes (`data_error`). Defaults to 500 MB.
    pub max_body_bytes: u64,
    /// How long a cookie is kept for an address. Defaults to 15 minutes.
    pub cookie_life: Duration,
    /// What counts as a ban.
    pub bans: Vec<BanRule>,
    /// Domains that are not allowed (`domain_forbidden`).
    pub forbidden_domains: Vec<String>,
    /// `X-Crawlera-*` headers that the plan does not include (`header_auth`).
    pub withheld_headers: Vec<String>,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            keys: Keys::any(),
            outgoing: vec![IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))],
            sessions_per_address: 1,
            max_sessions: 5_000,
            session_idle: Duration::from_secs(30 * 60),
            delay: Duration::from_secs(12),
            domain_delays: BTreeMap::new(),
            delay_growth_percent: 100,
            soft_limit: Duration::from_secs(120),
            max_delay: Duration::from_secs(15 * 60),
            hard_limit: Duration::from_secs(1_000),
            retries: 5,
            timeout: Duration::from_secs(30),
            max_connections: None,
            max_outstanding: None,
            max_header_bytes: 100 * 1024,
            max_body_bytes: 500_000_000,
            cookie_life: Duration::from_secs(15 * 60),
            bans: Vec::new(),
            forbidden_domains: Vec::new(),
            withheld_headers: Vec::new(),
        }
    }
}

impl ProxyConfig {
    /// The delay of the domain a host belongs to: the most specific one given, else the default.
    pub(super) fn delay_of(&self, host: &str) -> Duration {
        if self.domain_delays.is_empty() {
            return self.delay;
        }
        let mut name = host;
        loop {
            if let Some(delay) = self.domain_delays.get(name) {
                return *delay;
            }
            match name.split_once('.') {
                Some((_, parent)) => name = parent,
                None => return self.delay,
            }
        }
    }

    /// The rules that say what a ban looks like on a host.
    pub(super) fn bans_of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a BanRule> {
        self.bans
            .iter()
            .filter(move |rule| rule.domain.as_deref().is_none_or(|domain| is_within(host, domain)))
    }
}

/// What a ban by a target looks like.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct BanRule {
    /// The domain it is about, with all below it; any if none is given.
    pub domain: Option<String>,
    /// Statuses that mean a ban.
    pub statuses: Vec<u16>,
    /// Texts in the body that mean a ban.
    pub texts: Vec<String>,
}

impl BanRule {
    /// A rule for a domain and all below it, or for any.
    pub fn new(domain: Option<String>, statuses: Vec<u16>, texts: Vec<String>) -> Self {
        Self { domain, statuses, texts }
    }

    /// Whether an answer is a ban.
    pub(in crate::service) fn fits(&self, status: u16, body: &[u8]) -> bool {
        let holds = |text: &String| {
            !text.is_empty() && body.windows(text.len()).any(|part| part == text.as_bytes())
        };
        self.statuses.contains(&status) || self.texts.iter().any(holds)
    }
}
