//! What a region costs in bits, counted over many sizes.

use buddy_core::{BuddyAllocator, BuddyConfig, Rounding};

fn word_count(block_count: u64) -> u64 {
    BuddyAllocator::words_needed(block_count, 1).unwrap() as u64
}

/// From this many minimum blocks on, 2.1 bits each are enough for all words.
///
/// Two bits a minimum block are the blocks' own, and one in 31.5 the summaries'. The rest is
/// rounding: at most a word for each order and each layer of its summaries, which is 30 words for
/// the 15 orders and the layer of a region of this size. A tenth of a bit for each minimum block
/// pays for the summaries and for that from about here on; smaller regions cost more a block.
const SMALLEST_COUNT: u64 = 22_000;

#[test]
fn a_minimum_block_costs_at_most_two_and_a_tenth_bits() {
    let dense = SMALLEST_COUNT..200_000;
    // Powers of two, their neighbours, and ratios in between.
    let sparse = (16..40).flat_map(|shift| {
        let power = 1_u64 << shift;
        [power - 1, power, power + 1, power + power / 3, power + power / 2, power * 2 - 1]
    });
    let mut checked_count = 0;
    for block_count in dense.chain(sparse) {
        let bits = word_count(block_count) * 64;
        assert!(bits * 10 <= block_count * 21, "{bits} bits for {block_count} minimum blocks");
        let trimmed = BuddyConfig::new(block_count, 1).with_rounding(Rounding::Trimmed);
        let bits = trimmed.word_count().unwrap() as u64 * 64;
        assert!(bits * 100 <= block_count * 315, "{bits} bits, trimmed, for {block_count}");
        checked_count += 1;
    }
    assert_eq!(checked_count, 178_000 + 24 * 6);
}

#[test]
fn a_tiny_region_costs_a_word_for_each_order_and_its_summary() {
    for block_count in 1..=64 {
        assert_eq!(word_count(block_count), 2 * (u64::from(block_count.ilog2()) + 1));
    }
}

#[test]
fn a_minimum_block_cannot_cost_less_than_two_bits() {
    for block_count in [1 << 10, 1 << 20, 1 << 30, 1 << 40] {
        assert!(word_count(block_count) * 64 >= block_count * 2 - 1);
    }
}
