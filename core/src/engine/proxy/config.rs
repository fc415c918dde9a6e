//! How a proxy engine is set up.

use alloc::{collections::BTreeMap, string::String};
use core::time::Duration;

use super::super::{InvalidSetting, host::domain_key};
use crate::{
    proxy::{InvalidProxyOptions, ProxyDialect, ProxyOptions},
    schedule::{PoolConfig, RetryPolicy},
};

/// The highest queue size: indices of jobs are 32 bits wide.
const MAX_QUEUE: u32 = 1 << 31;

/// How sessions are made.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SessionCreation {
    /// By `POST /sessions`, before a request needs one. Where no such call succeeds, requests make
    /// their own after a few tries, until the next [`resume`](super::ProxyEngine::resume).
    Call,
    /// By the request that needs one: `X-Crawlera-Session: create`.
    #[default]
    Header,
}

impl SessionCreation {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Call, Self::Header];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Header => "header",
        }
    }

    /// The way of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|creation| creation.as_str() == name)
    }
}

/// How a [`ProxyEngine`](super::ProxyEngine) is set up.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent settings")]
pub struct ProxyConfig {
    pub(super) pool: PoolConfig,
    pub(super) creation: SessionCreation,
    pub(super) warm_up: u32,
    pub(super) delay: Duration,
    pub(super) domain_delays: BTreeMap<String, Duration>,
    pub(super) concurrency: u32,
    pub(super) call_concurrency: u32,
    pub(super) queue_size: u32,
    pub(super) deadline: Duration,
    pub(super) policy: RetryPolicy,
    pub(super) options: ProxyOptions,
    pub(super) requeue: bool,
    pub(super) keep_secrets: bool,
    pub(super) adopt_all: bool,
    pub(super) delete_on_close: bool,
    chosen: Chosen,
}

/// What was set, and does not follow the service.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Chosen {
    delay: bool,
    policy: bool,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            pool: PoolConfig::default(),
            creation: SessionCreation::default(),
            warm_up: 0,
            // "There is a default delay of 12 seconds between each request using the same IP"
            // (Smart Proxy Manager docs, Session Limits).
            delay: Duration::from_secs(12),
            domain_delays: BTreeMap::new(),
            concurrency: 100,
            call_concurrency: 8,
            queue_size: 1_000_000,
            deadline: Duration::from_secs(190),
            policy: RetryPolicy::smart_proxy(),
            options: ProxyOptions::new(),
            requeue: true,
            keep_secrets: false,
            adopt_all: false,
            delete_on_close: true,
            chosen: Chosen::default(),
        }
    }
}

impl ProxyConfig {
    /// The same with what was not set as the service wants it, and without what it cannot do.
    pub(super) fn for_dialect(mut self, dialect: ProxyDialect) -> Self {
        if dialect == ProxyDialect::SmartProxyManager {
            return self;
        }
        self.pool = self.pool.or_zyte_api();
        if !self.chosen.delay {
            // No spacing is published: the service's limits count requests per minute.
            self.delay = Duration::ZERO;
        }
        if !self.chosen.policy {
            self.policy = RetryPolicy::zyte_api();
        }
        if !dialect.has_session_calls() {
            self.creation = SessionCreation::Header;
            self.warm_up = 0;
            self.adopt_all = false;
            self.delete_on_close = false;
        }
        self
    }

    /// How many sessions, how they age and wear out. Defaults to [`PoolConfig::default`]; for Zyte
    /// API, what is not set is as in [`PoolConfig::zyte_api`].
    #[must_use]
    pub fn with_pool(self, pool: PoolConfig) -> Self {
        Self { pool, ..self }
    }

    /// How sessions are made. Defaults to [`SessionCreation::Header`].
    #[must_use]
    pub fn with_creation(self, creation: SessionCreation) -> Self {
        Self { creation, ..self }
    }

    /// How many sessions to make at once, by `POST /sessions`, before any job needs them; no more
    /// than the pool holds. Defaults to 0: each is made when it is needed.
    pub fn with_warm_up(self, sessions: u32) -> Result<Self, InvalidSetting> {
        let warm_up = InvalidSetting::check("warm_up", sessions, 0, 5_000)?;
        Ok(Self { warm_up, ..self })
    }

