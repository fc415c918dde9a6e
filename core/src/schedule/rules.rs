//! How long to wait before the next try, and when to give up.

use core::time::Duration;

use crate::{Rng, Timestamp};

/// A wait with full jitter: `least + U(0, spread)`, and from there on a growing part
/// `U(0, min(cap, step x 2^(n-1)))` before try n+1. Integer microseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Wait {
    least: Duration,
    spread: Duration,
    step: Duration,
    cap: Duration,
    early: u32,
    early_least: Duration,
    early_spread: Duration,
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn jitter(spread: Duration, rng: &mut Rng) -> Duration {
    Duration::from_micros(rng.up_to(micros(spread)))
}

impl Wait {
    /// Between `least` and `most`, whatever the number of tries.
    pub fn between(least: Duration, most: Duration) -> Self {
        Self { least, spread: most.saturating_sub(least), ..Self::default() }
    }

    /// The same with a part that doubles from `step` with each try, up to `cap`.
    #[must_use]
    pub fn growing(self, step: Duration, cap: Duration) -> Self {
        Self { step, cap, ..self }
    }

    /// The same, but the first `tries` waits are between `least` and `most`.
    #[must_use]
    pub fn with_first(self, tries: u32, least: Duration, most: Duration) -> Self {
        Self { early: tries, early_least: least, early_spread: most.saturating_sub(least), ..self }
    }

    /// The wait after the `n`th failure, counted from 1.
    pub fn after(&self, n: u32, rng: &mut Rng) -> Duration {
        if n <= self.early {
            return self.early_least.saturating_add(jitter(self.early_spread, rng));
        }
        let doubled = micros(self.step)
            .saturating_mul(1_u64.checked_shl(n.saturating_sub(1)).unwrap_or(u64::MAX));
        let grown = Duration::from_micros(doubled).min(self.cap);
        self.least.saturating_add(jitter(self.spread, rng)).saturating_add(jitter(grown, rng))
    }

    /// The shortest and the longest wait after the `n`th failure.
    pub fn range(&self, n: u32) -> (Duration, Duration) {
        if n <= self.early {
            return (self.early_least, self.early_least.saturating_add(self.early_spread));
        }
        let doubled = micros(self.step)
            .saturating_mul(1_u64.checked_shl(n.saturating_sub(1)).unwrap_or(u64::MAX));
        let grown = Duration::from_micros(doubled).min(self.cap);
        (self.least, self.least.saturating_add(self.spread).saturating_add(grown))
    }
}

/// When to give up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Budget {
    /// Never.
    Forever,
    /// After so many retries of the class.
    Retries(u32),
    /// When so much time has passed since the first attempt.
    SinceFirstAttempt(Duration),
    /// When failures of the class came for so long without anything else between.
    Uninterrupted(Duration),
}

impl Budget {
    /// Whether one more retry fits: `failures` of the class so far, with this one.
    pub(super) fn allows(
        self,
        failures: u32,
        first_attempt: Timestamp,
        streak: Timestamp,
        now: Timestamp,
    ) -> bool {
        match self {
            Self::Forever => true,
            Self::Retries(retries) => failures <= retries,
            Self::SinceFirstAttempt(time) => now.since(first_attempt) < time,
            Self::Uninterrupted(time) => now.since(streak) < time,
        }
    }
}

/// The wait and the budget of a class of failures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// How long to wait.
    pub wait: Wait,
    /// When to give up.
    pub budget: Budget,
}

impl Rule {
    /// A rule.
    pub const fn new(wait: Wait, budget: Budget) -> Self {
        Self { wait, budget }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waits_stay_in_their_range_and_fill_it() {
        let wait = Wait::between(secs(30), secs(30)).growing(secs(1), secs(600)).with_first(
            2,
            secs(20),
            secs(40),
        );
        let expected = [(20, 40), (20, 40), (30, 34), (30, 38), (30, 46)];
        let mut rng = Rng::new(4);
        for (n, (least, most)) in (1..).zip(expected) {
            assert_eq!(wait.range(n), (secs(least), secs(most)));
            let waits = core::array::from_fn::<_, 200, _>(|_| wait.after(n, &mut rng));
            assert!(waits.iter().all(|wait| (secs(least)..=secs(most)).contains(wait)));
            let tenth = secs(most).abs_diff(secs(least)) / 10;
            assert!(waits.iter().any(|wait| *wait < secs(least) + tenth));
            assert!(waits.iter().any(|wait| *wait + tenth > secs(most)));
        }
        assert_eq!(wait.range(11).1, secs(630));
        assert_eq!(wait.range(u32::MAX), (secs(30), secs(630)));
    }

    #[test]
    fn budgets_by_count_and_by_time() {
        let at = Timestamp::from_micros;
        let minute = Duration::from_secs(60);
        assert!(Budget::Forever.allows(u32::MAX, at(0), at(0), Timestamp::MAX));
        assert!(Budget::Retries(2).allows(2, at(0), at(0), Timestamp::MAX));
        assert!(!Budget::Retries(2).allows(3, at(0), at(0), at(0)));
        let since = Budget::SinceFirstAttempt(minute);
        assert!(since.allows(9, at(0), at(0), at(59_999_999)));
        assert!(!since.allows(1, at(0), at(1), at(60_000_000)));
        assert!(Budget::Uninterrupted(minute).allows(1, at(0), at(1), at(60_000_000)));
    }
}
