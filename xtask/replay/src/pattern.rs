//! The bytes that a replay writes into an allocation and expects to find again.
//!
//! Basic design: an arithmetic sequence of 64-bit words modulo 2^64, one multiplication a word. Its
//! start is a hash of the allocation's index, its step is odd. So no two words of one allocation
//! are alike, and those of two allocations differ at almost every distance of their places: memory
//! that was given out twice, or bound at a wrong offset, reads as wrong.

use std::ops::Range;

/// Bytes that are written or read at a time.
pub(crate) const CHUNK: usize = 64 << 10;

/// Allocations in memory that is not cached on the host are written and read whole up to this size,
/// larger ones at both ends for a quarter of it: a host read of such memory goes past the caches,
/// and across the bus when it is the device's own.
const UNCACHED_WHOLE: u64 = 256 << 10;

/// The pattern of one allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    start: u64,
}

impl Pattern {
    pub(crate) fn new(allocation: usize) -> Self {
        // The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
        // generators", 2014): a bijection, so no two allocations begin alike.
        let mut hash = (allocation as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self { start: hash ^ (hash >> 31) }
    }

    /// Fills `bytes` with what belongs at `offset`, a multiple of eight.
    pub(crate) fn fill(self, offset: u64, bytes: &mut [u8]) {
        debug_assert!(offset.is_multiple_of(8), "words start at multiples of 8");
        let mut index = offset / 8;
        let mut next = || {
            let word = self.start.wrapping_add(index.wrapping_mul(0xd129_42f0_5d1c_35ad));
            index += 1;
            word.to_le_bytes()
        };
        let mut words = bytes.chunks_exact_mut(8);
        for word in &mut words {
            word.copy_from_slice(&next());
        }
        let rest = words.into_remainder();
        let last = next();
        let count = rest.len();
        rest.copy_from_slice(&last[..count]);
    }
}

/// The parts of an allocation that are written and verified, in chunks. Each starts at a multiple
/// of eight.
pub(crate) fn chunks(size: u64, cached: bool) -> impl Iterator<Item = Range<u64>> {
    let end = UNCACHED_WHOLE / 4;
    let parts = if cached || size <= UNCACHED_WHOLE {
        [0..size, size..size]
    } else {
        // Cannot underflow: the size is more than four ends.
        [0..end, (size - end).next_multiple_of(8)..size]
    };
    parts.into_iter().flat_map(|part| {
        part.clone().step_by(CHUNK).map(move |start| start..(start + CHUNK as u64).min(part.end))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_pattern_is_the_same_in_whatever_pieces_it_is_filled() {
        let pattern = Pattern::new(7);
        let mut whole = [0; 61];
        pattern.fill(0, &mut whole);
        let mut pieces = [0; 61];
        pattern.fill(0, &mut pieces[..24]);
        pattern.fill(24, &mut pieces[24..]);
        assert_eq!(whole, pieces);
    }

    #[test]
    fn patterns_differ_between_allocations_and_between_offsets() {
        let words = |allocation, offset| {
            let mut bytes = [0; 512];
            Pattern::new(allocation).fill(offset, &mut bytes);
            bytes
        };
        for other in 1..200 {
            for offset in (0..4096).step_by(64) {
                let (ours, theirs) = (words(0, 0), words(other, offset));
                let same = ours.chunks(8).zip(theirs.chunks(8)).filter(|(a, b)| a == b).count();
                assert_eq!(same, 0, "allocation {other} at {offset}");
            }
        }
        assert_ne!(words(0, 0), words(0, 8));
    }

    #[rstest]
    #[case::one_byte(1, true, 1)]
    #[case::cached_memory_is_covered_whole(5_000_000, true, 5_000_000)]
    #[case::small_uncached_memory_too(256 << 10, false, 256 << 10)]
    #[case::large_uncached_memory_at_both_ends(5_000_000, false, 128 << 10)]
    #[case::the_last_byte_of_an_odd_size_is_covered((256 << 10) + 1, false, (128 << 10) - 7)]
    fn chunks_cover_what_they_should(
        #[case] size: u64,
        #[case] cached: bool,
        #[case] expected: u64,
    ) {
        let chunks: Vec<_> = chunks(size, cached).collect();
        assert_eq!(chunks.first().map(|chunk| chunk.start), Some(0));
        assert_eq!(chunks.last().map(|chunk| chunk.end), Some(size));
        assert!(chunks.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert!(chunks.iter().all(|chunk| chunk.start.is_multiple_of(8)
            && chunk.start < chunk.end
            && chunk.end - chunk.start <= CHUNK as u64));
        let covered: u64 = chunks.iter().map(|chunk| chunk.end - chunk.start).sum();
        assert_eq!(covered, expected);
    }
}
