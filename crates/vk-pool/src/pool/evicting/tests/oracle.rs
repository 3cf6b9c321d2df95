//! The least that has to go for a request, found by trying every place there is.

use alloc::vec::Vec;

use super::{BLOCK, Bench, Frames, UNIT};
use crate::two_tier::SMALL_LIMIT;
use crate::{PoolRequest, ResourceKind, Suballocator};

/// The best there is: the latest frame, and the bytes.
pub(super) type Best = Option<(Option<u64>, u64)>;

impl Bench {
    /// The least that has to go, found by trying every place.
    pub(super) fn best(&self, request: &PoolRequest, frames: &Frames) -> Best {
        let config = self.pool.config();
        let granule = match request.kind {
            ResourceKind::Linear => 1,
            _ => config.buffer_image_granularity,
        };
        let granule = granule.max(config.atom_size);
        let size = (request.size + config.margin).next_multiple_of(granule);
        let alignment = request.alignment.max(granule);
        let pieces: Vec<_> =
            self.pool.live().map(|live| (live.slot, live.offset, live.size)).collect();
        let costs = self.pool.blocks.iter().flat_map(|(slot, block)| {
            let of_slot = |piece: &&(u32, u64, u64)| piece.0 == slot;
            let pieces: Vec<_> =
                pieces.iter().filter(of_slot).map(|piece| (piece.1, piece.2)).collect();
            let spans = spans_of(block.suballocator().expect("no block is dedicated"));
            let cost = |from: u64, size: u64| cost_of((slot, from, from + size), &pieces, frames);
            // What lies in a span that the stretch cuts goes as well.
            let cost_of_large = |from: u64| {
                let cut = spans.iter().filter(|span| from < span.1 && span.0 < from + size);
                let (start, end) = cut.fold((from, from + size), |(start, end), span| {
                    (start.min(span.0), end.max(span.1))
                });
                // Only what lies in the spans is between their ends and the stretch's.
                cost(start, end - start)
            };
            let large = (0..=BLOCK.saturating_sub(size.next_multiple_of(UNIT)))
                .step_by(usize::try_from(alignment.max(UNIT)).expect("small"))
                .filter(|_| size <= BLOCK)
                .filter_map(cost_of_large)
                .min();
            let is_small = size.max(alignment) <= SMALL_LIMIT;
            let buddy = size.max(alignment).max(UNIT).next_power_of_two();
            let small = spans
                .iter()
                .filter(|_| is_small)
                .flat_map(|span| (span.0..span.1).step_by(usize::try_from(buddy).expect("small")));
            let small = small.filter_map(|from| cost(from, buddy)).min();
            small.into_iter().chain(large).collect::<Vec<_>>()
        });
        costs.min()
    }
}

/// What pieces of a stretch cost that all may go.
fn cost_of(
    (slot, from, end): (u32, u64, u64),
    pieces: &[(u64, u64)],
    frames: &Frames,
) -> Option<(Option<u64>, u64)> {
    let overlap = pieces.iter().filter(|piece| from < piece.0 + piece.1 && piece.0 < end);
    let mut cost = (None, 0);
    for &(offset, size) in overlap {
        let frame = frames.get(&(slot, offset)).copied().flatten();
        cost = (cost.0.max(Some(frame?)), cost.1 + size);
    }
    Some(cost)
}

/// Where the spans lie.
pub(super) fn spans_of(suballocator: &Suballocator) -> Vec<(u64, u64)> {
    match suballocator {
        Suballocator::TwoTier(tiers) => tiers.span_ranges().collect(),
        _ => Vec::new(),
    }
}
