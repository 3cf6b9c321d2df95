//! Which sizes go to spans, and how large spans and their slots are.

use super::run::MOST_PIECES_LOG;
use crate::tlsf::bins::bin_of;

/// The largest request that goes to a span, in bytes: rounding up what is smaller costs about one per
/// cent of the memory of recorded programs, rounding up to 64 KiB would cost five. Where a minimum block has fewer
/// than 256 bytes it is 64 of these.
pub const SMALL_LIMIT: u64 = 16 << 10;

/// Bytes of a span in blocks that are large enough for several.
const LARGEST_SPAN: u64 = 256 << 10;

/// Slots of the smallest span that is worth its bookkeeping; blocks too small for four of them have none.
const FEWEST_SLOTS: u64 = 4;

/// The largest size and alignment that go to spans of such pieces, in bytes: those of a slot, which has at most
/// 64 pieces of the smallest size.
#[inline]
pub(crate) fn small_limit(min_allocation_size: u64) -> u64 {
    SMALL_LIMIT.min(min_allocation_size.saturating_mul(1 << MOST_PIECES_LOG))
}

/// Whether a request goes to a span, in blocks that have them.
#[inline]
pub(crate) fn is_small(size: u64, alignment: u64, min_allocation_size: u64) -> bool {
    size.max(alignment) <= small_limit(min_allocation_size)
}

/// The order of the pieces that surely hold a small request.
#[inline]
pub(crate) fn search_order(size: u64, alignment: u64, min_block_size: u64) -> usize {
    order_for(size, alignment, min_block_size) as usize
}

/// [`search_order`], as runs have it.
#[inline]
pub(super) fn order_for(size: u64, alignment: u64, min_block_size: u64) -> u32 {
    // The minimum blocks spanned, less one, have as many binary digits as the order that holds them. One
    // digit more is counted, so that there always is one; none is lost, as the request is small.
    let last = size.max(alignment).saturating_sub(1) >> min_block_size.trailing_zeros();
    (last << 1 | 1).ilog2()
}

/// The order of a piece of so many minimum blocks, at least 1.
#[inline]
pub(crate) fn order_of_units(units: u64) -> u32 {
    // As above.
    ((units - 1) << 1 | 1).ilog2()
}

/// The bin of a span of so many minimum blocks.
pub(super) fn bin_of_span(units: u64) -> u8 {
    // Fewer than 2^32, as blocks are.
    let bin = bin_of(u32::try_from(units).unwrap_or(u32::MAX));
    // There are 256 bins.
    bin.to_le_bytes()[0]
}

/// The order of a whole span of a block of so many bytes, if it has spans.
pub(crate) fn order_of_span(block_size: u64, min_allocation_size: u64) -> Option<usize> {
    let units = span_size(block_size, min_allocation_size).checked_div(min_allocation_size)?;
    Some(units.checked_ilog2()? as usize)
}

/// Whether a block of so many bytes has spans.
pub(crate) fn has_spans(block_size: u64, min_allocation_size: u64) -> bool {
    span_size(block_size, min_allocation_size) > 0
}

/// The order of a slot: as large as the largest small request.
pub(super) fn slot_order(min_allocation_size: u64) -> u32 {
    let pieces = small_limit(min_allocation_size) / min_allocation_size.max(1);
    pieces.checked_ilog2().unwrap_or(0)
}

/// Bytes of the spans of blocks that are large enough for several.
pub(crate) fn largest_span(min_allocation_size: u64) -> u64 {
    // A word has a bit for each slot.
    let of_slots =
        min_allocation_size.saturating_mul(u64::BITS.into()) << slot_order(min_allocation_size);
    LARGEST_SPAN.min(of_slots)
}

/// Bytes of the spans of a block; 0 for none.
pub(super) fn span_size(block_size: u64, min_allocation_size: u64) -> u64 {
    let quarter = (block_size / 4).checked_ilog2().map_or(0, |log| 1 << log);
    let size = largest_span(min_allocation_size).min(quarter);
    let is_too_small = size < FEWEST_SLOTS.saturating_mul(small_limit(min_allocation_size));
    if is_too_small || min_allocation_size > SMALL_LIMIT { 0 } else { size }
}
