//! The seeded generator behind jitter.

/// A small seeded generator (`SplitMix64`), for jitter and ties. Not for secrets.
///
/// The same seed gives the same numbers in every language, so a run can be repeated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rng(u64);

impl Rng {
    /// Starts a sequence.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The state, from which [`Rng::new`] goes on with the same sequence.
    pub const fn state(&self) -> u64 {
        self.0
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..=max`, by multiply and shift: the bias is below 2^-64 of the range.
    pub fn up_to(&mut self, max: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * (u128::from(max) + 1);
        // The high half of a product of two 64-bit numbers (one of them at most 2^64) fits.
        u64::try_from(wide >> 64).unwrap_or(max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_sequence() {
        // First outputs of SplitMix64 for seed 1234567, from the reference implementation.
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn stays_within_its_range_and_reaches_both_ends() {
        let mut rng = Rng::new(1);
        let mut seen = [0_u32; 4];
        for _ in 0..400 {
            seen[usize::try_from(rng.up_to(3)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&count| count > 60), "{seen:?}");
        assert_eq!(rng.up_to(0), 0);
        Rng::new(2).up_to(u64::MAX);
    }
}
