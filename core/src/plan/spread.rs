//! Which pages there are, and in which order they come.

use alloc::{
    collections::{BTreeSet, BinaryHeap},
    format,
    string::String,
    vec::Vec,
};
use core::cmp::Reverse;

use super::{InvalidPlan, PlanSettings, Spread};
use crate::extraction::{PageType, Query};

/// The pages of a crawl, mixed so that each domain's are spread over the whole of it.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    domains: Vec<Domain>,
    /// When the next page of each domain is due, if the whole crawl is 2^64 long.
    due: BinaryHeap<Reverse<(u128, usize)>>,
    total: u64,
}

#[derive(Clone, Debug)]
struct Domain {
    name: String,
    pages: u64,
    given: u64,
}

impl Pages {
    pub(super) fn new(settings: &PlanSettings) -> Result<Self, InvalidPlan> {
        let named: Vec<(String, u64)> = if settings.domain_pages.is_empty() {
            let counts = match settings.spread {
                Spread::Even => shares(settings.pages, settings.domains, |_| 1),
                Spread::Zipf => {
                    let power = Power::new();
                    let exponent = settings.zipf_percent;
                    shares(settings.pages, settings.domains, |rank| power.inverse(rank, exponent))
                }
            };
            let named = counts.into_iter().enumerate();
            named.map(|(index, pages)| (format!("site-{}.example", index + 1), pages)).collect()
        } else {
            settings.domain_pages.clone()
        };
        let mut seen = BTreeSet::new();
        // Names that were made here are good.
        for (name, _) in &settings.domain_pages {
            let page = Query::new(format!("http://{name}/1"), PageType::Article);
            if page.is_err() || name.contains(['/', '?', '#', '@', ':']) {
                let name = name.escape_debug();
                return Err(InvalidPlan::because(format!("`{name}` is not a domain")));
            }
            if !seen.insert(name.as_str()) {
                let name = name.escape_debug();
                return Err(InvalidPlan::because(format!("domain `{name}` stands there twice")));
            }
        }
        let total = named.iter().fold(0_u64, |sum, (_, pages)| sum.saturating_add(*pages));
        if total == 0 || total > 1_000_000_000 {
            return Err(InvalidPlan::because(format!(
                "{total} pages, they must be in 1..=1000000000"
            )));
        }
        let domains: Vec<_> = named
            .into_iter()
            .filter(|(_, pages)| *pages > 0)
            .map(|(name, pages)| Domain { name, pages, given: 0 })
            .collect();
        let due = domains.iter().enumerate();
        let due = due.map(|(index, domain)| Reverse((domain.due(), index))).collect();
        Ok(Self { domains, due, total })
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn domains(&self) -> impl Iterator<Item = (&str, u64)> {
        self.domains.iter().map(|domain| (domain.name.as_str(), domain.pages))
    }

    pub(super) fn len(&self) -> usize {
        self.domains.len()
    }

    /// The domain with the most pages.
    pub(super) fn largest(&self) -> (&str, u64) {
        // Of equals the first.
        self.domains().fold(("", 0), |most, next| if next.1 > most.1 { next } else { most })
    }

    /// The URL of the next page.
    pub(super) fn next(&mut self) -> Option<String> {
        let Reverse((_, index)) = self.due.pop()?;
        let domain = self.domains.get_mut(index)?;
        let url = format!("http://{}/{}", domain.name, domain.given);
        domain.given += 1;
        if domain.given < domain.pages {
            self.due.push(Reverse((domain.due(), index)));
        }
        Some(url)
    }
}

impl Domain {
    /// In the middle of its next page's share of the crawl.
    fn due(&self) -> u128 {
        ((2 * u128::from(self.given) + 1) << 63) / u128::from(self.pages.max(1))
    }
}

/// Splits pages by the weight of each rank from 1 on; what rounding leaves goes to the first.
fn shares(pages: u64, domains: u64, weight: impl Fn(u64) -> u64) -> Vec<u64> {
    let weights: Vec<u64> = (1..=domains).map(weight).collect();
    let sum = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    let mut counts: Vec<u64> = weights
        .iter()
        .map(|weight| u128::from(pages) * u128::from(*weight) / sum)
        .map(|share| u64::try_from(share).unwrap_or(u64::MAX))
        .collect();
    let mut left = pages - counts.iter().sum::<u64>().min(pages);
    while left > 0 {
        for count in counts.iter_mut().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            *count += 1;
            left -= 1;
        }
    }
    counts
}

