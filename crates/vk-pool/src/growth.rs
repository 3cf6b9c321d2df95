//! How large the next block is.
//!
//! Basic design: a pool doubles until its blocks reach a quarter of the largest; from then on the next
//! block is a fraction of what the pool has committed. It is rounded up to a power of two and kept
//! between the first and the largest block, then doubled until the request fits. Growth by a fraction,
//! not by doubling, is what keeps the slack of a program that stops growing small; the first doublings
//! save calls where the slack is a few mebibytes.

use crate::PoolConfig;

/// Blocks up to the largest over this may be as large as all before them.
const DOUBLES_UP_TO: u64 = 4;

/// Bytes of the next block of a pool with `committed` bytes (blocks on their way included), for a
/// request that needs a block of at least `needed` bytes.
///
/// `needed` is at most `config.largest_block_size`, and so is the answer.
pub(crate) fn next_block_size(config: &PoolConfig, committed: u64, needed: u64) -> u64 {
    let wanted = match config.growth_divisor {
        0 => config.first_block_size,
        divisor => {
            let doubled = committed.min(config.largest_block_size / DOUBLES_UP_TO);
            round_up_to_power(doubled.max(committed / divisor))
        }
    };
    let size = wanted.clamp(config.first_block_size, config.largest_block_size);
    size.max(round_up_to_power(needed)).min(config.largest_block_size)
}

/// Half of `size`, if that is still at least the floor of the pool and holds `needed` bytes.
pub(crate) fn smaller_block_size(config: &PoolConfig, size: u64, needed: u64) -> Option<u64> {
    let half = size / 2;
    (half >= config.smallest_block_size && half >= needed).then_some(half)
}

/// The smallest power of two that is at least `value`; the largest one of 64 bits where that would
/// not fit, which the caller's clamp then bounds.
fn round_up_to_power(value: u64) -> u64 {
    value.checked_next_power_of_two().unwrap_or(1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const MIB: u64 = 1 << 20;

    #[rstest]
    #[case::first(0, 256, 16 * MIB)]
    #[case::still_first(16 * MIB, 256, 16 * MIB)]
    #[case::doubled(32 * MIB, 256, 32 * MIB)]
    #[case::doubled_to_a_quarter_of_the_largest(64 * MIB, 256, 32 * MIB)]
    #[case::half_rounded_up(80 * MIB, 256, 64 * MIB)]
    #[case::largest(4096 * MIB, 256, 128 * MIB)]
    #[case::request_decides(0, 20 * MIB, 32 * MIB)]
    #[case::beyond_64_bits(u64::MAX, 256, 128 * MIB)]
    fn next_block_doubles_at_first_and_is_half_of_what_is_committed_then(
        #[case] committed: u64,
        #[case] needed: u64,
        #[case] size: u64,
    ) {
        assert_eq!(next_block_size(&PoolConfig::default(), committed, needed), size);
    }

    #[test]
    fn without_growth_every_block_is_the_first() {
        let config = PoolConfig { growth_divisor: 0, ..PoolConfig::default() };
        assert_eq!(next_block_size(&config, 512 * MIB, 256), 16 * MIB);
    }

    #[rstest]
    #[case(16 * MIB, 256, Some(8 * MIB))]
    #[case(16 * MIB, 16 * MIB, None)]
    #[case(2 * MIB, 256, Some(MIB))]
    #[case(MIB, 256, None)]
    fn halving_stops_at_the_floor_and_at_the_request(
        #[case] size: u64,
        #[case] needed: u64,
        #[case] half: Option<u64>,
    ) {
        assert_eq!(smaller_block_size(&PoolConfig::default(), size, needed), half);
    }
}
