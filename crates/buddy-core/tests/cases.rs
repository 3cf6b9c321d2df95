//! Tables of cases: sizes, alignments, odd totals, refusals and what they say.

use buddy_core::{
    AllocError, BuddyAllocator, BuddyBlock, BuddyConfig, BuddyStats, ConfigError, FreeError, Owned,
};
use rstest::rstest;

const KIB: u64 = 1024;

/// A region where nothing waits, so that placement is lowest offset first.
fn region(total_size: u64, min_block_size: u64) -> BuddyAllocator {
    let config = BuddyConfig::new(total_size, min_block_size).with_waiting(false);
    BuddyAllocator::with_config(config).unwrap()
}

fn block(offset: u64, size: u64) -> BuddyBlock {
    BuddyBlock { offset, size }
}

/// Runs `call`, which must be refused, and checks that nothing has changed by it.
#[track_caller]
fn check_refused<T, E>(
    region: &mut BuddyAllocator,
    call: impl FnOnce(&mut BuddyAllocator) -> Result<T, E>,
) -> E {
    let before = region.clone();
    let error = call(region).err().expect("the call must be refused");
    assert_eq!(region.stats(), before.stats());
    assert!(region.free_blocks().eq(before.free_blocks()));
    assert!(region.taken_blocks().eq(before.taken_blocks()));
    assert_eq!(region.validate(), Ok(()));
    error
}

#[rstest]
#[case::one_byte(1, 256)]
#[case::one_below_the_minimum(255, 256)]
#[case::the_minimum(256, 256)]
#[case::one_above_the_minimum(257, 512)]
#[case::between_powers(3 * 256, 1024)]
#[case::one_below_the_region(64 * KIB - 1, 64 * KIB)]
#[case::the_region(64 * KIB, 64 * KIB)]
fn a_size_is_rounded_up_to_a_power_of_two(#[case] size: u64, #[case] expected: u64) {
    let mut region = region(64 * KIB, 256);
    assert_eq!(region.allocate(size), Ok(block(0, expected)));
    assert_eq!(region.validate(), Ok(()));
}

#[rstest]
#[case::none_given_as_zero(0, 256)]
#[case::none_given_as_one(1, 256)]
#[case::below_the_minimum(64, 256)]
#[case::the_size(256, 256)]
#[case::above_the_size(4096, 4096)]
#[case::half_the_region(32 * KIB, 32 * KIB)]
fn an_alignment_moves_the_offset_and_not_the_size(#[case] alignment: u64, #[case] offset: u64) {
    let mut region = region(64 * KIB, 256);
    region.allocate(256).unwrap();
    assert_eq!(region.allocate_aligned(200, alignment), Ok(block(offset, 256)));
    assert_eq!(region.stats().allocated_size, 512);
    assert_eq!(region.validate(), Ok(()));
}

#[test]
fn the_rest_of_an_aligned_block_stays_free() {
    let mut region = region(8 * KIB, KIB);
    region.allocate_aligned(KIB, 8 * KIB).unwrap();
    let free = [block(KIB, KIB), block(2 * KIB, 2 * KIB), block(4 * KIB, 4 * KIB)];
    assert!(region.free_blocks().eq(free));
    assert_eq!(region.allocate(4 * KIB), Ok(free[2]));
}

#[rstest]
#[case::three(3, &[(0, 2), (2, 1)])]
#[case::seven(7, &[(0, 4), (4, 2), (6, 1)])]
#[case::nine(9, &[(0, 8), (8, 1)])]
#[case::ten(10, &[(0, 8), (8, 2)])]
#[case::across_words(129, &[(0, 128), (128, 1)])]
#[case::a_power(64, &[(0, 64)])]
fn a_total_is_cut_by_its_binary_digits(#[case] total: u64, #[case] expected: &[(u64, u64)]) {
    for scale in [1, 256] {
        let region = region(total * scale + scale - 1, scale);
        assert_eq!(region.total_size(), total * scale, "the tail is not counted");
        assert_eq!(region.stats().total_size, total * scale);
        let blocks = expected.iter().map(|&(offset, size)| block(offset * scale, size * scale));
        assert!(region.free_blocks().eq(blocks));
        assert_eq!(region.largest_free_block(), expected[0].1 * scale);
        assert_eq!(region.validate(), Ok(()));
    }
}

