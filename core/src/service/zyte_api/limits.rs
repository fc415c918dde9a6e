//! Who has to wait: throttling counts requests, of keys and of websites.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String};
use core::time::Duration;

use super::problems::{OVER_DOMAIN_LIMIT, OVER_GLOBAL_LIMIT, OVER_USER_LIMIT};
use crate::{
    Timestamp,
    service::{Pace, domains::is_within, pace::Meter},
};

/// How many idle meters are kept before they are swept: keys and domains are the clients' choice.
const SWEEP: usize = 4_096;

/// How many requests are let through.
#[derive(Clone, Debug)]
pub(super) struct Paces {
    pub(super) user: Pace,
    pub(super) system: Option<Pace>,
    pub(super) domain: Option<Pace>,
    pub(super) occupied: BTreeMap<String, Duration>,
}

impl Default for Paces {
    /// The limit of standard plans is 3000 requests a minute (Zyte API docs, Rate limits).
    fn default() -> Self {
        Self { user: per_minute(3_000), system: None, domain: None, occupied: BTreeMap::new() }
    }
}

const fn per_minute(requests: u32) -> Pace {
    Pace::every(Duration::from_micros(60_000_000 / requests as u64)).with_burst(requests)
}

/// What was let through so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    users: BTreeMap<String, Meter>,
    system: Meter,
    domains: BTreeMap<String, Meter>,
    occupied_since: BTreeMap<String, Timestamp>,
}

impl Limits {
    /// Lets a request through, or names the limit and the wait.
    pub(super) fn admit(
        &mut self,
        paces: &Paces,
        key: &str,
        host: &str,
        domain: &str,
        now: Timestamp,
    ) -> Result<(), (&'static str, Duration)> {
        let mut user = self.users.get(key).copied().unwrap_or_default();
        user.admit(paces.user, 1, now).map_err(|wait| (OVER_USER_LIMIT, wait))?;
        let mut system = self.system;
        if let Some(pace) = paces.system {
            system.admit(pace, 1, now).map_err(|wait| (OVER_GLOBAL_LIMIT, wait))?;
        }
        if let Some((name, &time)) = paces.occupied.iter().find(|(name, _)| is_within(host, name)) {
            let until = *self.occupied_since.entry(name.clone()).or_insert(now) + time;
            if now < until {
                return Err((OVER_DOMAIN_LIMIT, until.since(now)));
            }
        }
        if let Some(pace) = paces.domain {
            let mut website = self.domains.get(domain).copied().unwrap_or_default();
            website.admit(pace, 1, now).map_err(|wait| (OVER_DOMAIN_LIMIT, wait))?;
            keep(&mut self.domains, domain, website, now);
        }
        self.system = system;
        keep(&mut self.users, key, user, now);
        Ok(())
    }
}

fn keep(meters: &mut BTreeMap<String, Meter>, name: &str, meter: Meter, now: Timestamp) {
    if meters.len() >= SWEEP {
        meters.retain(|_, meter| !meter.is_idle(now));
    }
    meters.insert(name.to_owned(), meter);
}
