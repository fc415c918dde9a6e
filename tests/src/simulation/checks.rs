//! What has to hold in every world.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
};

/// A promise that was not kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a step of a world comes to.
pub type Checked<T = ()> = Result<T, Broken>;

/// Fails with a text unless something holds.
pub(super) fn hold(holds: bool, text: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken(text())) }
}

/// Counts what is taken from a rate limit: in every window w at most burst + rate x w + largest
/// batch - 1.
#[derive(Clone, Debug)]
pub(super) struct RateWindow {
    count: i128,
    period_us: i128,
    allowed: i128,
    /// Moment and number of each taking.
    taken: VecDeque<(u64, u64)>,
    sum: i128,
    /// The highest of `rate x t - what was taken before t` so far: the worst window begins there.
    worst: Option<i128>,
}

impl RateWindow {
    pub(super) fn new(count: u64, period_us: u64, burst: u32, batch: u32) -> Self {
        Self {
            count: count.into(),
            period_us: period_us.into(),
            allowed: i128::from(burst) + i128::from(batch) - 1,
            taken: VecDeque::new(),
            sum: 0,
            worst: None,
        }
    }

    /// Notes a taking and checks each window that ends with it.
    pub(super) fn take(&mut self, at: u64, n: u64) -> Checked {
        self.taken.push_back((at, n));
        self.check_latest(at, n)
    }

    fn check_latest(&mut self, at: u64, n: u64) -> Checked {
        let gained = self.count * i128::from(at);
        let begins_here = gained - self.sum * self.period_us;
        let worst = self.worst.map_or(begins_here, |worst| worst.max(begins_here));
        self.worst = Some(worst);
        self.sum += i128::from(n);
        let over = self.sum * self.period_us - gained + worst;
        hold(over <= self.allowed * self.period_us, || {
            format!("rate: {over} of {} in a window up to {at}", self.allowed * self.period_us)
        })
    }

    /// A taking of that moment never left.
    pub(super) fn forget(&mut self, at: u64, n: u64) {
        if let Some(index) = self.taken.iter().rposition(|taken| *taken == (at, n)) {
            self.taken.remove(index);
        }
        (self.sum, self.worst) = (0, None);
        for (at, n) in self.taken.clone() {
            // What was within the limit with more in it still is.
            let _ = self.check_latest(at, n);
        }
    }

    /// A new process knows nothing of what this one took.
    pub(super) fn reset(&mut self) {
        self.taken.clear();
        (self.sum, self.worst) = (0, None);
    }
}

/// The jobs of a world, by the application's own number.
#[derive(Clone, Debug, Default)]
pub(super) struct JobBook {
    pub(super) submitted: BTreeSet<u64>,
    pub(super) ended: BTreeSet<u64>,
    /// How often each was sent.
    pub(super) attempts: BTreeMap<u64, u32>,
}

impl JobBook {
    pub(super) fn submit(&mut self, job: u64) -> Checked {
        hold(self.submitted.insert(job), || format!("job {job} was submitted twice"))
    }

    pub(super) fn end(&mut self, job: u64) -> Checked {
        hold(self.submitted.contains(&job), || format!("job {job} ended and is unknown"))?;
        hold(self.ended.insert(job), || format!("job {job} ended twice"))
    }

    pub(super) fn unfinished(&self) -> usize {
        self.submitted.len() - self.ended.len()
    }

    /// The unfinished ones, in order.
    pub(super) fn open(&self) -> Vec<u64> {
        self.submitted.difference(&self.ended).copied().collect()
    }

    pub(super) fn check_all_ended(&self) -> Checked {
        let left: Vec<u64> = self.open();
        hold(left.is_empty(), || format!("jobs never ended: {left:?}"))
    }
}

/// A number that tells one sequence of happenings from another (FNV-1a).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Trace(u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Trace {
    pub(super) fn note(&mut self, number: u64) {
        for byte in number.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_is_too_full_is_seen() {
        let mut window = RateWindow::new(5, 1_000_000, 1, 1);
        window.take(0, 1).unwrap();
        window.take(200_000, 1).unwrap();
        window.take(10_000_000, 1).unwrap();
        let early = window.clone().take(10_199_999, 1);
        assert!(early.is_err(), "the rest before it saves nothing");
        window.take(10_200_000, 1).unwrap();
        window.forget(10_200_000, 1);
        window.take(10_200_001, 1).unwrap();
        assert!(window.take(10_200_002, 1).is_err());
    }

    #[test]
    fn a_batch_may_exceed_by_what_it_holds_but_one() {
        let mut window = RateWindow::new(1, 1_000_000, 2, 10);
        window.take(0, 10).unwrap();
        window.take(0, 1).unwrap();
        assert!(window.take(0, 1).is_err());
    }

    #[test]
    fn a_job_ends_once() {
        let mut book = JobBook::default();
        assert!(book.end(1).is_err());
        book.submit(1).unwrap();
        assert!(book.check_all_ended().is_err());
        book.end(1).unwrap();
        assert!(book.end(1).is_err());
        book.check_all_ended().unwrap();
    }
}
