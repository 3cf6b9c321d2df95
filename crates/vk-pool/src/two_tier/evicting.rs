//! What a plan of evictions has to know of a block of both tiers, and how it is carried out.

use alloc::vec::Vec;

use super::run::Run;
use super::{TwoTier, order_for};
use crate::Piece;
use crate::tlsf::TlsfBlock;

/// A span that lies in the block.
#[derive(Clone, Copy)]
pub(crate) struct SpanAt<'a> {
    /// Its number.
    pub(crate) at: u32,
    own: &'a Run,
    slots: &'a [Run],
}

impl TwoTier {
    /// The pieces of the segregated fit in address order, each as the span that it is, if it is one. The
    /// empty span that is kept is left out, as [`allocate_at`](Self::allocate_at) gives it back.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (TlsfBlock, Option<SpanAt<'_>>)> + '_ {
        let numbered = (0u32..).zip(&self.places);
        let mut spans: Vec<(u64, u32)> =
            numbered.filter_map(|(at, place)| Some(((*place)?.offset, at))).collect();
        spans.sort_unstable();
        let stretches = self.tlsf.taken_blocks().map(move |block| {
            let span = spans.binary_search_by_key(&block.offset, |&(offset, _)| offset).ok();
            (block, span.map(|at| self.span_at(spans[at].1)))
        });
        stretches.filter(|(_, at)| at.is_none_or(|at| !at.own.is_empty_span()))
    }

    pub(super) fn span_at(&self, at: u32) -> SpanAt<'_> {
        let first = self.span_run(at);
        let runs = &self.runs[first as usize..(first + self.runs_each()) as usize];
        SpanAt { at, own: &runs[0], slots: &runs[1..] }
    }

    /// Offsets in the block and bytes of what lives in a span, in address order. Its unused runs go with the last of
    /// it, or before a request is refused.
    pub(crate) fn live_in<'a>(&self, at: SpanAt<'a>) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let log = self.min_block_log;
        let pieces = (0u32..).zip(at.slots).flat_map(|(slot, run)| {
            // What is in a slot that is no run is a piece, or nothing.
            at.own.live_at(slot).into_iter().chain(run.live())
        });
        pieces.map(move |(start, order)| (u64::from(start) << log, 1 << (log + order)))
    }

    /// Where the spans start and end, the empty one too.
    #[cfg(test)]
    pub(crate) fn span_ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let places = self.places.iter().flatten();
        places.map(|place| (place.offset, place.offset + place.size))
    }

    /// Bytes of the piece that a request takes in a span; `None` if it does not go to one.
    pub(crate) fn needed_in_span(&self, size: u64, alignment: u64) -> Option<u64> {
        let is_small = self.is_small(size, alignment);
        // No overflow: a span has room for it.
        is_small.then(|| self.min_block_size << order_for(size, alignment, self.min_block_size))
    }

    /// Bytes that the segregated fit hands out, spans included.
    pub(crate) fn total_size(&self) -> u64 {
        self.tlsf.total_size()
    }

    /// [`Tlsf::allocate_at`](crate::tlsf::Tlsf::allocate_at) in the tier of the larger pieces, whatever the
    /// size. `None`, and nothing has changed but that a kept empty span may be gone, if there is no such
    /// room.
    pub(crate) fn allocate_at(
        &mut self,
        offset: u64,
        size: u64,
        behind: Option<u32>,
    ) -> Option<Piece> {
        let _ = self.give_empty_span_back();
        let block = self.tlsf.allocate_at(offset, size, behind)?;
        self.allocation_count += 1;
        Some(block.into())
    }
}
