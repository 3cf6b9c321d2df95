//! Every invariant of a region, checked.

use super::Tlsf;
use super::bins::{USED_BIN_COUNT, bin_of};
use super::node::BORDER;

/// An invariant that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsfCorruption {
    /// A node does not start where the one before ends, or does not link back to it.
    #[error("the row is broken at unit {unit}")]
    Row {
        /// Where the node should start.
        unit: u32,
    },
    /// Two free nodes are side by side.
    #[error("two free nodes meet at unit {unit}")]
    FreeNeighbours {
        /// Where they meet.
        unit: u32,
    },
    /// The nodes do not cover the region.
    #[error("the row ends at unit {unit} of {unit_count}")]
    Length {
        /// Where the row ends.
        unit: u32,
        /// Units of the region.
        unit_count: u32,
    },
    /// A list holds a node that is not a free one of its bin, or does not link back.
    #[error("the list of bin {bin} is broken")]
    List {
        /// The bin.
        bin: usize,
    },
    /// The lists do not hold every free node.
    #[error("{listed} free nodes are in lists, {free} in the row")]
    Listed {
        /// Nodes in lists.
        listed: u32,
        /// Free nodes in the row.
        free: u32,
    },
    /// A counter differs from the sum over the row.
    #[error("the counters say {counted} of what the row has {found}")]
    Counter {
        /// What the counter says.
        counted: u32,
        /// What the row says.
        found: u32,
    },
}

impl Tlsf {
    /// Checks every invariant. For tests: visits everything.
    ///
    /// # Errors
    ///
    /// The first [`TlsfCorruption`] found; there is nothing that a caller could do about it.
    pub fn validate(&self) -> Result<(), TlsfCorruption> {
        let (mut unit, mut free, mut used, mut taken_count) = (0, 0, 0, 0);
        let (mut before, mut before_is_free) = (BORDER, false);
        for (index, node) in self.row() {
            if node.offset() != unit || node.previous != before || node.size() == 0 {
                return Err(TlsfCorruption::Row { unit });
            }
            if !node.is_taken() && before_is_free {
                return Err(TlsfCorruption::FreeNeighbours { unit });
            }
            if node.is_taken() {
                used += node.size();
                taken_count += 1;
            } else {
                free += 1;
            }
            // Within the region, or the length is wrong below.
            unit = unit.saturating_add(node.size());
            (before, before_is_free) = (index, !node.is_taken());
        }
        if unit != self.unit_count {
            return Err(TlsfCorruption::Length { unit, unit_count: self.unit_count });
        }
        for (counted, found) in [(self.used_units, used), (self.allocation_count, taken_count)] {
            if counted != found {
                return Err(TlsfCorruption::Counter { counted, found });
            }
        }
        let highest =
            (1..USED_BIN_COUNT as usize).rev().find(|&bin| self.nodes.first(bin).is_some());
        if usize::from(self.nodes.map().highest()) != highest.unwrap_or(0) {
            return Err(TlsfCorruption::List { bin: highest.unwrap_or(0) });
        }
        let listed = (1..USED_BIN_COUNT as usize)
            .try_fold(0, |sum, bin| Ok(sum + self.validate_list(bin, free)?))?;
        if listed == free { Ok(()) } else { Err(TlsfCorruption::Listed { listed, free }) }
    }

    /// The length of a bin's list, which is at most `free`.
    fn validate_list(&self, bin: usize, free: u32) -> Result<u32, TlsfCorruption> {
        let first = self.nodes.first(bin);
        let is_marked = self.nodes.map().first_from(bin) == Some(bin);
        let is_first = |index| self.nodes.is_first_of(index, bin);
        if first.is_some() != is_marked || !first.is_none_or(is_first) {
            return Err(TlsfCorruption::List { bin });
        }
        let mut length = 0;
        for index in core::iter::successors(first, |&index| self.nodes[index].next_in_list()) {
            let node = &self.nodes[index];
            if node.is_taken()
                || bin_of(node.size()) != bin
                || length == free
                || !self.nodes.is_linked_back(index)
            {
                return Err(TlsfCorruption::List { bin });
            }
            length += 1;
        }
        Ok(length)
    }
}
