//! Two-level segregated fit over the offsets of one block: any size, any alignment, no rounding but
//! to the unit, every operation bounded.
//!
//! Basic design (after Masmano, Ripoll, Crespo and Real, "TLSF: a new dynamic memory allocator for
//! real-time systems", 2004): the region is a row of nodes, each free or taken, no two free ones side
//! by side. A free node also hangs in the list of its *bin*: eight bins to each power of two, so that
//! a bin's largest size is at most 9/8 of its smallest. A bitmap says which bins are not empty.
//!
//! An allocation looks at a few nodes of a few bins that may hold it, for the tightest fit; if none of
//! those does, it takes the first node of a bin whose every size is large enough for the request with
//! its worst padding. What is in front of the aligned offset and behind the end becomes free nodes.
//! Freeing joins the node with its free neighbours.
//!
//! Nodes live outside of the region, in memory that never moves, so that no operation copies what the
//! earlier ones have built up.

pub(crate) mod bins;
#[cfg(test)]
mod bounded;
mod evicting;
mod fit;
mod map;
mod node;
mod nodes;
mod row;
#[cfg(test)]
mod tests;
mod validate;

pub use self::validate::TlsfCorruption;

use self::bins::{Bins, bin_of, first_bin_all_at_least};
use self::node::{BORDER, Node, NodeIndex};
use self::nodes::Nodes;

/// Suballocation of one region by two-level segregated fit.
///
/// ```
/// use vk_pool::tlsf::Tlsf;
///
/// let mut region = Tlsf::new(1 << 20, 256)?;
/// let image = region.allocate(300_000, 65_536).expect("the region is empty");
/// assert_eq!((image.offset, image.size), (0, 300_032)); // rounded to the unit, nothing more
///
/// let buffer = region.allocate(1000, 16).expect("700 KiB are free");
/// assert_eq!(buffer.offset, 300_032);
///
/// assert_eq!(region.free(image.offset, image.node), Some(300_032));
/// assert_eq!(region.free(image.offset, image.node), None); // it is not allocated any more
/// # Ok::<(), vk_pool::tlsf::TlsfConfigError>(())
/// ```
// The counters lie beside what every operation reads of the nodes, which comes first there.
#[derive(Debug)]
#[repr(C)]
pub struct Tlsf {
    /// log2 of the unit in bytes.
    unit_log: u32,
    /// Units of the region.
    unit_count: u32,
    /// Units of all taken nodes.
    used_units: u32,
    allocation_count: u32,
    nodes: Nodes,
    units_of_a_piece: u32,
}

/// How many units a piece of a region has that is nobody's tier.
const UNITS_OF_A_PIECE: u32 = 8;

/// A piece of the region that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TlsfBlock {
    /// Bytes from the start of the region; a multiple of unit and alignment.
    pub offset: u64,
    /// Bytes taken: what was asked for, rounded up to the unit.
    pub size: u64,
    /// Names the piece to [`Tlsf::free`].
    pub node: u32,
}

/// A node that was taken for a request.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    /// Its name.
    pub(crate) node: u32,
    /// Where it starts, in units.
    pub(crate) offset: u32,
    /// The bin of the free node that it was, or is a part of; 0, which is no node's, if what is left of that is of
    /// the same one.
    pub(crate) bin: usize,
}

/// A node that was given back.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    pub(crate) units: u32,
    /// The bin of the free node that it is a part of now.
    pub(crate) bin: usize,
}

/// A region that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsfConfigError {
    /// The unit is not a power of two.
    #[error("the unit of {unit} bytes is not a power of two")]
    UnitNotPowerOfTwo {
        /// The unit in bytes.
        unit: u64,
    },
    /// The region has less than one unit.
    #[error("a region of {size} bytes has no unit of {unit} bytes")]
    NoUnit {
        /// The region in bytes.
        size: u64,
        /// The unit in bytes.
        unit: u64,
    },
    /// The region has 2^31 units or more.
    #[error("a region of {size} bytes has 2^31 units of {unit} bytes or more")]
    TooManyUnits {
        /// The region in bytes.
        size: u64,
        /// The unit in bytes.
        unit: u64,
    },
}

impl Tlsf {
    /// Nodes that one [`allocate`](Self::allocate) or [`free`](Self::free) visits at most, however many
    /// pieces there are and however they lie. A node that is visited twice counts twice, and the bin
    /// whose first node is looked up counts as one.
    pub const MAX_NODES_VISITED: u64 = 48;

