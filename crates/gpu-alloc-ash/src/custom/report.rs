//! What a custom pool holds: in numbers, as a map, and whether the books are right.

use ash::vk;
use vk_pool::PoolStats;

use super::{CustomPool, Member, PoolCheckError};
use crate::Allocation;

/// One memory object of a custom pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PoolBlock {
    /// The memory type it is of.
    pub memory_type_index: u32,
    /// The memory object, to be looked at only.
    pub memory: vk::DeviceMemory,
    /// Its bytes.
    pub size: u64,
    /// Bytes of it that are taken, rounding included.
    pub used: u64,
    /// Whether it is the property of one allocation.
    pub is_dedicated: bool,
    /// What is taken of it, in address order.
    pub pieces: Vec<PoolPiece>,
}

/// What one allocation has taken of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PoolPiece {
    /// Bytes from the start of the block.
    pub offset: u64,
    /// Its bytes, rounding included.
    pub size: u64,
}

impl CustomPool {
    /// Sums over its memory types. Takes the lock of each for a moment.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let mut sum = PoolStats::default();
        for member in self.members() {
            let locked = member.seat().shard.lock();
            locked.iter().for_each(|entry| sum += entry.pool.stats());
        }
        sum
    }

    /// A map of everything that it holds, best memory type first.
    ///
    /// # Complexity
    ///
    /// Linear in its allocations, with its locks held for as long: for tools, not for every frame.
    #[must_use]
    pub fn blocks(&self) -> Vec<PoolBlock> {
        self.members().iter().flat_map(|member| member.report().0).collect()
    }

    /// Compares what is counted with what is there, and every allocation with its block and its neighbours.
    ///
    /// # Errors
    ///
    /// [`PoolCheckError`] with what is wrong, which would be a bug in this crate.
    ///
    /// # Complexity
    ///
    /// That of [`blocks`](Self::blocks).
    pub fn check(&self) -> Result<(), PoolCheckError> {
        for member in self.members() {
            let (blocks, stats) = member.report();
            blocks.iter().try_for_each(check_block)?;
            check_counts(&blocks, &stats)?;
        }
        Ok(())
    }

    /// Whether an allocation is of this pool.
    #[must_use]
    pub fn contains(&self, allocation: &Allocation) -> bool {
        allocation.allocator_id.get() == self.owner()
            && !allocation.is_external()
            && self.members().iter().any(|member| {
                member.class == allocation.class
                    && member.memory_type_index == allocation.memory_type_index()
            })
    }
}

impl Member {
    /// Blocks and counts of one instant.
    fn report(&self) -> (Vec<PoolBlock>, PoolStats) {
        let locked = self.seat().shard.lock();
        let Some(entry) = locked.iter().next() else {
            return Default::default();
        };
        let mut live = entry.pool.live().peekable();
        let block = |report: vk_pool::BlockReport| PoolBlock {
            memory_type_index: self.memory_type_index,
            memory: entry.object(report.slot).memory,
            size: report.size,
            used: report.used,
            is_dedicated: report.dedicated,
            // Both lists are by slot.
            pieces: core::iter::from_fn(|| live.next_if(|piece| piece.slot == report.slot))
                .map(|piece| PoolPiece { offset: piece.offset, size: piece.size })
                .collect(),
        };
        (entry.pool.blocks().map(block).collect(), entry.pool.stats())
    }
}

fn check_block(block: &PoolBlock) -> Result<(), PoolCheckError> {
    let block_size = block.size;
    for (index, &PoolPiece { offset, size }) in block.pieces.iter().enumerate() {
        let end = offset.checked_add(size).filter(|&end| end <= block_size);
        let Some(end) = end else {
            return Err(PoolCheckError::OutOfBlock { offset, size, block_size });
        };
        if let Some(next) = block.pieces.get(index + 1).filter(|next| next.offset < end) {
            return Err(PoolCheckError::Overlap { offset, size, next_offset: next.offset });
        }
    }
    let found = block.pieces.iter().map(|piece| piece.size).sum();
    compare("bytes taken of a block", block.used, found)
}

fn check_counts(blocks: &[PoolBlock], stats: &PoolStats) -> Result<(), PoolCheckError> {
    let carved = || blocks.iter().filter(|block| !block.is_dedicated);
    let dedicated = || blocks.iter().filter(|block| block.is_dedicated);
    let pieces = carved().map(|block| block.pieces.len() as u64).sum();
    compare("number of blocks", u64::from(stats.block_count), carved().count() as u64)?;
    compare("bytes of blocks", stats.total_size, carved().map(|block| block.size).sum())?;
    compare("bytes taken", stats.used_size, carved().map(|block| block.used).sum())?;
    compare("number of allocations", stats.allocation_count, pieces)?;
    let objects = dedicated().count() as u64;
    compare("number of dedicated objects", u64::from(stats.dedicated_count), objects)?;
    compare("bytes of them", stats.dedicated_size, dedicated().map(|block| block.size).sum())
}

fn compare(counted: &'static str, in_books: u64, found: u64) -> Result<(), PoolCheckError> {
    if in_books == found { Ok(()) } else { Err(PoolCheckError::Count { counted, in_books, found }) }
}

#[cfg(test)]
mod tests {
    use ash::vk::Handle;

    use super::*;

    fn block(size: u64, used: u64, pieces: &[(u64, u64)]) -> PoolBlock {
        PoolBlock {
            memory_type_index: 0,
            memory: vk::DeviceMemory::from_raw(1),
            size,
            used,
            is_dedicated: false,
            pieces: pieces.iter().map(|&(offset, size)| PoolPiece { offset, size }).collect(),
        }
    }

    #[test]
    fn every_kind_of_wrong_books_is_found() {
        let good = block(100, 70, &[(0, 30), (30, 40)]);
        assert_eq!(check_block(&good), Ok(()));
        let error = |size, used, pieces| check_block(&block(size, used, pieces));
        let out = PoolCheckError::OutOfBlock { offset: 30, size: 40, block_size: 69 };
        assert_eq!(error(69, 70, &[(0, 30), (30, 40)]), Err(out));
        let out = PoolCheckError::OutOfBlock { offset: 1, size: u64::MAX, block_size: 69 };
        assert_eq!(error(69, 70, &[(1, u64::MAX)]), Err(out));
        let overlap = PoolCheckError::Overlap { offset: 0, size: 31, next_offset: 30 };
        assert_eq!(error(100, 71, &[(0, 31), (30, 40)]), Err(overlap));
        let counted = "bytes taken of a block";
        let sum = PoolCheckError::Count { counted, in_books: 71, found: 70 };
        assert_eq!(error(100, 71, &[(0, 30), (30, 40)]), Err(sum));

        let stats = PoolStats {
            block_count: 1,
            total_size: 100,
            used_size: 70,
            allocation_count: 2,
            ..PoolStats::default()
        };
        assert_eq!(check_counts(core::slice::from_ref(&good), &stats), Ok(()));
        for wrong in [
            PoolStats { block_count: 2, ..stats },
            PoolStats { total_size: 101, ..stats },
            PoolStats { used_size: 71, ..stats },
            PoolStats { allocation_count: 3, ..stats },
            PoolStats { dedicated_count: 1, ..stats },
            PoolStats { dedicated_size: 1, ..stats },
        ] {
            assert!(check_counts(core::slice::from_ref(&good), &wrong).is_err(), "{wrong:?}");
        }
    }
}
