//! Changing the row of nodes and the lists of the bins.

use super::Tlsf;
use super::bins::bin_of;
use super::fit::Fit;
use super::nodes::{NONE, Node, NodeIndex};

impl Tlsf {
    /// Takes `units` of the node that was found.
    pub(super) fn take(&mut self, fit: Fit, units: u32) {
        let Fit { index, offset, .. } = fit;
        let node = self.nodes[index];
        self.remove(&node);
        let padding = offset - node.offset;
        if padding > 0 {
            // The node before is taken, since no two free ones are side by side.
            let front = self.nodes.add(Node { size: padding, next: index, ..node });
            self.set_next(node.previous, front);
            self.nodes[index].previous = front;
            self.insert(front, padding);
        }
        // No underflow: `fit` has found room for padding and units.
        let rest = node.size - padding - units;
        if rest > 0 {
            let tail = Node { offset: offset + units, size: rest, previous: index, ..node };
            let tail = self.nodes.add(tail);
            self.set_previous(node.next, tail);
            self.nodes[index].next = tail;
            self.insert(tail, rest);
        }
        let taken = &mut self.nodes[index];
        taken.offset = offset;
        taken.size = units;
        taken.mark_taken();
        self.used_units += units;
        self.allocation_count += 1;
    }

    /// Joins a node that was taken with the free ones beside it, and hangs what comes of it into its
    /// bin.
    pub(super) fn join(&mut self, index: NodeIndex, node: &Node) {
        let (mut whole, mut size, mut behind) = (index, node.size, node.next);
        if node.next != NONE {
            let next = self.nodes[node.next];
            if !next.is_taken() {
                self.remove(&next);
                size += next.size;
                behind = next.next;
                self.nodes.release(node.next);
            }
        }
        if node.previous != NONE {
            let previous = self.nodes[node.previous];
            if !previous.is_taken() {
                self.remove(&previous);
                size += previous.size;
                whole = node.previous;
                self.nodes.release(index);
            }
        }
        let joined = &mut self.nodes[whole];
        joined.size = size;
        joined.next = behind;
        self.set_previous(behind, whole);
        self.insert(whole, size);
    }

    /// Hangs a free node of `size` units into its bin.
    pub(super) fn insert(&mut self, index: NodeIndex, size: u32) {
        let bin = bin_of(size);
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
    pub(super) fn remove(&mut self, node: &Node) {
        let Node { size, previous_free, next_free, .. } = *node;
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
