//! The search: which free node an allocation is taken from.

use super::Tlsf;
use super::bins::{BIN_COUNT, bin_of, first_bin_all_at_least};
use super::nodes::{NONE, Node, NodeIndex};

/// How many nodes of one bin are looked at for a tight fit.
const NODES_LOOKED_AT: usize = 4;

/// How many bins that may hold a request are looked at before one that surely does.
const BINS_LOOKED_AT: usize = 4;

/// Room for a request in a free node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) index: NodeIndex,
    /// Where the request would start, in units.
    pub(super) offset: u32,
    /// Units of the node that it would not take.
    slack: u32,
}

impl Node {
    /// Room for `units` at a multiple of `alignment` units, if this node has it.
    #[inline]
    fn fit(&self, index: NodeIndex, units: u32, alignment: u32) -> Option<Fit> {
        // The alignment is a power of two, so this rounds up without a division. No overflow: offsets
        // are below 2^31, and the alignment is at most 2^31.
        let offset = (self.offset + (alignment - 1)) & !(alignment - 1);
        let room = self.size.checked_sub(offset - self.offset)?;
        let slack = self.size.checked_sub(units).filter(|_| room >= units)?;
        Some(Fit { index, offset, slack })
    }
}

impl Tlsf {
    /// Finds a free node for `units` at a multiple of `alignment` units.
    pub(super) fn find(&self, units: u32, alignment: u32) -> Option<Fit> {
        let mut bin = bin_of(units);
        let sure = units.checked_add(alignment - 1).map_or(BIN_COUNT, first_bin_all_at_least);
        for _ in 0..BINS_LOOKED_AT {
            bin = self.bins.first_from(bin)?;
            if bin >= sure {
                break;
            }
            if let Some(fit) = self.tightest_of(bin, units, alignment) {
                return Some(fit);
            }
            bin += 1;
        }
        let index = self.bins.head(self.bins.first_from(bin.max(sure))?);
        self.nodes[index].fit(index, units, alignment)
    }

    /// The tightest fit among the first nodes of a bin.
    fn tightest_of(&self, bin: usize, units: u32, alignment: u32) -> Option<Fit> {
        let mut best: Option<Fit> = None;
        let mut index = self.bins.head(bin);
        for _ in 0..NODES_LOOKED_AT {
            if index == NONE {
                break;
            }
            let node = &self.nodes[index];
            if let Some(fit) = node.fit(index, units, alignment) {
                if fit.slack == 0 {
                    return Some(fit);
                }
                if best.as_ref().is_none_or(|best| fit.slack < best.slack) {
                    best = Some(fit);
                }
            }
            index = node.next_free;
        }
        best
    }
}
