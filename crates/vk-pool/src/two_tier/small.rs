//! Small requests: pieces of runs, and of whole slots.
//!
//! Basic design: a slab allocator (Bonwick, "The Slab Allocator", 1994; runs as in Evans, "A Scalable
//! Concurrent malloc(3) Implementation", 2006). A run with a free piece is open, and hangs in the list of its
//! order; whoever asks for that order gets the lowest free piece of the first run of the list. Nothing is split
//! or merged piece by piece: a run whose last piece was freed gives its slot back as a whole. It is kept if it
//! is the only open one of its order, as somebody may be about to ask for that; so an unused run is always
//! alone in its list.

use core::hint::select_unpredictable;

use super::run::{NO_RUN, Run};
use super::{IN_SPAN, ORDER_BITS, ORDERS, TwoTier, is_small};
use crate::Piece;

/// Open runs of an order that are looked at for a piece which is not just any of their order.
const RUNS_LOOKED_AT: usize = 4;

impl TwoTier {
    #[inline]
    pub(super) fn is_small(&self, size: u64, alignment: u64) -> bool {
        self.span_size > 0 && is_small(size, alignment, self.min_block_size)
    }

    /// Takes room for a small request wherever spans may have it: a piece of an order that is aligned as one of the
    /// order `aligned`, the same or a higher one.
    #[cold]
    #[inline(never)]
    pub(super) fn allocate_small(&mut self, order: u32, aligned: u32) -> Option<Piece> {
        if self.small_room == 0 && self.tlsf.room() < self.span_bin {
            return None;
        }
        if let Some(piece) = self.take_tight(order, aligned) {
            return Some(piece);
        }
        if self.release_unused() || self.new_span().is_some() {
            let piece = self.take_tight(order, aligned);
            if piece.is_some() {
                return piece;
            }
        }
        let of_its_alignment = if order == aligned { None } else { self.take_small(aligned) };
        of_its_alignment
            .or_else(|| self.take_several(aligned))
            .or_else(|| self.take_larger(aligned))
    }

    /// Takes a piece of an order that is aligned as one of the order `aligned`, the same or a higher one.
    fn take_tight(&mut self, order: u32, aligned: u32) -> Option<Piece> {
        if order == aligned {
            return self.take_small(order);
        }
        for index in self.open_runs(order) {
            if let Some(start) = self.runs[index as usize].take_aligned(aligned - order, false) {
                return Some(self.taken_out(index, order, start));
            }
        }
        // The first piece of a slot is aligned to the largest small alignment.
        let index = self.open_run(order)?;
        Some(self.take_first(index, order))
    }

    /// Takes several pieces of a lower order that lie where one of this order might.
    fn take_several(&mut self, order: u32) -> Option<Piece> {
        // Of a slot's order there are none: a run that is free as a whole is unused, and released.
        let lower_orders = if order < self.slot_order { 0..order } else { 0..0 };
        for lower in lower_orders.rev() {
            for index in self.open_runs(lower) {
                if let Some(start) = self.runs[index as usize].take_aligned(order - lower, true) {
                    return Some(self.taken_out(index, order, start));
                }
            }
        }
        None
    }

    /// Takes a piece out of one of a higher order, whose run has pieces of this order from then on.
    fn take_larger(&mut self, order: u32) -> Option<Piece> {
        // Not of a slot's order, whose runs are spans: with a free slot there would be room.
        let below_slots = (1 << self.slot_order) - 1;
        let above = self.open_orders & below_slots & u64::MAX.checked_shl(order + 1).unwrap_or(0);
        let higher = (above != 0).then(|| above.trailing_zeros())?;
        let index = self.open[higher as usize % ORDERS];
        self.unlink(index);
        self.runs[index as usize].refine(order);
        self.link(index);
        Some(self.take_first(index, order))
    }

    /// The first few open runs of an order; [`NO_RUN`] where there are fewer.
    fn open_runs(&self, order: u32) -> [u32; RUNS_LOOKED_AT] {
        let mut index = self.open[order as usize % ORDERS];
        core::array::from_fn(|_| {
            let run = index;
            if run != NO_RUN {
                index = self.runs[run as usize].next;
            }
            run
        })
    }

    /// Takes a piece of an order of a span that lies in the block; `None`, and nothing has changed, if there is
    /// neither one of an open run nor a free slot.
    #[inline(always)]
    pub(crate) fn take_small(&mut self, order: u32) -> Option<Piece> {
        let index = match self.open.get(order as usize) {
            Some(&index) if index != NO_RUN => index,
            _ => self.open_run(order)?,
        };
        Some(self.take_first(index, order))
    }

    /// Makes a free slot a run of an order, the first of its list; or, for the order of a slot, opens the span
    /// that is kept.
    #[inline(never)]
    fn open_run(&mut self, order: u32) -> Option<u32> {
        if order > self.slot_order {
            return None;
        }
        let span_run = match self.open[self.slot_order as usize % ORDERS] {
            NO_RUN => self.open_kept_span()?,
            first => first,
        };
        if order == self.slot_order {
            return Some(span_run);
        }
        let (slot, start) = self.runs[span_run as usize].take_for_run();
        if self.runs[span_run as usize].is_full() {
            self.unlink(span_run);
        }
        let index = span_run + 1 + slot;
        let run = &mut self.runs[index as usize];
        *run = Run::of_pieces(start, order, self.slot_order - order);
        // At most 64 slots.
        run.behind_or_used = (1 + slot).to_le_bytes()[0];
        self.link(index);
        Some(index)
    }

