//! The answer of the selector: memory type indices, best first.

use core::fmt;
use core::ops::Deref;

use crate::properties::MAX_MEMORY_TYPES;

/// The memory types that a request may use, best first, as a slice of type indices.
///
/// It is empty when no type will do. A plain array of 32 and a length: copying it allocates
/// nothing.
#[derive(Clone, Copy)]
pub struct Ranking {
    /// The first `count` are the answer; what lies behind them has no meaning.
    indices: [u32; MAX_MEMORY_TYPES],
    /// At most 32, as each type is pushed once.
    count: usize,
}

impl Ranking {
    /// Collects the first 32 indices, best first.
    #[inline]
    pub(crate) fn collect(best_first: impl Iterator<Item = u32>) -> Self {
        let mut indices = [0; MAX_MEMORY_TYPES];
        let mut count = 0;
        for (slot, index) in indices.iter_mut().zip(best_first) {
            *slot = index;
            count += 1;
        }
        Self { indices, count }
    }
}

impl Deref for Ranking {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.indices[..self.count]
    }
}

impl PartialEq for Ranking {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Ranking {}

impl fmt::Debug for Ranking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl IntoIterator for Ranking {
    type Item = u32;
    type IntoIter = core::iter::Take<core::array::IntoIter<u32, MAX_MEMORY_TYPES>>;

    fn into_iter(self) -> Self::IntoIter {
        self.indices.into_iter().take(self.count)
    }
}

impl<'a> IntoIterator for &'a Ranking {
    type Item = &'a u32;
    type IntoIter = core::slice::Iter<'a, u32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
