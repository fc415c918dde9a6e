//! Which failures are worth another try, and when.

use core::time::Duration;

use super::{Budget, FailureClass, Rule, Wait};
use crate::{Rng, Timestamp};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const QUARTER: Duration = secs(15 * 60);

/// What one piece of work has been through: failures by class, and since when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Progress {
    first_attempt: Timestamp,
    streak: Timestamp,
    last: Option<FailureClass>,
    failures: [u16; FailureClass::COUNT],
}

impl Progress {
    /// Begins with the first attempt.
    pub const fn new(first_attempt: Timestamp) -> Self {
        Self {
            first_attempt,
            streak: first_attempt,
            last: None,
            failures: [0; FailureClass::COUNT],
        }
    }

    /// Failures of a class so far.
    pub fn failures(&self, class: FailureClass) -> u32 {
        self.failures.get(class.index()).copied().map_or(0, u32::from)
    }

    /// When the first attempt was made.
    pub const fn first_attempt(&self) -> Timestamp {
        self.first_attempt
    }

    /// Since when failures have been of the latest class only.
    pub(crate) const fn streak(&self) -> (Timestamp, Option<FailureClass>) {
        (self.streak, self.last)
    }

    pub(crate) fn restored(
        first_attempt: Timestamp,
        streak: (Timestamp, Option<FailureClass>),
        failures: impl IntoIterator<Item = (FailureClass, u16)>,
    ) -> Self {
        let mut progress = Self { streak: streak.0, last: streak.1, ..Self::new(first_attempt) };
        for (class, count) in failures {
            if let Some(known) = progress.failures.get_mut(class.index()) {
                *known = count;
            }
        }
        progress
    }

    fn count(&mut self, class: FailureClass, now: Timestamp) -> u32 {
        if self.last != Some(class) {
            self.last = Some(class);
            self.streak = now;
        }
        self.add(class)
    }

    fn add(&mut self, class: FailureClass) -> u32 {
        if let Some(count) = self.failures.get_mut(class.index()) {
            *count = count.saturating_add(1);
        }
        self.failures(class)
    }

    /// Notes a failure that is nobody's budget: it ends a streak of another class.
    pub(crate) fn interrupt(&mut self, class: FailureClass, now: Timestamp) {
        if self.last != Some(class) {
            (self.last, self.streak) = (Some(class), now);
        }
    }
}

/// A wait and a budget for each class of failures.
///
/// ```
/// use silkline::{Rng, Timestamp, schedule::{Budget, FailureClass, Progress, RetryPolicy}};
///
/// let policy = RetryPolicy::default().with_budget(FailureClass::Query, Budget::Retries(1));
/// let mut progress = Progress::new(Timestamp::ZERO);
/// let mut rng = Rng::new(1);
/// let mut fail = || policy.next(&mut progress, FailureClass::Query, None, Timestamp::ZERO, &mut rng);
/// assert!(fail().is_some(), "wait so long, then try again");
/// assert!(fail().is_none(), "give up");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetryPolicy {
    rules: [Rule; FailureClass::COUNT],
}

impl Default for RetryPolicy {
    /// The published behaviour of the services' own clients: throttling for ever; network failures
    /// and HTTP 5xx for 15 minutes since the first attempt; failed queries by count.
    fn default() -> Self {
        let network = Wait::between(secs(3), secs(7)).growing(secs(1), secs(55));
        let throttled = Wait::between(secs(30), secs(30)).growing(secs(1), secs(600)).with_first(
            2,
            secs(20),
            secs(40),
        );
        let rules = FailureClass::ALL.map(|class| match class {
            FailureClass::Throttled => Rule::new(throttled, Budget::Forever),
            FailureClass::Network | FailureClass::Server | FailureClass::Target => {
                Rule::new(network, Budget::SinceFirstAttempt(QUARTER))
            }
            FailureClass::Account => Rule::new(network, Budget::Retries(0)),
            FailureClass::BilledQuery | FailureClass::DownloadInternal => {
                Rule::new(network, Budget::Retries(1))
            }
            // The statement is about the domain, so one unlucky query should outlast a few.
            FailureClass::Occupied => Rule::new(network, Budget::Retries(9)),
            FailureClass::Ban
            | FailureClass::Download
            | FailureClass::Garbled
            | FailureClass::Query => Rule::new(network, Budget::Retries(3)),
        });
        Self { rules }
    }
}

impl RetryPolicy {
    /// As the successor's own client: its limits for ever, also those on one domain; network
    /// failures for 15 uninterrupted minutes, 4 attempts after download errors (2 after internal
    /// ones), 2 attempts after other HTTP 5xx.
    pub fn zyte_api() -> Self {
        let policy = Self::default();
        let throttled = policy.rule(FailureClass::Throttled);
        policy
            .with_rule(FailureClass::Occupied, throttled)
            .with_budget(FailureClass::Network, Budget::Uninterrupted(QUARTER))
            .with_budget(FailureClass::Server, Budget::Retries(1))
    }

    /// As the successor's own client when told to be stubborn: twice the attempts.
    pub fn zyte_api_aggressive() -> Self {
        Self::zyte_api()
            .with_budget(FailureClass::Download, Budget::Retries(7))
            .with_budget(FailureClass::DownloadInternal, Budget::Retries(3))
            .with_budget(FailureClass::Server, Budget::Retries(3))
    }

    /// The same as [`zyte_api_aggressive`](Self::zyte_api_aggressive), by its older name.
    pub fn aggressive() -> Self {
        Self::zyte_api_aggressive()
    }

