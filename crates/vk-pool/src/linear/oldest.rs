//! Which pieces of a ring have to go for a request: the oldest, one by one, until it fits.

use alloc::vec::Vec;

use super::nodes::SENTINEL;
use super::{Linear, LinearBlock};

impl Linear {
    /// The fewest of the oldest pieces that have to be freed before [`allocate`](Self::allocate) finds
    /// room; none if it has room now.
    ///
    /// `None`, if no number of them would do, or if one that `may_go` refuses stands in the way; and for a
    /// region that is no ring: of a kind that does not wrap, or with pieces at its upper end.
    ///
    /// # Complexity
    ///
    /// Linear in the pieces named. `may_go` is asked once for each.
    pub fn plan_ring(
        &self,
        size: u64,
        alignment: u64,
        mut may_go: impl FnMut(LinearBlock) -> bool,
    ) -> Option<Vec<LinearBlock>> {
        let (taken, below) = self.rounded(size, alignment).ok()?;
        if !self.kind.wraps() || (!self.wrapped && self.high != SENTINEL) {
            return None;
        }
        let mut going = Vec::new();
        let mut oldest = if self.wrapped { self.high } else { self.oldest() };
        while !self.would_fit(oldest, taken, below) {
            if oldest == SENTINEL {
                return None;
            }
            let block = self.block(oldest);
            if !may_go(block) {
                return None;
            }
            going.push(block);
            oldest = self.younger(oldest);
        }
        Some(going)
    }

    /// Whether a piece would fit, were all pieces older than `oldest` gone; the sentinel means all.
    fn would_fit(&self, oldest: u32, size: u64, below: u64) -> bool {
        if oldest == SENTINEL {
            return size <= self.total;
        }
        let room = self.nodes[oldest].offset;
        // The gap still lies before the oldest, or else behind the newest, and may move before it.
        let is_wrapped = self.wrapped && room >= self.gap_end;
        let gap_end = if is_wrapped { room } else { self.total };
        let start = self.gap_start.checked_add(below).map(|start| start & !below);
        let end = start.and_then(|start| start.checked_add(size));
        end.is_some_and(|end| end <= gap_end) || (!is_wrapped && size <= room)
    }

    /// The piece that is next in age; the sentinel for the newest.
    fn younger(&self, index: u32) -> u32 {
        if index == self.low {
            return SENTINEL;
        }
        let next = self.nodes[index].next;
        // The pieces at the start of a wrapped ring are younger than those at its end.
        if next == SENTINEL { self.nodes[SENTINEL].next } else { next }
    }

    fn block(&self, index: u32) -> LinearBlock {
        let node = &self.nodes[index];
        LinearBlock { offset: node.offset, size: node.end - node.offset, node: index }
    }
}
