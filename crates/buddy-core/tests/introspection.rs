//! What a region says about itself: figures and pictures, also while a block waits.

use buddy_core::{BuddyAllocator, BuddyConfig, Rounding};
use rstest::rstest;

#[rstest]
#[case::powers_of_two(Rounding::PowerOfTwo, false)]
#[case::powers_of_two_that_wait(Rounding::PowerOfTwo, true)]
#[case::trimmed(Rounding::Trimmed, false)]
#[case::trimmed_that_wait(Rounding::Trimmed, true)]
fn the_figures_are_those_of_the_free_blocks(#[case] rounding: Rounding, #[case] waiting: bool) {
    let config = BuddyConfig::new(1000, 1).with_rounding(rounding).with_waiting(waiting);
    let mut region = BuddyAllocator::with_config(config).unwrap();
    let mut live = Vec::new();
    for step in 0..2000_u64 {
        let mixed = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        if mixed % 3 > 0 {
            live.extend(region.allocate(1 + mixed / 3 % 60).ok());
        } else if !live.is_empty() {
            let place = usize::try_from(mixed / 3).unwrap() % live.len();
            region.free(live.swap_remove(place)).unwrap();
        }
        let figures = region.fragmentation();
        let free: Vec<_> = region.free_blocks().map(|block| block.size).collect();
        let sum: u64 = free.iter().sum();
        assert_eq!(figures.free_size(), sum);
        assert_eq!(figures.free_block_count(), free.len() as u64);
        assert_eq!(figures.largest_free_block(), region.largest_free_block());
        for (size, count) in figures.free_blocks_by_size() {
            assert_eq!(free.iter().filter(|&&block| block == size).count() as u64, count);
        }
        for size in [0, 1, 5, 64, 1000] {
            let small: u64 = free.iter().filter(|&&block| block < size).sum();
            let share = small as f64 / sum.max(1) as f64;
            assert!((figures.unusable_for(size) - share).abs() < 1e-12);
        }
        let share = 1.0 - region.largest_free_block() as f64 / sum.max(1) as f64;
        assert!((figures.external() - if sum == 0 { 0.0 } else { share }).abs() < 1e-12);
    }
}

#[test]
fn a_full_region_is_not_fragmented() {
    let mut region = BuddyAllocator::new(64, 1).unwrap();
    region.allocate(64).unwrap();
    let figures = region.fragmentation();
    assert_eq!((figures.external(), figures.unusable_for(1)), (0.0, 0.0));
    assert_eq!(figures.to_string(), "0 free in 0 blocks, largest 0, external 0.0 %");
}

/// Marks the cells of a picture anew from the lists of blocks, and compares.
fn check_map(region: &BuddyAllocator) {
    let picture = region.map().to_string();
    let cell_size = region.map().cell_size();
    let rows: Vec<_> = picture.lines().filter(|row| row.ends_with('|')).collect();
    assert!(rows.len() <= 16 && rows.iter().all(|row| row.len() == 85), "{picture}");
    let cells: Vec<_> = rows.iter().flat_map(|row| row[20..84].chars()).collect();
    for (index, &cell) in cells.iter().enumerate() {
        let start = index as u64 * cell_size;
        let end = start.saturating_add(cell_size).min(region.total_size());
        let overlap =
            |offset: u64, size: u64| (offset + size).min(end).saturating_sub(offset.max(start));
        let taken: u64 = region.taken_blocks().map(|block| overlap(block.offset, block.size)).sum();
        let expected = match taken {
            _ if start >= region.total_size() => ' ',
            0 => '.',
            _ if taken == end - start => '#',
            _ if taken > (end - start) / 2 => '+',
            _ => '-',
        };
        assert_eq!(cell, expected, "cell {index} of\n{picture}");
    }
}

#[rstest]
#[case::one_cell(16, 16)]
#[case::a_row_and_a_bit(65, 1)]
#[case::rows_that_are_full(1024, 1)]
#[case::one_block_more(1025, 1)]
#[case::cells_of_many_blocks(300_007, 1)]
#[case::to_the_end_of_all_numbers(u64::MAX, 1 << 50)]
fn a_map_shows_what_is_taken(#[case] total_size: u64, #[case] min_block_size: u64) {
    let mut region = BuddyAllocator::new(total_size, min_block_size).unwrap();
    check_map(&region);
    let mut live = Vec::new();
    for step in 0..40_u64 {
        let size = (total_size >> (step % 9 + 3)).max(1);
        live.extend(region.allocate(size).ok());
        if step % 3 == 2 && !live.is_empty() {
            region.free(live.swap_remove(live.len() / 2)).unwrap();
        }
    }
    check_map(&region);
}

#[test]
fn a_map_looks_as_it_should() {
    let mut region = BuddyAllocator::new(100 * 256, 256).unwrap();
    region.allocate(2048).unwrap();
    let waiting = region.allocate(4096).unwrap();
    region.allocate(256).unwrap();
    region.free(waiting).unwrap();
    // The smallest free block that holds the first request is the second one, of 32.
    let (free, taken, rest) = (".".repeat(64), "#".repeat(8), ".".repeat(24));
    let expected = format!(
        "0x0000000000000000 |{free}|\n0x0000000000004000 |{taken}{rest}#...{none}|\n\
         256 bytes a cell: . free  - up to half  + more  # taken",
        none = " ".repeat(28),
    );
    assert_eq!(region.map().to_string(), expected);
}
