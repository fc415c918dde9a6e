//! What a plan is about.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use crate::{extraction::MAX_QUERIES, schedule::Rate};

/// A plan that cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the plan cannot be made: {reason}")]
pub struct InvalidPlan {
    /// What is wrong with it.
    pub reason: String,
}

impl InvalidPlan {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["invalid_plan"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        "invalid_plan"
    }

    pub(super) fn because(reason: impl core::fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

/// How pages are crawled.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanKind {
    /// As queries of an extraction service.
    Extraction,
    /// Through sessions of a proxy service.
    Proxy,
}

/// Whose limits hold.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlanDialect {
    /// Those of the Automatic Extraction API: 5 queries a second, 500,000 a month.
    AutomaticExtraction,
    /// Those of Smart Proxy Manager: 12 seconds between requests of a session.
    SmartProxyManager,
    /// Those of Zyte API: requests a minute.
    ZyteApi,
}

/// How pages are spread over domains.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Spread {
    /// Each domain has as many as any other.
    #[default]
    Even,
    /// The n-th largest domain has 1/n^s as many as the largest, as Zipf's law has it.
    Zipf,
}

/// What is crawled, with which settings, under which limits, and what goes wrong.
///
/// What is left out is as the engines and the services have it. As JSON, durations are in
/// microseconds and shares in parts of a million.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanSettings {
    /// How pages are crawled.
    pub kind: PlanKind,
    /// Whose limits hold. Defaults to Smart Proxy Manager or the Automatic Extraction API.
    #[serde(default)]
    pub dialect: Option<PlanDialect>,
    /// How many pages; not needed with `domain_pages`.
    #[serde(default)]
    pub pages: u64,
    /// Over how many domains; not needed with `domain_pages`. Defaults to 1.
    #[serde(default = "one")]
    pub domains: u64,
    /// How they are spread. Defaults to evenly.
    #[serde(default)]
    pub spread: Spread,
    /// The exponent of [`Spread::Zipf`], in hundredths. Defaults to 100.
    #[serde(default = "hundred")]
    pub zipf_percent: u32,
    /// The pages of each domain by its name, instead of `pages` and `domains`.
    #[serde(default)]
    pub domain_pages: Vec<(String, u64)>,
    /// How many sessions, of a proxied crawl. Defaults to 100.
    #[serde(default = "hundred")]
    pub sessions: u32,
    /// How far apart requests of a session are. Defaults to 12 seconds, none for Zyte API.
    #[serde(default)]
    pub session_delay_us: Option<u64>,
    /// The same for some domains.
    #[serde(default)]
    pub domain_delays_us: BTreeMap<String, u64>,
    /// How much later than it was sent a request may arrive. Defaults to 250 ms.
    #[serde(default = "margin")]
    pub margin_us: u64,
    /// How many requests or queries the account may send: so many in so many microseconds.
    /// Defaults to 5 a second for the Automatic Extraction API, the published one for Zyte API, no
    /// limit for Smart Proxy Manager. In a proxied crawl the sessions are slowed to keep it.
    #[serde(default)]
    pub rate: Option<[u64; 2]>,
    /// How many queries may be sent at once after a rest. Defaults to 1.
    #[serde(default = "one_small")]
    pub burst: u32,
    /// How many queries a request carries. Defaults to 1, which is all that Zyte API takes.
    #[serde(default = "one_small")]
    pub batch_size: u32,
    /// How many requests may be under way at once. Defaults to what the engine does; in a
    /// proxied crawl to more than the sessions can use.
    #[serde(default)]
    pub concurrency: Option<u32>,
    /// How many pages the engine looks ahead. Defaults to 100,000.
    #[serde(default = "queue_size")]
    pub queue_size: u32,
    /// How far apart queries of one domain have to be before the service calls it occupied.
    /// Defaults to no limit.
    #[serde(default)]
    pub domain_interval_us: Option<u64>,
    /// How many queries of one domain the service works on at a time before it calls it occupied.
    /// Defaults to no limit.
    #[serde(default)]
    pub domain_concurrency: Option<u32>,
    /// The shortest and the longest time in which a page is there. Defaults to 1 to 3 seconds
    /// through a proxy, 2 to 20 for an extraction.
    #[serde(default)]
    pub latency_us: Option<[u64; 2]>,
    /// The longest time on the way to the service, and back. Defaults to 50 ms.
    #[serde(default = "network")]
    pub network_us: u64,
    /// Requests that the target bans.
    #[serde(default)]
    pub bans_ppm: u32,
    /// Requests that fail at the service or the target.
    #[serde(default)]
    pub errors_ppm: u32,
    /// Requests that are lost on the way.
    #[serde(default)]
    pub failures_ppm: u32,
    /// Further faults, as the service's fault script has them.
    #[serde(default)]
    pub faults: Vec<serde_json::Value>,
    /// The price of a month with `quota` billed pages, in millionths of a dollar; 0 if it is not
    /// known. Defaults to the documented $60, 0 for Zyte API.
    #[serde(default)]
    pub price_micros: Option<u64>,
    /// How many billed pages are in the price of a month; what is more is billed pro rata.
    /// Defaults to the documented 100,000.
    #[serde(default = "quota")]
    pub quota: u64,
    /// How many billed pages a month may have; 0: no limit. Defaults to the documented 500,000 for
    /// the Automatic Extraction API. What is more waits for the next month.
    #[serde(default)]
    pub month_limit: Option<u64>,
    /// How long a month is. Defaults to 30 days.
    #[serde(default = "month")]
    pub month_us: u64,
    /// Where chance begins. Defaults to 1.
    #[serde(default = "one")]
    pub seed: u64,
}

