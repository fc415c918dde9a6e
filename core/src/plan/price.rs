//! What a crawl costs.

use alloc::vec::Vec;

use serde::Serialize;

use super::{PlanSettings, run::Plan};

/// What a crawl costs.
///
/// "Users with a standard $60 per month subscription receive a quota of 100,000 queries per monthly
/// billing cycle. If the quota is exceeded, additional queries will be billed at the end of the
/// billing cycle on a pro rata basis. There is a limit of 500,000 queries per monthly billing
/// cycle" (Automatic Extraction API docs, Restrictions and Failure Modes).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cost {
    /// In millionths of a dollar; 0 if there is no price.
    pub micros: u64,
    /// Pages that are billed.
    pub billed: u64,
    /// The same by month.
    pub months: Vec<u64>,
    /// Requests of which nobody knows, because their answer was lost.
    pub possibly_billed: u64,
    /// The price of a month, in millionths of a dollar.
    pub price_micros: u64,
    /// How many billed pages are in it.
    pub quota: u64,
    /// How many billed pages a month may have.
    pub month_limit: Option<u64>,
    /// Pages that the first month refuses: they wait for the next one.
    pub refused: u64,
}

impl Cost {
    pub(super) fn of(plan: &Plan) -> Self {
        let numbers = plan.side.numbers();
        let mut months = plan.months.clone();
        let last = numbers.billed - months.iter().sum::<u64>();
        if last > 0 || months.is_empty() {
            months.push(last);
        }
        let settings = &plan.settings;
        let month_limit = settings.month_limit();
        let over = |limit: u64| numbers.billed.saturating_sub(limit);
        Self {
            micros: months.iter().map(|billed| price(settings, *billed)).sum(),
            billed: numbers.billed,
            months,
            possibly_billed: numbers.possibly_billed,
            price_micros: settings.price(),
            quota: settings.quota,
            refused: month_limit.map_or(0, over),
            month_limit,
        }
    }
}

/// What a month with so many billed pages costs.
fn price(settings: &PlanSettings, billed: u64) -> u64 {
    let over = billed.saturating_sub(settings.quota);
    let more = u128::from(settings.price()) * u128::from(over) / u128::from(settings.quota.max(1));
    settings.price().saturating_add(u64::try_from(more).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanKind;

    #[test]
    fn a_month_costs_its_price_and_what_is_more_pro_rata() {
        let settings = PlanSettings::new(PlanKind::Extraction, 1, 1);
        let dollars = |billed| price(&settings, billed) / 10_000;
        for (billed, cents) in
            [(0, 6_000), (1, 6_000), (100_000, 6_000), (150_000, 9_000), (500_000, 30_000)]
        {
            assert_eq!(dollars(billed), cents, "{billed}");
        }
        assert_eq!(price(&settings, 100_001), 60_000_600);
    }
}
