//! A user's own algorithm for the blocks of a pool, and the check of every answer it gives.
//!
//! Basic design: nothing that a custom suballocator says is believed. Beside it stands a map of the
//! live pieces by offset, and a piece is handed out only if it lies in the block, is large enough and
//! aligned, and overlaps none of them. The map is also what decides whether a piece that comes back is
//! live; the suballocator is only told. After a wrong answer its block serves nobody until it is empty,
//! and then starts over with a new one.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt;

use crate::rounding::units_of;
use crate::{ClassId, Piece};

/// What a custom suballocator is asked for. It must answer with a piece of at least `size` bytes at a
/// multiple of `alignment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PieceRequest {
    /// Bytes, at least 1. Granularity and atom are rounded in already.
    pub size: u64,
    /// A power of two, at least 1.
    pub alignment: u64,
    /// Whether the upper end of the block was asked for; an algorithm without one may ignore it.
    pub upper: bool,
}

/// What a custom suballocator is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BlockShape {
    /// Bytes of the block.
    pub size: u64,
    /// The smallest piece of the pool in bytes, a power of two.
    pub min_allocation_size: u64,
    /// The memory type of the pool.
    pub memory_type_index: u32,
    /// The class of the pool.
    pub class: ClassId,
    /// Whether the pool has one block at most, this one.
    pub is_only_block: bool,
}

impl BlockShape {
    /// A block of memory type 0 and class 0, one of any number.
    #[must_use]
    pub fn new(size: u64, min_allocation_size: u64) -> Self {
        let (memory_type_index, class) = (0, ClassId(0));
        Self { size, min_allocation_size, memory_type_index, class, is_only_block: false }
    }
}

/// The bookkeeping of one block by a user's own algorithm: see [`Algorithm::Custom`].
///
/// Called with the pool borrowed, and under whatever lock its owner has around the pool: an
/// implementation should take no lock, wait for nothing and not allocate from the same pool.
///
/// [`Algorithm::Custom`]: crate::Algorithm::Custom
pub trait CustomSuballocator: fmt::Debug + Send + Sync {
    /// A piece as asked for, or `None` for no room. `node` may be anything; it comes back in
    /// [`free`](Self::free).
    fn allocate(&mut self, request: &PieceRequest) -> Option<Piece>;

    /// A piece that was allocated and handed out is free again. Called exactly once for each.
    fn free(&mut self, piece: Piece);

    /// The largest piece that it may still serve, as far as it knows. Blocks are found by it: one that
    /// says less than a request needs is not asked, one that says more is asked in vain.
    fn largest_free(&self) -> u64;
}

/// Makes a suballocator for each block of a pool. Two are equal if one is a clone of the other.
#[derive(Clone)]
pub struct CustomAlgorithm {
    name: &'static str,
    make: Arc<Make>,
}

type Make = dyn Fn(&BlockShape) -> Box<dyn CustomSuballocator> + Send + Sync;

impl CustomAlgorithm {
    /// An algorithm under a name, for messages.
    pub fn new(
        name: &'static str,
        make: impl Fn(&BlockShape) -> Box<dyn CustomSuballocator> + Send + Sync + 'static,
    ) -> Self {
        Self { name, make: Arc::new(make) }
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn address(&self) -> *const () {
        Arc::as_ptr(&self.make).cast()
    }
}

impl fmt::Debug for CustomAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CustomAlgorithm").field(&self.name).finish()
    }
}

