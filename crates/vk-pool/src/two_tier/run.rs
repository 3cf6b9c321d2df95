//! What is in a slot of a span.

#[cfg(test)]
mod tests;

use core::hint::cold_path;

/// No run: where lists end. The run of this number is there to be written, so that nothing asks whether a run
/// has neighbours; it is never unused.
pub(super) const NO_RUN: u32 = 0;

/// log2 of the pieces that a run has at most: a word has a bit for each.
pub(super) const MOST_PIECES_LOG: u32 = u64::BITS.ilog2();

/// In place of the order, if pieces of the run may be of higher orders, too.
const MIXED: u8 = u8::MAX;

/// In its place, if there are none.
const NO_ORDER: u8 = u8::MAX - 1;

/// A stretch that is cut into pieces of one order: a slot, or a span, whose pieces are slots.
///
/// Bits count pieces from the start on.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Run {
    /// Pieces that nobody has.
    free: u64,
    /// Where a piece starts that a user has. Of the others that are not free, each is a run of its own.
    live: u64,
    /// Where it starts in the block, in minimum blocks.
    start: u32,
    /// The neighbours in the list of the order. While no piece is free there is no previous one, and the next
    /// means nothing.
    pub(super) previous: u32,
    pub(super) next: u32,
    order: u8,
    /// The order that all pieces have, or [`MIXED`].
    order_of_all: u8,
    /// Of that order, free or not; at most 64.
    piece_count: u8,
    /// Of a slot: how far it is behind its span's run. Of a span: its slots that are runs in which something
    /// lives. At most 64 both.
    pub(super) behind_or_used: u8,
}

impl Run {
    /// Nothing.
    pub(super) const VACANT: Self = Self {
        free: 0,
        live: 0,
        start: 0,
        previous: NO_RUN,
        next: NO_RUN,
        order: 0,
        order_of_all: 0,
        piece_count: 0,
        behind_or_used: 0,
    };

    /// What [`NO_RUN`] names.
    pub(super) const NONE: Self = Self { live: 1, order_of_all: NO_ORDER, ..Self::VACANT };

    /// A run of `1 << count_log` pieces, at most 64, that are all free.
    pub(super) fn of_pieces(start: u32, order: u32, count_log: u32) -> Self {
        // Orders are below 32.
        let order = order.to_le_bytes()[0];
        let free = low_bits(1 << count_log);
        Self {
            free,
            start,
            order,
            order_of_all: order,
            piece_count: 1 << count_log,
            ..Self::VACANT
        }
    }

    /// Of its pieces.
    pub(super) fn order(&self) -> u32 {
        self.order.into()
    }

