//! A token bucket.

use core::time::Duration;

use crate::Timestamp;

/// A rate or burst that cannot be kept.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRate {
    /// The burst is zero, so that nothing could ever be taken.
    #[error("burst of a rate limit must be at least 1")]
    Burst,
    /// The rate is zero or its period is zero or past 10,000 days.
    #[error("rate limit must be above zero per period, and its period up to 10,000 days")]
    Rate,
}

impl InvalidRate {
    /// The codes of this error.
    pub const CODES: &'static [&'static str] = &["rate_burst_invalid", "rate_invalid"];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Burst => "rate_burst_invalid",
            Self::Rate => "rate_invalid",
        }
    }
}

/// How often something may happen on average: so many times in a period.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    count: u64,
    period_us: u64,
}

/// The longest period of a rate, so that products stay far inside their types.
const MAX_PERIOD_US: u128 = 10_000 * 86_400 * 1_000_000;

impl Rate {
    /// What the extraction service enforces.
    pub(crate) const FIVE_PER_SECOND: Self = Self { count: 5, period_us: 1_000_000 };

    /// `count` times in each `period`.
    pub fn new(count: u64, period: Duration) -> Result<Self, InvalidRate> {
        let micros = period.as_micros();
        let period_us = u64::try_from(micros).map_err(|_| InvalidRate::Rate)?;
        if count == 0 || period_us == 0 || micros > MAX_PERIOD_US {
            return Err(InvalidRate::Rate);
        }
        Ok(Self { count, period_us })
    }

    /// `count` times a second.
    pub fn per_second(count: u64) -> Result<Self, InvalidRate> {
        Self::new(count, Duration::from_secs(1))
    }

    /// So many millionths of a time a second: for borders whose rates are fractions.
    pub fn per_second_millionths(millionths: u64) -> Result<Self, InvalidRate> {
        Self::new(millionths, Duration::from_secs(1_000_000))
    }

    /// How many times in a [`period`](Self::period).
    pub const fn count(self) -> u64 {
        self.count
    }

    /// The period.
    pub const fn period(self) -> Duration {
        Duration::from_micros(self.period_us)
    }
}

/// A token bucket: `burst` tokens at most, refilled at a rate; integer arithmetic throughout.
///
/// A taker of several tokens at once (a batch of queries) needs one and takes all, leaving a debt
/// that the next taker waits for: in every window w at most burst + rate x w + n - 1 are taken,
/// n being the largest batch.
///
/// ```
/// use silkline::{Timestamp, schedule::{Rate, RateLimiter}};
///
/// let mut limiter = RateLimiter::new(Rate::per_second(5)?, 1, Timestamp::ZERO)?;
/// assert_eq!(limiter.try_acquire(1, Timestamp::ZERO), Ok(()));
/// assert_eq!(limiter.try_acquire(1, Timestamp::ZERO), Err(Timestamp::from_micros(200_000)));
/// assert_eq!(limiter.try_acquire(3, Timestamp::from_micros(200_000)), Ok(()));
/// assert_eq!(limiter.ready_at(Timestamp::ZERO), Timestamp::from_micros(800_000));
/// # Ok::<(), silkline::schedule::InvalidRate>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RateLimiter {
    rate: Rate,
    burst: u32,
    /// In units of which a token is `period_us` and a microsecond brings `count`: so nothing is
    /// ever rounded. Negative after a batch.
    level: i128,
    seen: Timestamp,
    /// Level and moment before the latest taking.
    before: Option<(i128, Timestamp)>,
}

impl RateLimiter {
    /// A full bucket.
    pub fn new(rate: Rate, burst: u32, now: Timestamp) -> Result<Self, InvalidRate> {
        if burst == 0 {
            return Err(InvalidRate::Burst);
        }
        Ok(Self::full_bucket(rate, burst, now))
    }

    /// A full bucket of a burst that is known to be above zero.
    pub(crate) fn full_bucket(rate: Rate, burst: u32, now: Timestamp) -> Self {
        let mut limiter = Self { rate, burst, level: 0, seen: now, before: None };
        limiter.level = limiter.full();
        limiter
    }

    fn token(&self) -> i128 {
        i128::from(self.rate.period_us)
    }

    fn full(&self) -> i128 {
        self.token() * i128::from(self.burst)
    }

    /// The level at `now`; an earlier `now` counts as the latest seen.
    fn level_at(&self, now: Timestamp) -> i128 {
        let elapsed = now.as_micros().saturating_sub(self.seen.as_micros());
        let gained = i128::from(elapsed) * i128::from(self.rate.count);
        (self.level + gained).min(self.full())
    }

    fn refill(&mut self, now: Timestamp) {
        self.level = self.level_at(now);
        self.seen = self.seen.max(now);
    }

    /// Takes `n` tokens if there is one; otherwise the moment before which there is none.
    pub fn try_acquire(&mut self, n: u32, now: Timestamp) -> Result<(), Timestamp> {
        self.refill(now);
        if self.level < self.token() {
            return Err(self.ready_at(now));
        }
        self.before = Some((self.level, self.seen));
        self.level -= self.token() * i128::from(n);
        Ok(())
    }

