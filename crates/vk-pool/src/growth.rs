//! How large the next block is.
//!
//! Basic design: the next block is somewhat more than what the live bytes have grown by since the last
//! one came or went. A program that loads gets blocks that grow with it, and few of them; one that has
//! settled and needs a little more gets a block of about that. One whose live bytes have not grown at
//! all needs no room but a hole that is large enough: it gets a fraction of what is committed, and not
//! the block that would have followed. Growth by what is committed alone cannot tell these apart, and
//! what it makes too large stays until the end.
//!
//! A program whose live bytes have fallen and rise again grows as if it loaded, but it is on the way back
//! to where it was: close to its recent peak it needs a few times what is missing to that. It gets just less than a
//! quarter of what is committed all the same, lest the last bytes below the peak make many small blocks.
//!
//! Sizes are rounded down to quarters of a power of two. When only a few requests like the one at hand
//! would fit, the block is made a multiple of the request, as what is left of it fits nobody of the kind.

use crate::{Algorithm, PoolConfig};

/// The next block is this many fifths of what the live bytes have grown by. With six, blocks become
/// many; with eight, the last ones are too large.
const FIFTHS_OF_GROWTH: u64 = 7;

/// A block that fewer requests like the one at hand fit into is a multiple of it.
const FEW_REQUESTS: u64 = 5;

/// Sizes that follow a request are multiples of this, so that sizes a few bytes apart share blocks.
const GRAIN: u64 = 1 << 20;

/// On the way back to the recent peak of the live bytes, so many times what is missing to it bounds the
/// next block. Once asks for a tenth more blocks, and commits as much.
const TIMES_MISSING: u64 = 8;

/// But just less than what is committed over this may always come.
const RETURN_DIVISOR: u64 = 4;

/// Follows the live bytes of a pool from block to block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Growth {
    /// Bytes that were taken in blocks when the last one came or went.
    live_then: u64,
}

impl Growth {
    /// A block has come or gone, and so many bytes are taken in blocks now.
    pub(crate) fn blocks_changed(&mut self, live: u64) {
        self.live_then = live;
    }

    /// Bytes of the next block of a memory type with `committed` bytes (blocks on their way included),
    /// for a request that needs a block of at least `needed` bytes and with which `live` bytes are taken;
    /// the most that were taken lately are `live_peak`.
    ///
    /// `needed` is at most `config.largest_block_size`, and so is the answer.
    pub(crate) fn next_block_size(
        &self,
        config: &PoolConfig,
        committed: u64,
        live: u64,
        live_peak: u64,
        needed: u64,
    ) -> u64 {
        let largest = config.largest_block_size;
        let first = config.first_block_size;
        // Small pools have small blocks.
        let request = round_up(needed.max(1), GRAIN.min(first)).min(largest);
        let Some(fraction) = committed.checked_div(config.growth_divisor) else {
            return first.max(request.next_power_of_two()).min(largest);
        };
        if committed == 0 {
            return first.max(request);
        }
        // What a small program has in its first block says little of how it grows.
        let live_then = self.live_then.max(first / config.growth_divisor);
        // More than the largest block is as good as that, and is multiplied without overflow.
        let grown =
            live.saturating_sub(live_then).min(largest).saturating_mul(FIFTHS_OF_GROWTH) / 5;
        // No underflow: something is committed.
        let grown = match live_peak.saturating_sub(live) {
            0 => grown,
            missing => {
                let enough = missing.saturating_mul(TIMES_MISSING);
                grown.min(enough.max((committed - 1) / RETURN_DIVISOR))
            }
        };
        let wanted = round_down(grown.max(fraction).max(config.smallest_block_size)).min(largest);
        match config.algorithm {
            // Other sizes would be of two and more blocks of which none holds the larger requests.
            Algorithm::Buddy => wanted.max(request).next_power_of_two().min(largest),
            _ if wanted / request < FEW_REQUESTS => round_up(wanted, request).min(largest),
            _ => wanted,
        }
    }
}

/// Half of `size`, or the floor of the pool if that is more, if it is smaller and holds `needed` bytes.
pub(crate) fn smaller_block_size(config: &PoolConfig, size: u64, needed: u64) -> Option<u64> {
    // A multiple of the smallest piece, which is a power of two.
    let half = (size / 2) & !(config.min_allocation_size - 1);
    let smaller = half.max(config.smallest_block_size);
    (smaller < size && smaller >= needed).then_some(smaller)
}

/// The smallest multiple of `unit` that is at least `value`, or the largest number of 64 bits, which the
/// caller bounds.
fn round_up(value: u64, unit: u64) -> u64 {
    value.checked_next_multiple_of(unit).unwrap_or(u64::MAX)
}