/// Powers in integer arithmetic: there is no float maths without `std`.
struct Power {
    /// 2 to the power of -1/2, -1/4, -1/8, …, times 2^63.
    roots: [u128; Power::BITS],
}

impl Power {
    const BITS: usize = 24;

    fn new() -> Self {
        let mut root = 1_u128 << 62;
        let roots = core::array::from_fn(|_| {
            root = (root << 63).isqrt();
            root
        });
        Self { roots }
    }

    /// The binary logarithm, times 2^BITS.
    fn log2(number: u64) -> u128 {
        let whole = number.max(1).ilog2();
        let mut rest = u128::from(number.max(1)) << (63 - whole);
        let mut log = u128::from(whole);
        for _ in 0..Self::BITS {
            rest = (rest * rest) >> 63;
            let bit = rest >> 64;
            rest >>= bit;
            log = (log << 1) | bit;
        }
        log
    }

    /// `number` to the power of minus `exponent` hundredths, times 2^60.
    fn inverse(&self, number: u64, exponent: u32) -> u64 {
        let log = Self::log2(number) * u128::from(exponent) / 100;
        let whole = u32::try_from(log >> Self::BITS).unwrap_or(u32::MAX);
        let mut power = 1_u128 << 63;
        for (index, root) in self.roots.iter().enumerate() {
            if (log >> (Self::BITS - 1 - index)) & 1 == 1 {
                power = (power * root) >> 63;
            }
        }
        u64::try_from(power.checked_shr(whole.saturating_add(3)).unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanKind;

    #[test]
    fn powers_are_near_those_of_float_maths() {
        let power = Power::new();
        for exponent in [0, 50, 100, 150, 200] {
            for number in [1_u64, 2, 3, 7, 1_000, 123_456] {
                let exact = f64::powf(
                    f64::from(u32::try_from(number).unwrap()),
                    f64::from(exponent) / -100.0,
                );
                #[expect(clippy::cast_precision_loss, reason = "a comparison of 6 digits")]
                let ours = power.inverse(number, exponent) as f64 / f64::powi(2.0, 60);
                assert!((ours / exact - 1.0).abs() < 1e-5, "{number}^-{exponent}: {ours} {exact}");
            }
        }
    }

    #[test]
    fn no_page_is_lost_or_made_up() {
        assert_eq!(shares(10, 4, |_| 1), [3, 3, 2, 2]);
        let mut settings = PlanSettings::new(PlanKind::Proxy, 1_000, 37);
        settings.spread = Spread::Zipf;
        let mut pages = Pages::new(&settings).unwrap();
        let (name, most) = pages.largest();
        assert_eq!(name, "site-1.example");
        assert!((230..250).contains(&most), "{most}");
        let mut seen = BTreeSet::new();
        while let Some(url) = pages.next() {
            assert!(seen.insert(url));
        }
        assert_eq!(seen.len(), 1_000);
    }

    #[test]
    fn each_domain_is_spread_over_the_crawl() {
        let mut settings = PlanSettings::new(PlanKind::Proxy, 0, 0);
        settings.domain_pages =
            [("a.com".into(), 6), ("b.com".into(), 2), ("c.com".into(), 0)].into();
        let mut pages = Pages::new(&settings).unwrap();
        let mut order = String::new();
        while let Some(url) = pages.next() {
            order.push_str(&url[7..8]);
        }
        assert_eq!(order, "aabaaaba");
    }
}
