//! One piece of the region, and its name.

/// Names a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeIndex(pub(super) u32);

/// No node: where lists end. The node of this name is there to be written, so that nothing asks whether a
/// node has neighbours; what it says of the one before it means nothing, and it is in no row. It has no
/// size, so it holds no request, and none is behind it.
pub(super) const NONE: NodeIndex = NodeIndex(0);

/// The node before the first one of the row, and behind the last: it is taken for ever and has no size.
pub(super) const BORDER: NodeIndex = NodeIndex(1);

/// Before the first node of each list: there to be written as well. What it says means nothing.
pub(super) const HEAD: NodeIndex = NodeIndex(2);

/// The nodes from this one on are pieces of the region.
pub(super) const FIRST: NodeIndex = NodeIndex(3);

impl NodeIndex {
    /// What users know it by: from 0 on, and below 2^31, as a node has at least one of fewer than
    /// 2^31 units.
    #[inline]
    pub(super) fn name(self) -> u32 {
        self.0 - FIRST.0
    }

    /// The node of that name; `None` for a number that none can have.
    #[inline]
    pub(super) fn of_name(name: u32) -> Option<Self> {
        name.checked_add(FIRST.0).map(Self)
    }
}

/// In the size of a node: it is taken. Sizes are below 2^31.
const TAKEN: u32 = 1 << 31;

/// In the offset of a taken node: it belongs to the tier above. Offsets are below 2^31.
const RESERVED: u32 = 1 << 31;

/// A piece of the region, free or taken; half a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Node {
    /// Units from the start of the region, and a mark.
    offset: u32,
    /// Units, and a mark. Zero: the node is no piece of the region.
    size: u32,
    /// The node that ends where this one starts.
    pub(super) previous: NodeIndex,
    /// The node that starts where this one ends; of nodes that are not used, the next such.
    pub(super) next: NodeIndex,
    /// The neighbours in the list of its bin. A taken node has none, and so taking it out of its list
    /// changes nothing.
    pub(super) previous_free: NodeIndex,
    pub(super) next_free: NodeIndex,
    /// The bin whose first node it is; 0, which is no size's, for all others.
    pub(super) first_of: u8,
}

impl Node {
    /// Not used.
    pub(super) const UNUSED: Self = Self {
        offset: 0,
        size: 0,
        previous: NONE,
        next: NONE,
        previous_free: NONE,
        next_free: NONE,
        first_of: 0,
    };

    /// A free node that is in no list yet.
    pub(super) fn free(offset: u32, size: u32, previous: NodeIndex, next: NodeIndex) -> Self {
        Self { offset, size, previous, next, ..Self::UNUSED }
    }

    /// A node that a user has taken.
    #[inline]
    pub(super) fn taken(offset: u32, size: u32, previous: NodeIndex, next: NodeIndex) -> Self {
        Self { offset, size: size | TAKEN, previous, next, ..Self::UNUSED }
    }

    /// Offset and size of a node that is free, in units.
    #[inline]
    pub(super) fn free_extent(&self) -> (u32, u32) {
        debug_assert!(!self.is_taken());
        (self.offset, self.size)
    }

    /// Units from the start of the region.
    #[inline]
    pub(super) fn offset(&self) -> u32 {
        self.offset & !RESERVED
    }

    #[inline]
    pub(super) fn size(&self) -> u32 {
        self.size & !TAKEN
    }

    #[inline]
    pub(super) fn is_taken(&self) -> bool {
        self.size & TAKEN != 0
    }

    /// Whether it is taken by a user who knows it to be at `offset` units.
    #[inline]
    pub(super) fn is_users_at(&self, offset: u64) -> bool {
        // A user can name the number that an offset and the mark are, too.
        self.is_taken() & (offset < RESERVED.into()) & (u64::from(self.offset) == offset)
    }

    /// Makes a taken node the tier above's, or a user's again.
    pub(super) fn set_reserved(&mut self, reserved: bool) {
        self.offset = if reserved { self.offset | RESERVED } else { self.offset() };
    }

    /// Gives a free node another extent.
    #[inline]
    pub(super) fn set_free(&mut self, offset: u32, size: u32) {
        self.offset = offset;
        self.size = size;
    }

    /// Takes a free node as it is, which has left its list.
    #[inline]
    pub(super) fn mark_taken(&mut self) {
        self.size |= TAKEN;
        (self.previous_free, self.next_free, self.first_of) = (NONE, NONE, 0);
    }

    /// Makes it the border.
    pub(super) fn mark_border(&mut self) {
        (self.offset, self.size) = (RESERVED, TAKEN);
    }

    /// The node behind this one in the list of its bin.
    #[inline]
    pub(super) fn next_in_list(&self) -> Option<NodeIndex> {
        (self.next_free != NONE).then_some(self.next_free)
    }
}