impl PartialEq for CustomAlgorithm {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for CustomAlgorithm {}

impl core::hash::Hash for CustomAlgorithm {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

/// A wrong answer of a custom suballocator: what it offered was not handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomFault {
    /// The piece does not lie in the block.
    #[error("a custom suballocator offered {size} bytes at {offset} of a block of {block_size}")]
    OutOfBlock {
        /// Offset offered, in bytes.
        offset: u64,
        /// Bytes offered.
        size: u64,
        /// Bytes of the block.
        block_size: u64,
    },
    /// The piece is smaller than was asked for.
    #[error("a custom suballocator offered {size} bytes where {asked} were asked for")]
    TooSmall {
        /// Bytes offered.
        size: u64,
        /// Bytes asked for.
        asked: u64,
    },
    /// The piece is not aligned as asked.
    #[error("a custom suballocator offered offset {offset} for an alignment of {alignment}")]
    Misaligned {
        /// Offset offered, in bytes.
        offset: u64,
        /// Alignment asked for.
        alignment: u64,
    },
    /// The piece overlaps a live one.
    #[error("a custom suballocator offered {size} bytes at {offset}, where {live_offset} is live")]
    Overlap {
        /// Offset offered, in bytes.
        offset: u64,
        /// Bytes offered.
        size: u64,
        /// Where the live piece starts.
        live_offset: u64,
    },
}

/// A custom suballocator and what is known of its pieces.
#[derive(Debug)]
pub struct CustomBlock {
    algorithm: CustomAlgorithm,
    shape: BlockShape,
    inner: Box<dyn CustomSuballocator>,
    /// Live pieces by offset.
    live: BTreeMap<u64, Piece>,
    /// Bytes of those.
    used: u64,
    /// Whether an answer was wrong, since the block was empty.
    is_out: bool,
    /// The wrong answer, until it is told.
    fault: Option<CustomFault>,
}

impl CustomBlock {
    /// An empty block of that shape.
    pub(crate) fn new(algorithm: &CustomAlgorithm, shape: &BlockShape) -> Self {
        Self {
            algorithm: algorithm.clone(),
            shape: *shape,
            inner: (algorithm.make)(shape),
            live: BTreeMap::new(),
            used: 0,
            is_out: false,
            fault: None,
        }
    }

    /// A piece that has passed every check; `None` for no room, or for a wrong answer.
    pub(crate) fn allocate(&mut self, size: u64, alignment: u64, upper: bool) -> Option<Piece> {
        if self.is_out {
            return None;
        }
        let request = PieceRequest { size, alignment, upper };
        let piece = self.inner.allocate(&request)?;
        match self.check(&request, &piece) {
            Ok(()) => {
                self.live.insert(piece.offset, piece);
                self.used += piece.size;
                Some(piece)
            }
            Err(fault) => {
                self.fault = Some(fault);
                self.is_out = true;
                self.renew_if_empty();
                None
            }
        }
    }

    /// Gives back a live piece; answers its bytes.
    pub(crate) fn free(&mut self, offset: u64, node: u32) -> Option<u64> {
        let piece = *self.live.get(&offset).filter(|piece| piece.node == node)?;
        self.live.remove(&offset);
        self.used -= piece.size;
        self.inner.free(piece);
        self.renew_if_empty();
        Some(piece.size)
    }

    /// Starts over with a new suballocator, once nothing is live that the old one might mistake.
    fn renew_if_empty(&mut self) {
        if self.is_out && self.live.is_empty() {
            self.inner = (self.algorithm.make)(&self.shape);
            self.is_out = false;
        }
    }

    /// The wrong answer, if there was one and it has not been told.
    pub(crate) fn take_fault(&mut self) -> Option<CustomFault> {
        self.fault.take()
    }

    /// Units of the largest piece that it may serve, the last one perhaps in part.
    pub(crate) fn room_units(&self) -> u64 {
        if self.is_out {
            return 0;
        }
        let BlockShape { size, min_allocation_size, .. } = self.shape;
        units_of(self.inner.largest_free().min(size), min_allocation_size)
    }

    /// Bytes of the live pieces.
    pub(crate) fn used_size(&self) -> u64 {
        self.used
    }

    /// How many pieces are live.
    pub(crate) fn allocation_count(&self) -> u64 {
        self.live.len() as u64
    }

    /// Offsets and bytes of the live pieces, in address order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.live.values().map(|piece| (piece.offset, piece.size))
    }

    fn check(&self, request: &PieceRequest, piece: &Piece) -> Result<(), CustomFault> {
        let Piece { offset, size, .. } = *piece;
        let block_size = self.shape.size;
        if offset.checked_add(size).is_none_or(|end| end > block_size) {
            return Err(CustomFault::OutOfBlock { offset, size, block_size });
        }
        if size < request.size {
            return Err(CustomFault::TooSmall { size, asked: request.size });
        }
        // A power of two is at least 1.
        if offset & (request.alignment - 1) != 0 {
            return Err(CustomFault::Misaligned { offset, alignment: request.alignment });
        }
        // Live pieces do not overlap, so of those that start before the end the last one ends last.
        let before_end = self.live.range(..offset + size).next_back();
        match before_end.filter(|(live, piece)| **live + piece.size > offset) {
            Some((&live_offset, _)) => Err(CustomFault::Overlap { offset, size, live_offset }),
            None => Ok(()),
        }
    }
}