#[test]
fn a_region_of_one_block_serves_it_again_and_again() {
    let mut region = region(4096, 4096);
    assert_eq!(region.min_block_size(), 4096);
    for round in 1..=3 {
        let whole = region.allocate(1).unwrap();
        assert_eq!(whole, block(0, 4096));
        assert!(!region.is_empty());
        let refusal = AllocError::OutOfMemory { size: 1, alignment: 1, largest_free_block: 0 };
        assert_eq!(check_refused(&mut region, |region| region.allocate(1)), refusal);
        assert_eq!(region.free(whole), Ok(()));
        assert!(region.is_empty());
        assert_eq!(region.stats().total_freed, round * 4096);
        assert_eq!(region.validate(), Ok(()));
    }
}

#[rstest]
#[case::minimum_blocks(0)]
#[case::order_one(1)]
#[case::order_six(6)]
#[case::order_twelve(12)]
#[case::the_whole(13)]
fn a_region_is_filled_exactly_by_blocks_of_one_order(#[case] order: u32) {
    let size = 16 << order;
    let mut region = region(16 << 13, 16);
    let count = (16 << 13) / size;
    for index in 0..count {
        assert_eq!(region.allocate(size), Ok(block(index * size, size)));
    }
    let stats = region.stats();
    assert_eq!((stats.allocated_size, stats.allocation_count), (16 << 13, count));
    assert_eq!(stats.split_count, count - 1);
    let refusal = check_refused(&mut region, |region| region.allocate(16));
    assert_eq!(refusal, AllocError::OutOfMemory { size: 16, alignment: 1, largest_free_block: 0 });
    for index in (0..count).rev() {
        assert_eq!(region.free(block(index * size, size)), Ok(()));
    }
    assert_eq!(region.stats().merge_count, count - 1);
    assert!(region.free_blocks().eq([block(0, 16 << 13)]));
    assert_eq!(region.validate(), Ok(()));
}

#[test]
fn free_merges_up_to_the_top_order_and_not_past_it() {
    let mut region = region(3 * 4096, 256);
    let low = region.allocate(8192).unwrap();
    let high = region.allocate(4096).unwrap();
    assert_eq!((low, high), (block(0, 8192), block(8192, 4096)));
    region.free(high).unwrap();
    region.free(low).unwrap();
    // Both are free and adjacent, but the larger one's buddy lies partly outside.
    assert!(region.free_blocks().eq([low, high]));
    assert_eq!(region.stats().merge_count, 0);
}

#[test]
fn the_smallest_free_block_is_used_first_and_then_the_lowest() {
    let mut region = region(16, 1);
    let blocks: Vec<_> = (0..16).map(|_| region.allocate(1).unwrap()).collect();
    for index in [2, 3, 9, 13] {
        region.free(blocks[index]).unwrap();
    }
    // Free are 2..4 as one block, 9 and 13.
    let offsets: Vec<_> = (0..4).map(|_| region.allocate(1).unwrap().offset).collect();
    assert_eq!(offsets, [9, 13, 2, 3]);
}

#[rstest]
#[case::zero(0, 1, AllocError::InvalidSize { size: 0, total_size: 12 * KIB })]
#[case::above_the_region(12 * KIB + 1, 1,
    AllocError::InvalidSize { size: 12 * KIB + 1, total_size: 12 * KIB })]
#[case::overflows_when_rounded(u64::MAX, 1,
    AllocError::InvalidSize { size: u64::MAX, total_size: 12 * KIB })]
#[case::alignment_of_three(1, 3, AllocError::InvalidAlignment { alignment: 3 })]
#[case::alignment_above_the_region(1, 16 * KIB,
    AllocError::InvalidAlignment { alignment: 16 * KIB })]
#[case::highest_alignment(1, 1 << 63, AllocError::InvalidAlignment { alignment: 1 << 63 })]
#[case::all_bits_of_alignment(1, u64::MAX, AllocError::InvalidAlignment { alignment: u64::MAX })]
#[case::rounded_above_any_block(9 * KIB, 1,
    AllocError::OutOfMemory { size: 9 * KIB, alignment: 1, largest_free_block: 4 * KIB })]
#[case::larger_than_what_is_free(5 * KIB, 512,
    AllocError::OutOfMemory { size: 5 * KIB, alignment: 512, largest_free_block: 4 * KIB })]
