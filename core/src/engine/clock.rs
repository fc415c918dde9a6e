//! The driver's clock as a machine sees it.

use core::time::Duration;

use crate::Timestamp;

/// How far inner time is ahead of the driver's, about 142 years: ages from before the driver's
/// epoch (of a restored job, say) are moments like any other.
const AHEAD: Duration = Duration::from_micros(1 << 52);

/// The latest moment seen. An earlier one counts as this.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Clock {
    latest: Timestamp,
}

impl Clock {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { latest: now + AHEAD }
    }

    /// The inner moment of the driver's `now`.
    pub(crate) fn see(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now + AHEAD);
        self.latest
    }

    /// The inner moment seen last.
    pub(crate) fn latest(&self) -> Timestamp {
        self.latest
    }

    /// An inner moment on the driver's clock.
    pub(crate) fn tell(moment: Timestamp) -> Timestamp {
        if moment == Timestamp::MAX { moment } else { moment - AHEAD }
    }
}

/// Microseconds from one moment to another, for a snapshot.
pub(crate) fn age(earlier: Timestamp, now: Timestamp) -> u64 {
    micros(now.since(earlier))
}

/// Whole microseconds of a duration, saturating.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let at = Timestamp::from_micros;
        let mut clock = Clock::new(at(10));
        assert_eq!(Clock::tell(clock.see(at(20))), at(20));
        assert_eq!(Clock::tell(clock.see(at(15))), at(20));
        assert_eq!(Clock::tell(clock.latest()), at(20));
        assert_eq!(Clock::tell(Timestamp::MAX), Timestamp::MAX);
        let born = clock.latest() - Duration::from_secs(60);
        assert_eq!(age(born, clock.latest()), 60_000_000, "before the driver's epoch");
    }
}
