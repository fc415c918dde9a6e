//! What came of a plan.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use super::{Cost, PlanDialect, PlanKind, limits::Limits, run::Plan, series::Bin};
use crate::engine::WaitReason;

/// The domain with the most pages.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LargestDomain {
    /// Its name.
    pub name: String,
    /// Its pages.
    pub pages: u64,
}

/// What a crawl waits for most: `sessions`, `rate`, `concurrency`, `largest_domain`,
/// `monthly_limit`, `back_off` or `latency`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Limit {
    /// Its name.
    pub what: &'static str,
    /// How long nothing could be sent because of it.
    pub waited_us: u64,
    /// The same as a share of the crawl.
    pub waited_ppm: u32,
}

/// A setting that would make the crawl shorter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The setting.
    pub setting: &'static str,
    /// The domain that it is about, of `domain_pages`.
    pub domain: Option<String>,
    /// Its value in this plan.
    pub from: u64,
    /// The value that makes the difference.
    pub to: u64,
    /// In how many microseconds, of `rate` and `month_limit`.
    pub per_us: Option<u64>,
    /// About how long the crawl would take then.
    pub duration_us: u64,
    /// What would limit it then.
    pub then: &'static str,
}

/// What happened over time, by intervals of equal length.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SeriesReport {
    /// How long an interval is.
    pub bin_us: u64,
    /// Pages sent in each.
    pub sent: Vec<u64>,
    /// Pages done in each.
    pub succeeded: Vec<u64>,
    /// Pages failed in each.
    pub failed: Vec<u64>,
    /// Requests under way on average, in thousandths: each uses a session of a proxied crawl.
    pub under_way_milli: Vec<u64>,
    /// Sessions alive on average, in thousandths.
    pub sessions_milli: Vec<u64>,
    /// How long nothing could be sent, by reason.
    pub waits_us: BTreeMap<&'static str, Vec<u64>>,
}

/// What came of a plan. As JSON, durations are in microseconds and shares in parts of a million.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// How pages were crawled.
    pub kind: PlanKind,
    /// Under whose limits.
    pub dialect: PlanDialect,
    /// How many there are.
    pub pages: u64,
    /// Over how many domains.
    pub domains: u64,
    /// The largest of them.
    pub largest_domain: LargestDomain,
    /// How long the crawl takes, from its first moment to the end of its last page.
    pub duration_us: u64,
    /// Pages done.
    pub succeeded: u64,
    /// Pages failed for good.
    pub failed: u64,
    /// The same by the code of their error.
    pub errors: BTreeMap<&'static str, u64>,
    /// Requests sent.
    pub requests: u64,
    /// Tries beyond the first of their page.
    pub retries: u64,
    /// Answers by which the service asked to slow down.
    pub throttled: u64,
    /// Requests that came earlier than the service allows, by its own count.
    pub early: u64,
    /// How long an answer took on average.
    pub answer_us: u64,
    /// What it costs.
    pub cost: Cost,
    /// What limits it.
    pub limit: Limit,
    /// The least time that each limit allows for as many requests.
    pub bounds_us: BTreeMap<&'static str, u64>,
    /// How long nothing could be sent, by the engine's own reason.
    pub waits_us: BTreeMap<&'static str, u64>,
    /// What would make it shorter.
    pub changes: Vec<Change>,
    /// Why it ended before all pages were done or failed.
    pub stopped: Option<String>,
    /// What happened over time.
    pub series: SeriesReport,
}

impl PlanReport {
    pub(super) fn of(plan: &Plan) -> Self {
        let (numbers, limits) = (plan.side.numbers(), Limits::of(plan));
        let (name, pages) = plan.pages.largest();
        let sum = plan.series.sum();
        let waits = WaitReason::ALL.into_iter().zip(sum.waits);
        Self {
            kind: plan.settings.kind,
            dialect: plan.settings.dialect(),
            pages: plan.pages.total(),
            domains: u64::try_from(plan.pages.len()).unwrap_or(u64::MAX),
            largest_domain: LargestDomain { name: name.to_owned(), pages },
            duration_us: plan.last_end,
            succeeded: plan.succeeded,
            failed: plan.failed,
            errors: plan.errors.clone(),
            requests: numbers.requests,
            retries: numbers.retries,
            throttled: numbers.throttled,
            early: numbers.early,
            answer_us: u64::try_from(plan.answer_us / u128::from(plan.answers.max(1)))
                .unwrap_or(u64::MAX),
            cost: Cost::of(plan),
            limit: limits.limit(),
            bounds_us: limits.bounds.iter().map(|(what, bound)| (what.name(), *bound)).collect(),
            waits_us: waits
                .filter(|(_, wait)| *wait > 0)
                .map(|(reason, wait)| (reason.as_str(), wait))
                .collect(),
            changes: limits.changes(plan),
            stopped: plan.stopped.as_ref().map(ToString::to_string),
            series: series(plan),
        }
    }

    /// The report as a JSON object.
    pub fn to_json(&self) -> String {
        // Maps with texts as keys always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn series(plan: &Plan) -> SeriesReport {
    let series = &plan.series;
    let numbers = |number: fn(&Bin) -> u64| series.bins.iter().map(number).collect();
    // The last interval ends with the crawl.
    let ends = (1..).map(|index: u64| plan.last_end.min(index * series.bin_us));
    let spans = ends.zip(0..).map(|(end, index)| end.saturating_sub(index * series.bin_us));
    let averages = |number: fn(&Bin) -> u128| {
        let bins = series.bins.iter().zip(spans.clone());
        let milli = bins.map(|(bin, span)| number(bin) * 1_000 / u128::from(span.max(1)));
        milli.map(|milli| u64::try_from(milli).unwrap_or(u64::MAX)).collect()
    };
    let waits = WaitReason::ALL.into_iter().enumerate().map(|(place, reason)| {
        let wait = |bin: &Bin| bin.waits.get(place).copied().unwrap_or_default();
        (reason.as_str(), series.bins.iter().map(wait).collect::<Vec<u64>>())
    });
    SeriesReport {
        bin_us: series.bin_us,
        sent: numbers(|bin| bin.sent),
        succeeded: numbers(|bin| bin.succeeded),
        failed: numbers(|bin| bin.failed),
        under_way_milli: averages(|bin| bin.under_way),
        sessions_milli: averages(|bin| bin.sessions),
        waits_us: waits.filter(|(_, waits)| waits.iter().any(|wait| *wait > 0)).collect(),
    }
}