#[case::aligned_above_what_is_free(512, 8 * KIB,
    AllocError::OutOfMemory { size: 512, alignment: 8 * KIB, largest_free_block: 4 * KIB })]
fn a_refused_request_names_its_numbers_and_changes_nothing(
    #[case] size: u64,
    #[case] alignment: u64,
    #[case] expected: AllocError,
) {
    // 12 KiB, of which the first half of the lower 8 KiB is taken.
    let mut region = region(12 * KIB, 512);
    let first = region.allocate(4 * KIB).unwrap();
    region.allocate(4 * KIB).unwrap();
    region.free(first).unwrap();
    let error = check_refused(&mut region, |region| region.allocate_aligned(size, alignment));
    assert_eq!(error, expected);
}

#[rstest]
#[case::wrong_offset(block(1024, 1024))]
#[case::offset_off_the_minimum(block(1, 1024))]
#[case::a_half(block(0, 512))]
#[case::the_other_half(block(512, 512))]
#[case::a_union(block(0, 2048))]
#[case::a_free_block(block(2048, 2048))]
#[case::the_whole(block(0, 4096))]
#[case::size_zero(block(0, 0))]
#[case::size_below_the_minimum(block(0, 128))]
#[case::size_no_power_of_two(block(0, 768))]
#[case::outside(block(4096, 1024))]
#[case::larger_than_the_region(block(0, 8192))]
#[case::far_outside(block(1 << 63, 1 << 63))]
#[case::end_of_all_numbers(block(u64::MAX - 255, 256))]
fn a_block_that_is_not_a_live_allocation_is_refused(#[case] forged: BuddyBlock) {
    let mut region = region(4096, 256);
    region.allocate(1024).unwrap();
    let freed = region.allocate(1024).unwrap();
    region.free(freed).unwrap();
    let BuddyBlock { offset, size } = forged;
    let error = check_refused(&mut region, |region| region.free(forged));
    assert_eq!(error, FreeError::NotAllocated { offset, size });
}

#[test]
fn two_buddies_are_not_taken_for_their_parent_nor_the_parent_for_them() {
    let mut region = region(2, 1);
    let halves = [region.allocate(1).unwrap(), region.allocate(1).unwrap()];
    check_refused(&mut region, |region| region.free(block(0, 2)));
    for half in halves {
        region.free(half).unwrap();
        check_refused(&mut region, |region| region.free(half));
    }
    region.allocate(2).unwrap();
    for half in halves {
        check_refused(&mut region, |region| region.free(half));
    }
}

#[test]
fn reset_gives_the_first_state_back_and_forgets_blocks() {
    let mut region = region(7 * 256, 256);
    let fresh = region.clone();
    let old = region.allocate(1000).unwrap();
    region.allocate(256).unwrap();
    region.reset();
    assert_eq!(region.stats(), fresh.stats());
    assert!(region.free_blocks().eq(fresh.free_blocks()));
    assert!(region.is_empty() && region.taken_blocks().next().is_none());
    assert_eq!(region.validate(), Ok(()));
    check_refused(&mut region, |region| region.free(old));
}

#[test]
fn statistics_count_whole_blocks_and_every_step() {
    let mut region = region(4096, 256);
    let first = region.allocate(300).unwrap();
    let second = region.allocate(1).unwrap();
    region.free(first).unwrap();
    let expected = BuddyStats {
        total_size: 4096,
        allocated_size: 256,
        allocation_count: 1,
        peak_allocated: 768,
        total_allocated: 768,
        total_freed: 512,
        // 4096 to 512 takes three splits, the neighbour's 512 to 256 a fourth.
        split_count: 4,
        merge_count: 0,
    };
    assert_eq!(region.stats(), expected);
    region.free(second).unwrap();
    let stats = region.stats();
    assert_eq!((stats.merge_count, stats.total_freed, stats.peak_allocated), (4, 768, 768));
}

