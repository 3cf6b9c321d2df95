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
    /// Makes a ranking of the first `count` indices, best first; there are at least that many.
    pub(crate) fn new(indices: [u32; MAX_MEMORY_TYPES], count: usize) -> Self {
        debug_assert!(count <= MAX_MEMORY_TYPES, "a ranking holds at most 32 types");
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
