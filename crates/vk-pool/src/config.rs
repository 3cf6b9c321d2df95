//! The configuration of one pool, checked once.

use crate::tlsf::Tlsf;
use crate::{Algorithm, ClassId, ConfigError};

/// How many empty bytes a pool keeps instead of giving them back at once.
///
/// An emptied block stays while the empty bytes of the pool are at most the larger of
/// `floor_bytes` and the peak of live bytes over the last few thousand operations divided by
/// `live_divisor`; if that turned out too little, as a block had to be made soon after one went, then as
/// many as would have done, for a few thousand operations. With both fields 0 nothing is ever kept. Sizing by the *current* live bytes alone makes and frees blocks over and over
/// when the live bytes swing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retention {
    /// Bytes that may always stay. 0 gives every empty block back at once (with `live_divisor` 0).
    pub floor_bytes: u64,
    /// The fraction of the live peak that may stay is one over this; 0 means none of it.
    pub live_divisor: u64,
}

/// What a pool is told about its memory type and policy.
///
/// Checked by [`MemoryPool::new`](crate::MemoryPool::new).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PoolConfig {
    /// Index of the memory type, 0 to 31.
    pub memory_type_index: u32,
    /// Index of the heap of that type, in the budgets' numbering.
    pub heap_index: u32,
    /// What the memory objects have in common beyond type and size.
    pub class: ClassId,
    /// How blocks are carved up.
    pub algorithm: Algorithm,
    /// The device's `bufferImageGranularity` in bytes, a power of two.
    pub buffer_image_granularity: u64,
    /// The device's `nonCoherentAtomSize` in bytes if the type is host-visible and not coherent,
    /// else 1. A power of two.
    pub atom_size: u64,
    /// Bytes behind each piece of a block that are taken with it, and are nobody's; a memory object of its
    /// own has none. Where a block has no room for piece and margin, the request is as if it were that large.
    pub margin: u64,
    /// The smallest piece that a block hands out, in bytes, a power of two.
    pub min_allocation_size: u64,
    /// The least alignment of every allocation, in bytes, a power of two.
    pub min_alignment: u64,
    /// The first block, in bytes, a power of two. So are the next two, unless all three are the same:
    /// then every block has that size, whatever it is.
    pub first_block_size: u64,
    /// The largest block, in bytes.
    pub largest_block_size: u64,
    /// The smallest block that [`MemoryPool::shrink`](crate::MemoryPool::shrink) goes down to, in
    /// bytes. A request that needs more sets its own floor.
    pub smallest_block_size: u64,
    /// The next block is 1.4 times what the live bytes have grown by since the last block came or went,
    /// on the way back to their recent peak at most eight times what is missing to it or a quarter of
    /// what is committed, but at least what the pool has committed over this; 0 means that every block has the first one's
    /// size. Sizes are rounded down to quarters of a power of two, or, where fewer than five requests of
    /// the size at hand would fit, up to a multiple of that.
    pub growth_divisor: u64,
    /// Requests of more bytes than this get a memory object of their own, and no block is made for
    /// them.
    pub dedicated_above: u64,
    /// Requests of more than `dedicated_above` bytes, up to this many, still take room that a block
    /// has anyway. `dedicated_above` itself rules that out.
    pub room_taken_up_to: u64,
    /// Whether an allocation may have a memory object of its own. If not, `dedicated_above` must be
    /// `largest_block_size`.
    pub allows_dedicated: bool,
    /// Blocks that the pool is to have from the start, and does not give back:
    /// [`MemoryPool::missing_block`](crate::MemoryPool::missing_block) asks for them.
    pub min_block_count: u32,
    /// Blocks that the pool may have, those on their way included; `None` for as many as the device
    /// and the heap allow. Dedicated memory does not count.
    pub max_block_count: Option<u32>,
    /// How many empty bytes stay. Those of the first `min_block_count` blocks count, but these blocks stay,
    /// whatever it says.
    pub retention: Retention,
}

impl Default for PoolConfig {
    /// Memory type 0 of heap 0, granularity and atom 1; a first block of 16 MiB, others of up to 256 MiB
    /// that follow the growth of the live bytes; dedicated above 32 MiB; 24 MiB or a quarter of the live
    /// peak retained.
    fn default() -> Self {
        Self {
            memory_type_index: 0,
            heap_index: 0,
            class: ClassId(0),
            algorithm: Algorithm::TwoTier,
            buffer_image_granularity: 1,
            atom_size: 1,
            margin: 0,
            min_allocation_size: 256,
            min_alignment: 1,
            first_block_size: 16 << 20,
            largest_block_size: 256 << 20,
            smallest_block_size: 1 << 20,
            growth_divisor: 11,
            dedicated_above: 32 << 20,
            room_taken_up_to: 64 << 20,
            allows_dedicated: true,
            min_block_count: 0,
            max_block_count: None,
            retention: Retention { floor_bytes: 24 << 20, live_divisor: 4 },
        }
    }
}

