//! The nodes of a region, in chunks that never move, so that no operation copies what the earlier ones
//! have built up.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Nodes of a chunk: 6 KiB, so that a new chunk costs no more than a few hundred nanoseconds.
const CHUNK: usize = 256;

/// The node that closes the ring of all nodes: before the first piece and behind the last.
pub(super) const SENTINEL: u32 = 0;

/// In `offset` of a node that is no piece. No piece starts there, as a piece has at least one byte.
pub(super) const UNUSED: u64 = u64::MAX;

/// A piece of the region, linked to its neighbours in address order. 24 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Bytes from the start of the region; of the sentinel, the bytes of the region.
    pub(super) offset: u64,
    /// Where it ends; of the sentinel, 0.
    pub(super) end: u64,
    pub(super) previous: u32,
    /// The next piece, or the next unused node.
    pub(super) next: u32,
}

impl Node {
    const EMPTY: Self = Self { offset: UNUSED, end: 0, previous: SENTINEL, next: SENTINEL };
}

/// A slab of nodes, the sentinel among them.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Nodes {
    chunks: Vec<Box<[Node; CHUNK]>>,
    /// The first of the nodes that are no pieces, linked by `next`; the sentinel for none.
    unused: u32,
}

impl Nodes {
    /// The sentinel of a region of `total` bytes, alone.
    pub(super) fn new(total: u64) -> Self {
        let mut nodes = Self { chunks: Vec::new(), unused: SENTINEL };
        nodes.grow();
        nodes.clear(total);
        nodes
    }

    /// Forgets all pieces, and keeps the memory of their nodes.
    pub(super) fn clear(&mut self, total: u64) {
        self.unused = SENTINEL;
        for chunk in (0..self.chunks.len()).rev() {
            self.link_chunk(chunk);
        }
        self[SENTINEL] = Node { offset: total, ..Node::EMPTY };
    }

    /// Links a piece in between its two neighbours.
    #[inline]
    pub(super) fn add(&mut self, node: Node) -> u32 {
        if self.unused == SENTINEL {
            self.grow();
        }
        let index = self.unused;
        self[node.previous].next = index;
        self[node.next].previous = index;
        let place = &mut self[index];
        let unused = place.next;
        *place = node;
        self.unused = unused;
        index
    }

    /// Takes a piece out; `node` is what stands at `index`.
    #[inline]
    pub(super) fn remove(&mut self, index: u32, node: &Node) {
        self[node.previous].next = node.next;
        self[node.next].previous = node.previous;
        let unused = self.unused;
        let place = &mut self[index];
        place.offset = UNUSED;
        place.next = unused;
        self.unused = index;
    }

    /// The node at an index that may be anything.
    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<&Node> {
        let index = index as usize;
        Some(&self.chunks.get(index / CHUNK)?[index % CHUNK])
    }

    /// The sentinel's neighbour on, in address order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Node)> + '_ {
        let piece = |index: u32| (index != SENTINEL).then(|| (index, &self[index]));
        core::iter::successors(piece(self[SENTINEL].next), move |(_, node)| piece(node.next))
    }

    #[cold]
    fn grow(&mut self) {
        self.chunks.push(Box::new([Node::EMPTY; CHUNK]));
        self.link_chunk(self.chunks.len() - 1);
    }

    /// Makes all nodes of a chunk unused, but for the sentinel.
    fn link_chunk(&mut self, chunk: usize) {
        let first = chunk * CHUNK;
        for at in (0..CHUNK).rev() {
            let index = u32::try_from(first + at)
                .expect("2^32 live pieces would take 96 GiB of host memory for their nodes");
            if index != SENTINEL {
                self.chunks[chunk][at] = Node { next: self.unused, ..Node::EMPTY };
                self.unused = index;
            }
        }
    }
}

impl Index<u32> for Nodes {
    type Output = Node;

    #[inline]
    fn index(&self, index: u32) -> &Node {
        let index = index as usize;
        &self.chunks[index / CHUNK][index % CHUNK]
    }
}

impl IndexMut<u32> for Nodes {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut Node {
        let index = index as usize;
        &mut self.chunks[index / CHUNK][index % CHUNK]
    }
}
