//! The nodes of a region, in chunks that never move, and the lists they hang in.
//!
//! A list ends in a node that is no piece of the region, and before its first node is the bin, of which only
//! the first node is kept: so an operation writes the same whether a node has neighbours or not, and what it
//! reads of a region that was not touched for long is few cache lines.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hint::select_unpredictable;
use core::ops::{Index, IndexMut};

use super::bins::BIN_COUNT;
use super::map::Map;
use super::node::{BORDER, FIRST, NONE, Node, NodeIndex};
use crate::visits;

/// Nodes of a chunk: 8 KiB, so that a new chunk costs no more than a few hundred nanoseconds.
const CHUNK: usize = 256;

/// Regions of so many units have a second chunk from the start. That is when their memory is asked for,
/// which takes long anyway; fresh memory for a chunk in an allocation would take it microseconds.
const TWO_CHUNKS_FROM: u32 = 1 << 14;

/// A slab of nodes.
// What every operation reads first.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Nodes {
    chunks: Vec<Box<[Node; CHUNK]>>,
    map: Map,
    /// Nodes that were ever used since the last `clear`, those that are no pieces among them.
    len: u32,
    /// The first of the nodes that are not used any more.
    unused: NodeIndex,
    /// The first node of each bin. That of bin 0, which is no size's, is there to be written.
    firsts: [NodeIndex; BIN_COUNT],
}

/// The nodes as one operation sees them: where their chunks are listed stays in registers over its
/// own writes.
pub(super) struct All<'a> {
    chunks: &'a mut [Box<[Node; CHUNK]>],
    map: &'a mut Map,
    unused: &'a mut NodeIndex,
    firsts: &'a mut [NodeIndex; BIN_COUNT],
}

impl Nodes {
    /// Nodes for a region of so many units.
    pub(super) fn new(unit_count: u32) -> Self {
        let mut first = Box::new([Node::UNUSED; CHUNK]);
        first[BORDER.0 as usize].mark_border();
        let mut chunks = Vec::with_capacity(4);
        chunks.push(first);
        if unit_count >= TWO_CHUNKS_FROM {
            chunks.push(Box::new([Node::UNUSED; CHUNK]));
        }
        let firsts = [NONE; BIN_COUNT];
        Self { chunks, map: Map::new(), len: FIRST.0, unused: NONE, firsts }
    }

    /// Sees to it that there is an unused node.
    #[inline]
    pub(super) fn ensure_unused(&mut self) {
        if self.unused == NONE {
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
        let first = self.firsts[bin % BIN_COUNT];
        (first != NONE).then_some(first)
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
        All {
            chunks: &mut self.chunks,
            map: &mut self.map,
            unused: &mut self.unused,
            firsts: &mut self.firsts,
        }
    }

    /// Whether the first node of a bin knows that it is. For tests.
    pub(super) fn is_first_of(&self, index: NodeIndex, bin: usize) -> bool {
        let node = &self[index];
        node.previous_free == NONE && usize::from(node.first_of) == bin
    }

    /// Whether the node behind this one knows that it is. For tests.
    pub(super) fn is_linked_back(&self, index: NodeIndex) -> bool {
        self[index].next_in_list().is_none_or(|next| {
            let next = &self[next];
            next.previous_free == index && next.first_of == 0
        })
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

    /// Takes a free neighbour out of its list and out of use; leaves one that is taken as it is.
    ///
    /// Which of the two it is cannot be predicted, so both are done by the same writes: a taken one is
    /// written as it was, and no node taken out of no list instead.
    #[inline(always)]
    pub(super) fn absorb(&mut self, index: NodeIndex) -> Absorbed {
        let unused = *self.unused;
        let place = &mut self[index];
        let node = *place;
        let is_free = !node.is_taken();
        place.next = select_unpredictable(is_free, unused, node.next);
        *self.unused = select_unpredictable(is_free, index, unused);
        self.unlink(node.previous_free, node.next_free, node.first_of);
        Absorbed {
            size: select_unpredictable(is_free, node.size(), 0),
            previous: select_unpredictable(is_free, node.previous, index),
            next: select_unpredictable(is_free, node.next, index),
        }
    }

    /// Hangs a free node that is in no list into that of its bin.
    #[inline(always)]
    pub(super) fn insert(&mut self, index: NodeIndex, bin: usize) {
        visits::node();
        let next = core::mem::replace(&mut self.firsts[bin % BIN_COUNT], index);
        let behind = &mut self[next];
        (behind.previous_free, behind.first_of) = (index, 0);
        let node = &mut self[index];
        (node.previous_free, node.next_free) = (NONE, next);
        // There are 256 bins.
        node.first_of = bin.to_le_bytes()[0];
        self.map.set(bin);
    }

    /// Takes a free node out of its list.
    #[inline(always)]
    pub(super) fn remove(&mut self, index: NodeIndex) {
        let node = &self[index];
        let (previous, next, first_of) = (node.previous_free, node.next_free, node.first_of);
        self.unlink(previous, next, first_of);
    }

    /// Links the neighbours that a node has in its list with each other, and with the bin whose first node
    /// it was.
    #[inline(always)]
    fn unlink(&mut self, previous: NodeIndex, next: NodeIndex, first_of: u8) {
        self.firsts[usize::from(first_of)] = next;
        self[previous].next_free = next;
        let behind = &mut self[next];
        (behind.previous_free, behind.first_of) = (previous, first_of);
        // Nothing asks for bin 0.
        self.map.clear_if(next == NONE, first_of.into());
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