    /// Where it starts in the block, in minimum blocks.
    pub(super) fn start(&self) -> u32 {
        self.start
    }

    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.free == 0
    }

    /// Whether no user has a piece of it.
    #[inline(always)]
    pub(super) fn is_unused(&self) -> bool {
        self.live == 0
    }

    /// Whether it is no run.
    pub(super) fn is_vacant(&self) -> bool {
        self.is_full() && self.is_unused()
    }

    /// Whether nothing lives in it, a span: neither a slot nor a piece of one.
    #[inline]
    pub(super) fn is_empty_span(&self) -> bool {
        self.behind_or_used == 0 && self.is_unused()
    }

    /// Whether one piece is live, and no other.
    #[inline]
    pub(super) fn has_one(&self) -> bool {
        self.live.is_power_of_two()
    }

    /// All its pieces are of one order, which makes them quicker to give back.
    fn make_plain(&mut self) {
        self.order_of_all = self.order;
    }

    /// Takes the lowest free piece, of which there is one, of a run of that order; answers where it starts in
    /// the block.
    #[inline(always)]
    pub(super) fn take(&mut self, order: u32) -> u32 {
        let nth = self.free.trailing_zeros();
        self.live |= 1 << (nth % u64::BITS);
        // The lowest bit.
        self.free &= self.free.wrapping_sub(1);
        self.start + (nth << order)
    }

    /// Takes the lowest free piece, of which there is one, for a run of its own; answers its number and where
    /// it starts in the block.
    pub(super) fn take_for_run(&mut self) -> (u32, u32) {
        let nth = self.free.trailing_zeros();
        self.free &= self.free.wrapping_sub(1);
        (nth, self.start + (nth << self.order))
    }

    /// Gives back a piece that was a run.
    pub(super) fn give_of_run(&mut self, nth: u32) {
        self.free |= 1 << nth;
    }

    /// Whether a user has this piece.
    pub(super) fn is_live(&self, nth: u32) -> bool {
        self.live >> nth & 1 != 0
    }

    /// Where the live piece of this number starts in the block, and the order of all.
    pub(super) fn live_at(&self, nth: u32) -> Option<(u32, u32)> {
        self.is_live(nth).then(|| (self.start + (nth << self.order), self.order.into()))
    }

    /// The pieces that nobody has, as bits.
    pub(super) fn free(&self) -> u64 {
        self.free
    }

    /// Takes the lowest `1 << log` free pieces that are aligned to as many, as one piece or as the first of
    /// them alone; answers where it starts in the block.
    pub(super) fn take_aligned(&mut self, log: u32, is_one: bool) -> Option<u32> {
        let found = groups(self.free, log);
        let nth = (found != 0).then(|| found.trailing_zeros())?;
        self.live |= 1 << nth;
        if is_one {
            self.free &= !(low_bits(1 << log) << nth);
            self.order_of_all = MIXED;
        } else {
            self.free &= !(1 << nth);
        }
        Some(self.start + (nth << self.order))
    }

    /// Gives back the live piece of an order that starts there. `None`, and nothing has changed, if there is
    /// none.
    #[inline(always)]
    pub(super) fn give(&mut self, start: u32, order: u32) -> Option<()> {
        if u32::from(self.order_of_all) != order {
            cold_path();
            return self.give_mixed(start, order);
        }
        let within = start.wrapping_sub(self.start);
        let nth = within >> (order % u32::BITS);
        let is_start = (nth << (order % u32::BITS) == within) & (nth < u64::BITS);
        let bit = 1 << (nth % u64::BITS);
        if !is_start | (self.live & bit == 0) {
            return None;
        }
        self.live ^= bit;
        self.free |= bit;
        Some(())
    }

    /// [`give`](Self::give) where pieces may be of higher orders than the run's.
    #[cold]
    #[inline(never)]
    fn give_mixed(&mut self, start: u32, order: u32) -> Option<()> {
        let log = order.checked_sub(self.order.into())?;
        let nth = start.wrapping_sub(self.start) >> self.order;
        let is_run = self.order_of_all == MIXED && log <= MOST_PIECES_LOG && nth < u64::BITS;
        if !is_run || nth << self.order != start.wrapping_sub(self.start) {
            return None;
        }
        if self.live & 1 << nth == 0 || self.count_at(nth) != 1 << log {
            return None;
        }
        self.live ^= 1 << nth;
        self.free |= low_bits(1 << log) << nth;
        if (self.live | self.free).count_ones() == u32::from(self.piece_count) {
            self.make_plain();
        }
        Some(())
    }

    /// Pieces of the run's order that the live one at `nth` has.
    fn count_at(&self, nth: u32) -> u32 {
        if self.order_of_all != MIXED {
            return 1;
        }
        // Up to the next one that is free or starts a live one, or to the end. Shifted by less than 64.
        let others = (self.live | self.free) >> nth >> 1;
        (1 + others.trailing_zeros()).min(u32::from(self.piece_count) - nth)
    }

    /// Cuts its pieces into those of a lower order: the free ones are as many free ones then, and the live ones are
    /// pieces of a higher order.
    pub(super) fn refine(&mut self, order: u32) {
        let log = self.order() - order;
        let (mut free, mut live) = (0, 0);
        for nth in 0..u32::from(self.piece_count) {
            let start = nth << log;
            free |= if self.free >> nth & 1 != 0 { low_bits(1 << log) << start } else { 0 };
            live |= (self.live >> nth & 1) << start;
        }
        (self.free, self.live) = (free, live);
        // Orders are below 32, and a slot has at most 64 pieces of the lowest.
        (self.order, self.order_of_all) = (order.to_le_bytes()[0], MIXED);
        self.piece_count <<= log;
    }

    /// Where the live pieces start in the block, and their orders.
    pub(super) fn live(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..u64::BITS).filter(|&nth| self.is_live(nth)).map(|nth| {
            let order = self.order() + self.count_at(nth).ilog2();
            (self.start + (nth << self.order), order)
        })
    }
}

/// The lowest bits, at least 1 and at most 64.
#[inline]
fn low_bits(count: u32) -> u64 {
    u64::MAX >> (u64::BITS - count)
}

/// Bit `n` is set iff the `1 << log` bits from there on are set, and `n` is a multiple of as many; `log` is at
/// most 6.
#[inline]
pub(super) fn groups(bits: u64, log: u32) -> u64 {
    // A bit for each pair, for each four, and so on.
    const ALIGNED: [u64; 7] = [
        u64::MAX,
        0x5555_5555_5555_5555,
        0x1111_1111_1111_1111,
        0x0101_0101_0101_0101,
        0x0001_0001_0001_0001,
        0x0000_0001_0000_0001,
        1,
    ];
    let all = (0..log).fold(bits, |bits, log| bits & bits >> (1 << log));
    all & ALIGNED[log as usize]
}
