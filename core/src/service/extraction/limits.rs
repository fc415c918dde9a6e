//! Who has to wait.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String};
use core::time::Duration;

use super::super::{
    domains::is_within,
    pace::{Meter, whole_seconds},
};
use super::{
    config::ExtractionConfig,
    query::Target,
    refusal::{RATE_LIMIT_EXCEEDED, Refusal, USER_RATE_LIMIT_EXCEEDED},
};
use crate::Timestamp;

/// How many idle meters are kept before they are swept: keys and domains are the clients' choice.
const SWEEP: usize = 4_096;

/// What is known of keys and domains.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    keys: BTreeMap<String, Meter>,
    system: Meter,
    domains: BTreeMap<String, Meter>,
    busy: BTreeMap<String, u32>,
    occupied_since: BTreeMap<String, Timestamp>,
}

impl Limits {
    /// Whether a key may send `count` queries now; if not, which limit says so and for how long.
    pub(super) fn admit(
        &mut self,
        config: &ExtractionConfig,
        key: &str,
        count: usize,
        now: Timestamp,
    ) -> Result<(), (Refusal, Duration)> {
        let mut user = self.keys.get(key).copied().unwrap_or_default();
        user.admit(config.pace, count, now).map_err(|wait| (USER_RATE_LIMIT_EXCEEDED, wait))?;
        if let Some(pace) = config.system_pace {
            self.system.admit(pace, count, now).map_err(|wait| (RATE_LIMIT_EXCEEDED, wait))?;
        }
        sweep(&mut self.keys, now);
        self.keys.insert(key.to_owned(), user);
        Ok(())
    }

    /// Whether a page may be fetched now; if so, [`Limits::release`] has to follow.
    pub(super) fn enter(
        &mut self,
        config: &ExtractionConfig,
        target: &Target,
        now: Timestamp,
    ) -> Result<(), String> {
        if config.blacklist.iter().any(|domain| is_within(&target.host, domain)) {
            return Err("Extraction not permitted for this URL".to_owned());
        }
        let occupied = config.occupied.iter().find(|(name, _)| is_within(&target.host, name));
        if let Some((domain, &time)) = occupied {
            let since = *self.occupied_since.entry(domain.clone()).or_insert(now);
            let until = since + time;
            if now < until {
                return Err(occupied_text(domain, until.since(now)));
            }
        }
        let domain = &target.domain;
        let busy = self.busy.get(domain).copied().unwrap_or(0);
        if config.domain_concurrency.is_some_and(|limit| busy >= limit) {
            return Err(occupied_text(domain, config.domain_wait));
        }
        if let Some(pace) = config.domain_pace {
            sweep(&mut self.domains, now);
            let meter = self.domains.entry(domain.clone()).or_default();
            meter.admit(pace, 1, now).map_err(|wait| occupied_text(domain, wait))?;
        }
        self.busy.insert(domain.clone(), busy + 1);
        Ok(())
    }

    /// A page of the domain is done.
    pub(super) fn release(&mut self, domain: &str) {
        match self.busy.get_mut(domain) {
            Some(busy) if *busy > 1 => *busy -= 1,
            _ => {
                self.busy.remove(domain);
            }
        }
    }
}

fn occupied_text(domain: &str, wait: Duration) -> String {
    format!("Domain {domain} is occupied, please retry in {} seconds", whole_seconds(wait))
}

fn sweep(meters: &mut BTreeMap<String, Meter>, now: Timestamp) {
    if meters.len() >= SWEEP {
        meters.retain(|_, meter| !meter.is_idle(now));
    }
}
