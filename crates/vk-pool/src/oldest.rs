//! One byte for each block, and the first block whose byte is large enough, without a walk.
//!
//! Basic design: a tree of words, each of eight bytes. The lowest level has a byte for each block, by
//! slot; a byte of a higher level is the largest of the eight bytes below it. So the first byte that is
//! at least some value is found by one word of each level from the top: four for 4,096 blocks. Which of
//! the eight bytes of a word are large enough is told for all at once, by arithmetic on the word.
//! Up to eight blocks, which is most pools, there is only the top.

use alloc::vec::Vec;

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
    /// The levels below the top, the next one first; each has eight times the words of the one above.
    lower: Vec<Vec<u64>>,
}

impl Oldest {
    /// How many indices there is room for.
    fn capacity(&self) -> usize {
        // A level of `2^64` bytes is no memory's.
        FAN_OUT << (FAN_OUT_LOG as usize * self.lower.len())
    }

    /// Makes every index below `count` known. Eight times as many are then; so it is seldom.
    pub(crate) fn grow(&mut self, count: usize) {
        while self.capacity() < count {
            // What was the top is the first word of a level of eight.
            for level in &mut self.lower {
                level.resize(level.len() * FAN_OUT, 0);
            }
            let mut level = alloc::vec![0; FAN_OUT];
            level[0] = self.top;
            self.top = u64::from(largest(self.top));
            self.lower.insert(0, level);
        }
    }

    /// The byte of a known index.
    #[cfg(test)]
    fn get(&self, index: u32) -> u8 {
        let (word, byte) = split(index as usize);
        byte_of(self.lower.last().map_or(self.top, |level| level[word]), byte)
    }

    /// Changes the byte of a known index.
    #[inline]
    pub(crate) fn set(&mut self, index: u32, value: u8) {
        let mut index = index as usize;
        let mut value = value;
        for level in self.lower.iter_mut().rev() {
            let (word, byte) = split(index);
            let old = byte_of(level[word], byte);
            let before = level[word];
            level[word] = with_byte(before, byte, value);
            // What is above changes only with the largest of the word.
            if old == value || value < old && old < largest(before) {
                return;
            }
            value = largest(level[word]);
            index = word;
        }
        self.top = with_byte(self.top, index, value);
    }

    /// The first index whose byte is at least `least`, which is not 0.
    #[inline]
    pub(crate) fn first(&self, least: u8) -> Option<u32> {
        let mut index = first_byte(self.top, least, 0)?;
        for level in &self.lower {
            // It is there: the byte above is the largest of these.
            index = index * FAN_OUT + first_byte(level[index], least, 0)?;
        }
        // Indices are 32 bits wide, as they came from outside.
        u32::try_from(index).ok()
    }

    /// The same, behind an index: one word up and one down for each level at most.
    pub(crate) fn next(&self, index: u32, least: u8) -> Option<u32> {
        let mut index = index as usize + 1;
        let depth = self.lower.len();
        // Up to the first word that has it behind `index`.
        let mut level = depth;
        let mut found = loop {
            let (word, byte) = split(index);
            let bits = self.word(level, word);
            if let Some(byte) = bits.and_then(|bits| first_byte(bits, least, byte)) {
                break word * FAN_OUT + byte;
            }
            level = level.checked_sub(1)?;
            index = word + 1;
        };
        for level in level..depth {
            found = found * FAN_OUT + first_byte(self.word(level + 1, found)?, least, 0)?;
        }
        u32::try_from(found).ok()
    }

    /// A word of a level, the top being level 0.
    fn word(&self, level: usize, word: usize) -> Option<u64> {
        match level.checked_sub(1) {
            None => (word == 0).then_some(self.top),
            Some(lower) => self.lower[lower].get(word).copied(),
        }
    }
}

/// The word of an index in its level, and the byte in the word.
#[inline]
fn split(index: usize) -> (usize, usize) {
    (index / FAN_OUT, index % FAN_OUT)
}

#[inline]
fn byte_of(word: u64, byte: usize) -> u8 {
    word.to_le_bytes()[byte]
}

#[inline]
fn with_byte(word: u64, byte: usize, value: u8) -> u64 {
    let shift = 8 * byte;
    word & !(0xFF << shift) | u64::from(value) << shift
}

#[inline]
fn largest(word: u64) -> u8 {
    let bytes = word.to_le_bytes();
    bytes.into_iter().fold(0, u8::max)
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
    let behind = at_least & u64::MAX << (8 * from);
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
        assert_eq!((oldest.lower.len() + 1, oldest.capacity()), (4, 4096));
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
            let next = oldest.next(from, least).map(|index| index as usize);
            prop_assert_eq!(next, scan(from as usize + 1));
        }
    }
}
