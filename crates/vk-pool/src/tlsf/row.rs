//! Changing the row of nodes and the lists of the bins.

use super::Tlsf;
use super::bins::bin_of;
use super::fit::Fit;
use super::nodes::{NONE, Node, NodeIndex};

impl Tlsf {
    /// Takes `units` of the node that was found.
    pub(super) fn take(&mut self, fit: Fit, units: u32) {
        let Fit { index, offset, .. } = fit;
        self.remove(index);
        let node = self.nodes[index];
        let padding = offset - node.offset;
        if padding > 0 {
            // The node before is taken, since no two free ones are side by side.
            let front = self.nodes.add(Node { size: padding, next: index, ..node });
            self.set_next(node.previous, front);
            self.nodes[index].previous = front;
            self.insert(front);
        }
        // No underflow: `fit` has found room for padding and units.
        let rest = node.size - padding - units;
        if rest > 0 {
            let tail = Node { offset: offset + units, size: rest, previous: index, ..node };
            let tail = self.nodes.add(tail);
            self.set_previous(node.next, tail);
            self.nodes[index].next = tail;
            self.insert(tail);
        }
        let taken = &mut self.nodes[index];
        taken.offset = offset;
        taken.size = units;
        taken.mark_taken();
        self.used_units += units;
        self.allocation_count += 1;
    }

    /// Joins a node with the free one before it; answers the node that holds both.
    pub(super) fn join_with_previous(&mut self, index: NodeIndex) -> NodeIndex {
        let Node { previous, size, next, .. } = self.nodes[index];
        if previous == NONE || self.nodes[previous].is_taken() {
            return index;
        }
        self.remove(previous);
        let joined = &mut self.nodes[previous];
        joined.size += size;
        joined.next = next;
        self.set_previous(next, previous);
        self.nodes.release(index);
        previous
    }

    /// Joins a node with the free one behind it.
    pub(super) fn join_with_next(&mut self, index: NodeIndex) {
        let next = self.nodes[index].next;
        if next == NONE || self.nodes[next].is_taken() {
            return;
        }
        self.remove(next);
        let Node { size, next: behind, .. } = self.nodes[next];
        let joined = &mut self.nodes[index];
        joined.size += size;
        joined.next = behind;
        self.set_previous(behind, index);
        self.nodes.release(next);
    }

    /// Hangs a free node into its bin.
    pub(super) fn insert(&mut self, index: NodeIndex) {
        let bin = bin_of(self.nodes[index].size);
        let head = self.bins.head(bin);
        let node = &mut self.nodes[index];
        node.previous_free = NONE;
        node.next_free = head;
        if head != NONE {
            self.nodes[head].previous_free = index;
        }
        self.bins.set_head(bin, index);
    }

    /// Takes a free node out of its bin.
    pub(super) fn remove(&mut self, index: NodeIndex) {
        let Node { size, previous_free, next_free, .. } = self.nodes[index];
        if next_free != NONE {
            self.nodes[next_free].previous_free = previous_free;
        }
        if previous_free != NONE {
            self.nodes[previous_free].next_free = next_free;
        } else {
            self.bins.set_head(bin_of(size), next_free);
        }
    }

    fn set_next(&mut self, index: NodeIndex, next: NodeIndex) {
        match index {
            NONE => self.first = next,
            index => self.nodes[index].next = next,
        }
    }

    fn set_previous(&mut self, index: NodeIndex, previous: NodeIndex) {
        if index != NONE {
            self.nodes[index].previous = previous;
        }
    }
}