    /// An empty region of `size` bytes, handed out in multiples of `unit` bytes.
    ///
    /// What is left of `size` beyond whole units is never handed out.
    ///
    /// # Errors
    ///
    /// [`TlsfConfigError`] for a unit that is not a power of two, and for less than one unit or
    /// 2^31 and more.
    pub fn new(size: u64, unit: u64) -> Result<Self, TlsfConfigError> {
        Self::with_pieces(size, unit, UNITS_OF_A_PIECE)
    }

    /// [`new`](Self::new) for pieces that are usually of so many units.
    pub(crate) fn with_pieces(
        size: u64,
        unit: u64,
        units_of_a_piece: u32,
    ) -> Result<Self, TlsfConfigError> {
        let unit_count = unit_count(size, unit)?;
        let unit_log = unit.trailing_zeros();
        let mut region = Self {
            nodes: Nodes::new(unit_count, units_of_a_piece),
            unit_log,
            units_of_a_piece,
            unit_count,
            used_units: 0,
            allocation_count: 0,
        };
        region.add_whole();
        Ok(region)
    }

    /// Whether [`new`](Self::new) would accept a region.
    pub(crate) fn can_manage(size: u64, unit: u64) -> bool {
        unit_count(size, unit).is_ok()
    }

    /// Takes `size` bytes at a multiple of `alignment`, or `None`, and nothing has changed.
    ///
    /// `None` for a size of zero and for an alignment that is not a power of two (0 means 1). A region
    /// with enough room may still refuse a request with an alignment above the unit, if the room is
    /// too tight for the worst padding and not among the few nodes that are looked at.
    ///
    /// # Complexity
    ///
    /// At most [`MAX_NODES_VISITED`](Self::MAX_NODES_VISITED) nodes and 12 words of the bitmap are
    /// visited.
    #[inline]
    pub fn allocate(&mut self, size: u64, alignment: u64) -> Option<TlsfBlock> {
        let alignment = alignment.max(1);
        if !alignment.is_power_of_two() {
            return None;
        }
        let units = self.units_of(size)?;
        // An alignment beyond 32 bits is satisfied by offset 0 alone.
        let alignment = u32::try_from(alignment >> self.unit_log).unwrap_or(1 << 31);
        let taken = self.take(units, alignment, Bins::of(units))?;
        Some(TlsfBlock {
            offset: u64::from(taken.offset) << self.unit_log,
            size: u64::from(units) << self.unit_log,
            node: taken.node,
        })
    }

    /// [`allocate`](Self::allocate) of whole units, at least 1, at a multiple of `alignment` units, 0 or a
    /// power of two. `bins` are those of `units`.
    #[inline(always)]
    pub(crate) fn take(&mut self, units: u32, alignment: u32, bins: Bins) -> Option<Taken> {
        if alignment <= 1 {
            self.take_anywhere(units, bins)
        } else {
            self.take_aligned(units, alignment)
        }
    }

    /// Gives back the piece at `offset` that `node` names; answers its bytes. `None`, and nothing has
    /// changed, if no such piece is allocated.
    ///
    /// # Complexity
    ///
    /// At most [`MAX_NODES_VISITED`](Self::MAX_NODES_VISITED) nodes are visited.
    pub fn free(&mut self, offset: u64, node: u32) -> Option<u64> {
        let given = self.give(offset, node)?;
        Some(u64::from(given.units) << self.unit_log)
    }

    /// [`free`](Self::free), which answers what comes of it.
    #[inline(always)]
    pub(crate) fn give(&mut self, offset: u64, node: u32) -> Option<Given> {
        let index = NodeIndex::of_name(node)?;
        let node = *self.nodes.get(index)?;
        let unit_offset = offset >> self.unit_log;
        if unit_offset << self.unit_log != offset || !node.is_users_at(unit_offset) {
            return None;
        }
        self.used_units -= node.size();
        self.allocation_count -= 1;
        let bin = self.join(index, &node);
        Some(Given { units: node.size(), bin })
    }

    /// Takes a piece that [`free`](Self::free) will not give back: one of the tier above.
    pub(crate) fn allocate_reserved(&mut self, size: u64, alignment: u64) -> Option<TlsfBlock> {
        let block = self.allocate(size, alignment)?;
        self.set_reserved(block, true);
        Some(block)
    }

    /// Gives back what [`allocate_reserved`](Self::allocate_reserved) has taken.
    pub(crate) fn free_reserved(&mut self, block: TlsfBlock) {
        self.set_reserved(block, false);
        let freed = self.free(block.offset, block.node);
        debug_assert_eq!(freed, Some(block.size));
    }