const fn one() -> u64 {
    1
}

const fn one_small() -> u32 {
    1
}

const fn hundred() -> u32 {
    100
}

const fn margin() -> u64 {
    250_000
}

const fn network() -> u64 {
    50_000
}

const fn queue_size() -> u32 {
    100_000
}

const fn quota() -> u64 {
    100_000
}

const fn month() -> u64 {
    30 * 86_400 * 1_000_000
}

/// The most pages of a plan.
const MAX_PAGES: u64 = 1_000_000_000;
/// The longest duration of any setting: a hundred days.
const MAX_US: u64 = 100 * 86_400 * 1_000_000;

impl PlanSettings {
    /// A crawl as the services and engines have it by default.
    pub fn new(kind: PlanKind, pages: u64, domains: u64) -> Self {
        Self {
            kind,
            dialect: None,
            pages,
            domains,
            spread: Spread::Even,
            zipf_percent: hundred(),
            domain_pages: Vec::new(),
            sessions: hundred(),
            session_delay_us: None,
            domain_delays_us: BTreeMap::new(),
            margin_us: margin(),
            rate: None,
            burst: 1,
            batch_size: 1,
            concurrency: None,
            queue_size: queue_size(),
            domain_interval_us: None,
            domain_concurrency: None,
            latency_us: None,
            network_us: network(),
            bans_ppm: 0,
            errors_ppm: 0,
            failures_ppm: 0,
            faults: Vec::new(),
            price_micros: None,
            quota: quota(),
            month_limit: None,
            month_us: month(),
            seed: 1,
        }
    }