    /// How far apart requests of one session are. Defaults to 12 seconds; to none for Zyte API,
    /// whose limits count requests per minute.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.chosen.delay = true;
        Self { delay, ..self }
    }

    /// The same for one domain and its subdomains: how long a session rests after a request there.
    /// The most specific domain counts.
    #[must_use]
    pub fn with_domain_delay(mut self, domain: &str, delay: Duration) -> Self {
        self.domain_delays.insert(domain_key(domain), delay);
        self
    }

    /// How many requests may be under way at once. Defaults to 100; falls when the service has no
    /// room, and rises again slowly.
    pub fn with_concurrency(self, concurrency: u32) -> Result<Self, InvalidSetting> {
        let concurrency = InvalidSetting::check("concurrency", concurrency, 1, 1_000_000)?;
        Ok(Self { concurrency, ..self })
    }

    /// How many calls of the sessions API may be under way at once. Defaults to 8.
    pub fn with_call_concurrency(self, concurrency: u32) -> Result<Self, InvalidSetting> {
        let call_concurrency = InvalidSetting::check("call_concurrency", concurrency, 1, 1_000)?;
        Ok(Self { call_concurrency, ..self })
    }

    /// How many jobs may be unfinished at once. Defaults to a million.
    pub fn with_queue_size(self, size: u32) -> Result<Self, InvalidSetting> {
        let queue_size = InvalidSetting::check("queue_size", size, 1, MAX_QUEUE)?;
        Ok(Self { queue_size, ..self })
    }

    /// How long an answer may take. Defaults to 190 seconds, as the service advises; longer for a
    /// session of which the service announced a delay.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Waits and budgets of failures. Defaults to [`RetryPolicy::smart_proxy`], for Zyte API to
    /// [`RetryPolicy::zyte_api`].
    #[must_use]
    pub fn with_policy(mut self, policy: RetryPolicy) -> Self {
        self.chosen.policy = true;
        Self { policy, ..self }
    }

    /// Options of requests whose job says nothing else. The engine chooses the session, so one
    /// here is refused; so is a region, unless no session will be used: give it to the jobs.
    pub fn with_options(self, options: ProxyOptions) -> Result<Self, InvalidProxyOptions> {
        if options.session().is_some() {
            return Err(InvalidProxyOptions::contradicting_session());
        }
        Ok(Self { options, ..self })
    }

    /// Whether jobs that were under way when a snapshot was taken are tried again after `restore`
    /// (they may be billed twice), or end as interrupted. Defaults to trying again.
    #[must_use]
    pub fn with_requeue(self, requeue: bool) -> Self {
        Self { requeue, ..self }
    }

    /// Whether snapshots hold `Cookie`, `Authorization` and body of the jobs. Defaults to no: such
    /// jobs ask for their request again after `restore`.
    #[must_use]
    pub fn with_keep_secrets(self, keep: bool) -> Self {
        Self { keep_secrets: keep, ..self }
    }

    /// Whether `restore` takes all sessions of the account that the service lists, or only those
    /// known from the snapshot. Defaults to the latter: others may share the key.
    #[must_use]
    pub fn with_adopt_all(self, adopt: bool) -> Self {
        Self { adopt_all: adopt, ..self }
    }

    /// Whether `close` deletes the sessions of this machine. Defaults to yes.
    #[must_use]
    pub fn with_delete_on_close(self, delete: bool) -> Self {
        Self { delete_on_close: delete, ..self }
    }

    /// How long a session rests after a request to a host.
    pub(super) fn delay_of(&self, host: &str) -> Duration {
        if self.domain_delays.is_empty() {
            return self.delay;
        }
        let parents = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        let mut names = core::iter::once(host).chain(parents);
        names.find_map(|name| self.domain_delays.get(name)).copied().unwrap_or(self.delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_domain_counts() {
        let secs = Duration::from_secs;
        let config = ProxyConfig::default()
            .with_domain_delay("A.com.", secs(3))
            .with_domain_delay("x.a.com", secs(30));
        for (host, delay) in [("a.com", 3), ("y.a.com", 3), ("z.x.a.com", 30), ("ba.com", 12)] {
            assert_eq!(config.delay_of(host), secs(delay), "{host}");
        }
    }
}
