//! One byte for each block, and the first block whose byte is large enough, without a walk.
//!
//! Basic design: a tree of words, each of eight bytes. The lowest level has a byte for each block, by
//! slot; a byte of a higher level is the largest of the eight bytes below it. So the first byte that is
//! at least some value is found by one word of each level from the top: four for 4,096 blocks. Which of
//! the eight bytes of a word are large enough is told for all at once, by arithmetic on the word.
//! Up to eight blocks, which is most pools, there is only the top.

use alloc::vec::Vec;
use core::hint::select_unpredictable;

/// Children of a word, as a power of two.
const FAN_OUT_LOG: u32 = 3;
const FAN_OUT: usize = 1 << FAN_OUT_LOG;

/// The highest bit of each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;
/// The lowest bit of each byte.
const LOW: u64 = 0x0101_0101_0101_0101;

/// A byte for each index, 0 for those that were never set.
#[derive(Debug, Default)]
pub(crate) struct Oldest {
    top: u64,
    /// The levels below the top, one behind the other, the next one first. The words below a byte are found
    /// without a table: see [`below`].
    lower: Vec<u64>,
    /// How many levels that is.
    depth: u32,
    /// The place of index 0: so many bytes lie above the lowest level.
    first: usize,
}

impl Oldest {
    /// How many indices there is room for.
    fn capacity(&self) -> usize {
        // A level of `2^64` bytes is no memory's.
        FAN_OUT << (FAN_OUT_LOG * self.depth)
    }

    /// Makes every index below `count` known. Eight times as many are then; so it is seldom.
    pub(crate) fn grow(&mut self, count: usize) {
        while self.capacity() < count {
            // What was the top is the first word of a level of eight, and each level is the first eighth
            // of one.
            let mut levels = alloc::vec![self.top];
            levels.resize(FAN_OUT, 0);
            let (mut from, mut words) = (0, FAN_OUT);
            for _ in 0..self.depth {
                levels.extend_from_slice(&self.lower[from..from + words]);
                levels.resize(levels.len() + (FAN_OUT - 1) * words, 0);
                from += words;
                words *= FAN_OUT;
            }
            self.lower = levels;
            self.top = u64::from(largest(self.top));
            self.depth += 1;
            self.first = below(self.first);
        }
    }

    /// The byte of a known index.
    #[cfg(test)]
    fn get(&self, index: u32) -> u8 {
        let (word, byte) = split(self.first + index as usize);
        byte_of(word.map_or(self.top, |word| self.lower[word]), byte)
    }

    /// Changes the byte of a known index.
    #[inline(always)]
    pub(crate) fn set(&mut self, index: u32, value: u8) {
        let (mut value, mut place) = (value, self.first + index as usize);
        while let (Some(above), byte) = split(place) {
            let before = self.lower[above];
            let old = byte_of(before, byte);
            let now = with_byte(before, byte, value);
            self.lower[above] = now;
            // What is above changes only with the largest of the word, which it is.
            let largest_before = self.at(above);
            if value >= old {
                if value <= largest_before {
                    return;
                }
            } else {
                if old < largest_before {
                    return;
                }
                value = largest(now);
            }
            place = above;
        }
        self.top = with_byte(self.top, place, value);
    }

    /// The first index whose byte is at least `least`, which is not 0.
    #[inline]
    pub(crate) fn first(&self, least: u8) -> Option<u32> {
        let mut place = first_byte(self.top, least, 0)?;
        for _ in 0..self.depth {
            // It is there: the byte above is the largest of these.
            place = below(place) + first_byte(self.lower[place], least, 0)?;
        }
        // Indices are 32 bits wide, as they came from outside.
        u32::try_from(place - self.first).ok()
    }

    /// The same, behind a known index: one word up and one down for each level at most.
    pub(crate) fn next(&self, index: u32, least: u8) -> Option<u32> {
        let mut place = self.first + index as usize;
        let mut levels_up = 0;
        // Up to the first word that has it behind `place`.
        let mut found = loop {
            let (word, byte) = split(place);
            let bits = word.map_or(self.top, |word| self.lower[word]);
            if let Some(found) = first_byte(bits, least, byte + 1) {
                break place - byte + found;
            }
            place = word?;
            levels_up += 1;
        };
        for _ in 0..levels_up {
            found = below(found) + first_byte(self.lower[found], least, 0)?;
        }
        u32::try_from(found - self.first).ok()
    }

