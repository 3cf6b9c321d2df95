//! A region whose room is handed out in a row: one comparison to allocate, a few links to free, and no
//! search. What is given up for it is that room in between two live pieces waits until one of them goes.
//!
//! Basic design: the live pieces are linked in address order, in a ring closed by a sentinel, and
//! between two of them is *the gap*, from which every piece is taken. A piece from the lower end starts
//! at the gap's start and becomes the piece below it; one from the upper end ends at the gap's end and
//! becomes the piece above it. Freeing unlinks a piece, wherever it is; if it was the one below or
//! above the gap, the gap grows as far as the next live piece, over all that was freed there earlier.
//!
//! ```text
//!  stack         | a | b | c |            gap             |
//!  double stack  | a | b |          gap           | d | c |
//!  ring          | d | e |   gap   | b |  c  | (too small) |   after wrapping, a is gone
//! ```
//!
//! All kinds are this one list with another rule for the gap. A stack's lies behind all pieces. When a
//! ring's gap is too small and the oldest piece does not start the region, the gap moves in front of
//! that: the oldest piece is now above it, the newest below it, and they chase each other. When one
//! side of such a gap is gone, it lies behind all pieces again.
//!
//! The idea of one region that is a stack, a double stack or a ring by use is that of the linear
//! algorithm of VMA (AMD's Vulkan Memory Allocator). It keeps two arrays, marks what is freed within
//! them, finds it by binary search and compacts now and then; here nothing is marked, so nothing is
//! searched or compacted.

mod error;
mod gap;
mod kind;
mod nodes;
mod oldest;
#[cfg(test)]
mod tests;
mod validate;

pub use self::error::LinearError;
pub use self::kind::LinearKind;
pub use self::validate::LinearCorruption;

use self::nodes::{Node, Nodes, SENTINEL};

/// Suballocation of one region in a row.
///
/// ```
/// use vk_pool::linear::{Linear, LinearKind};
///
/// // Uniforms of three frames in flight.
/// let mut ring = Linear::new(3000, 1, LinearKind::Ring)?;
/// let frames: Vec<_> = (0..3).map(|_| ring.allocate(1000, 1).expect("there is room")).collect();
/// assert!(ring.allocate(1000, 1).is_err()); // all of them are in flight
/// assert_eq!(ring.free(frames[0].offset, frames[0].node), Some(1000));
/// assert_eq!(ring.free(frames[0].offset, frames[0].node), None); // it is not allocated any more
/// assert_eq!(ring.allocate(1000, 1)?.offset, 0);
///
/// // What stays while a level is loaded below, what is only needed for loading above.
/// let mut stacks = Linear::new(1 << 20, 256, LinearKind::DoubleStack)?;
/// assert_eq!(stacks.allocate(1000, 256)?.offset, 0);
/// assert_eq!(stacks.allocate_upper(1000, 256)?.offset, (1 << 20) - 1024);
/// # Ok::<(), vk_pool::linear::LinearError>(())
/// ```
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Linear {
    nodes: Nodes,
    kind: LinearKind,
    /// Whether the gap lies below the oldest piece and above the newest; the pieces are two or more then.
    wrapped: bool,
    unit: u64,
    /// Bytes of the region, a multiple of the unit.
    total: u64,
    /// Where the gap starts. The end of `low`, or, if freed room is not used again, where the newest
    /// piece ended.
    gap_start: u64,
    /// Where the gap ends: the offset of `high`.
    gap_end: u64,
    /// The piece below the gap, or the sentinel.
    low: u32,
    /// The piece above the gap, or the sentinel.
    high: u32,
    allocation_count: u32,
    used: u64,
}

/// A piece of the region that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinearBlock {
    /// Bytes from the start of the region; a multiple of unit and alignment.
    pub offset: u64,
    /// Bytes taken: what was asked for, rounded up to the unit.
    pub size: u64,
    /// Names the piece to [`Linear::free`].
    pub node: u32,
}

/// Counts of one region, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LinearStats {
    /// Bytes of the region, in whole units.
    pub total_size: u64,
    /// Bytes of the live pieces. The rest is free, but only `room` can be had now.
    pub used_size: u64,
    /// Live pieces.
    pub allocation_count: u32,
    /// The largest piece that [`Linear::allocate`] would find room for now, at no alignment above the
    /// unit.
    pub room: u64,
}

impl Linear {
    /// An empty region of `size` bytes, handed out in multiples of `unit` bytes.
    ///
    /// What is left of `size` beyond whole units is never handed out. A unit of 1 rounds nothing.
    ///
    /// # Errors
    ///
    /// [`LinearError::UnitNotPowerOfTwo`], [`LinearError::NoUnit`].
    pub fn new(size: u64, unit: u64, kind: LinearKind) -> Result<Self, LinearError> {
        if !unit.is_power_of_two() {
            return Err(LinearError::UnitNotPowerOfTwo { unit });
        }
        if size < unit {
            return Err(LinearError::NoUnit { size, unit });
        }
        // A power of two is at least 1.
        let total = size & !(unit - 1);
        Ok(Self {
            nodes: Nodes::new(total),
            kind,
            wrapped: false,
            unit,
            total,
            gap_start: 0,
            gap_end: total,
            low: SENTINEL,
            high: SENTINEL,
            allocation_count: 0,
            used: 0,
        })
    }

