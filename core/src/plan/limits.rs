//! What limits a crawl, and what would change it.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};

use super::{Change, InvalidPlan, Limit, PlanKind, extraction::Extraction, proxy, run::Plan};
use crate::engine::WaitReason;

/// What can limit a crawl.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Resource {
    Concurrency,
    LargestDomain,
    Rate,
    Sessions,
    MonthlyLimit,
    BackOff,
    Latency,
}

impl Resource {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::LargestDomain => "largest_domain",
            Self::Rate => "rate",
            Self::Sessions => "sessions",
            Self::MonthlyLimit => "monthly_limit",
            Self::BackOff => "back_off",
            Self::Latency => "latency",
        }
    }
}

/// Bounds and waits of a crawl.
pub(super) struct Limits {
    /// The least time that each resource needs for all requests, from what was measured.
    pub(super) bounds: BTreeMap<Resource, u64>,
    /// How long the engine waited for each.
    waits: BTreeMap<Resource, u64>,
    duration: u64,
    /// How long the last request of a session would keep it from a further one.
    spacing: u64,
}

/// The most sessions that the service keeps (Smart Proxy Manager docs, Sessions).
const MAX_SESSIONS: u64 = 5_000;

impl Limits {
    pub(super) fn of(plan: &Plan) -> Self {
        let (duration, sum) = (plan.last_end, plan.series.sum());
        let paced = paced_by_rate(plan).unwrap_or_default();
        let mut waits = BTreeMap::new();
        for (reason, wait) in WaitReason::ALL.into_iter().zip(sum.waits) {
            let resource = match reason {
                WaitReason::Answers => Resource::Latency,
                WaitReason::BackOff => Resource::BackOff,
                WaitReason::Budget => Resource::MonthlyLimit,
                WaitReason::DomainOccupied => Resource::LargestDomain,
                WaitReason::Rate => Resource::Rate,
                WaitReason::SessionCooling if paced => Resource::Rate,
                WaitReason::SessionCooling => Resource::Sessions,
                WaitReason::SlotsBusy => Resource::Concurrency,
            };
            *waits.entry(resource).or_default() += wait;
        }
        let (bounds, spacing) = bounds(plan, sum.sent).unwrap_or_default();
        Self { bounds, waits, duration, spacing }
    }

    fn score(&self, resource: Resource) -> u64 {
        let bound = self.bounds.get(&resource).copied().unwrap_or_default();
        bound.min(self.duration).max(self.waits.get(&resource).copied().unwrap_or_default())
    }

    /// What the crawl waits for most.
    fn hardest(&self) -> Resource {
        let known = self.waits.keys().chain(self.bounds.keys()).copied();
        known.max_by_key(|resource| self.score(*resource)).unwrap_or(Resource::Latency)
    }

    pub(super) fn limit(&self) -> Limit {
        let hardest = self.hardest();
        let wait = self.waits.get(&hardest).copied().unwrap_or_default();
        let share = u128::from(wait) * 1_000_000 / u128::from(self.duration.max(1));
        Limit {
            what: hardest.name(),
            waited_us: wait,
            waited_ppm: u32::try_from(share.min(1_000_000)).unwrap_or(1_000_000),
        }
    }