#[rstest]
#[case::one_block(1, true)]
#[case::as_many_as_there_may_be(31, true)]
#[case::one_more(32, false)]
#[case::far_more(1 << 40, false)]
fn a_compact_region_has_the_orders_it_was_made_for(#[case] block_count: u64, #[case] fits: bool) {
    const CONFIG: BuddyConfig = BuddyConfig::new(32 * 16, 16);
    const WORDS: usize = CONFIG.word_count().unwrap();
    let made = BuddyAllocator::<Owned, 5>::compact(BuddyConfig::new(block_count * 16, 16));
    let too_many = ConfigError::TooManyBlocks { block_count, max_block_count: 31 };
    assert_eq!(
        made.map(|region| region.total_size()),
        if fits { Ok(block_count * 16) } else { Err(too_many) }
    );
    // The words are counted after the orders.
    let in_array = BuddyAllocator::<[u64; WORDS], 5>::compact_in_array(CONFIG).map(|_| ());
    assert_eq!(in_array, Err(ConfigError::TooManyBlocks { block_count: 32, max_block_count: 31 }));
    let mut whole = BuddyAllocator::<[u64; WORDS], 6>::compact_in_array(CONFIG).unwrap();
    assert_eq!(whole.allocate(32 * 16).unwrap().offset, 0);
}

#[rstest]
#[case::no_total(0, 256, ConfigError::ZeroSize { total_size: 0, min_block_size: 256 })]
#[case::no_minimum(256, 0, ConfigError::ZeroSize { total_size: 256, min_block_size: 0 })]
#[case::minimum_of_three(9, 3, ConfigError::MinBlockSizeNotPowerOfTwo { min_block_size: 3 })]
#[case::below_the_minimum(255, 256,
    ConfigError::BelowMinBlock { total_size: 255, min_block_size: 256 })]
#[case::too_many_blocks((1 << 40) + 1, 1,
    ConfigError::TooManyBlocks { block_count: (1 << 40) + 1, max_block_count: 1 << 40 })]
fn a_configuration_that_cannot_be_is_refused(
    #[case] total_size: u64,
    #[case] min_block_size: u64,
    #[case] expected: ConfigError,
) {
    assert_eq!(BuddyAllocator::new(total_size, min_block_size).unwrap_err(), expected);
    let lent = BuddyAllocator::with_words(total_size, min_block_size, &mut []);
    assert_eq!(lent.unwrap_err(), expected);
    assert_eq!(BuddyAllocator::words_needed(total_size, min_block_size), None);
}

#[test]
fn words_of_another_length_are_refused_and_left_alone() {
    let words_needed = BuddyAllocator::words_needed(1 << 20, 256).unwrap();
    for word_count in [0, 1, words_needed - 1, words_needed + 1] {
        let mut words = vec![u64::MAX; word_count];
        let error = BuddyAllocator::with_words(1 << 20, 256, &mut words).unwrap_err();
        assert_eq!(error, ConfigError::WrongWordCount { word_count, words_needed });
        assert!(words.iter().all(|&word| word == u64::MAX));
    }
}

#[rstest]
#[case::in_the_middle(1 << 63, 1 << 62, 1 << 63)]
#[case::one_block_of_half_of_everything(u64::MAX, 1 << 63, 1 << 63)]
#[case::just_below_everything(u64::MAX, 1 << 32, u64::MAX - u64::from(u32::MAX))]
fn sizes_at_the_end_of_all_numbers_do_not_overflow(
    #[case] total_size: u64,
    #[case] min_block_size: u64,
    #[case] managed: u64,
) {
    let mut region = region(total_size, min_block_size);
    assert_eq!(region.total_size(), managed);
    let whole: Vec<_> = region.free_blocks().collect();
    let taken: Vec<_> = whole.iter().map(|free| region.allocate(free.size).unwrap()).collect();
    assert_eq!(taken, whole);
    assert_eq!((region.largest_free_block(), region.stats().allocated_size), (0, managed));
    taken.into_iter().rev().for_each(|block| region.free(block).unwrap());
    assert!(region.is_empty() && region.free_blocks().eq(whole));
}

#[test]
fn messages_name_the_value_and_the_rule() {
    let mut region = region(4096, 256);
    let messages = [
        region.allocate(0).unwrap_err().to_string(),
        region.allocate_aligned(1, 6).unwrap_err().to_string(),
        region.free(block(256, 512)).unwrap_err().to_string(),
        BuddyAllocator::new(4096, 100).unwrap_err().to_string(),
    ];
    let expected = [
        "size 0 is not within 1 ..= 4096, the region's size",
        "alignment 6 is not a power of two within the region's size",
        "no live allocation of 512 bytes starts at offset 256",
        "minimum block size 100 is not a power of two",
    ];
    assert_eq!(messages, expected);
}