    /// The byte at a place.
    #[inline]
    fn at(&self, place: usize) -> u8 {
        let (word, byte) = split(place);
        byte_of(word.map_or(self.top, |word| self.lower[word]), byte)
    }
}

/// The place of the first byte of the word below a byte. The bytes of all levels are counted from the top
/// on, and the word below byte `p` is word `p` of those that are not the top.
#[inline]
fn below(place: usize) -> usize {
    (place + 1) * FAN_OUT
}

/// The word below the top that a place is in, `None` for the top, and the byte in it. The word's number is
/// also the place of the byte above it.
#[inline]
fn split(place: usize) -> (Option<usize>, usize) {
    ((place / FAN_OUT).checked_sub(1), place % FAN_OUT)
}

#[inline]
fn byte_of(word: u64, byte: usize) -> u8 {
    // By a shift: an array of the bytes would lie in memory.
    (word >> (8 * byte)).to_le_bytes()[0]
}

#[inline]
fn with_byte(word: u64, byte: usize, value: u8) -> u64 {
    let shift = 8 * byte;
    word & !(0xFF << shift) | u64::from(value) << shift
}

#[inline]
fn largest(word: u64) -> u8 {
    // Nobody can guess which one it is.
    let larger = |one: u8, other: u8| select_unpredictable(one > other, one, other);
    let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
    larger(larger(larger(a, b), larger(c, d)), larger(larger(e, f), larger(g, h)))
}

/// The first byte of a word, from `from` on, that is at least `least`.
#[inline]
fn first_byte(word: u64, least: u8, from: usize) -> Option<usize> {
    let least = LOW * u64::from(least);
    // The high bit of each byte, whose own is taken as 1, survives if the other seven are at least
    // those of `least`: no byte borrows from the next.
    let sevens = (word | HIGH) - (least & !HIGH);
    // At least: a high bit that `least` has not, or the same one and the other seven.
    let at_least = (word & !least | !(word ^ least) & sevens) & HIGH;
    // By halves, as `from` may be all eight.
    let behind = at_least & u64::MAX << (4 * from) << (4 * from);
    (behind != 0).then(|| behind.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_compared_as_whole_numbers() {
        for byte in 0..=u8::MAX {
            for least in 1..=u8::MAX {
                // A neighbour of either kind must not leak into it.
                for neighbours in [0, u64::MAX] {
                    let word = with_byte(neighbours, 3, byte);
                    let found = first_byte(word, least, 3) == Some(3);
                    assert_eq!(found, byte >= least, "{byte} against {least}");
                }
            }
        }
    }

    #[test]
    fn four_words_are_enough_for_as_many_blocks_as_devices_promise() {
        let mut oldest = Oldest::default();
        oldest.grow(4096); // maxMemoryAllocationCount is at least that.
        assert_eq!((oldest.depth + 1, oldest.capacity()), (4, 4096));
    }

    proptest! {
        #[test]
        fn searches_agree_with_a_scan(
            moves in prop::collection::vec((0u32..600, 0u8..=255), 1..200),
            from in 0u32..600,
            least in 1u8..=255,
        ) {
            let mut oldest = Oldest::default();
            let mut shadow = Vec::new();
            for (index, value) in moves {
                let count = shadow.len().max(index as usize + 1);
                shadow.resize(count, 0);
                oldest.grow(count);
                oldest.set(index, value);
                shadow[index as usize] = value;
                prop_assert_eq!(oldest.get(index), value);
            }
            let scan = |from: usize| (from..shadow.len()).find(|&index| shadow[index] >= least);
            prop_assert_eq!(oldest.first(least).map(|index| index as usize), scan(0));
            let from = from % u32::try_from(shadow.len()).unwrap();
            let next = oldest.next(from, least).map(|index| index as usize);
            prop_assert_eq!(next, scan(from as usize + 1));
        }
    }
}
