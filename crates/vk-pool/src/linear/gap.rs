//! Where the gap is, and where it moves.

use super::Linear;
use super::nodes::SENTINEL;

impl Linear {
    /// The largest piece that there is room for now.
    pub(super) fn room(&self) -> u64 {
        // The gap's start is at most its end.
        let gap = self.gap_end - self.gap_start;
        if self.may_wrap() { gap.max(self.nodes[self.oldest()].offset) } else { gap }
    }

    /// Where a piece would start in the gap; `below` is one less than its alignment.
    #[inline]
    pub(super) fn start_in_gap(&self, size: u64, below: u64) -> Option<u64> {
        let start = self.gap_start.checked_add(below)? & !below;
        (start.checked_add(size)? <= self.gap_end).then_some(start)
    }

    /// Whether the gap may move before the oldest piece: it lies behind all pieces, and there are some.
    fn may_wrap(&self) -> bool {
        self.kind.wraps() && !self.wrapped && self.high == SENTINEL && self.low != SENTINEL
    }

    /// The first piece in address order: the oldest, where the gap lies behind all pieces.
    pub(super) fn oldest(&self) -> u32 {
        self.nodes[SENTINEL].next
    }

    /// Moves the gap before the oldest piece, if a piece of `size` bytes then fits at offset 0, which
    /// satisfies any alignment.
    #[cold]
    pub(super) fn wrap(&mut self, size: u64) -> bool {
        let oldest = self.oldest();
        let room = self.nodes[oldest].offset;
        if !self.may_wrap() || size > room {
            return false;
        }
        self.wrapped = true;
        (self.low, self.high) = (SENTINEL, oldest);
        (self.gap_start, self.gap_end) = (0, room);
        true
    }

    /// Puts the gap behind all pieces, after those on one side of it have gone.
    #[cold]
    pub(super) fn unwrap_ring(&mut self) {
        self.wrapped = false;
        self.low = self.nodes[SENTINEL].previous;
        self.high = SENTINEL;
        self.gap_start = self.nodes[self.low].end;
        self.gap_end = self.total;
    }
}