    /// Undoes the latest taking, because its use never happened; false if that is not possible.
    ///
    /// Earlier ones cannot be undone: what was taken since might not have been there without them,
    /// since a full bucket takes no more.
    pub fn give_back(&mut self) -> bool {
        let Some((level, seen)) = self.before.take() else { return false };
        let now = core::mem::replace(&mut self.seen, seen);
        self.level = level;
        self.refill(now);
        true
    }

    /// When the next token is there: `now` if one is.
    pub fn ready_at(&self, now: Timestamp) -> Timestamp {
        let now = now.max(self.seen);
        let missing = self.token() - self.level_at(now);
        if missing <= 0 {
            return now;
        }
        let count = i128::from(self.rate.count);
        let wait = (missing + count - 1) / count;
        now + Duration::from_micros(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// How long it takes until the bucket is full, for a snapshot.
    pub(crate) fn full_in(&self, now: Timestamp) -> Duration {
        let missing = self.full() - self.level_at(now);
        let count = i128::from(self.rate.count);
        let wait = (missing + count - 1) / count;
        Duration::from_micros(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// Makes it a bucket that is full after `wait`.
    pub(crate) fn set_full_in(&mut self, wait: Duration, now: Timestamp) {
        let wait = i128::try_from(wait.as_micros()).unwrap_or(i128::MAX);
        self.level = self.full().saturating_sub(wait.saturating_mul(i128::from(self.rate.count)));
        self.seen = now;
        self.before = None;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::Rng;

    fn at(micros: u64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn refuses_what_could_never_be_taken() {
        assert_eq!(Rate::per_second(0).unwrap_err().code(), "rate_invalid");
        assert_eq!(Rate::new(1, Duration::ZERO).unwrap_err().code(), "rate_invalid");
        assert_eq!(Rate::new(1, Duration::MAX).unwrap_err().code(), "rate_invalid");
        let rate = Rate::per_second(1).unwrap();
        assert_eq!(RateLimiter::new(rate, 0, at(0)).unwrap_err().code(), "rate_burst_invalid");
    }

    #[test]
    fn three_a_second_are_three_a_second() {
        let mut limiter = RateLimiter::new(Rate::per_second(3).unwrap(), 1, at(0)).unwrap();
        let mut now = at(0);
        for _ in 0..=3_000 {
            while let Err(later) = limiter.try_acquire(1, now) {
                now = later;
            }
        }
        // Each token is taken within the microsecond in which it comes.
        assert!(now >= at(1_000_000_000) && now <= at(1_000_003_000), "{now:?}");
    }

    #[test]
    fn an_earlier_now_is_the_latest_seen() {
        let mut limiter = RateLimiter::new(Rate::per_second(1).unwrap(), 1, at(5_000_000)).unwrap();
        assert_eq!(limiter.try_acquire(1, at(0)), Ok(()));
        assert_eq!(limiter.try_acquire(1, at(0)), Err(at(6_000_000)));
        assert!(limiter.give_back());
        assert!(!limiter.give_back());
        assert_eq!(limiter.try_acquire(1, at(0)), Ok(()));
        assert_eq!(limiter.try_acquire(1, at(0)), Err(at(6_000_000)), "never above the burst");
    }

    #[test]
    fn no_window_holds_more_than_it_may() {
        let mut rng = Rng::new(9);
        for _ in 0..50 {
            let (rate, burst, batch) = (1 + rng.up_to(9), 1 + rng.up_to(4), 1 + rng.up_to(9));
            let burst = u32::try_from(burst).unwrap();
            let mut limiter =
                RateLimiter::new(Rate::per_second(rate).unwrap(), burst, at(0)).unwrap();
            let mut taken: Vec<(u64, u64)> = Vec::new();
            let mut now = 0;
            for _ in 0..100 {
                now += rng.up_to(500_000);
                let n = 1 + rng.up_to(batch - 1);
                if limiter.try_acquire(u32::try_from(n).unwrap(), at(now)).is_ok() {
                    taken.push((now, n));
                }
            }
            for first in 0..taken.len() {
                let mut sum = 0;
                for (moment, n) in &taken[first..] {
                    sum += n;
                    let window = moment - taken[first].0;
                    let bound = (u64::from(burst) + batch - 1) * 1_000_000 + rate * window;
                    assert!(sum * 1_000_000 <= bound);
                }
            }
        }
    }

    #[test]
    fn comes_back_from_a_snapshot() {
        let rate = Rate::per_second(5).unwrap();
        let mut limiter = RateLimiter::new(rate, 2, at(0)).unwrap();
        limiter.try_acquire(7, at(100)).unwrap();
        let wait = limiter.full_in(at(1_000));
        let mut restored = RateLimiter::new(rate, 2, at(50)).unwrap();
        restored.set_full_in(wait, at(50));
        assert_eq!(restored.ready_at(at(50)), at(50 + 1_200_000 - 900));
        restored.set_full_in(Duration::ZERO, at(50));
        assert_eq!(restored, RateLimiter::new(rate, 2, at(50)).unwrap());
        restored.set_full_in(Duration::MAX, at(50));
        assert_eq!(restored.ready_at(at(50)), Timestamp::MAX);
    }
}
