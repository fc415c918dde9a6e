//! Choices of a world.

use silkline::Rng;

/// One second in microseconds.
pub(super) const SECOND: u64 = 1_000_000;

/// A seeded source of choices, apart from that of the machines.
#[derive(Clone, Debug)]
pub(super) struct Dice(Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Rng::new(seed ^ 0x5eed_0fc4_01ce_0005))
    }

    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        self.0.up_to(most)
    }

    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.0.up_to(most - least)
    }

    pub(super) fn small(&mut self, least: u32, most: u32) -> u32 {
        u32::try_from(self.between(least.into(), most.into())).expect("between two small numbers")
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.0.up_to(n - 1) == 0
    }

    /// True in so many of a million cases.
    pub(super) fn in_a_million(&mut self, parts: u64) -> bool {
        self.0.up_to(999_999) < parts
    }

    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let most = u64::try_from(list.len() - 1).expect("a short list");
        &list[usize::try_from(self.0.up_to(most)).expect("an index")]
    }
}
