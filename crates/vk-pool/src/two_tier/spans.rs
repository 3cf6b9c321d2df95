//! The spans of a block: how they come, empty and are kept, and end.
//!
//! Basic design: a span is a run of slots. One in which nothing lives any more is kept, one at a time, so that one
//! allocation that comes and goes does not make and end a span each time.

use super::run::{NO_RUN, Run};
use super::{ORDERS, TwoTier};

/// Runs of a block at most, fewer than the numbers that a piece's node has room for: a mebibyte of books, of
/// which nothing is touched before it is used. With minimum blocks of 256 bytes they are those of spans of 480 MiB;
/// small pieces beyond that are placed like large ones.
const MOST_RUNS: usize = 1 << 15;

impl TwoTier {
    /// Something lives in a run where nothing did.
    #[inline(never)]
    pub(super) fn used(&mut self, index: u32) {
        let run = self.runs[index as usize];
        let was_empty = if run.order() == self.slot_order {
            run.behind_or_used == 0
        } else {
            let span = &mut self.runs[(index - u32::from(run.behind_or_used)) as usize];
            span.behind_or_used += 1;
            span.behind_or_used == 1 && span.is_unused()
        };
        if was_empty {
            // It was the one that is kept: no other lies there empty.
            self.set_empty(None);
        }
    }

    /// Nothing lives in a run any more, which may be released already; answers whether a span may have ended.
    #[inline]
    pub(super) fn unused(&mut self, index: u32, run: Run) -> bool {
        let is_span = run.order() == self.slot_order;
        let span_run = if is_span { index } else { index - u32::from(run.behind_or_used) };
        let span = &mut self.runs[span_run as usize];
        // No underflow: it was one of them.
        span.behind_or_used -= u8::from(!is_span);
        let is_empty = span.is_empty_span();
        if is_empty {
            self.span_emptied(span_run);
        }
        is_empty
    }

    /// Keeps the span in which nothing lives any more, and ends the one that was kept.
    ///
    /// The only span of a block keeps its unused runs, and stays open; of others they are released, so that
    /// spans in which something lives fill up first.
    #[inline(never)]
    fn span_emptied(&mut self, span_run: u32) {
        if self.places.len() - self.vacant.len() > 1 {
            let _ = self.give_empty_span_back();
            self.close_empty(span_run);
        }
        self.set_empty(Some(span_run));
    }

    /// Releases the runs of a span in which nothing lives, and closes it.
    fn close_empty(&mut self, span_run: u32) {
        let firsts = self.open;
        let runs = span_run..span_run + self.runs_each();
        for &first in &firsts[..self.slot_order as usize] {
            if self.runs[first as usize].is_unused() && runs.contains(&first) {
                self.release(first);
            }
        }
        if self.is_open(span_run) {
            self.unlink(span_run);
        }
    }

    /// Whether a run is in the list of its order.
    fn is_open(&self, index: u32) -> bool {
        let run = &self.runs[index as usize];
        run.previous != NO_RUN || self.open[run.order() as usize % ORDERS] == index
    }

    /// Opens the span that is kept, of which nothing is open; answers its run.
    #[cold]
    pub(super) fn open_kept_span(&mut self) -> Option<u32> {
        let index = self.empty?;
        // The only one may have an unused run in each slot.
        if self.runs[index as usize].is_full() {
            return None;
        }
        self.link(index);
        Some(index)
    }

    /// The order of a whole span.
    pub(super) fn whole_span(&self) -> u8 {
        // Below 64.
        (self.slot_order + self.slots_log).to_le_bytes()[0]
    }

    /// Asks for the host memory of as many spans as there may be in a block that has room for so many, so that
    /// no operation moves what the earlier ones have built up; nothing of it is touched before it is used.
    pub(super) fn foresee_spans(&mut self, room: u64) {
        let each = self.runs_each() as usize;
        let most = usize::try_from(room).unwrap_or(MOST_RUNS).min(MOST_RUNS / each);
        self.places.reserve_exact(most);
        self.vacant.reserve_exact(most);
        self.runs.reserve_exact(1 + most * each);
        self.runs.push(Run::NONE);
    }

    /// Takes a span out of the segregated fit, where none lies empty, to be kept until something lives there.
    #[cold]
    pub(super) fn new_span(&mut self) -> Option<()> {
        let is_last = self.vacant.is_empty() && self.places.len() == self.places.capacity();
        if is_last || self.tlsf.room() < self.span_bin {
            return None;
        }
        let place = self.tlsf.allocate_reserved(self.span_size, self.span_size)?;
        let at = self.vacant.pop().unwrap_or_else(|| self.add_span());
        let start = u32::try_from(place.offset >> self.min_block_log);
        let start = start.expect("a block has fewer than 2^31 units");
        let index = self.span_run(at);
        self.runs[index as usize] = Run::of_pieces(start, self.slot_order, self.slots_log);
        self.places[at as usize] = Some(place);
        self.set_empty(Some(index));
        Some(())
    }

    /// Adds a span that is no part of the block yet; answers its number.
    fn add_span(&mut self) -> u32 {
        self.places.push(None);
        self.runs.resize(1 + self.places.len() * self.runs_each() as usize, Run::VACANT);
        u32::try_from(self.places.len() - 1).expect("it has at least one run of fewer than 2^26")
    }

    /// Ends the span that is empty, if one is kept.
    #[inline(never)]
    pub(super) fn give_empty_span_back(&mut self) -> Option<()> {
        let index = self.empty?;
        self.set_empty(None);
        self.close_empty(index);
        self.runs[index as usize] = Run::VACANT;
        let at = (index - 1) / self.runs_each();
        let place = self.places[at as usize].take();
        self.vacant.push(at);
        self.tlsf.free_reserved(place.expect("the kept span lies in the block"));
        Some(())
    }

    /// Runs of a span: its own, and one for each slot behind that.
    pub(super) fn runs_each(&self) -> u32 {
        1 + (1 << self.slots_log)
    }

    /// The number of a span's own run.
    pub(super) fn span_run(&self, at: u32) -> u32 {
        1 + at * self.runs_each()
    }

    /// The run around an offset in the block, if a slot of that span is one there.
    pub(super) fn run_at(&self, at: u32, offset: u64) -> Option<u32> {
        let place = (*self.places.get(at as usize)?)?;
        let within = offset.checked_sub(place.offset).filter(|&within| within < self.span_size)?;
        let slot = u32::try_from(within >> self.min_block_log >> self.slot_order).ok()?;
        let index = self.span_run(at) + 1 + slot;
        (!self.runs[index as usize].is_vacant()).then_some(index)
    }
}
