//! One byte for each block, and the first block whose byte is large enough, without a walk.
//!
//! Basic design: a tree of words, each of eight bytes. The lowest level has a byte for each block, by
//! slot; a byte of a higher level is the largest of the eight bytes below it. So the first byte that is
//! at least some value is found by one word of each level below the top: two for 4,096 blocks. Which of
//! the eight bytes of a word are large enough is told for all at once, by arithmetic on the word. The top
//! has up to eight words, which are looked at one after the other: that takes less time than a further
//! level, as nothing waits for the answer of the word before. Up to 64 blocks, which is most pools, there is
//! only the top, and up to eight only one word.

use alloc::vec::Vec;
use core::hint::select_unpredictable;

/// Children of a word, as a power of two.
const FAN_OUT_LOG: u32 = 3;
const FAN_OUT: usize = 1 << FAN_OUT_LOG;

/// Words of the top.
const TOP: usize = FAN_OUT;

/// The highest bit of each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;
/// The lowest bit of each byte.
const LOW: u64 = 0x0101_0101_0101_0101;

/// A byte for each index, 0 for those that were never set.
#[derive(Debug, Default)]
pub(crate) struct Oldest {
    top: [u64; TOP],
    /// Words of the top that have an index below them.
    top_len: usize,
    /// The levels below the top, one behind the other, the next one first. The word below a byte is found
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
        (TOP * FAN_OUT) << (FAN_OUT_LOG * self.depth)
    }

    /// Makes every index below `count` known. Eight times as many are then; so it is seldom that it takes
    /// long.
    pub(crate) fn grow(&mut self, count: usize) {
        while self.capacity() < count {
            // What was the top is the first eighth of a level, and each level is that of one.
            let mut levels = self.top.to_vec();
            levels.resize(TOP * FAN_OUT, 0);
            let (mut from, mut words) = (0, TOP * FAN_OUT);
            for _ in 0..self.depth {
                levels.extend_from_slice(&self.lower[from..from + words]);
                levels.resize(levels.len() + (FAN_OUT - 1) * words, 0);
                from += words;
                words *= FAN_OUT;
            }
            self.lower = levels;
            let above = self.top.map(largest);
            self.top = [0; TOP];
            self.top[0] = u64::from_le_bytes(above);
            self.depth += 1;
            self.first = below(self.first);
        }
        let below_a_word = FAN_OUT << (FAN_OUT_LOG * self.depth);
        self.top_len = self.top_len.max(count.div_ceil(below_a_word)).min(TOP);
    }

    /// The byte of a known index.
    #[cfg(test)]
    fn get(&self, index: u32) -> u8 {
        self.at(self.first + index as usize)
    }

    /// Changes the byte of a known index.
    #[inline]
    pub(crate) fn set(&mut self, index: u32, value: u8) {
        if value > self.at(self.first + index as usize) {
            self.raise(index, value);
        } else {
            self.lower(index, value);
        }
    }

    /// Changes the byte of a known index to a larger one.
    // Each level is written, as it cannot be predicted where the largest of a word stays the same.
    #[inline(always)]
    pub(crate) fn raise(&mut self, index: u32, value: u8) {
        let mut place = self.first + index as usize;
        while let (Word::Lower(above), byte) = split(place) {
            raise_byte(&mut self.lower[above], byte, value);
            place = above;
        }
        raise_byte(&mut self.top[place / FAN_OUT % TOP], place % FAN_OUT, value);
    }

    /// Changes the byte of a known index to one that is no larger.
    #[inline(always)]
    pub(crate) fn lower(&mut self, index: u32, value: u8) {
        let (mut value, mut place) = (value, self.first + index as usize);
        while let (Word::Lower(above), byte) = split(place) {
            let now = with_byte(self.lower[above], byte, value);
            self.lower[above] = now;
            (value, place) = (largest(now), above);
        }
        let word = &mut self.top[place / FAN_OUT % TOP];
        *word = with_byte(*word, place % FAN_OUT, value);
    }

    /// The first index whose byte is at least `least`, which is not 0.
    #[inline]
    pub(crate) fn first(&self, least: u8) -> Option<u32> {
        let mut place = self.first_of_top(0, least)?;
        for _ in 0..self.depth {
            // It is there: the byte above is the largest of these.
            place = below(place) + first_byte(self.lower[place], least, 0)?;
        }
        // Indices are 32 bits wide, as they came from outside.
        u32::try_from(place - self.first).ok()
    }

    /// The place of the first byte of the top, from a word on, that is at least `least`.
    #[inline]
    fn first_of_top(&self, from: usize, least: u8) -> Option<usize> {
        let words = self.top.get(from..self.top_len)?;
        let found = |(at, &word)| Some((from + at) * FAN_OUT + first_byte(word, least, 0)?);
        words.iter().enumerate().find_map(found)
    }

    /// The same, behind a known index: one word up and one down for each level at most, and the top.
    pub(crate) fn next(&self, index: u32, least: u8) -> Option<u32> {
        let mut place = self.first + index as usize;
        let mut levels_up = 0;
        // Up to the first word that has it behind `place`.
        let mut found = loop {
            let (word, byte) = split(place);
            if let Some(found) = first_byte(self.word(word), least, byte + 1) {
                break place - byte + found;
            }
            match word {
                Word::Lower(above) => place = above,
                Word::Top(word) => break self.first_of_top(word + 1, least)?,
            }
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
        byte_of(self.word(word), byte)
    }

    #[inline]
    fn word(&self, word: Word) -> u64 {
        match word {
            Word::Top(word) => self.top[word],
            Word::Lower(word) => self.lower[word],
        }
    }
}

/// Where a word is.
#[derive(Clone, Copy)]
enum Word {
    Top(usize),
    /// The number is also the place of the byte above it.
    Lower(usize),
}

/// The place of the first byte of the word below a byte. The bytes of all levels are counted from the top
/// on, and the word below byte `p` is word `p` of those that are not of the top.
#[inline]
fn below(place: usize) -> usize {
    (place + TOP) * FAN_OUT
}

/// The word that a place is in, and the byte in it.
#[inline]
fn split(place: usize) -> (Word, usize) {
    let (word, byte) = (place / FAN_OUT, place % FAN_OUT);
    (word.checked_sub(TOP).map_or(Word::Top(word), Word::Lower), byte)
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

/// Makes a byte of a word at least `value`.
#[inline]
fn raise_byte(word: &mut u64, byte: usize, value: u8) {
    let more = value.saturating_sub(byte_of(*word, byte));
    *word += u64::from(more) << (8 * byte);
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
    fn two_levels_are_enough_for_as_many_blocks_as_devices_promise() {
        let mut oldest = Oldest::default();
        oldest.grow(4096); // maxMemoryAllocationCount is at least that.
        assert_eq!((oldest.depth, oldest.capacity()), (2, 4096));
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