impl PoolConfig {
    /// The same with blocks of exactly `size` bytes, any size, and no dedicated memory.
    #[must_use]
    pub fn with_block_size(self, size: u64) -> Self {
        Self {
            first_block_size: size,
            largest_block_size: size,
            smallest_block_size: size,
            growth_divisor: 0,
            dedicated_above: size,
            room_taken_up_to: size,
            allows_dedicated: false,
            ..self
        }
    }

    /// Whether every block has the same size.
    #[must_use]
    pub fn has_fixed_block_size(&self) -> bool {
        self.smallest_block_size == self.largest_block_size
    }

    /// Checks every rule on several fields, and that powers of two are such, as
    /// [`MemoryPool::new`](crate::MemoryPool::new) does.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NotPowerOfTwo`], [`ConfigError::OutOfOrder`], [`ConfigError::TooManyPieces`],
    /// [`ConfigError::BlockCounts`] or [`ConfigError::NeedsOneBlock`], with the fields and their values.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_powers()?;
        self.check_order()?;
        self.check_counts()?;
        let (largest_block_size, min_allocation_size) =
            (self.largest_block_size, self.min_allocation_size);
        // Buddies could manage more, with books of half a gigabyte and more of host memory for each
        // block. Linear ones keep books of the live pieces alone, and custom ones their own.
        let counts_pieces = !matches!(self.algorithm, Algorithm::Linear(_) | Algorithm::Custom(_));
        if counts_pieces && !Tlsf::can_manage(largest_block_size, min_allocation_size) {
            return Err(ConfigError::TooManyPieces { largest_block_size, min_allocation_size });
        }
        Ok(())
    }

    fn check_powers(&self) -> Result<(), ConfigError> {
        let powers = [
            ("buffer_image_granularity", self.buffer_image_granularity),
            ("atom_size", self.atom_size),
            ("min_allocation_size", self.min_allocation_size),
            ("min_alignment", self.min_alignment),
        ];
        let blocks = [
            ("first_block_size", self.first_block_size),
            ("largest_block_size", self.largest_block_size),
            ("smallest_block_size", self.smallest_block_size),
        ];
        let is_fixed =
            self.has_fixed_block_size() && self.first_block_size == self.largest_block_size;
        // Blocks of several sizes are halved, and found by the power of two they have.
        let blocks = blocks.into_iter().filter(|_| !is_fixed);
        match powers.into_iter().chain(blocks).find(|(_, value)| !value.is_power_of_two()) {
            Some((field, value)) => Err(ConfigError::NotPowerOfTwo { field, value }),
            None => Ok(()),
        }
    }

    fn check_order(&self) -> Result<(), ConfigError> {
        let least = ("min_allocation_size", self.min_allocation_size);
        let smallest = ("smallest_block_size", self.smallest_block_size);
        let first = ("first_block_size", self.first_block_size);
        let largest = ("largest_block_size", self.largest_block_size);
        let dedicated = ("dedicated_above", self.dedicated_above);
        let ordered =
            [(least, smallest), (smallest, first), (first, largest), (dedicated, largest)];
        // Without dedicated memory it is both ways: everything up to the largest block is carved.
        let carved = (!self.allows_dedicated).then_some((largest, dedicated));
        for ((smaller, small), (larger, large)) in ordered.into_iter().chain(carved) {
            if small > large {
                return Err(ConfigError::OutOfOrder { smaller, small, larger, large });
            }
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), ConfigError> {
        let min_block_count = self.min_block_count;
        let max_block_count = self.max_block_count.unwrap_or(u32::MAX);
        if min_block_count > max_block_count || max_block_count == 0 {
            return Err(ConfigError::BlockCounts { min_block_count, max_block_count });
        }
        match self.algorithm {
            Algorithm::Linear(kind) if kind.needs_one_block() && max_block_count != 1 => {
                Err(ConfigError::NeedsOneBlock { kind })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::as_many_as_there_can_be(Algorithm::TwoTier, 1 << 38, 256, true)]
    #[case::twice_as_many(Algorithm::TwoTier, 1 << 39, 256, false)]
    #[case::as_many_buddies(Algorithm::Buddy, 1 << 38, 256, true)]
    #[case::twice_as_many_buddies(Algorithm::Buddy, 1 << 39, 256, false)]
    #[case::bytes(Algorithm::Tlsf, 1 << 63, 1, false)]
    #[case::one_piece(Algorithm::Tlsf, 1 << 63, 1 << 63, true)]
    fn a_block_of_more_pieces_than_can_be_managed_is_refused(
        #[case] algorithm: Algorithm,
        #[case] largest_block_size: u64,
        #[case] min_allocation_size: u64,
        #[case] is_accepted: bool,
    ) {
        let config = PoolConfig {
            algorithm,
            min_allocation_size,
            smallest_block_size: largest_block_size,
            first_block_size: largest_block_size,
            largest_block_size,
            ..PoolConfig::default()
        };
        let refusal = ConfigError::TooManyPieces { largest_block_size, min_allocation_size };
        assert_eq!(config.check(), if is_accepted { Ok(()) } else { Err(refusal) });
    }
}
