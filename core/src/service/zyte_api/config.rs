//! What can be set.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::time::Duration;

use super::{limits::Paces, problems};
use crate::service::{
    InvalidFaults, Keys, Pace, domains::is_within, extraction::script::Action, faults::Script,
    proxy::BanRule,
};

/// The limits of Zyte API. The defaults are the documented ones; what is unpublished says so.
#[derive(Clone, Debug)]
pub struct ZyteApiConfig {
    pub(super) keys: Keys,
    pub(super) paces: Paces,
    pub(super) max_payload: usize,
    pub(super) timeout: Duration,
    pub(super) forbidden: Vec<String>,
    pub(super) bans: Vec<BanRule>,
    pub(super) faults: Script<Action>,
}

impl Default for ZyteApiConfig {
    fn default() -> Self {
        Self {
            keys: Keys::any(),
            paces: Paces::default(),
            max_payload: 32 * 1024 * 1024,
            timeout: Duration::from_secs(300),
            forbidden: Vec::new(),
            bans: Vec::new(),
            faults: Script::default(),
        }
    }
}

impl ZyteApiConfig {
    /// Who may ask. Defaults to any non-empty key.
    #[must_use]
    pub fn with_keys(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }

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

    /// Domains over their limit for some time from the first request for them on, with all below
    /// them. Defaults to none.
    #[must_use]
    pub fn with_occupied(mut self, domains: impl IntoIterator<Item = (String, Duration)>) -> Self {
        self.paces.occupied = domains.into_iter().collect::<BTreeMap<_, _>>();
        self
    }

    /// How many bytes the body of a request may have. Unpublished. Defaults to 32 MiB.
    #[must_use]
    pub fn with_max_payload(self, bytes: usize) -> Self {
        Self { max_payload: bytes, ..self }
    }

    /// How long a request may take. Clients are advised to wait 320 s. Defaults to 300 s.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Domains that are forbidden, with all below them. Defaults to none.
    #[must_use]
    pub fn with_forbidden(self, domains: impl IntoIterator<Item = String>) -> Self {
        Self { forbidden: domains.into_iter().collect(), ..self }
    }

    /// What counts as a ban by the target. Defaults to nothing.
    #[must_use]
    pub fn with_bans(self, bans: impl IntoIterator<Item = BanRule>) -> Self {
        Self { bans: bans.into_iter().collect(), ..self }
    }

    /// Faults to show, as a JSON list of rules: those of
    /// [`ExtractionConfig::with_faults`](crate::service::extraction::ExtractionConfig::with_faults)
    /// for a whole request, and `slow` (seconds before its answer is there). `page_type` is the
    /// member that asks for an item, or else `browserHtml` or `httpResponseBody`; `problem` is a
    /// type such as `/limits/over-user-limit`, or its last segment.
    pub fn with_faults(self, script: &str) -> Result<Self, InvalidFaults> {
        let check = |action: &Action| {
            if action.error.is_some() || !action.echo.is_empty() || !action.results.is_empty() {
                return Err("`error`, `echo` and `results` belong to Automatic Extraction");
            }
            if action.slow.is_some() && !action.is_for_request() {
                return Ok(());
            }
            action.check(problems::named)
        };
        Ok(Self { faults: Script::from_json(script, check)?, ..self })
    }

    /// How many bytes of a request's body the host has to read at most: one more than is allowed
    /// shows that it is too large.
    pub fn max_payload(&self) -> usize {
        self.max_payload
    }

    pub(super) fn is_forbidden(&self, host: &str) -> bool {
        self.forbidden.iter().any(|domain| is_within(host, domain))
    }

    pub(super) fn is_ban(&self, host: &str, status: u16, body: &[u8]) -> bool {
        let about =
            |rule: &&BanRule| rule.domain.as_deref().is_none_or(|domain| is_within(host, domain));
        self.bans.iter().filter(about).any(|rule| rule.fits(status, body))
    }
}
