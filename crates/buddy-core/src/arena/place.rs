//! Where in a slice the region lies, and where its words.
//!
//! Basic design: the region starts on the first multiple of the alignment. The words can lie
//! before it, where they push it on by whole multiples, or behind it; both are tried, and the
//! longer region wins. How many words there are depends on how long the region is, and that on
//! where the words are; as many as the whole slice would need are set aside, which is too many by
//! the words of the words, some 1 in 100 of them.

use core::mem::MaybeUninit;

use super::config::{ArenaConfig, ArenaError};
use crate::BuddyAllocator;
use crate::storage::Fixed;

/// The bytes of a word.
const WORD_BYTES: usize = size_of::<u64>();

/// A slice that is cut up: the bytes of the region, and its zeroed words.
pub(super) struct Placed<'m> {
    /// Starts on a multiple of `max_alignment`.
    pub(super) region: &'m mut [MaybeUninit<u8>],
    /// Exactly as many as the region needs.
    pub(super) words: &'m mut [u64],
}

/// The words for a region of `length` bytes; `None` if there is no such region.
pub(super) const fn words_for(length: usize, min_block_size: usize) -> Option<usize> {
    // A `usize` has at most 64 bits.
    BuddyAllocator::<Fixed<'_>>::words_needed(length as u64, min_block_size as u64)
}

/// Cuts a slice into a region and its words.
pub(super) fn place(
    memory: &mut [MaybeUninit<u8>],
    config: ArenaConfig,
) -> Result<Placed<'_>, ArenaError> {
    check(memory.len(), config)?;
    let length = memory.len();
    let too_small = too_small(length, config);
    let set_aside = words_needed(length, config)?.checked_mul(WORD_BYTES).ok_or(too_small)?;
    let address = memory.as_ptr().addr();
    let first = gap(address, config.max_alignment);

    let before_end = gap(address, WORD_BYTES).checked_add(set_aside).ok_or(too_small)?;
    // Only the low bits count, so wrapping around does no harm.
    let start_behind_words = before_end
        .checked_add(gap(address.wrapping_add(before_end), config.max_alignment))
        .ok_or(too_small)?;
    let length_behind_words = length.saturating_sub(start_behind_words);

    // Behind the region the words may need a gap too, of less than a word.
    let length_before_words = length.saturating_sub(first).saturating_sub(set_aside + WORD_BYTES);
    let words_come_first = length_behind_words >= length_before_words;
    let (start, region_length) = if words_come_first {
        (start_behind_words, length_behind_words)
    } else {
        (first, length_before_words)
    };
    if region_length < config.min_block_size {
        return Err(too_small);
    }
    // The region is not empty, so `start + region_length <= length`.
    let (before, rest) = memory.split_at_mut(start);
    let (region, behind) = rest.split_at_mut(region_length);
    // A shorter region needs no more words: no order has more blocks.
    let word_count = words_needed(region_length, config)?;
    let words = zeroed_words(if words_come_first { before } else { behind }, word_count);
    Ok(Placed { region, words: words.ok_or(too_small)? })
}

/// The part of a slice that is a region, and as many of `words` as it needs.
pub(super) fn place_apart<'m>(
    memory: &'m mut [MaybeUninit<u8>],
    words: &'m mut [u64],
    config: ArenaConfig,
) -> Result<Placed<'m>, ArenaError> {
    check(memory.len(), config)?;
    let too_small = too_small(memory.len(), config);
    let first = gap(memory.as_ptr().addr(), config.max_alignment);
    let region = memory.get_mut(first..).ok_or(too_small)?;
    if region.len() < config.min_block_size {
        return Err(too_small);
    }
    let words_needed = words_needed(region.len(), config)?;
    let word_count = words.len();
    let words = words
        .get_mut(..words_needed)
        .ok_or(ArenaError::TooFewWords { word_count, words_needed })?;
    Ok(Placed { region, words })
}

/// The rules that hold at any address.
fn check(length: usize, config: ArenaConfig) -> Result<(), ArenaError> {
    let ArenaConfig { min_block_size, max_alignment } = config;
    if !min_block_size.is_power_of_two() {
        return Err(ArenaError::MinBlockSizeNotPowerOfTwo { min_block_size });
    }
    if !max_alignment.is_power_of_two() {
        return Err(ArenaError::MaxAlignmentNotPowerOfTwo { max_alignment });
    }
    if length < min_block_size { Err(too_small(length, config)) } else { Ok(()) }
}

const fn too_small(length: usize, config: ArenaConfig) -> ArenaError {
    let ArenaConfig { min_block_size, max_alignment } = config;
    ArenaError::TooSmall { length, min_block_size, max_alignment }
}

/// [`words_for`] of a configuration that was checked, for at least one minimum block.
fn words_needed(length: usize, config: ArenaConfig) -> Result<usize, ArenaError> {
    let min_block_size = config.min_block_size;
    words_for(length, min_block_size).ok_or(ArenaError::TooManyBlocks { length, min_block_size })
}

/// How far it is from an address to the next multiple of an alignment, a power of two.
const fn gap(address: usize, alignment: usize) -> usize {
    address.wrapping_neg() & (alignment - 1)
}

