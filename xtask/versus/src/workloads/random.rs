//! Random numbers from a seed, and the distributions of sizes.

use crate::program::UNIT;

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each name.
    ///
    /// The seeds are hashed: consecutive seeds of this generator make streams that overlap.
    pub(crate) fn of(name: &str) -> Self {
        // FNV-1a, 64 bits.
        let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        let mut random = Self(hash);
        Self(random.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, all alike but for a bias below `bound` / 2^32.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let scaled = (self.next() >> 32) * u64::from(bound);
        u32::try_from(scaled >> 32).expect("a product of two numbers below 2^32 is below 2^64")
    }

    /// A number from 0 to below 1.
    fn fraction(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        let bits = self.next() >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    /// A size whose logarithm is spread evenly from `low` to `high`, rounded up to whole units.
    ///
    /// All magnitudes alike, and hardly ever a power of two.
    pub(crate) fn log_uniform(&mut self, low: u32, high: u32) -> u32 {
        let (low, high) = (f64::from(low), f64::from(high));
        let size = low * (high / low).powf(self.fraction());
        let units = (size / f64::from(UNIT)).ceil().min(high / f64::from(UNIT));
        #[expect(clippy::cast_possible_truncation, reason = "at most `high`, which is a u32")]
        #[expect(clippy::cast_sign_loss, reason = "both factors are positive")]
        let units = units as u32;
        units * UNIT
    }

    /// A size of 1 to `most` units, all alike.
    pub(crate) fn units(&mut self, most: u32) -> u32 {
        (1 + self.below(most)) * UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_names_differ_and_of_one_name_do_not() {
        let first = |name| Random::of(name).next();
        assert_eq!(first("lifo"), first("lifo"));
        assert_ne!(first("lifo"), first("fill"));
    }

    #[test]
    fn sizes_are_whole_units_in_range_and_spread_over_magnitudes() {
        let mut random = Random::of("sizes");
        let sizes: Vec<u32> = (0..10_000).map(|_| random.log_uniform(UNIT, 4 << 20)).collect();
        assert!(sizes.iter().all(|size| size.is_multiple_of(UNIT) && *size <= 4 << 20));
        // The middle of the logarithms is 32 KiB.
        let small = sizes.iter().filter(|size| **size <= 32 << 10).count();
        assert!((4_500..5_500).contains(&small), "{small}");
        let powers = sizes.iter().filter(|size| size.is_power_of_two()).count();
        assert!(powers < 2_000, "{powers}");
        let units: Vec<u32> = (0..1_000).map(|_| random.units(16)).collect();
        assert!(units.contains(&UNIT) && units.contains(&(16 * UNIT)));
        assert!(units.iter().all(|size| (UNIT..=16 * UNIT).contains(size)));
    }
}
