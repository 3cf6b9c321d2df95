//! The one type that every block is carved by.

use buddy_core::{BuddyAllocator, BuddyBlock};

use crate::Algorithm;
use crate::answer::Fitted;
use crate::custom::{BlockShape, CustomBlock, CustomFault};
use crate::linear::{Linear, LinearBlock};
use crate::tlsf::bins::bin_of;
use crate::tlsf::{Tlsf, TlsfBlock};
use crate::two_tier::TwoTier;

/// A piece that a suballocator has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Bytes from the start of the block.
    pub offset: u64,
    /// Bytes taken, rounding included.
    pub size: u64,
    /// What the algorithm needs to find the piece again.
    pub node: u32,
}

impl From<TlsfBlock> for Piece {
    #[inline]
    fn from(TlsfBlock { offset, size, node }: TlsfBlock) -> Self {
        Self { offset, size, node }
    }
}

impl From<LinearBlock> for Piece {
    #[inline]
    fn from(LinearBlock { offset, size, node }: LinearBlock) -> Self {
        Self { offset, size, node }
    }
}

/// What a block can still serve, as blocks are listed by it: in two bytes, as it is compared with each
/// allocation and release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rooms {
    /// The bin of the largest free piece; 0, which is no piece's, for a full block.
    pub(crate) large: u8,
    /// One more than the largest order of which a span surely has a piece; 0 for none.
    pub(crate) small: u8,
}

impl Rooms {
    /// Of the only block of a pool, which every search comes to.
    pub(crate) const ONLY: Self = Self { large: u8::MAX, small: 0 };

    /// Of blocks that are listed by when they were taken into use, and not by their room.
    pub(crate) const BY_AGE: Self = Self { large: 0, small: 1 };

    /// Of a block whose largest free piece has so many units.
    #[inline]
    fn of_largest(units: u64) -> Self {
        // A block has fewer than 2^32 minimum pieces, or its bin is the highest all the same.
        let bin = bin_of(u32::try_from(units).unwrap_or(u32::MAX));
        // There are fewer than 256 bins, and no units are bin 0.
        Self { large: bin.to_le_bytes()[0], small: 0 }
    }

    /// The list among blocks with spans.
    pub(crate) fn order(self) -> Option<u8> {
        self.small.checked_sub(1)
    }
}

