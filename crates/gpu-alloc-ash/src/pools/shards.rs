//! The shards of a memory type, by their numbers.

use core::ops::Index;

use super::Shard;

/// At least one.
// The trunk lies beside what else is read of the memory type, so that where it lies does not have to be
// read first: most operations are its, and each begins with its lock.
pub(crate) struct Shards {
    trunk: Shard,
    branches: Box<[Shard]>,
}

impl Shards {
    /// So many empty ones, or one.
    pub(super) fn new(count: usize) -> Self {
        Self { trunk: Shard::new(), branches: (1..count).map(|_| Shard::new()).collect() }
    }

    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        1 + self.branches.len()
    }

    /// The shard of a number, if there is one.
    #[inline(always)]
    pub(super) fn get(&self, index: usize) -> Option<&Shard> {
        match index.checked_sub(1) {
            None => Some(&self.trunk),
            Some(branch) => self.branches.get(branch),
        }
    }

    /// The trunk first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shard> {
        core::iter::once(&self.trunk).chain(&self.branches)
    }
}

impl Index<usize> for Shards {
    type Output = Shard;

    /// # Panics
    ///
    /// If there are not as many.
    fn index(&self, index: usize) -> &Shard {
        self.get(index).expect("a shard's number is below their count")
    }
}