    /// Takes `size` bytes at a multiple of `alignment` (0 means 1) behind the newest piece, or, in a
    /// ring whose end is reached, at the start.
    ///
    /// # Errors
    ///
    /// - [`LinearError::ZeroSize`], [`LinearError::AlignmentNotPowerOfTwo`]: the request makes no sense.
    /// - [`LinearError::NoRoom`].
    ///
    /// # Complexity
    ///
    /// O(1).
    // Always, and what may not be inlined answers in registers: an answer that passes through memory is
    // written in words and copied in larger pieces, which many processors wait for.
    #[inline(always)]
    pub fn allocate(&mut self, size: u64, alignment: u64) -> Result<LinearBlock, LinearError> {
        let (taken, below) = self.rounded(size, alignment)?;
        match self.take(taken, below) {
            // Where the gap starts now.
            Some(node) => Ok(LinearBlock { offset: self.gap_start - taken, size: taken, node }),
            None => Err(LinearError::NoRoom { size, alignment }),
        }
    }

    /// Takes whole units behind the newest piece; answers its node.
    #[inline]
    fn take(&mut self, taken: u64, below: u64) -> Option<u32> {
        let start = match self.start_in_gap(taken, below) {
            Some(start) => start,
            None if self.wrap(taken) => 0,
            None => return None,
        };
        // No overflow: the piece ends at or before the end of the gap.
        let end = start + taken;
        let node = Node { offset: start, end, previous: self.low, next: self.high };
        let node = self.nodes.add(node);
        self.low = node;
        self.gap_start = end;
        self.used += taken;
        self.allocation_count += 1;
        Some(node)
    }

    /// Takes `size` bytes at a multiple of `alignment` (0 means 1) before the newest piece of the upper
    /// end.
    ///
    /// # Errors
    ///
    /// - [`LinearError::ZeroSize`], [`LinearError::AlignmentNotPowerOfTwo`]: the request makes no sense.
    /// - [`LinearError::NoUpperEnd`], [`LinearError::LiesAsRing`].
    /// - [`LinearError::NoRoom`]: the two stacks would meet.
    ///
    /// # Complexity
    ///
    /// O(1).
    pub fn allocate_upper(
        &mut self,
        size: u64,
        alignment: u64,
    ) -> Result<LinearBlock, LinearError> {
        let (taken, below) = self.rounded(size, alignment)?;
        if !self.kind.has_upper_end() {
            return Err(LinearError::NoUpperEnd { kind: self.kind });
        }
        if self.wrapped {
            return Err(LinearError::LiesAsRing);
        }
        let start = self.gap_end.checked_sub(taken).map(|start| start & !below);
        let Some(start) = start.filter(|&start| start >= self.gap_start) else {
            return Err(LinearError::NoRoom { size, alignment });
        };
        // No overflow: `start` was rounded down from where the piece would end at the gap's end.
        let end = start + taken;
        let node = Node { offset: start, end, previous: self.low, next: self.high };
        let node = self.nodes.add(node);
        self.high = node;
        self.gap_end = start;
        self.used += taken;
        self.allocation_count += 1;
        Ok(LinearBlock { offset: start, size: taken, node })
    }

    /// Gives back the piece at `offset` that `node` names, in any order; answers its bytes. `None`, and
    /// nothing has changed, if no such piece is allocated.
    ///
    /// # Complexity
    ///
    /// O(1).
    #[inline]
    pub fn free(&mut self, offset: u64, node: u32) -> Option<u64> {
        let index = node;
        let node = *self.nodes.get(index)?;
        // The offset of an unused node is no piece's, nor is that of the sentinel.
        if node.offset != offset || offset >= self.total {
            return None;
        }
        self.nodes.remove(index, &node);
        let size = node.end - node.offset;
        self.used -= size;
        self.allocation_count -= 1;
        if index == self.low {
            self.low = node.previous;
            if self.kind.rewinds() || self.low == SENTINEL {
                self.gap_start = self.nodes[self.low].end;
            }
        }
        if index == self.high {
            self.high = node.next;
            self.gap_end = self.nodes[self.high].offset;
        }
        if self.wrapped && (self.low == SENTINEL || self.high == SENTINEL) {
            self.unwrap_ring();
        }
        Some(size)
    }

    /// Forgets every allocation.
    pub fn reset(&mut self) {
        self.nodes.clear(self.total);
        self.wrapped = false;
        (self.low, self.high) = (SENTINEL, SENTINEL);
        (self.gap_start, self.gap_end) = (0, self.total);
        (self.allocation_count, self.used) = (0, 0);
    }

    /// What it was made as.
    #[must_use]
    pub fn kind(&self) -> LinearKind {
        self.kind
    }

    /// Units of the region.
    pub(crate) fn unit_count(&self) -> u64 {
        self.total >> self.unit.trailing_zeros()
    }

    /// Live pieces.
    #[inline]
    pub(crate) fn allocation_count(&self) -> u32 {
        self.allocation_count
    }

    /// Exact counts of this moment. O(1).
    #[must_use]
    pub fn stats(&self) -> LinearStats {
        LinearStats {
            total_size: self.total,
            used_size: self.used,
            allocation_count: self.allocation_count,
            room: self.room(),
        }
    }

    /// The live pieces, in address order.
    pub fn pieces(&self) -> impl Iterator<Item = LinearBlock> + '_ {
        self.nodes.iter().map(|(index, node)| LinearBlock {
            offset: node.offset,
            size: node.end - node.offset,
            node: index,
        })
    }

    /// `size` in whole units, and one less than the alignment, which is the unit at least.
    #[inline]
    fn rounded(&self, size: u64, alignment: u64) -> Result<(u64, u64), LinearError> {
        if size == 0 {
            return Err(LinearError::ZeroSize);
        }
        if alignment & alignment.wrapping_sub(1) != 0 {
            return Err(LinearError::AlignmentNotPowerOfTwo { alignment });
        }
        // A power of two is at least 1.
        let in_unit = self.unit - 1;
        let taken = size.checked_add(in_unit).ok_or(LinearError::NoRoom { size, alignment })?;
        Ok((taken & !in_unit, alignment.max(self.unit) - 1))
    }
}
