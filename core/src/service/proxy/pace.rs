//! How far apart requests of one address have to be.
//!
//! "There is a default delay of 12 seconds between each request using the same IP. … Each request
//! made after exceeding the limit will increase the request delay" (Smart Proxy Manager docs,
//! Session Limits). By how much is unpublished: here the spacing grows by a share of the domain's
//! delay with each excess request in a row, and shrinks as much with each request on time.

use core::time::Duration;

use super::ProxyConfig;
use crate::Timestamp;

/// The pace of one address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Pace {
    /// The moment from which on a request is on time.
    free_at: Timestamp,
    /// Excess requests in a row.
    excess: u32,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Admission {
    /// It is let through at this moment.
    At(Timestamp),
    /// The hard limit is reached: it would have to wait this long.
    Refused(Duration),
}

impl Pace {
    /// The moment from which on a request is on time.
    pub(super) const fn free_at(self) -> Timestamp {
        self.free_at
    }

    /// The delay that a request would get.
    pub(super) const fn delay(self, now: Timestamp) -> Duration {
        self.free_at.since(now)
    }

    /// Admits a request to a domain with the given delay. A request that comes too early is
    /// held back, and raises the delay if the client is to `blame` for coming early.
    pub(super) fn admit(
        &mut self,
        now: Timestamp,
        spacing: Duration,
        blame: bool,
        config: &ProxyConfig,
    ) -> Admission {
        let delay = self.delay(now);
        if delay >= config.hard_limit && !delay.is_zero() {
            return Admission::Refused(delay);
        }
        if delay.is_zero() {
            self.excess = self.excess.saturating_sub(1);
        } else if blame {
            self.excess = self.excess.saturating_add(1);
        }
        let passes_at = now + delay.min(config.max_delay);
        let growth = spacing
            .saturating_mul(config.delay_growth_percent)
            .checked_div(100)
            .unwrap_or_default()
            .saturating_mul(self.excess);
        self.free_at = self.free_at.max(passes_at) + spacing.saturating_add(growth);
        Admission::At(passes_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Duration = Duration::from_secs(12);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    fn seconds(number: u64) -> Admission {
        Admission::At(at(number * 1_000))
    }

    #[test]
    fn requests_twelve_seconds_apart_are_never_held_back() {
        let (mut pace, config) = (Pace::default(), ProxyConfig::default());
        for number in 0..100 {
            let now = at(number * 12_000);
            assert_eq!(pace.delay(now), Duration::ZERO);
            assert_eq!(pace.admit(now, SPACING, true, &config), Admission::At(now));
        }
    }

    #[test]
    fn a_millisecond_too_early_is_too_early() {
        let (mut pace, config) = (Pace::default(), ProxyConfig::default());
        pace.admit(at(0), SPACING, true, &config);
        assert_eq!(pace.delay(at(11_999)), Duration::from_millis(1));
        assert_eq!(pace.admit(at(11_999), SPACING, true, &config), seconds(12));
        assert_eq!(pace.free_at(), at(36_000));
    }

    #[test]
    fn each_excess_request_raises_the_delay_up_to_the_limits() {
        let (mut pace, config) = (Pace::default(), ProxyConfig::default());
        // Delays of 12 s times 0, 1, 3, 6, 10, … : each spacing is one delay longer.
        for passes in [0, 12, 36, 72, 120, 180, 252, 336, 432, 540, 660, 792] {
            assert_eq!(pace.admit(at(0), SPACING, true, &config), seconds(passes));
        }
        assert_eq!(pace.delay(at(0)), Duration::from_secs(936));
        assert_eq!(pace.admit(at(0), SPACING, true, &config), seconds(900), "15 minutes at most");
        let refused = Admission::Refused(Duration::from_secs(1_092));
        assert_eq!(pace.admit(at(0), SPACING, true, &config), refused);
        assert_eq!(pace.admit(at(0), SPACING, true, &config), refused, "a refusal adds nothing");
        let just_below = at(92_001);
        assert_eq!(pace.delay(just_below), Duration::from_millis(999_999));
        assert_eq!(
            pace.admit(just_below, SPACING, true, &config),
            Admission::At(just_below + config.max_delay)
        );
    }

    #[test]
    fn requests_on_time_take_the_growth_back_step_by_step() {
        let (mut pace, config) = (Pace::default(), ProxyConfig::default());
        for _ in 0..3 {
            pace.admit(at(0), SPACING, true, &config);
        }
        let mut spacings = alloc::vec::Vec::new();
        for _ in 0..4 {
            let now = pace.free_at();
            pace.admit(now, SPACING, true, &config);
            spacings.push(pace.free_at().since(now).as_secs());
        }
        assert_eq!(spacings, [24, 12, 12, 12]);
    }

    #[test]
    fn nobody_is_punished_without_blame() {
        let (mut pace, config) = (Pace::default(), ProxyConfig::default());
        for passes in [0, 12, 24, 36] {
            assert_eq!(pace.admit(at(0), SPACING, false, &config), seconds(passes));
        }
    }

    #[test]
    fn the_wait_is_the_value_of_the_domain_the_last_request_went_to() {
        let (mut pace, config) = (Pace::default(), ProxyConfig::default());
        pace.admit(at(0), Duration::from_secs(3), true, &config);
        assert_eq!(pace.admit(at(3_000), Duration::from_secs(20), true, &config), seconds(3));
        assert_eq!(pace.free_at(), at(23_000));
    }

    #[test]
    fn without_a_spacing_nothing_is_early() {
        let (mut pace, config) = (Pace::default(), ProxyConfig::default());
        for _ in 0..1_000 {
            assert_eq!(pace.admit(at(5), Duration::ZERO, true, &config), Admission::At(at(5)));
        }
    }
}