    /// Takes a piece of the first run of the list of an order.
    #[inline(always)]
    fn take_first(&mut self, index: u32, order: u32) -> Piece {
        let run = &mut self.runs[index as usize];
        let was_unused = run.is_unused();
        let start = run.take(order);
        // Whether it was the last one cannot be guessed, so the same is written if it was not.
        let first = select_unpredictable(run.is_full(), run.next, index);
        self.open[order as usize % ORDERS] = first;
        self.runs[first as usize].previous = NO_RUN;
        self.open_orders &= !(u64::from(first == NO_RUN) << order);
        self.note_small_room();
        if was_unused {
            self.used(index);
        }
        self.taken(index, order, start)
    }

    /// A piece of this order was taken out of the middle of a run.
    fn taken_out(&mut self, index: u32, order: u32, start: u32) -> Piece {
        let run = &self.runs[index as usize];
        let is_used_now = run.has_one();
        if run.is_full() {
            self.unlink(index);
        }
        if is_used_now {
            self.used(index);
        }
        self.taken(index, order, start)
    }

    /// The piece of an order that was taken, counted.
    #[inline(always)]
    fn taken(&mut self, index: u32, order: u32, start: u32) -> Piece {
        let log = self.min_block_log;
        // No overflow: the piece lies in the block.
        let (offset, size) = (u64::from(start) << log, 1 << (log + order));
        self.allocation_count += 1;
        self.size_in_spans += size;
        Piece { offset, size, node: IN_SPAN | index << ORDER_BITS | order }
    }

    /// Gives back a small piece; answers its bytes, and whether a span may have ended. `None`, and nothing has
    /// changed, if it is not live.
    #[inline(always)]
    pub(crate) fn give_small(&mut self, offset: u64, node: u32) -> Option<(u64, bool)> {
        let index = (node & !IN_SPAN) >> ORDER_BITS;
        let order = node & ((1 << ORDER_BITS) - 1);
        let log = self.min_block_log;
        let start = u32::try_from(offset >> log).ok()?;
        let run = self.runs.get_mut(index as usize)?;
        if u64::from(start) << log != offset {
            return None;
        }
        let was_full = run.is_full();
        run.give(start, order)?;
        // No overflow: it was one of a block's.
        let size = 1 << (log + order);
        self.allocation_count -= 1;
        self.size_in_spans -= size;
        let is_unused = run.is_unused();
        // A piece of several has the order of a run of the list all the same.
        let list = run.order() as usize % ORDERS;
        // Whether it was full cannot be guessed, so the same is written if it was not.
        let first = self.open[list];
        run.next = select_unpredictable(was_full, first, run.next);
        self.open[list] = select_unpredictable(was_full, index, first);
        self.open_orders |= 1 << list;
        let behind = select_unpredictable(was_full, first, NO_RUN);
        let behind_run = &mut self.runs[behind as usize];
        behind_run.previous = index;
        let is_behind_unused = behind_run.is_unused();
        // Orders are below 32.
        self.small_room = self.small_room.max(list.to_le_bytes()[0] + 1);
        if is_behind_unused {
            self.release(behind);
        }
        Some((size, is_unused && self.run_emptied(index)))
    }

    /// The last live piece of a run was given back; answers whether a span may have ended.
    #[inline(never)]
    fn run_emptied(&mut self, index: u32) -> bool {
        let run = self.runs[index as usize];
        if run.previous != NO_RUN || run.next != NO_RUN {
            self.release(index);
        }
        self.unused(index, run)
    }

    /// Gives the slot of an unused run back; a span stays.
    #[inline(never)]
    pub(super) fn release(&mut self, index: u32) {
        let run = self.runs[index as usize];
        if run.order() < self.slot_order {
            self.unlink(index);
            self.runs[index as usize] = Run::VACANT;
            let behind = u32::from(run.behind_or_used);
            let span = &mut self.runs[(index - behind) as usize];
            let was_full = span.is_full();
            span.give_of_run(behind - 1);
            if was_full {
                self.link(index - behind);
            }
        }
    }

    /// Gives the slots of all unused runs back; answers whether there was any.
    fn release_unused(&mut self) -> bool {
        let firsts = self.open;
        firsts[..self.slot_order as usize].iter().fold(false, |any, &first| {
            let is_unused = self.runs[first as usize].is_unused();
            if is_unused {
                self.release(first);
            }
            any | is_unused
        })
    }

    /// Puts an open run in front of the list of its order.
    pub(super) fn link(&mut self, index: u32) {
        let list = self.runs[index as usize].order() as usize % ORDERS;
        let first = core::mem::replace(&mut self.open[list], index);
        self.open_orders |= 1 << list;
        self.runs[first as usize].previous = index;
        let run = &mut self.runs[index as usize];
        (run.previous, run.next) = (NO_RUN, first);
        self.note_small_room();
    }

    /// Takes a run out of the list of its order.
    pub(super) fn unlink(&mut self, index: u32) {
        let run = self.runs[index as usize];
        let list = run.order() as usize % ORDERS;
        self.runs[run.previous as usize].next = run.next;
        self.runs[run.next as usize].previous = run.previous;
        if run.previous == NO_RUN {
            self.open[list] = run.next;
            self.open_orders &= !(u64::from(run.next == NO_RUN) << list);
        }
        self.runs[index as usize].previous = NO_RUN;
        self.note_small_room();
    }

    /// Has an open run of a span around this offset be looked at first.
    pub(crate) fn prefer(&mut self, at: u32, offset: u64) {
        let run = self.run_at(at, offset);
        if let Some(index) = run.filter(|&index| !self.runs[index as usize].is_full()) {
            self.unlink(index);
            self.link(index);
        }
    }
}
