//! Changing the row of nodes.
//!
//! What an allocation leaves of a free node keeps its name, and also its place in its list if its
//! new size is of the same bin.

use super::bins::{Bins, bin_of};
use super::node::{Node, NodeIndex};
use super::{Taken, Tlsf};

impl Tlsf {
    /// Takes `units`, at least 1, at any offset. `bins` are those of `units`.
    #[inline(always)]
    pub(super) fn take_anywhere(&mut self, units: u32, bins: Bins) -> Option<Taken> {
        let (index, bin) = self.find(units, bins)?;
        Some(self.take_front(index, bin, units))
    }

    /// Takes `units`, at least 1, at a multiple of `alignment` units.
    #[inline(never)]
    pub(super) fn take_aligned(&mut self, units: u32, alignment: u32) -> Option<Taken> {
        let index = self.find_aligned(units, alignment)?;
        let node = self.nodes[index];
        let offset = node.start(units, alignment)?;
        let bin = bin_of(node.size());
        if offset == node.offset() {
            return Some(self.take_front(index, bin, units));
        }
        let node = self.take_behind(index, offset - node.offset(), units);
        Some(Taken { node: node.name(), offset, bin })
    }

    /// Takes the first `units` of a free node of that bin which has as many.
    #[inline(always)]
    pub(super) fn take_front(&mut self, index: NodeIndex, bin: usize, units: u32) -> Taken {
        self.used_units += units;
        self.allocation_count += 1;
        self.nodes.ensure_unused();
        let mut nodes = self.nodes.all();
        let (offset, size) = nodes[index].free_extent();
        // No underflow: the node has as many units.
        let rest = size - units;
        if rest == 0 {
            nodes.remove(index);
            nodes[index].mark_taken();
            return Taken { node: index.name(), offset, bin };
        }
        let previous = nodes[index].previous;
        let taken = nodes.use_one(Node::taken(offset, units, previous, index));
        nodes[previous].next = taken;
        let left = &mut nodes[index];
        left.previous = taken;
        left.set_free(offset + units, rest);
        let bin_now = bin_of(rest);
        if bin_now == bin {
            return Taken { node: taken.name(), offset, bin: 0 };
        }
        nodes.remove(index);
        nodes.insert(index, bin_now);
        Taken { node: taken.name(), offset, bin }
    }

    /// Takes `units` behind the first `padding` of a free node, which stay free.
    // Always: an aligned allocation would call it otherwise, as it has another caller.
    #[inline(always)]
    pub(super) fn take_behind(&mut self, index: NodeIndex, padding: u32, units: u32) -> NodeIndex {
        self.used_units += units;
        self.allocation_count += 1;
        self.nodes.ensure_unused();
        let mut nodes = self.nodes.all();
        let Node { next, .. } = nodes[index];
        let (before, size) = nodes[index].free_extent();
        // No underflow: the node has room for padding and units.
        let (offset, rest) = (before + padding, size - padding - units);
        let taken = nodes.use_one(Node::taken(offset, units, index, next));
        let left = &mut nodes[index];
        left.next = taken;
        left.set_free(before, padding);
        nodes.remove(index);
        nodes.insert(index, bin_of(padding));
        let mut last = taken;
        if rest > 0 {
            self.nodes.ensure_unused();
            nodes = self.nodes.all();
            last = nodes.use_one(Node::free(offset + units, rest, taken, next));
            nodes[taken].next = last;
            nodes.insert(last, bin_of(rest));
        }
        nodes[next].previous = last;
        taken
    }

    /// Joins a node that was taken with the free ones beside it, and hangs what comes of it into its
    /// bin, which it answers.
    #[inline(always)]
    pub(super) fn join(&mut self, index: NodeIndex, node: &Node) -> usize {
        let mut nodes = self.nodes.all();
        let before = nodes.absorb(node.previous);
        let behind = nodes.absorb(node.next);
        let size = before.size + node.size() + behind.size;
        nodes[before.previous].next = index;
        nodes[behind.next].previous = index;
        let joined = &mut nodes[index];
        joined.set_free(node.offset() - before.size, size);
        joined.previous = before.previous;
        joined.next = behind.next;
        let bin = bin_of(size);
        nodes.insert(index, bin);
        bin
    }
}
