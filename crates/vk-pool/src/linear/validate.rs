//! Every invariant of a region, checked.

use super::Linear;
use super::nodes::{SENTINEL, UNUSED};

/// An invariant that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinearCorruption {
    /// A piece is empty, overlaps the one before, does not link back to it or is off the unit.
    #[error("the row of pieces is broken at offset {offset}")]
    Row {
        /// Where the piece starts.
        offset: u64,
    },
    /// A piece ends behind the region.
    #[error("the last piece ends at {end} of {total}")]
    Length {
        /// Where it ends.
        end: u64,
        /// Bytes of the region.
        total: u64,
    },
    /// The gap does not lie between two neighbours, or not where the kind has it.
    #[error("the gap from {start} to {end} is not between two neighbours")]
    Gap {
        /// Where it starts.
        start: u64,
        /// Where it ends.
        end: u64,
    },
    /// A counter differs from the sum over the pieces.
    #[error("the counters say {counted} of what the pieces have, which is {found}")]
    Counter {
        /// What the counter says.
        counted: u64,
        /// What the pieces say.
        found: u64,
    },
}

impl Linear {
    /// Checks every invariant. For tests: visits everything.
    ///
    /// # Errors
    ///
    /// The first [`LinearCorruption`] found; there is nothing that a caller could do about it.
    pub fn validate(&self) -> Result<(), LinearCorruption> {
        let (mut count, mut used, mut end, mut before) = (0, 0, 0, SENTINEL);
        for (index, node) in self.nodes.iter() {
            let in_row = node.offset >= end && node.offset < node.end && node.previous == before;
            let in_units = (node.offset | node.end) & (self.unit - 1) == 0;
            if !in_row || !in_units || node.offset == UNUSED {
                return Err(LinearCorruption::Row { offset: node.offset });
            }
            used += node.end - node.offset;
            count += 1;
            (end, before) = (node.end, index);
        }
        if end > self.total {
            return Err(LinearCorruption::Length { end, total: self.total });
        }
        if self.nodes[SENTINEL].previous != before {
            return Err(LinearCorruption::Row { offset: self.total });
        }
        for (counted, found) in [(self.used, used), (u64::from(self.allocation_count), count)] {
            if counted != found {
                return Err(LinearCorruption::Counter { counted, found });
            }
        }
        if self.gap_is_right() {
            Ok(())
        } else {
            Err(LinearCorruption::Gap { start: self.gap_start, end: self.gap_end })
        }
    }

    fn gap_is_right(&self) -> bool {
        let (low, high) = (&self.nodes[self.low], &self.nodes[self.high]);
        let neighbours = low.next == self.high && high.previous == self.low;
        let starts_right = match self.kind.rewinds() {
            true => self.gap_start == low.end,
            false => self.gap_start >= low.end && (self.low != SENTINEL || self.gap_start == 0),
        };
        let ends_right = self.gap_end == high.offset && self.gap_start <= self.gap_end;
        let is_behind = self.high == SENTINEL;
        let kind_allows = match self.wrapped {
            true => self.kind.wraps() && !is_behind && self.low != SENTINEL,
            false => is_behind || self.kind.has_upper_end(),
        };
        neighbours && starts_right && ends_right && kind_allows
    }
}
