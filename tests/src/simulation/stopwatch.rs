//! Real time, for figures only: nothing is decided by it.

use std::time::{Duration, Instant};

/// How long the engine itself was at work, and how often it was asked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stopwatch {
    spent: Duration,
    calls: u64,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the figure is one of real time")]
    pub(super) fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = call();
        self.spent += start.elapsed();
        self.calls += 1;
        value
    }

    /// How often the engine was asked.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(super) fn per_second(&self) -> f64 {
        self.calls as f64 / self.spent.as_secs_f64().max(1e-9)
    }
}
