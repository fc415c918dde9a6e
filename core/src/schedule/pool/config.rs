//! How a session pool is set up.

use core::time::Duration;

use crate::Timestamp;

/// The most sessions the service keeps at any point in time (Smart Proxy Manager docs, Sessions).
const MAX_SIZE: u32 = 5_000;

/// A pool that the service would not keep.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPool {
    /// The share of anonymous sessions is above 100 percent.
    #[error("anonymous share of the pool is {percent} percent: at most 100")]
    Anonymous {
        /// As given.
        percent: u32,
    },
    /// The size is zero or above what the service keeps.
    #[error("pool size {size} is not in 1..=5000")]
    Size {
        /// As given.
        size: u32,
    },
}

impl InvalidPool {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["pool_anonymous_invalid", "pool_size_invalid"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Anonymous { .. } => "pool_anonymous_invalid",
            Self::Size { .. } => "pool_size_invalid",
        }
    }
}

/// How a [`SessionPool`](super::SessionPool) is set up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PoolConfig {
    pub(super) size: u32,
    pub(super) margin: Option<Duration>,
    pub(super) idle: Duration,
    pub(super) safety: Duration,
    pub(super) max_bans: u32,
    pub(super) max_timeouts: u32,
    pub(super) anonymous_percent: u32,
    pub(super) lifetime: Option<Duration>,
    pub(super) bans_in_a_row: bool,
    chosen: Chosen,
}

/// What was set, and does not follow the service.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each setting")]
struct Chosen {
    idle: bool,
    safety: bool,
    max_bans: bool,
    lifetime: bool,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            size: 100,
            margin: Some(Duration::from_millis(250)),
            idle: Duration::from_secs(30 * 60),
            safety: Duration::from_secs(30),
            max_bans: 1,
            max_timeouts: 2,
            anonymous_percent: 50,
            lifetime: None,
            bans_in_a_row: false,
            chosen: Chosen::default(),
        }
    }
}

impl PoolConfig {
    /// As Zyte API keeps sessions: 15 minutes in all, 2 minutes after the last request, until 3 bans
    /// in a row (Zyte API docs, Sessions).
    pub fn zyte_api() -> Self {
        Self::default().or_zyte_api()
    }

    /// The preset of that name: `default` or `zyte_api`.
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "default" => Some(Self::default()),
            "zyte_api" => Some(Self::zyte_api()),
            _ => None,
        }
    }

    /// The same with what was not set as Zyte API keeps sessions.
    pub(crate) fn or_zyte_api(mut self) -> Self {
        if !self.chosen.idle {
            self.idle = Duration::from_secs(2 * 60);
        }
        if !self.chosen.safety {
            self.safety = Duration::from_secs(10);
        }
        if !self.chosen.max_bans {
            (self.max_bans, self.bans_in_a_row) = (3, true);
        }
        if !self.chosen.lifetime {
            self.lifetime = Some(Duration::from_secs(15 * 60));
        }
        self
    }

    /// How many sessions there may be at once, 1 to 5000. Defaults to 100, the limit of the
    /// smallest plan.
    pub fn with_size(self, size: u32) -> Result<Self, InvalidPool> {
        if size == 0 || size > MAX_SIZE {
            return Err(InvalidPool::Size { size });
        }
        Ok(Self { size, ..self })
    }

    /// How much later than it was sent a request may arrive; `None`: as late as its answer.
    /// Defaults to 250 ms.
    #[must_use]
    pub fn with_margin(self, margin: Option<Duration>) -> Self {
        Self { margin, ..self }
    }

    /// How long after its last request the service forgets a session. Defaults to 30 minutes.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.chosen.idle = true;
        Self { idle, ..self }
    }

    /// How long after its first request the service forgets a session; `None`: never for that.
    /// Defaults to never.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Option<Duration>) -> Self {
        self.chosen.lifetime = true;
        Self { lifetime, ..self }
    }

    /// How long before that a session is not used any more. Defaults to 30 seconds.
    #[must_use]
    pub fn with_safety(mut self, safety: Duration) -> Self {
        self.chosen.safety = true;
        Self { safety, ..self }
    }

    /// After how many bans a session is retired. Defaults to 1: a ban is of the address.
    #[must_use]
    pub fn with_max_bans(mut self, max_bans: u32) -> Self {
        self.chosen.max_bans = true;
        Self { max_bans, ..self }
    }

    /// After how many time-outs in a row a session is retired. Defaults to 2.
    #[must_use]
    pub fn with_max_timeouts(self, max_timeouts: u32) -> Self {
        Self { max_timeouts, ..self }
    }

    /// How much of the pool named sessions must leave to anonymous ones, in percent. Defaults to
    /// 50.
    pub fn with_anonymous_percent(self, percent: u32) -> Result<Self, InvalidPool> {
        if percent > 100 {
            return Err(InvalidPool::Anonymous { percent });
        }
        Ok(Self { anonymous_percent: percent, ..self })
    }

    /// How long after its last request the service forgets a session.
    pub(crate) const fn idle(&self) -> Duration {
        self.idle
    }

    /// How many sessions there may be at once.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// How long after its last request a session is no longer used.
    pub(super) fn usable(&self) -> Duration {
        self.idle.saturating_sub(self.safety)
    }

    /// From when on a session is no longer used that was made and last used at these moments.
    pub(super) fn expiry(&self, born: Timestamp, sent: Timestamp) -> Timestamp {
        let idle = sent + self.usable();
        let end = self.lifetime.map(|lifetime| born + lifetime.saturating_sub(self.safety));
        end.map_or(idle, |end| idle.min(end))
    }

    /// How many places named sessions may take of `size`.
    pub(super) fn named_limit(&self, size: u32) -> u32 {
        size - size.saturating_mul(self.anonymous_percent) / 100
    }
}
