//! The search: which free node an allocation is taken from.

use core::hint::select_unpredictable;

use super::Tlsf;
use super::bins::{BIN_COUNT, Bins, bin_of, first_bin_all_at_least};
use super::node::{NONE, Node, NodeIndex};

/// How many nodes of one bin are looked at for a tight fit. With four blocks are filled no better,
/// with two a little worse.
const NODES_LOOKED_AT: usize = 3;

/// How many bins that may hold a request are looked at before one that surely does.
const BINS_LOOKED_AT: usize = 2;

impl Node {
    /// Where `units` at a multiple of `alignment` units would start, if this node has room for them.
    #[inline]
    pub(super) fn start(&self, units: u32, alignment: u32) -> Option<u32> {
        // The alignment is a power of two, so this rounds up without a division. No overflow: offsets
        // are below 2^31, and the alignment is at most 2^31.
        let (from, size) = self.free_extent();
        let offset = (from + (alignment - 1)) & !(alignment - 1);
        let room = size.checked_sub(offset - from)?;
        (room >= units).then_some(offset)
    }
}

impl Tlsf {
    /// Finds a free node for `units`, at least 1, at any offset; answers it and its bin. `bins` are those of
    /// `units`.
    ///
    /// Whether the bin of the size itself has a node that is large enough, and which of the first few is
    /// the tightest, cannot be predicted, so all is found out without branches.
    #[inline(always)]
    pub(super) fn find(&self, units: u32, bins: Bins) -> Option<(NodeIndex, usize)> {
        let Bins { own, sure } = bins;
        // Only the bin of the size itself may have nodes that are smaller.
        let index = if own < sure {
            self.tightest_of_three(own, units)
        } else {
            self.nodes.first_or_none(own)
        };
        let above = self.nodes.map().first_from(sure).unwrap_or(0);
        let is_own = index != NONE;
        let bin = select_unpredictable(is_own, own, above);
        // The first node of bin 0, which is no size's, means nothing.
        let index = select_unpredictable(is_own, index, self.nodes.first_or_none(above));
        (bin != 0).then_some((index, bin))
    }

    /// The tightest fit for `units` among the first three nodes of a bin, the first of several; or
    /// [`NONE`].
    #[inline(always)]
    fn tightest_of_three(&self, bin: usize, units: u32) -> NodeIndex {
        // Behind the last node there is `NONE`, which has no units and is followed by itself.
        let first = self.nodes.first_or_none(bin);
        let (first_size, second) = (self.nodes[first].size(), self.nodes[first].next_free);
        let (second_size, third) = (self.nodes[second].size(), self.nodes[second].next_free);
        let third_size = self.nodes[third].size();
        // What is too small has a very large rest: sizes are below 2^31.
        let rest = |size: u32| size.wrapping_sub(units);
        let tighter = |(one, one_rest), (other, other_rest)| {
            let is_other = other_rest < one_rest;
            let index = select_unpredictable(is_other, other, one);
            (index, select_unpredictable(is_other, other_rest, one_rest))
        };
        let best = tighter((first, rest(first_size)), (second, rest(second_size)));
        let (index, rest) = tighter(best, (third, rest(third_size)));
        select_unpredictable(rest < 1 << 31, index, NONE)
    }

    /// Finds a free node for `units` at a multiple of `alignment` units.
    pub(super) fn find_aligned(&self, units: u32, alignment: u32) -> Option<NodeIndex> {
        let mut bin = bin_of(units);
        let sure = units.checked_add(alignment - 1).map_or(BIN_COUNT, first_bin_all_at_least);
        for _ in 0..BINS_LOOKED_AT {
            bin = self.nodes.map().first_from(bin)?;
            if bin >= sure {
                break;
            }
            let tightest = self.tightest_of(bin, units, alignment);
            if tightest.is_some() {
                return tightest;
            }
            bin += 1;
        }
        let first = self.nodes.first(self.nodes.map().first_from(bin.max(sure))?)?;
        self.nodes[first].start(units, alignment).map(|_| first)
    }

    /// The tightest fit among the first nodes of a bin.
    #[inline(never)]
    fn tightest_of(&self, bin: usize, units: u32, alignment: u32) -> Option<NodeIndex> {
        self.tightest_among(NODES_LOOKED_AT, bin, units, alignment)
    }

    /// The tightest fit among the first `count` nodes of a bin.
    #[inline]
    pub(super) fn tightest_among(
        &self,
        count: usize,
        bin: usize,
        units: u32,
        alignment: u32,
    ) -> Option<NodeIndex> {
        let (mut best, mut best_size) = (None, u32::MAX);
        let mut index = self.nodes.first(bin);
        for _ in 0..count {
            let Some(looked_at) = index else { break };
            let node = &self.nodes[looked_at];
            if node.size() < best_size && node.start(units, alignment).is_some() {
                (best, best_size) = (index, node.size());
                if best_size == units {
                    break;
                }
            }
            index = node.next_in_list();
        }
        best
    }
}