    /// What would make the crawl shorter.
    pub(super) fn changes(&self, plan: &Plan) -> Vec<Change> {
        let hardest = self.hardest();
        let score = self.score(hardest).max(1);
        let settings = &plan.settings;
        let with_sessions = settings.kind == PlanKind::Proxy && settings.concurrency.is_none();
        // What would be the limit then: of bounds only, since waits are for the hardest.
        let others = self.bounds.iter().filter(|(other, _)| {
            **other != hardest
                && !(hardest == Resource::Sessions
                    && **other == Resource::Concurrency
                    && with_sessions)
        });
        let next = others.max_by_key(|(_, bound)| **bound);
        let (next, floor) = next.map_or((Resource::Latency, 0), |(next, bound)| (*next, *bound));
        let (largest, pages) = plan.pages.largest();
        let (setting, from, most): (&str, u64, u64) = match hardest {
            Resource::Sessions => ("sessions", settings.sessions.into(), MAX_SESSIONS),
            Resource::Concurrency => ("concurrency", concurrency(plan), 1_000_000),
            Resource::Rate => {
                let rate = settings.rate().ok().flatten();
                ("rate", rate.map_or(0, crate::schedule::Rate::count), u64::MAX)
            }
            Resource::LargestDomain => ("domain_pages", pages, pages),
            Resource::MonthlyLimit => {
                let limit = settings.month_limit().unwrap_or_default();
                let waited = self.score(Resource::MonthlyLimit);
                return [Change {
                    setting: "month_limit",
                    domain: None,
                    from: limit,
                    to: plan.side.numbers().billed,
                    per_us: Some(settings.month_us),
                    duration_us: self.duration.saturating_sub(waited),
                    then: next.name(),
                }]
                .into();
            }
            Resource::BackOff | Resource::Latency => return Vec::new(),
        };
        let per_us = settings.rate().ok().flatten().filter(|_| hardest == Resource::Rate);
        let per_us = per_us.and_then(|rate| u64::try_from(rate.period().as_micros()).ok());
        let scaled = |value: u64, by: u64, per: u64| {
            let scaled = (u128::from(value) * u128::from(by)).div_ceil(u128::from(per.max(1)));
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        let rest = self.duration.saturating_sub(score);
        if hardest == Resource::LargestDomain {
            let to = scaled(from, floor, score).min(from);
            return [Change {
                setting,
                domain: Some(largest.to_owned()),
                from,
                to,
                per_us: None,
                duration_us: rest + floor.min(score),
                then: next.name(),
            }]
            .into();
        }
        // Twice as much, and as much as helps at all.
        let spacing = if hardest == Resource::Sessions { self.spacing } else { 0 };
        let useful = scaled(from, score + spacing, (floor + spacing).max(1)).min(most);
        let mut changes: Vec<Change> = Vec::new();
        for to in [from.saturating_mul(2).min(useful), useful.min(from.saturating_mul(100))] {
            if to <= from || changes.iter().any(|change| change.to == to) {
                continue;
            }
            let duration = scaled(score + spacing, from, to).saturating_sub(spacing);
            let then = if duration > floor.saturating_add(floor / 20) { hardest } else { next };
            changes.push(Change {
                setting,
                domain: None::<String>,
                from,
                to,
                per_us,
                duration_us: rest + duration.max(floor),
                then: then.name(),
            });
        }
        changes
    }
}

fn concurrency(plan: &Plan) -> u64 {
    match plan.settings.kind {
        PlanKind::Extraction => Extraction::concurrency(&plan.settings).into(),
        PlanKind::Proxy => proxy::concurrency(&plan.settings).into(),
    }
}

/// Whether sessions are slowed to keep the account's rate.
fn paced_by_rate(plan: &Plan) -> Result<bool, InvalidPlan> {
    let settings = &plan.settings;
    Ok(settings.kind == PlanKind::Proxy && proxy::spacing(settings)? > settings.session_delay())
}

/// The bounds, and how far apart requests of a session are on average.
fn bounds(plan: &Plan, sent: u64) -> Result<(BTreeMap<Resource, u64>, u64), InvalidPlan> {
    let settings = &plan.settings;
    let (mut bounds, mut average) = (BTreeMap::new(), 0);
    let mut bound = |resource, micros: u128| {
        bounds.insert(resource, u64::try_from(micros).unwrap_or(u64::MAX));
    };
    let sent = u128::from(sent);
    let answer = plan.answer_us / u128::from(plan.answers.max(1));
    let requests = sent.div_ceil(settings.batch().into());
    bound(Resource::Concurrency, requests * answer / u128::from(concurrency(plan).max(1)));
    if let Some(rate) = settings.rate()? {
        // What the first moment lets through needs no time.
        let sent = sent.saturating_sub(settings.burst.into());
        bound(Resource::Rate, sent * rate.period().as_micros() / u128::from(rate.count()));
    }
    let pages = u128::from(plan.pages.total());
    match settings.kind {
        PlanKind::Extraction => {
            let (_, largest) = plan.pages.largest();
            // What is sent while a domain is occupied takes none of its time.
            let done = u128::from(plan.succeeded + plan.failed);
            let largest = u128::from(largest) * done / pages;
            let by_pace = largest * u128::from(settings.domain_interval_us.unwrap_or_default());
            let by_slots =
                settings.domain_concurrency.map_or(0, |slots| largest * answer / u128::from(slots));
            if by_pace.max(by_slots) > 0 {
                bound(Resource::LargestDomain, by_pace.max(by_slots));
            }
        }
        PlanKind::Proxy => {
            let margin = u128::from(settings.margin_us).min(answer);
            let spacing = |name: &str| {
                let delay = settings.domain_delays_us.get(name).copied();
                (u128::from(delay.unwrap_or_else(|| settings.session_delay())) + margin).max(answer)
            };
            let time: u128 =
                plan.pages.domains().map(|(name, pages)| u128::from(pages) * spacing(name)).sum();
            // After the last request of a session nobody waits for it.
            let sessions = u128::from(settings.sessions);
            average = time / pages;
            bound(Resource::Sessions, (average * sent / sessions).saturating_sub(average));
        }
    }
    Ok((bounds, u64::try_from(average).unwrap_or(u64::MAX)))
}