    /// Reads settings from JSON.
    pub fn from_json(text: &str) -> Result<Self, InvalidPlan> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(InvalidPlan::because)?;
        // Of a value, so that what is wrong is told in the same words however it was written.
        Self::deserialize(value).map_err(InvalidPlan::because)
    }

    /// What cannot be.
    pub(super) fn check(&self) -> Result<(), InvalidPlan> {
        let within = |name: &str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                return Ok(());
            }
            Err(InvalidPlan::because(format!("{name} is {value}, it must be in {least}..={most}")))
        };
        if self.domain_pages.is_empty() {
            within("pages", self.pages, 1, MAX_PAGES)?;
            within("domains", self.domains, 1, 1_000_000)?;
        }
        within("zipf_percent", self.zipf_percent.into(), 0, 1_000)?;
        within("sessions", self.sessions.into(), 1, 5_000)?;
        within("queue_size", self.queue_size.into(), 1, 10_000_000)?;
        within("batch_size", self.batch_size.into(), 1, MAX_QUERIES.try_into().unwrap_or(100))?;
        within("burst", self.burst.into(), 1, u32::MAX.into())?;
        within("quota", self.quota, 1, u64::MAX)?;
        within("month_us", self.month_us, 86_400_000_000, MAX_US)?;
        if let Some(concurrency) = self.concurrency {
            within("concurrency", concurrency.into(), 1, 1_000_000)?;
        }
        if let Some(concurrency) = self.domain_concurrency {
            within("domain_concurrency", concurrency.into(), 1, u32::MAX.into())?;
        }
        let [least, most] = self.latency();
        within("latency_us", most, least, MAX_US)?;
        let shares = [
            ("bans_ppm", self.bans_ppm),
            ("errors_ppm", self.errors_ppm),
            ("failures_ppm", self.failures_ppm),
        ];
        for (name, share) in shares {
            within(name, share.into(), 0, 1_000_000)?;
        }
        let durations = [
            ("session_delay_us", self.session_delay_us),
            ("margin_us", Some(self.margin_us)),
            ("network_us", Some(self.network_us)),
            ("domain_interval_us", self.domain_interval_us),
        ];
        for (name, duration) in durations {
            within(name, duration.unwrap_or_default(), 0, MAX_US)?;
        }
        for (name, delay) in &self.domain_delays_us {
            within(&format!("the delay of `{}`", name.escape_debug()), *delay, 0, MAX_US)?;
        }
        self.rate()?;
        match (self.kind, self.dialect()) {
            (PlanKind::Extraction, PlanDialect::SmartProxyManager)
            | (PlanKind::Proxy, PlanDialect::AutomaticExtraction) => {
                Err(InvalidPlan::because("the dialect is of another kind of crawl"))
            }
            _ => Ok(()),
        }
    }

    /// Whose limits hold.
    pub fn dialect(&self) -> PlanDialect {
        self.dialect.unwrap_or(match self.kind {
            PlanKind::Extraction => PlanDialect::AutomaticExtraction,
            PlanKind::Proxy => PlanDialect::SmartProxyManager,
        })
    }

    /// How many queries a request carries, of as many as the service takes.
    pub(super) fn batch(&self) -> u32 {
        match self.dialect() {
            PlanDialect::ZyteApi => {
                let most = u32::try_from(crate::zyte_api::EXTRACTION.max_queries());
                self.batch_size.min(most.unwrap_or(1))
            }
            PlanDialect::AutomaticExtraction | PlanDialect::SmartProxyManager => self.batch_size,
        }
    }

    /// How many requests or queries the account may send.
    pub(super) fn rate(&self) -> Result<Option<Rate>, InvalidPlan> {
        let [count, period] = match (self.rate, self.dialect()) {
            (Some(rate), _) => rate,
            // "A rate limit of 5 queries per second is enforced" (Automatic Extraction API docs,
            // Restrictions and Failure Modes).
            (None, PlanDialect::AutomaticExtraction) => [5, 1_000_000],
            (None, PlanDialect::ZyteApi) => {
                let (count, period) = crate::zyte_api::EXTRACTION.rate();
                [count, u64::try_from(period.as_micros()).unwrap_or(u64::MAX)]
            }
            (None, PlanDialect::SmartProxyManager) => return Ok(None),
        };
        let rate = Rate::new(count, core::time::Duration::from_micros(period));
        rate.map(Some).map_err(InvalidPlan::because)
    }

    /// How far apart requests of a session are, by its own delay.
    pub(super) fn session_delay(&self) -> u64 {
        self.session_delay_us.unwrap_or(match self.dialect() {
            PlanDialect::ZyteApi => 0,
            PlanDialect::AutomaticExtraction | PlanDialect::SmartProxyManager => 12_000_000,
        })
    }

    pub(super) fn latency(&self) -> [u64; 2] {
        self.latency_us.unwrap_or(match self.kind {
            PlanKind::Extraction => [2_000_000, 20_000_000],
            PlanKind::Proxy => [1_000_000, 3_000_000],
        })
    }

    pub(super) fn price(&self) -> u64 {
        // "Users with a standard $60 per month subscription receive a quota of 100,000 queries per
        // monthly billing cycle" (Automatic Extraction API docs, Restrictions and Failure Modes).
        let documented = if self.dialect() == PlanDialect::ZyteApi { 0 } else { 60_000_000 };
        self.price_micros.unwrap_or(documented)
    }

    pub(super) fn month_limit(&self) -> Option<u64> {
        // "There is a limit of 500,000 queries per monthly billing cycle" (the same).
        let documented =
            if self.dialect() == PlanDialect::AutomaticExtraction { 500_000 } else { 0 };
        Some(self.month_limit.unwrap_or(documented)).filter(|limit| *limit > 0)
    }

    /// The fault script: the shares first, then the caller's own rules.
    pub(super) fn script(&self, ban: &str, error: &str) -> String {
        let mut rules: Vec<String> = Vec::new();
        for (share, then) in [(self.bans_ppm, ban), (self.errors_ppm, error)] {
            if share > 0 {
                let share = format!("{}.{:06}", share / 1_000_000, share % 1_000_000);
                rules.push(format!(r#"{{"when":{{"probability":{share}}},"then":{then}}}"#));
            }
        }
        rules.extend(self.faults.iter().map(ToString::to_string));
        format!("[{}]", rules.join(","))
    }
}
