//! A ranking in three words.

use core::fmt;

use crate::ranking::Ranking;

/// Indices in one word: five bits each, below the four bits of their count.
const PER_WORD: usize = 12;

/// Where the count stands in a word.
const COUNT_SHIFT: u32 = 60;

/// Words for 32 indices.
pub(crate) const WORD_COUNT: usize = 3;

/// A [`Ranking`] packed into three words, for where many are kept or handed about.
///
/// It is what a [`CachedSelector`](crate::CachedSelector) answers. Iterating it gives the indices,
/// best first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PackedRanking {
    /// In each word, the highest four bits count its indices, of which the first stands lowest;
    /// unused bits are 0. A word is only used when those before it are full.
    words: [u64; WORD_COUNT],
}

impl PackedRanking {
    /// The words as they were given out by [`words`](Self::words).
    #[inline]
    pub(crate) fn from_words(words: [u64; WORD_COUNT]) -> Self {
        Self { words }
    }

    /// The words it is packed into.
    #[inline]
    pub(crate) fn words(self) -> [u64; WORD_COUNT] {
        self.words
    }

    /// Is true when no memory type will do.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words[0] == 0
    }

    /// How many memory types will do: at most 32.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// The index of the best memory type, if any will do.
    #[inline]
    #[must_use]
    pub fn first(&self) -> Option<u32> {
        Self::first_in(self.words[0])
    }

    /// [`first`](Self::first) of a ranking whose first word this is.
    #[inline]
    pub(crate) fn first_in(word: u64) -> Option<u32> {
        // It stands lowest, and the word counts at least one if any will do.
        (word != 0).then(|| u32::from(word.to_le_bytes()[0] & 31))
    }

    /// The indices of the memory types, best first.
    #[inline]
    #[must_use]
    pub fn iter(&self) -> PackedIndices {
        PackedIndices { words: self.words, word: 0 }
    }
}

impl From<&Ranking> for PackedRanking {
    fn from(ranking: &Ranking) -> Self {
        let mut words = [0; WORD_COUNT];
        for (word, indices) in words.iter_mut().zip(ranking.chunks(PER_WORD)) {
            for &index in indices.iter().rev() {
                // Twelve indices below 32 need 60 bits, and each adds one to the count above them.
                *word = (*word << 5 | u64::from(index)) & ((1 << COUNT_SHIFT) - 1);
            }
            *word |= indices.iter().map(|_| 1_u64 << COUNT_SHIFT).sum::<u64>();
        }
        Self { words }
    }
}

impl From<PackedRanking> for Ranking {
    fn from(packed: PackedRanking) -> Self {
        Self::collect(packed.iter())
    }
}

impl fmt::Debug for PackedRanking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl IntoIterator for PackedRanking {
    type Item = u32;
    type IntoIter = PackedIndices;

    fn into_iter(self) -> PackedIndices {
        self.iter()
    }
}

impl IntoIterator for &PackedRanking {
    type Item = u32;
    type IntoIter = PackedIndices;

    fn into_iter(self) -> PackedIndices {
        self.iter()
    }
}

/// The indices of a [`PackedRanking`], best first.
#[derive(Debug, Clone)]
pub struct PackedIndices {
    /// What is left.
    words: [u64; WORD_COUNT],
    /// The first word that may have something left.
    word: usize,
}

impl Iterator for PackedIndices {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        while let Some(word) = self.words.get_mut(self.word) {
            if let Some(count) = (*word >> COUNT_SHIFT).checked_sub(1) {
                let index = word.to_le_bytes()[0] & 31;
                let others = *word & ((1 << COUNT_SHIFT) - 1);
                *word = count << COUNT_SHIFT | others >> 5;
                return Some(u32::from(index));
            }
            self.word += 1;
        }
        None
    }
}