/// The first `count` words in some bytes, zeroed; `None` if there is no room.
fn zeroed_words(bytes: &mut [MaybeUninit<u8>], count: usize) -> Option<&mut [u64]> {
    let start = gap(bytes.as_ptr().addr(), WORD_BYTES);
    let end = count.checked_mul(WORD_BYTES)?.checked_add(start)?;
    let bytes = bytes.get_mut(start..end)?;
    bytes.fill(MaybeUninit::new(0));
    // SAFETY: the pointer is aligned to a word by `start`, and good for `count` words for as long
    // as `bytes` was borrowed, which nobody uses any more. All of them were just set to zero.
    Some(unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast::<u64>(), count) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use rstest::rstest;

    #[track_caller]
    fn check_place(memory: &mut [MaybeUninit<u8>], config: ArenaConfig) -> (usize, usize) {
        let start = memory.as_ptr().addr();
        let end = start + memory.len();
        let Placed { region, words } = place(memory, config).unwrap();
        let region_start = region.as_ptr().addr();
        let words_start = words.as_ptr().addr();
        assert_eq!(region_start % config.max_alignment, 0);
        assert!(start <= region_start && region_start + region.len() <= end);
        assert!(start <= words_start && words_start + words.len() * 8 <= end);
        assert!(
            words_start + words.len() * 8 <= region_start
                || region_start + region.len() <= words_start
        );
        assert_eq!(Some(words.len()), words_for(region.len(), config.min_block_size));
        assert!(words.iter().all(|&word| word == 0));
        (region_start - start, region.len())
    }

    #[test]
    fn region_and_words_are_disjoint_at_every_address_and_length() {
        let mut memory = vec![MaybeUninit::new(0xAB); 4 * 4096];
        for max_alignment in [1, 8, 64, 4096] {
            for min_block_size in [1, 16, 256] {
                let config = ArenaConfig { min_block_size, max_alignment };
                for start in (0..17).chain([63, 4032, 4095]) {
                    for length in [8192, 8191, 8200, 6000] {
                        check_place(&mut memory[start..start + length], config);
                    }
                }
            }
        }
    }

    #[test]
    fn the_words_take_whichever_end_leaves_more() {
        let mut memory = vec![MaybeUninit::uninit(); 4 * 4096];
        let page = gap(memory.as_ptr().addr(), 4096);
        let config = ArenaConfig { min_block_size: 16, max_alignment: 4096 };
        // On a page they go behind; else they would push the region on by a page.
        let (start, length) = check_place(&mut memory[page..page + 8192], config);
        assert!(start == 0 && length > 7900, "{start} {length}");
        // In front of a page there is room for them.
        let (start, length) = check_place(&mut memory[page + 1000..page + 8192], config);
        assert_eq!((start, length), (3096, 4096));
    }

    #[test]
    fn what_leaves_no_minimum_block_is_refused() {
        let mut memory = vec![MaybeUninit::uninit(); 3 * 4096];
        let config = ArenaConfig { min_block_size: 64, max_alignment: 4096 };
        let page = gap(memory.as_ptr().addr(), 4096);
        let refusal = |length| Some(too_small(length, config));
        assert_eq!(place(&mut memory[page + 1..page + 4097], config).err(), refusal(4096));
        assert_eq!(place(&mut memory[page..page + 72], config).err(), refusal(72));
        assert!(place(&mut memory[page..page + 200], config).is_ok());
        for length in [4158, 99] {
            let memory = &mut memory[page + 1..page + 1 + length];
            assert_eq!(place_apart(memory, &mut [0; 64], config).err(), refusal(length));
        }
    }

    #[rstest]
    #[case::min_zero(0, 8, ArenaError::MinBlockSizeNotPowerOfTwo { min_block_size: 0 })]
    #[case::min_odd(24, 8, ArenaError::MinBlockSizeNotPowerOfTwo { min_block_size: 24 })]
    #[case::alignment_zero(16, 0, ArenaError::MaxAlignmentNotPowerOfTwo { max_alignment: 0 })]
    #[case::alignment_odd(16, 3, ArenaError::MaxAlignmentNotPowerOfTwo { max_alignment: 3 })]
    #[case::min_above_the_slice(
        8192,
        8,
        ArenaError::TooSmall { length: 4096, min_block_size: 8192, max_alignment: 8 }
    )]
    #[case::no_address_so_aligned(
        16,
        1 << (usize::BITS - 1),
        ArenaError::TooSmall { length: 4096, min_block_size: 16, max_alignment: 1 << (usize::BITS - 1) }
    )]
    fn configurations_that_are_none_are_refused(
        #[case] min_block_size: usize,
        #[case] max_alignment: usize,
        #[case] expected: ArenaError,
    ) {
        let mut memory = [MaybeUninit::uninit(); 4096];
        let config = ArenaConfig { min_block_size, max_alignment };
        assert_eq!(place(&mut memory, config).err(), Some(expected));
        assert_eq!(place_apart(&mut memory, &mut [], config).err(), Some(expected));
        assert!(place(&mut [], config).is_err());
    }

    #[test]
    fn words_that_are_too_few_are_counted() {
        let config = ArenaConfig { min_block_size: 16, max_alignment: 1 };
        let mut memory = [MaybeUninit::uninit(); 4096];
        let words_needed = words_for(4096, 16).unwrap();
        let mut words = vec![0; words_needed - 1];
        let refusal = ArenaError::TooFewWords { word_count: words_needed - 1, words_needed };
        assert_eq!(place_apart(&mut memory, &mut words, config).err(), Some(refusal));
        words.extend([0; 100]);
        assert!(place_apart(&mut memory, &mut words, config).is_ok());
        assert_eq!(words_for(15, 16), None);
    }
}