    fn set_reserved(&mut self, block: TlsfBlock, reserved: bool) {
        let index = NodeIndex::of_name(block.node).expect("an allocated piece has a node");
        self.nodes.all()[index].set_reserved(reserved);
    }

    /// Forgets every allocation.
    pub fn reset(&mut self) {
        self.nodes = Nodes::new(self.unit_count, self.units_of_a_piece);
        self.used_units = 0;
        self.allocation_count = 0;
        self.add_whole();
    }

    /// Makes the region, which has no pieces, one that is free.
    fn add_whole(&mut self) {
        self.nodes.ensure_unused();
        let mut nodes = self.nodes.all();
        let whole = nodes.use_one(Node::free(0, self.unit_count, BORDER, BORDER));
        nodes[BORDER].previous = whole;
        nodes[BORDER].next = whole;
        nodes.insert(whole, bin_of(self.unit_count));
    }

    /// Whether [`allocate`](Self::allocate) of `size` bytes without an alignment above the unit would
    /// find room among the bins it is sure of. `false` may be wrong by a bin's width. O(1).
    #[must_use]
    pub fn surely_holds(&self, size: u64) -> bool {
        let units = self.units_of(size);
        units.is_some_and(|units| {
            self.nodes.map().first_from(first_bin_all_at_least(units)).is_some()
        })
    }

    /// Whether any free node may have `size` bytes: `false` is certain. O(1).
    #[must_use]
    pub fn may_hold(&self, size: u64) -> bool {
        self.units_of(size)
            .is_some_and(|units| self.nodes.map().first_from(bin_of(units)).is_some())
    }

    /// The highest bin that is not empty; 0, which is no node's, if all are.
    #[inline]
    pub(crate) fn room(&self) -> u8 {
        self.nodes.map().highest()
    }

    /// Bytes of the region, in whole units.
    #[must_use]
    pub fn total_size(&self) -> u64 {
        u64::from(self.unit_count) << self.unit_log
    }

    /// Bytes taken.
    #[must_use]
    pub fn used_size(&self) -> u64 {
        u64::from(self.used_units) << self.unit_log
    }

    /// Live allocations.
    #[must_use]
    pub fn allocation_count(&self) -> u32 {
        self.allocation_count
    }

    /// The live allocations, in address order.
    pub fn taken_blocks(&self) -> impl Iterator<Item = TlsfBlock> + '_ {
        self.row().filter(|(_, node)| node.is_taken()).map(|(index, node)| self.block(index, node))
    }

    /// Offsets and bytes of the free pieces, in address order.
    pub fn free_ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let bytes = |units: u32| u64::from(units) << self.unit_log;
        self.row()
            .filter(|(_, node)| !node.is_taken())
            .map(move |(_, node)| (bytes(node.offset()), bytes(node.size())))
    }

    /// Every node from offset 0 on.
    fn row(&self) -> impl Iterator<Item = (NodeIndex, &Node)> + '_ {
        let step = |index: NodeIndex| (index != BORDER).then(|| (index, &self.nodes[index]));
        core::iter::successors(step(self.nodes[BORDER].next), move |(_, node)| step(node.next))
    }

    #[inline]
    fn block(&self, index: NodeIndex, node: &Node) -> TlsfBlock {
        TlsfBlock {
            offset: u64::from(node.offset()) << self.unit_log,
            size: u64::from(node.size()) << self.unit_log,
            node: index.name(),
        }
    }

    /// Bytes of a unit.
    #[inline]
    fn unit(&self) -> u64 {
        1 << self.unit_log
    }

    /// `size` bytes in whole units; `None` for none, and for more than the region has.
    #[inline]
    fn units_of(&self, size: u64) -> Option<u32> {
        let is_partial = size & (self.unit() - 1) != 0;
        let units = u32::try_from((size >> self.unit_log) + u64::from(is_partial)).ok()?;
        // One comparison for both ends.
        (units.wrapping_sub(1) < self.unit_count).then_some(units)
    }
}

/// Units of a region.
fn unit_count(size: u64, unit: u64) -> Result<u32, TlsfConfigError> {
    if !unit.is_power_of_two() {
        return Err(TlsfConfigError::UnitNotPowerOfTwo { unit });
    }
    match u32::try_from(size >> unit.trailing_zeros()) {
        Ok(0) => Err(TlsfConfigError::NoUnit { size, unit }),
        Ok(count) if count < 1 << 31 => Ok(count),
        _ => Err(TlsfConfigError::TooManyUnits { size, unit }),
    }
}
