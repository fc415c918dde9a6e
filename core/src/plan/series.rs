//! What happened over time.

use alloc::{vec, vec::Vec};

use crate::engine::WaitReason;

/// How many intervals a series has at most; half as many at least.
const BINS: usize = 240;

/// Sums by interval. When there are too many, pairs become one and the intervals twice as long.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) bin_us: u64,
    pub(super) bins: Vec<Bin>,
}

/// What happened in one interval.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bin {
    pub(super) sent: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    /// Requests under way, times microseconds.
    pub(super) under_way: u128,
    /// Sessions alive, times microseconds.
    pub(super) sessions: u128,
    /// Microseconds by reason.
    pub(super) waits: [u64; WaitReason::ALL.len()],
}

impl Bin {
    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.under_way += other.under_way;
        self.sessions += other.sessions;
        for (sum, wait) in self.waits.iter_mut().zip(other.waits) {
            *sum += wait;
        }
    }
}

impl Default for Series {
    fn default() -> Self {
        Self { bin_us: 250_000, bins: vec![Bin::default()] }
    }
}

impl Series {
    /// The interval of a moment.
    pub(super) fn at(&mut self, moment: u64) -> &mut Bin {
        let index = self.reach(moment);
        // The list reaches that far; its end would be the nearest otherwise.
        let index = index.min(self.bins.len().saturating_sub(1));
        if self.bins.is_empty() {
            self.bins.push(Bin::default());
        }
        #[expect(clippy::indexing_slicing, reason = "the index is below the length just read")]
        &mut self.bins[index]
    }

    /// Notes a wait, with what was under way meanwhile.
    pub(super) fn wait(
        &mut self,
        from: u64,
        to: u64,
        reason: WaitReason,
        under_way: u32,
        sessions: u32,
    ) {
        self.reach(to);
        let mut from = from;
        while from < to {
            let end = to.min((from / self.bin_us + 1) * self.bin_us);
            let span = end - from;
            let bin = self.at(from);
            bin.under_way += u128::from(under_way) * u128::from(span);
            bin.sessions += u128::from(sessions) * u128::from(span);
            if let Some(sum) = bin.waits.get_mut(place(reason)) {
                *sum += span;
            }
            from = end;
        }
    }

    /// All intervals together.
    pub(super) fn sum(&self) -> Bin {
        let mut sum = Bin::default();
        self.bins.iter().for_each(|bin| sum.add(bin));
        sum
    }

    fn reach(&mut self, moment: u64) -> usize {
        let index = |bin_us: u64| usize::try_from(moment / bin_us).unwrap_or(usize::MAX);
        while index(self.bin_us) >= BINS {
            self.bin_us *= 2;
            let pairs = self.bins.chunks(2).map(|pair| {
                let mut sum = Bin::default();
                for bin in pair {
                    sum.add(bin);
                }
                sum
            });
            self.bins = pairs.collect();
        }
        let index = index(self.bin_us);
        if index >= self.bins.len() {
            self.bins.resize(index + 1, Bin::default());
        }
        index
    }
}

fn place(reason: WaitReason) -> usize {
    WaitReason::ALL.into_iter().position(|known| known == reason).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_when_intervals_grow() {
        let mut series = Series::default();
        for second in 0..1_000 {
            series.at(second * 1_000_000).sent += 1;
            let from = second * 1_000_000;
            series.wait(from, from + 1_000_000, WaitReason::Rate, 3, 7);
        }
        series.wait(1_000_000_000, 40_000_000_000, WaitReason::Budget, 0, 0);
        assert!(series.bins.len() <= BINS);
        let sum = series.sum();
        assert_eq!(sum.sent, 1_000);
        assert_eq!((sum.under_way, sum.sessions), (3_000_000_000, 7_000_000_000));
        assert_eq!(sum.waits[place(WaitReason::Rate)], 1_000_000_000);
        assert_eq!(sum.waits[place(WaitReason::Budget)], 39_000_000_000);
    }
}
