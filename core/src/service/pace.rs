//! How many queries a service lets through.

use core::time::Duration;

use crate::Timestamp;

/// A limit of one query an interval on average, with some at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    interval: Duration,
    burst: u32,
}

impl Pace {
    /// One query every `interval`; zero means no limit.
    pub const fn every(interval: Duration) -> Self {
        Self { interval, burst: 1 }
    }

    /// So many queries a second on average, with a second's worth of them at once (at least one);
    /// infinity means no limit. `None` for what is no positive number.
    ///
    /// ```
    /// use core::time::Duration;
    /// use silkline::service::Pace;
    ///
    /// let five = Pace::every(Duration::from_millis(200)).with_burst(5);
    /// assert_eq!(Pace::per_second(5.0), Some(five));
    /// assert_eq!(Pace::per_second(0.5), Some(Pace::every(Duration::from_secs(2))));
    /// assert_eq!(Pace::per_second(0.0), None);
    /// ```
    pub fn per_second(rate: f64) -> Option<Self> {
        if rate.is_nan() || rate <= 0.0 {
            return None;
        }
        let interval = Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::MAX);
        let burst = Duration::from_secs(1).as_nanos().checked_div(interval.as_nanos());
        let burst = u32::try_from(burst.unwrap_or(1)).unwrap_or(u32::MAX);
        Some(Self::every(interval).with_burst(burst))
    }

    /// The same with up to `burst` queries at once after a pause; at least 1.
    #[must_use]
    pub const fn with_burst(self, burst: u32) -> Self {
        Self { burst: if burst == 0 { 1 } else { burst }, ..self }
    }
}

/// How far ahead of its pace somebody is.
///
/// The moment at which all that was let through would have been due at the plain rate, in
/// nanoseconds: each query moves it on by one interval. Nobody is let through whose moment lies
/// further ahead than the burst allows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Meter(u128);

impl Meter {
    /// Lets `count` queries through together, or says how long one has to wait. A batch needs room
    /// for one query and is charged for all.
    pub(super) fn admit(
        &mut self,
        pace: Pace,
        count: usize,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let now = nanos(now);
        let interval = pace.interval.as_nanos();
        let ahead = self.0.saturating_sub(now);
        let allowed = interval.saturating_mul(u128::from(pace.burst - 1));
        if ahead > allowed {
            let wait = u64::try_from(ahead - allowed).unwrap_or(u64::MAX);
            return Err(Duration::from_nanos(wait));
        }
        let count = u128::try_from(count).unwrap_or(u128::MAX);
        self.0 = self.0.max(now).saturating_add(interval.saturating_mul(count));
        Ok(())
    }

    /// Whether forgetting it would change nothing.
    pub(super) fn is_idle(self, now: Timestamp) -> bool {
        self.0 <= nanos(now)
    }
}

fn nanos(moment: Timestamp) -> u128 {
    u128::from(moment.as_micros()) * 1_000
}

/// Whole seconds, rounded up, at least one: a client that waits them is not too early.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    let up = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(up).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    #[test]
    fn the_burst_passes_at_once_and_the_rest_at_the_rate() {
        let pace = Pace::every(Duration::from_millis(200)).with_burst(5);
        let mut meter = Meter::default();
        for _ in 0..5 {
            assert_eq!(meter.admit(pace, 1, at(0)), Ok(()));
        }
        assert_eq!(meter.admit(pace, 1, at(0)), Err(Duration::from_millis(200)));
        assert_eq!(meter.admit(pace, 1, at(199)), Err(Duration::from_millis(1)));
        assert_eq!(meter.admit(pace, 1, at(200)), Ok(()));
        assert_eq!(meter.admit(pace, 1, at(200)), Err(Duration::from_millis(200)));
        assert!(!meter.is_idle(at(1_199)));
        assert!(meter.is_idle(at(1_200)));
    }

    #[test]
    fn a_batch_needs_room_for_one_and_is_charged_for_all() {
        let pace = Pace::every(Duration::from_secs(1));
        let mut meter = Meter::default();
        assert_eq!(meter.admit(pace, 100, at(0)), Ok(()));
        assert_eq!(meter.admit(pace, 1, at(99_999)), Err(Duration::from_millis(1)));
        assert_eq!(meter.admit(pace, 1, at(100_000)), Ok(()));
    }

    #[test]
    fn a_wait_is_told_in_seconds_that_suffice() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::from_micros(2_000_001)), 3);
        assert_eq!(whole_seconds(Duration::ZERO), 1);
    }
}
