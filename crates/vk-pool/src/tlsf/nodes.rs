//! The nodes of a region, which never move, and the lists they hang in.
//!
//! A list ends in a node that is no piece of the region, and before its first node is the bin, of which only
//! the first node is kept: so an operation writes the same whether a node has neighbours or not, and what it
//! reads of a region that was not touched for long is few cache lines.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hint::{black_box, cold_path, select_unpredictable};
use core::ops::{Index, IndexMut};

use super::bins::BIN_COUNT;
use super::map::Map;
use super::node::{BORDER, FIRST, HEAD, NONE, Node, NodeIndex};
use crate::visits;

/// Nodes of a chunk: 8 KiB, so that a new chunk costs no more than a few hundred nanoseconds.
const CHUNK: usize = 256;

/// So many nodes in a row.
type Chunk = [Node; CHUNK];

/// Nodes that there is room for from the start, at least and at most: 8 KiB and 1 MiB, of which nothing is
/// touched before it is used.
const FEWEST: u32 = 256;
const MOST: u32 = 1 << 17;

/// A slab of nodes.
// What every operation reads first.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Nodes {
    /// The first nodes, in memory that was asked for with the region, whose own takes long anyway: most
    /// regions need no others, and so no list of chunks is in between. It never moves.
    first: Vec<Node>,
    map: Map,
    /// Nodes that were ever used since the last `clear`, those that are no pieces among them.
    len: u32,
    /// The first of the nodes that are not used any more.
    unused: NodeIndex,
    /// The first node of each bin. That of bin 0, which is no size's, is there to be written.
    firsts: [NodeIndex; BIN_COUNT],
    others: Vec<Box<Chunk>>,
}

/// The nodes as one operation sees them: where they lie stays in registers over its own writes.
pub(super) struct All<'a> {
    first: &'a mut [Node],
    others: &'a mut Vec<Box<Chunk>>,
    map: &'a mut Map,
    unused: &'a mut NodeIndex,
    firsts: &'a mut [NodeIndex; BIN_COUNT],
}

impl Nodes {
    /// Nodes for a region of so many units, with room for one for each `units_of_a_node`.
    pub(super) fn new(unit_count: u32, units_of_a_node: u32) -> Self {
        let room = (unit_count / units_of_a_node).clamp(FEWEST, MOST);
        let mut first = Vec::with_capacity(room as usize);
        // Those that are no pieces.
        first.resize(FIRST.0 as usize, Node::UNUSED);
        first[BORDER.0 as usize].mark_border();
        let firsts = [NONE; BIN_COUNT];
        Self { first, map: Map::new(), len: FIRST.0, unused: NONE, firsts, others: Vec::new() }
    }

    /// Sees to it that there is an unused node.
    #[inline]
    pub(super) fn ensure_unused(&mut self) {
        if self.unused == NONE {
            let index = NodeIndex(self.len);
            // No overflow: a node has at least one of fewer than 2^31 units.
            self.len += 1;
            if self.first.len() < self.first.capacity() {
                self.first.push(Node::UNUSED);
            } else {
                self.extend_others(index);
            }
            self.unused = index;
        }
    }

    /// Makes a node behind the first ones.
    #[cold]
    #[inline(never)]
    fn extend_others(&mut self, index: NodeIndex) {
        let place = index.0 as usize - self.first.len();
        if place / CHUNK == self.others.len() {
            self.others.push(Box::new([Node::UNUSED; CHUNK]));
        }
        self.others[place / CHUNK][place % CHUNK] = Node::UNUSED;
    }

    /// The node, if there ever was a piece of this name.
    #[inline(always)]
    pub(super) fn get(&self, index: NodeIndex) -> Option<&Node> {
        visits::node();
        let index = index.0 as usize;
        match self.first.get(index) {
            Some(node) => Some(node),
            None => {
                cold_path();
                let place = place_in_others(index, self.first.len());
                Some(&self.others.get(place / CHUNK)?[place % CHUNK])
            }
        }
    }

    /// The first node of a bin, or [`NONE`]; that of bin 0 means nothing.
    #[inline(always)]
    pub(super) fn first_or_none(&self, bin: usize) -> NodeIndex {
        visits::node();
        self.firsts[bin % BIN_COUNT]
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
            first: &mut self.first,
            others: &mut self.others,
            map: &mut self.map,
            unused: &mut self.unused,
            firsts: &mut self.firsts,
        }
    }

    /// Whether the first node of a bin knows that it is. For tests.
    pub(super) fn is_first_of(&self, index: NodeIndex, bin: usize) -> bool {
        let node = &self[index];
        node.previous_free == HEAD && usize::from(node.first_of) == bin
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
        (node.previous_free, node.next_free) = (HEAD, next);
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

    #[inline(always)]
    fn index(&self, index: NodeIndex) -> &Node {
        node_of(&self.first, &self.others, index)
    }
}

impl Index<NodeIndex> for All<'_> {
    type Output = Node;

    #[inline(always)]
    fn index(&self, index: NodeIndex) -> &Node {
        node_of(self.first, self.others, index)
    }
}

impl IndexMut<NodeIndex> for All<'_> {
    #[inline(always)]
    fn index_mut(&mut self, index: NodeIndex) -> &mut Node {
        visits::node();
        let index = index.0 as usize;
        let len = self.first.len();
        match self.first.get_mut(index) {
            Some(node) => node,
            None => {
                // Out of the way of most regions.
                cold_path();
                let place = place_in_others(index, len);
                &mut self.others[place / CHUNK][place % CHUNK]
            }
        }
    }
}

#[inline(always)]
fn node_of<'a>(first: &'a [Node], others: &'a [Box<Chunk>], index: NodeIndex) -> &'a Node {
    visits::node();
    let index = index.0 as usize;
    match first.get(index) {
        Some(node) => node,
        None => {
            // As above.
            cold_path();
            let place = place_in_others(index, first.len());
            &others[place / CHUNK][place % CHUNK]
        }
    }
}

/// Where a node lies that is none of the first `len` ones.
#[inline(always)]
fn place_in_others(index: usize, len: usize) -> usize {
    // The difference would be what the two are compared by, and take a register where a comparison takes
    // none.
    index - black_box(len)
}