/// The largest multiple of a quarter of a power of two, below the next one, that is at most `value`.
fn round_down(value: u64) -> u64 {
    let quarter = value.checked_ilog2().map_or(1, |log| (1 << log) / 4).max(1);
    value - value % quarter
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const MIB: u64 = 1 << 20;

    fn size(live_then: u64, committed: u64, live: u64, needed: u64) -> u64 {
        let growth = Growth { live_then };
        growth.next_block_size(&PoolConfig::default(), committed, live, live, needed)
    }

    #[rstest]
    #[case::first(0, 0, 256, 256, 16 * MIB)]
    #[case::first_for_a_large_request(0, 0, 20 * MIB, 20 * MIB, 20 * MIB)]
    #[case::seven_fifths_rounded_down(MIB, 16 * MIB, 17 * MIB, 256, 20 * MIB)]
    #[case::from_a_part_of_the_first_on(0, 16 * MIB, 8 * MIB, 256, 8 * MIB)]
    #[case::grown_little(90 * MIB, 128 * MIB, 100 * MIB, 256, 14 * MIB)]
    #[case::not_grown(120 * MIB, 160 * MIB, 100 * MIB, 256, 14 * MIB)]
    #[case::largest(0, 512 * MIB, 512 * MIB, 256, 256 * MIB)]
    #[case::beyond_64_bits(0, u64::MAX, u64::MAX, 256, 256 * MIB)]
    #[case::no_less_than_the_floor(4 * MIB, 4 * MIB, 3 * MIB, 256, MIB)]
    fn next_block_follows_the_growth_since_the_last(
        #[case] live_then: u64,
        #[case] committed: u64,
        #[case] live: u64,
        #[case] needed: u64,
        #[case] expected: u64,
    ) {
        assert_eq!(size(live_then, committed, live, needed), expected);
    }

    #[rstest]
    #[case::one_and_a_bit(11 * MIB - 1, 22 * MIB)]
    #[case::a_quarter(5 * MIB, 20 * MIB)]
    #[case::more_than_a_quarter(5 * MIB + 1, 24 * MIB)]
    #[case::many(4 * MIB, 20 * MIB)]
    #[case::larger(28 * MIB, 28 * MIB)]
    fn a_block_for_few_requests_is_a_multiple_of_them(#[case] needed: u64, #[case] expected: u64) {
        assert_eq!(size(MIB, 16 * MIB, 17 * MIB, needed), expected);
    }

    #[rstest]
    #[case::it_loads(100, 100, 128)]
    #[case::just_above_its_peak(99, 100, 128)]
    #[case::much_is_missing(300, 100, 128)]
    #[case::less_is_missing(112, 100, 96)]
    #[case::little_is_missing(101, 100, 28)]
    #[case::little_is_missing_and_it_has_not_grown_either(101, 1, 10)]
    fn a_pool_that_comes_back_to_its_peak_grows_by_what_is_missing(
        #[case] live_peak: u64,
        #[case] grown: u64,
        #[case] expected: u64,
    ) {
        let (config, live) = (PoolConfig::default(), 100 * MIB);
        let growth = Growth { live_then: live - grown * MIB };
        let size = growth.next_block_size(&config, 128 * MIB, live, live_peak * MIB, 256);
        assert_eq!(size, expected * MIB);
    }

    #[test]
    fn without_growth_every_block_is_the_first() {
        let config = PoolConfig { growth_divisor: 0, ..PoolConfig::default() };
        let size =
            |needed| Growth::default().next_block_size(&config, 512 * MIB, 512 * MIB, 0, needed);
        assert_eq!(size(256), 16 * MIB);
        assert_eq!(size(20 * MIB), 32 * MIB);
    }

    #[rstest]
    #[case(16 * MIB, 256, Some(8 * MIB))]
    #[case(22 * MIB, 256, Some(11 * MIB))]
    #[case(16 * MIB, 16 * MIB, None)]
    #[case(2 * MIB, 256, Some(MIB))]
    #[case(MIB, 256, None)]
    #[case(3 * MIB / 2, 256, Some(MIB))]
    #[case(20 * MIB, 16 * MIB, None)]
    #[case(2 * MIB + 256, 256, Some(MIB))]
    fn halving_stops_at_the_floor_and_at_the_request(
        #[case] size: u64,
        #[case] needed: u64,
        #[case] half: Option<u64>,
    ) {
        assert_eq!(smaller_block_size(&PoolConfig::default(), size, needed), half);
    }
}
