//! The nodes of a region, in chunks that never move, and the rings they hang in.
//!
//! The free nodes of a bin are a ring through a node that stands for the bin and is no piece of the
//! region, as the row is a ring through the border. So nothing asks whether a node has neighbours.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hint::select_unpredictable;
use core::ops::{Index, IndexMut};

use super::map::Map;
use super::node::{BORDER, FIRST, Node, NodeIndex};
use crate::visits;

/// Nodes of a chunk: 8 KiB, so that a new chunk costs no more than a few hundred nanoseconds. The first
/// has those of the bins, and 24 for the first pieces of the region.
const CHUNK: usize = 256;

/// Regions of so many units have a second chunk from the start. That is when their memory is asked for,
/// which takes long anyway; fresh memory for a chunk in an allocation would take it microseconds.
const TWO_CHUNKS_FROM: u32 = 1 << 14;

/// A slab of nodes.
#[derive(Debug)]
pub(super) struct Nodes {
    chunks: Vec<Box<[Node; CHUNK]>>,
    /// Nodes that were ever used since the last `clear`, those of the bins among them.
    len: u32,
    /// The first of the nodes that are not used any more; the border if there is none.
    unused: NodeIndex,
    map: Map,
}

/// The nodes as one operation sees them: where their chunks are listed stays in registers over its
/// own writes.
pub(super) struct All<'a> {
    chunks: &'a mut [Box<[Node; CHUNK]>],
    unused: &'a mut NodeIndex,
    map: &'a mut Map,
}

impl Nodes {
    /// Nodes for a region of so many units.
    pub(super) fn new(unit_count: u32) -> Self {
        let alone = |index: u32| {
            let mut node = Node::UNUSED;
            (node.previous_free, node.next_free) = (NodeIndex(index), NodeIndex(index));
            node
        };
        let mut place = 0..;
        // Each one alone in its ring, also those that stand for no bin, which are in none.
        let mut first: Box<[Node; CHUNK]> =
            Box::new(core::array::from_fn(|_| place.next().map_or(Node::UNUSED, alone)));
        first[0].mark_border();
        let mut chunks = Vec::with_capacity(4);
        chunks.push(first);
        if unit_count >= TWO_CHUNKS_FROM {
            chunks.push(Box::new([Node::UNUSED; CHUNK]));
        }
        Self { chunks, len: FIRST.0, unused: BORDER, map: Map::new() }
    }

    /// Sees to it that there is an unused node.
    #[inline]
    pub(super) fn ensure_unused(&mut self) {
        if self.unused == BORDER {
            self.extend();
        }
    }

    #[cold]
    fn extend(&mut self) {
        let index = NodeIndex(self.len);
        if self.len as usize / CHUNK == self.chunks.len() {
            self.chunks.push(Box::new([Node::UNUSED; CHUNK]));
        }
        // No overflow: a node has at least one of fewer than 2^31 units.
        self.len += 1;
        self.all()[index] = Node::UNUSED;
        self.unused = index;
    }

    /// The node, if there ever was a piece of this name.
    #[inline]
    pub(super) fn get(&self, index: NodeIndex) -> Option<&Node> {
        visits::node();
        let chunk = self.chunks.get(index.0 as usize / CHUNK)?;
        Some(&chunk[index.0 as usize % CHUNK])
    }

    /// The first node of a bin.
    #[inline]
    pub(super) fn first(&self, bin: usize) -> Option<NodeIndex> {
        visits::node();
        self.chunks[0][bin % CHUNK].next_in_ring()
    }

    /// Which bins have nodes.
    #[inline]
    pub(super) fn map(&self) -> &Map {
        &self.map
    }

    #[cfg(test)]
    pub(super) fn map_mut(&mut self) -> &mut Map {
        &mut self.map
    }

    #[inline]
    pub(super) fn all(&mut self) -> All<'_> {
        All { chunks: &mut self.chunks, unused: &mut self.unused, map: &mut self.map }
    }

    /// Whether the node behind this one in its ring knows that it is. For tests.
    pub(super) fn is_linked_back(&self, index: NodeIndex) -> bool {
        self[self[index].next_free].previous_free == index
    }
}

impl All<'_> {
    /// Makes an unused node, of which there must be one, this one.
    #[inline(always)]
    pub(super) fn use_one(&mut self, node: Node) -> NodeIndex {
        let index = *self.unused;
        let place = &mut self[index];
        let unused = place.next;
        *place = node;
        *self.unused = unused;
        index
    }

    /// Takes a free neighbour out of its ring and out of use; leaves one that is taken as it is.
    ///
    /// Which of the two it is cannot be predicted, so both are done by the same writes: a taken one is
    /// written as it was, and the border, alone in its ring, taken out of it instead.
    #[inline(always)]
    pub(super) fn absorb(&mut self, index: NodeIndex) -> Absorbed {
        let unused = *self.unused;
        let place = &mut self[index];
        let node = *place;
        let is_free = !node.is_taken();
        place.next = select_unpredictable(is_free, unused, node.next);
        *self.unused = select_unpredictable(is_free, index, unused);
        self.unlink(node.previous_free, node.next_free);
        Absorbed {
            size: select_unpredictable(is_free, node.size(), 0),
            previous: select_unpredictable(is_free, node.previous, index),
            next: select_unpredictable(is_free, node.next, index),
        }
    }

    /// Makes a node that is in no ring a free one, and hangs it into that of its bin.
    #[inline(always)]
    pub(super) fn insert(&mut self, index: NodeIndex, bin: usize) {
        let head = NodeIndex::of_bin(bin);
        visits::node();
        let place = &mut self.chunks[0][bin % CHUNK];
        let next = place.next_free;
        place.next_free = index;
        self[next].previous_free = index;
        let node = &mut self[index];
        (node.previous_free, node.next_free) = (head, next);
        self.map.set(bin);
    }

    /// Takes a free node out of its ring.
    #[inline(always)]
    pub(super) fn remove(&mut self, index: NodeIndex) {
        let node = &self[index];
        let (previous, next) = (node.previous_free, node.next_free);
        self.unlink(previous, next);
    }

    /// Links the neighbours of a node in its ring with each other.
    #[inline(always)]
    fn unlink(&mut self, previous: NodeIndex, next: NodeIndex) {
        self[previous].next_free = next;
        self[next].previous_free = previous;
        // Only a bin's node is its own neighbour on both sides.
        self.map.clear_if(previous == next, previous.0 as usize);
    }
}

/// What was won of a neighbour.
pub(super) struct Absorbed {
    /// Units; 0 if it was taken.
    pub(super) size: u32,
    /// The neighbours in the row of what was absorbed; the neighbour itself if it was taken.
    pub(super) previous: NodeIndex,
    pub(super) next: NodeIndex,
}

impl Index<NodeIndex> for Nodes {
    type Output = Node;

    #[inline]
    fn index(&self, index: NodeIndex) -> &Node {
        visits::node();
        &self.chunks[index.0 as usize / CHUNK][index.0 as usize % CHUNK]
    }
}

impl Index<NodeIndex> for All<'_> {
    type Output = Node;

    #[inline]
    fn index(&self, index: NodeIndex) -> &Node {
        visits::node();
        &self.chunks[index.0 as usize / CHUNK][index.0 as usize % CHUNK]
    }
}

impl IndexMut<NodeIndex> for All<'_> {
    #[inline]
    fn index_mut(&mut self, index: NodeIndex) -> &mut Node {
        visits::node();
        &mut self.chunks[index.0 as usize / CHUNK][index.0 as usize % CHUNK]
    }
}
