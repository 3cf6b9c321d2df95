//! Orders and layers fill the words, and sizes and offsets have the orders and indices they should.

use super::*;

#[test]
fn orders_and_layers_lie_side_by_side_and_fill_the_words() {
    for block_count in (1..5000).chain([4096 * 64 + 1, (1 << 30) + 12_345, MAX_BLOCK_COUNT]) {
        let layout = Layout::new(&BuddyConfig::new(block_count, 1)).unwrap();
        let mut next_word = 0;
        for order in (0..=layout.top_order()).rev() {
            assert_eq!(layout.first_word(order), next_word);
            let mut word_count = layout.order_word_count(order);
            // A bit for each block inside, and one for the buddy of an odd last one.
            let bit_count = layout.order_block_count(order).next_multiple_of(2);
            assert!((word_count as u64 - 1) * 64 < bit_count);
            assert!(bit_count <= word_count as u64 * 64);
            next_word += word_count;
            for _ in 0..layout.layer_count() {
                word_count = word_count.div_ceil(64);
                next_word += word_count;
            }
            assert!(word_count <= 64, "the root sums up the last layer");
        }
        assert_eq!(next_word, layout.word_count());
        let config = BuddyConfig::new(block_count, 1).with_rounding(Rounding::Trimmed);
        let with_heads = Layout::new(&config).unwrap();
        assert_eq!(with_heads.first_head_word(), next_word);
        assert_eq!(with_heads.word_count(), next_word + layout.order_word_count(0));
        assert!(layout.layer_count() as usize <= MAX_LAYER_COUNT);
        assert!((layout.top_order() as usize) < ORDER_COUNT);
    }
}

#[test]
fn an_order_is_the_smallest_that_holds_the_size() {
    let layout = Layout::new(&BuddyConfig::new(1 << 20, 16)).unwrap();
    for size in 1..5000 {
        let order = layout.order_for(size);
        assert!(layout.block_size(order) >= size);
        assert!(order == 0 || layout.block_size(order - 1) < size);
    }
}

#[test]
fn a_block_is_a_power_of_two_at_a_multiple_of_itself_that_ends_in_time() {
    let layout = Layout::new(&BuddyConfig::new(88, 4)).unwrap();
    let mut block_count = 0;
    for (offset, size) in
        (0..100_u64).flat_map(|offset| (0..100_u64).map(move |size| (offset, size)))
    {
        for end in [0, layout.total_size()] {
            let is_block =
                size >= 4 && size.is_power_of_two() && offset % size == 0 && offset + size <= end;
            let expected = is_block.then(|| (layout.order_for(size), offset / size));
            assert_eq!(layout.block_of(offset, size, end), expected, "{size} at {offset}");
            block_count += u32::from(is_block);
        }
    }
    assert_eq!(block_count, 22 + 11 + 5 + 2 + 1);
    let largest = Layout::new(&BuddyConfig::new(u64::MAX, 1 << 54)).unwrap();
    let end = largest.total_size();
    assert_eq!(largest.block_of(0, 1 << 63, end), Some((9, 0)));
    assert_eq!(largest.block_of(1 << 63, 1 << 63, end), None);
    assert_eq!(largest.block_of(0, 0, end), None);
}