    /// As the clients of Smart Proxy Manager: the service's lack of room for ever, with full jitter
    /// between 15 and 180 seconds; a refused key three times, since restarts of the service look
    /// like that; bans, on another session each, and troubles of the target by count.
    pub fn smart_proxy() -> Self {
        let throttled = Wait::between(secs(15), secs(15)).growing(secs(15), secs(165));
        let ban = Wait::between(secs(1), secs(3)).growing(secs(1), secs(30));
        Self::default()
            .with_rule(FailureClass::Throttled, Rule::new(throttled, Budget::Forever))
            .with_rule(FailureClass::Ban, Rule::new(ban, Budget::Retries(5)))
            .with_budget(FailureClass::Account, Budget::Retries(3))
            .with_budget(FailureClass::Network, Budget::Retries(5))
            .with_budget(FailureClass::Server, Budget::Retries(5))
            .with_budget(FailureClass::Target, Budget::Retries(5))
    }

    /// The preset of that name: `default`, `smart_proxy`, `zyte_api`, `zyte_api_aggressive` (or
    /// `aggressive`).
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "default" => Some(Self::default()),
            "zyte_api" => Some(Self::zyte_api()),
            "aggressive" | "zyte_api_aggressive" => Some(Self::zyte_api_aggressive()),
            "smart_proxy" => Some(Self::smart_proxy()),
            _ => None,
        }
    }

    /// The same with another rule for a class.
    #[must_use]
    pub fn with_rule(mut self, class: FailureClass, rule: Rule) -> Self {
        if let Some(known) = self.rules.get_mut(class.index()) {
            *known = rule;
        }
        self
    }

    /// The same with another budget for a class.
    #[must_use]
    pub fn with_budget(self, class: FailureClass, budget: Budget) -> Self {
        let rule = Rule { budget, ..self.rule(class) };
        self.with_rule(class, rule)
    }

    /// The same with another wait for a class.
    #[must_use]
    pub fn with_wait(self, class: FailureClass, wait: Wait) -> Self {
        let rule = Rule { wait, ..self.rule(class) };
        self.with_rule(class, rule)
    }

    /// The rule of a class.
    pub fn rule(&self, class: FailureClass) -> Rule {
        let never = Rule::new(Wait::default(), Budget::Retries(0));
        self.rules.get(class.index()).copied().unwrap_or(never)
    }

    /// Counts a failure: how long to wait before the next try (never less than the service asked
    /// for), or `None` to give up.
    pub fn next(
        &self,
        progress: &mut Progress,
        class: FailureClass,
        asked: Option<Duration>,
        now: Timestamp,
        rng: &mut Rng,
    ) -> Option<Duration> {
        let failures = progress.count(class, now);
        let rule = self.rule(class);
        if !rule.budget.allows(failures, progress.first_attempt, progress.streak, now) {
            return None;
        }
        if class == FailureClass::DownloadInternal {
            // A download that failed inside is a failed download too (the successor's own client
            // counts both together, and these alone besides).
            let all = progress.add(FailureClass::Download);
            let budget = self.rule(FailureClass::Download).budget;
            if !budget.allows(all, progress.first_attempt, progress.streak, now) {
                return None;
            }
        }
        Some(rule.wait.after(failures, rng).max(asked.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + secs(seconds)
    }

    #[test]
    fn classes_have_budgets_of_their_own() {
        let policy = RetryPolicy::default().with_budget(FailureClass::Query, Budget::Retries(2));
        let mut rng = Rng::new(1);
        let mut progress = Progress::new(at(0));
        let mut fail = |class| policy.next(&mut progress, class, None, at(1), &mut rng);
        for _ in 0..100 {
            assert!(fail(FailureClass::Throttled).is_some());
        }
        assert!(fail(FailureClass::Query).is_some());
        assert!(fail(FailureClass::BilledQuery).is_some());
        assert!(fail(FailureClass::BilledQuery).is_none());
        assert!(fail(FailureClass::Query).is_some());
        assert!(fail(FailureClass::Query).is_none());
    }

    #[test]
    fn network_failures_last_fifteen_minutes() {
        for (policy, since) in [(RetryPolicy::default(), 0), (RetryPolicy::zyte_api(), 800)] {
            let mut progress = Progress::new(at(0));
            let mut rng = Rng::new(1);
            let mut fail =
                |class, now| policy.next(&mut progress, class, None, at(now), &mut rng).is_some();
            assert!(fail(FailureClass::Network, 10));
            assert!(fail(FailureClass::Throttled, 700));
            assert!(fail(FailureClass::Network, 800));
            assert!(fail(FailureClass::Network, since + 899));
            assert!(!fail(FailureClass::Network, since + 900));
        }
    }

    #[test]
    fn the_services_own_delay_is_the_least() {
        let policy = RetryPolicy::default();
        let (mut progress, mut rng) = (Progress::new(at(0)), Rng::new(1));
        let class = FailureClass::Occupied;
        let wait = policy.next(&mut progress, class, Some(secs(300)), at(0), &mut rng);
        assert_eq!(wait, Some(secs(300)));
        let wait = policy.next(&mut progress, class, Some(secs(1)), at(0), &mut rng).unwrap();
        assert!(wait >= secs(3) && wait <= secs(9), "{wait:?}");
    }

    #[test]
    fn presets_by_name() {
        assert_eq!(RetryPolicy::preset("default"), Some(RetryPolicy::default()));
        let aggressive = RetryPolicy::preset("aggressive").unwrap();
        assert_eq!(aggressive.rule(FailureClass::Download).budget, Budget::Retries(7));
        assert_eq!(RetryPolicy::preset("other"), None);
    }
}