/// A block of a size that an algorithm cannot carve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuballocatorError {
    /// The buddies refuse it.
    #[error(transparent)]
    Buddy(#[from] buddy_core::ConfigError),
    /// The segregated fit refuses it.
    #[error(transparent)]
    Tlsf(#[from] crate::tlsf::TlsfConfigError),
    /// The linear region refuses it.
    #[error(transparent)]
    Linear(#[from] crate::linear::LinearError),
}

/// The bookkeeping of one block.
//
// Two tiers are the largest, and what nearly every block has: behind a pointer they would cost
// each operation a cache miss. The tag is a byte of its own: hidden in a length or capacity of the largest variant, it would take
// several instructions to read, four times in each allocation and release.
#[derive(Debug)]
#[non_exhaustive]
#[repr(u8)]
pub enum Suballocator {
    /// See [`Algorithm::TwoTier`].
    TwoTier(TwoTier),
    /// See [`Algorithm::Tlsf`].
    Tlsf(Tlsf),
    /// See [`Algorithm::Buddy`]. The node of a piece is its order.
    Buddy(BuddyAllocator),
    /// The same in a pool of one block, of which nobody has to know how much room it has: that costs
    /// buddies more than placing does, as it has to be told as if nothing waited to be merged.
    OnlyBuddy(BuddyAllocator),
    /// See [`Algorithm::Linear`].
    Linear(Linear),
    /// See [`Algorithm::Custom`].
    Custom(CustomBlock),
}

impl Suballocator {
    /// Bookkeeping for an empty block of this shape, which hands out multiples of its smallest piece; a
    /// custom one hands out what it likes.
    ///
    /// # Errors
    ///
    /// [`SuballocatorError`]: a zero or too small size, too many minimum pieces, a minimum that is not
    /// a power of two.
    pub fn new(algorithm: &Algorithm, shape: &BlockShape) -> Result<Self, SuballocatorError> {
        let BlockShape { size, min_allocation_size: unit, .. } = *shape;
        Ok(match algorithm {
            Algorithm::TwoTier => Self::TwoTier(TwoTier::new(size, unit)?),
            Algorithm::Tlsf => Self::Tlsf(Tlsf::new(size, unit)?),
            Algorithm::Buddy if shape.is_only_block => {
                Self::OnlyBuddy(BuddyAllocator::new(size, unit)?)
            }
            Algorithm::Buddy => Self::Buddy(BuddyAllocator::new(size, unit)?),
            Algorithm::Linear(kind) => Self::Linear(Linear::new(size, unit, *kind)?),
            Algorithm::Custom(custom) => Self::Custom(CustomBlock::new(custom, shape)),
        })
    }

    /// Takes `size` bytes at a multiple of `alignment`, or `None` and no live piece has changed.
    #[inline]
    pub fn allocate(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        match self {
            Self::TwoTier(tiers) => tiers.allocate(size, alignment),
            _ => self.allocate_in_one_tier(size, alignment),
        }
    }

    /// [`allocate`](Self::allocate) by all but the usual one, out of the way of that.
    #[inline(never)]
    fn allocate_in_one_tier(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        match self {
            Self::TwoTier(_) => None,
            Self::Tlsf(tlsf) => {
                let block = tlsf.allocate(size, alignment)?;
                Some(block.into())
            }
            Self::Buddy(buddy) | Self::OnlyBuddy(buddy) => {
                let block = buddy.allocate_aligned(size, alignment).ok()?;
                // Both are powers of two, and a block has at least one minimum block.
                let order = block.size.trailing_zeros() - buddy.min_block_size().trailing_zeros();
                Some(Piece { offset: block.offset, size: block.size, node: order })
            }
            Self::Linear(linear) => {
                let block = linear.allocate(size, alignment).ok()?;
                Some(block.into())
            }
            Self::Custom(custom) => custom.allocate(size, alignment, false),
        }
    }

    /// [`allocate`](Self::allocate) at the upper end, by what has one; else `None`.
    #[cold]
    pub fn allocate_upper(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        match self {
            Self::Linear(linear) => {
                let block = linear.allocate_upper(size, alignment).ok()?;
                Some(block.into())
            }
            Self::Custom(custom) => custom.allocate(size, alignment, true),
            Self::TwoTier(_) | Self::Tlsf(_) | Self::Buddy(_) | Self::OnlyBuddy(_) => None,
        }
    }

    /// Takes what was asked for, where it was asked for.
    #[inline]
    pub(crate) fn take(&mut self, fitted: &Fitted) -> Option<Piece> {
        match fitted.upper {
            false => self.allocate(fitted.size, fitted.alignment),
            true => self.allocate_upper(fitted.size, fitted.alignment),
        }
    }

    /// Takes exactly that stretch of a segregated fit, behind the piece of that node; `None` if it is not free,
    /// or if something else carves the block. No live piece has changed then.
    #[cold]
    pub(crate) fn take_at(&mut self, offset: u64, size: u64, behind: Option<u32>) -> Option<Piece> {
        match self {
            Self::TwoTier(tiers) => tiers.allocate_at(offset, size, behind),
            Self::Tlsf(tlsf) => {
                let block = tlsf.allocate_at(offset, size, behind)?;
                Some(block.into())
            }
            Self::Buddy(_) | Self::OnlyBuddy(_) | Self::Linear(_) | Self::Custom(_) => None,
        }
    }

    /// [`take`](Self::take), called.
    #[inline(never)]
    pub(crate) fn take_elsewhere(&mut self, fitted: &Fitted) -> Option<Piece> {
        self.take(fitted)
    }

    /// [`free`](Self::free), called.
    #[inline(never)]
    pub(crate) fn free_elsewhere(&mut self, offset: u64, node: u32) -> Option<u64> {
        self.free(offset, node)
    }

    /// [`rooms`](Self::rooms), called.
    #[inline(never)]
    pub(crate) fn rooms_elsewhere(&self) -> Rooms {
        self.rooms()
    }

    /// The wrong answer of a custom suballocator, once.
    pub(crate) fn take_fault(&mut self) -> Option<CustomFault> {
        match self {
            Self::Custom(custom) => custom.take_fault(),
            _ => None,
        }
    }

    /// Gives back what was taken at `offset`; answers the bytes freed, or `None`, and nothing has
    /// changed, if no live piece of this node starts there.
    #[inline(always)]
    pub fn free(&mut self, offset: u64, node: u32) -> Option<u64> {
        match self {
            Self::TwoTier(tiers) => tiers.free(offset, node),
            _ => self.free_in_one_tier(offset, node),
        }
    }

    /// [`free`](Self::free) by all but the usual one, out of the way of that.
    #[inline(never)]
    fn free_in_one_tier(&mut self, offset: u64, node: u32) -> Option<u64> {
        match self {
            Self::TwoTier(_) => None,
            Self::Tlsf(tlsf) => tlsf.free(offset, node),
            Self::Buddy(buddy) | Self::OnlyBuddy(buddy) => {
                let min = buddy.min_block_size();
                let size = min.checked_shl(node).filter(|size| size >> node == min)?;
                buddy.free(BuddyBlock { offset, size }).ok()?;
                Some(size)
            }
            Self::Linear(linear) => linear.free(offset, node),
            Self::Custom(custom) => custom.free(offset, node),
        }
    }

    /// Offsets and bytes of the live pieces, in address order.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let (mut tiers, mut tlsf, mut buddy, mut linear, mut custom) =
            (None, None, None, None, None);
        match self {
            Self::TwoTier(block) => tiers = Some(block.pieces()),
            Self::Tlsf(block) => tlsf = Some(block.taken_blocks()),
            Self::Buddy(block) | Self::OnlyBuddy(block) => buddy = Some(block.taken_blocks()),
            Self::Linear(block) => linear = Some(block.pieces()),
            Self::Custom(block) => custom = Some(block.pieces()),
        }
        let tlsf = tlsf.into_iter().flatten().map(|block| (block.offset, block.size));
        let buddy = buddy.into_iter().flatten().map(|block| (block.offset, block.size));
        let linear = linear.into_iter().flatten().map(|block| (block.offset, block.size));
        let custom = custom.into_iter().flatten();
        tiers.into_iter().flatten().chain(tlsf).chain(buddy).chain(linear).chain(custom)
    }

    /// How many pieces are live. O(1).
    #[inline]
    pub fn allocation_count(&self) -> u64 {
        match self {
            Self::TwoTier(tiers) => tiers.allocation_count(),
            Self::Tlsf(tlsf) => tlsf.allocation_count().into(),
            Self::Buddy(buddy) | Self::OnlyBuddy(buddy) => buddy.allocation_count(),
            Self::Linear(linear) => linear.allocation_count().into(),
            Self::Custom(custom) => custom.allocation_count(),
        }
    }

    /// Bytes of the live pieces. O(1).
    pub fn used_size(&self) -> u64 {
        match self {
            Self::TwoTier(tiers) => tiers.used_size(),
            Self::Tlsf(tlsf) => tlsf.used_size(),
            Self::Buddy(buddy) | Self::OnlyBuddy(buddy) => buddy.allocated_size(),
            Self::Linear(linear) => linear.stats().used_size,
            Self::Custom(custom) => custom.used_size(),
        }
    }

    /// What it can still serve. O(1).
    #[inline]
    pub(crate) fn rooms(&self) -> Rooms {
        match self {
            Self::TwoTier(tiers) => tiers.rooms(),
            _ => self.rooms_in_one_tier(),
        }
    }

    /// [`rooms`](Self::rooms) of all but the usual one, out of the way of that.
    #[inline(never)]
    fn rooms_in_one_tier(&self) -> Rooms {
        match self {
            Self::TwoTier(_) => Rooms::default(),
            Self::Tlsf(tlsf) => Rooms { large: tlsf.room(), small: 0 },
            Self::Buddy(buddy) => {
                let unit_log = buddy.min_block_size().trailing_zeros();
                Rooms::of_largest(buddy.largest_free_block() >> unit_log)
            }
            Self::OnlyBuddy(_) => Rooms::ONLY,
            Self::Linear(linear) => Self::linear_rooms(linear),
            Self::Custom(custom) => Rooms::of_largest(custom.room_units()),
        }
    }

    /// An empty one is listed by its size, as all empty blocks are.
    fn linear_rooms(linear: &Linear) -> Rooms {
        match linear.allocation_count() {
            0 => Rooms { small: 1, ..Rooms::of_largest(linear.unit_count()) },
            _ => Rooms::BY_AGE,
        }
    }
}
