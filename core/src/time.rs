//! Moments on the driver's clock.

use core::{
    ops::{Add, Sub},
    time::Duration,
};

/// A moment on the driver's own clock: microseconds since an epoch that the driver chose.
///
/// Nothing in this crate reads a clock. Pass `reactor.seconds()`, `loop.time()`,
/// `performance.now()` or `start.elapsed()`; only differences matter. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The driver's epoch.
    pub const ZERO: Self = Self(0);
    /// The last moment that can be told.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment `micros` microseconds after the epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// Whole microseconds of a duration, saturating.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(micros(delay)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, delay: Duration) -> Self {
        Self(self.0.saturating_sub(micros(delay)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let moment = Timestamp::from_micros(5);
        assert_eq!(moment - Duration::from_secs(1), Timestamp::ZERO);
        assert_eq!(moment + Duration::MAX, Timestamp::MAX);
        assert_eq!(moment.since(Timestamp::from_micros(9)), Duration::ZERO);
        assert_eq!(moment.since(Timestamp::from_micros(2)), Duration::from_micros(3));
    }
}
