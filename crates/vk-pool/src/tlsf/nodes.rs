//! The nodes of a region, in chunks that never move.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Nodes of a chunk, as a power of two: 6 KiB, so that a new chunk costs no more than a few hundred
/// nanoseconds.
const CHUNK_LOG: u32 = 8;
const CHUNK: usize = 1 << CHUNK_LOG;

/// Names a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeIndex(pub(super) u32);

/// No node.
pub(super) const NONE: NodeIndex = NodeIndex(u32::MAX);

/// In `previous_free` of a node: it is taken, and in no list.
const TAKEN: NodeIndex = NodeIndex(u32::MAX - 1);

/// In `previous_free` of a node: it is taken by the tier above, and is none that users free.
const RESERVED: NodeIndex = NodeIndex(u32::MAX - 2);

/// In `previous_free` of a node: it is not part of the row.
const UNUSED: NodeIndex = NodeIndex(u32::MAX - 3);

/// A piece of the region, free or taken. 24 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Units from the start of the region.
    pub(super) offset: u32,
    /// Units.
    pub(super) size: u32,
    /// The node that ends where this one starts.
    pub(super) previous: NodeIndex,
    /// The node that starts where this one ends.
    pub(super) next: NodeIndex,
    /// The node before in the list of its bin; or one of the marks.
    pub(super) previous_free: NodeIndex,
    /// The node behind in the list of its bin, or of the unused nodes.
    pub(super) next_free: NodeIndex,
}

impl Node {
    pub(super) const EMPTY: Self = Self {
        offset: 0,
        size: 0,
        previous: NONE,
        next: NONE,
        previous_free: UNUSED,
        next_free: NONE,
    };

    pub(super) fn is_taken(&self) -> bool {
        matches!(self.previous_free, TAKEN | RESERVED)
    }

    /// Whether it is taken, and by a user.
    pub(super) fn is_users(&self) -> bool {
        self.previous_free == TAKEN
    }

    /// Makes it the tier above's, or a user's again.
    pub(super) fn set_reserved(&mut self, reserved: bool) {
        self.previous_free = if reserved { RESERVED } else { TAKEN };
    }

    pub(super) fn mark_taken(&mut self) {
        self.previous_free = TAKEN;
    }
}

/// A slab of nodes.
#[derive(Debug)]
pub(super) struct Nodes {
    chunks: Vec<Box<[Node; CHUNK]>>,
    /// Nodes that were ever used since the last `clear`.
    len: u32,
    /// The first of the nodes that are not used any more, linked by `next_free`.
    unused: NodeIndex,
}

impl Nodes {
    pub(super) fn new() -> Self {
        Self { chunks: Vec::new(), len: 0, unused: NONE }
    }

    /// Forgets all nodes, and keeps their memory.
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.unused = NONE;
    }

    pub(super) fn add(&mut self, node: Node) -> NodeIndex {
        let index = self.unused;
        if index != NONE {
            self.unused = self[index].next_free;
            self[index] = node;
            return index;
        }
        let index = NodeIndex(self.len);
        if self.len as usize >> CHUNK_LOG == self.chunks.len() {
            self.chunks.push(Box::new([Node::EMPTY; CHUNK]));
        }
        // No overflow: a node has at least one of fewer than 2^31 units.
        self.len += 1;
        self[index] = node;
        index
    }

    pub(super) fn release(&mut self, index: NodeIndex) {
        let unused = self.unused;
        let node = &mut self[index];
        node.previous_free = UNUSED;
        node.next_free = unused;
        self.unused = index;
    }

    /// The node, if it is taken by a user.
    pub(super) fn taken(&self, index: NodeIndex) -> Option<&Node> {
        if index.0 >= self.len {
            return None;
        }
        Some(&self[index]).filter(|node| node.is_users())
    }
}

impl Index<NodeIndex> for Nodes {
    type Output = Node;

    #[inline]
    fn index(&self, index: NodeIndex) -> &Node {
        &self.chunks[(index.0 >> CHUNK_LOG) as usize][index.0 as usize % CHUNK]
    }
}

impl IndexMut<NodeIndex> for Nodes {
    #[inline]
    fn index_mut(&mut self, index: NodeIndex) -> &mut Node {
        &mut self.chunks[(index.0 >> CHUNK_LOG) as usize][index.0 as usize % CHUNK]
    }
}
