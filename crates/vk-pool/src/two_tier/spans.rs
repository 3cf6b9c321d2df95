//! The spans of a block: made, carved, emptied, ended.

use buddy_core::BuddyAllocator;

use super::{IN_SPAN, ORDER_BITS, TwoTier, is_small, order_for, search_order};
use crate::Piece;
use crate::tlsf::TlsfBlock;

/// A stretch that buddies carve.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) buddy: BuddyAllocator,
    /// Where it lies in the block; `None` while it is vacant.
    pub(super) place: Option<TlsfBlock>,
}

impl Span {
    /// The order of its largest free block.
    #[inline]
    pub(super) fn room(&self) -> Option<u8> {
        // Below 64.
        Some(self.buddy.largest_free_order()?.to_le_bytes()[0])
    }

    /// Takes a piece that is aligned to more than its own size; answers its offset and order.
    #[cold]
    fn allocate_aligned(&mut self, size: u64, alignment: u64) -> Option<(u64, u32)> {
        let block = self.buddy.allocate_aligned(size, alignment).ok()?;
        // Both are powers of two, and a block has at least one minimum block.
        let order = block.size.trailing_zeros() - self.buddy.min_block_size().trailing_zeros();
        Some((block.offset, order))
    }
}

impl TwoTier {
    #[inline]
    pub(super) fn is_small(&self, size: u64, alignment: u64) -> bool {
        self.span_size > 0 && is_small(size, alignment)
    }

    /// The order of the free block that surely holds a small request.
    #[inline]
    pub(super) fn search_order(&self, size: u64, alignment: u64) -> usize {
        search_order(size, alignment, self.min_block_size)
    }

    #[inline]
    pub(super) fn allocate_small(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        let order = order_for(size, alignment, self.min_block_size);
        let index = match self.rooms.first_from(order as usize) {
            Some(index) => index,
            None => self.new_span()?,
        };
        let span = &mut self.spans[index as usize];
        let place = span.place.expect("a listed span lies in the block");
        let (offset, order) = if alignment <= size.max(self.min_block_size) {
            (span.buddy.allocate_order(order)?, order)
        } else {
            span.allocate_aligned(size, alignment)?
        };
        let room = span.room();
        self.rooms.put(index, room);
        if self.empty == Some(index) {
            self.empty = None;
        }
        // No overflow: the block lies in the span.
        let size = self.min_block_size << order;
        self.used += size;
        self.allocation_count += 1;
        Some(Piece {
            offset: place.offset + offset,
            size,
            node: IN_SPAN | index << ORDER_BITS | order,
        })
    }

    #[inline(always)]
    pub(super) fn free_small(&mut self, offset: u64, node: u32) -> Option<u64> {
        let index = node >> ORDER_BITS;
        let order = node & ((1 << ORDER_BITS) - 1);
        let span = self.spans.get_mut(index as usize)?;
        let offset = offset.checked_sub(span.place?.offset)?;
        if !span.buddy.free_order(offset, order) {
            return None;
        }
        let room = span.room();
        let emptied = span.buddy.is_empty();
        self.rooms.put(index, room);
        if emptied {
            let _ = self.give_empty_span_back();
            self.empty = Some(index);
        }
        // No overflow: the block lay in the span.
        Some(self.min_block_size << order)
    }

    /// Makes the books of a span that is no part of the block yet; answers its index.
    pub(super) fn add_span(&mut self) -> u32 {
        let buddy = BuddyAllocator::new(self.span_size, self.min_block_size);
        let buddy = buddy.expect("a span is a power of two of minimum blocks, by `span_size`");
        self.spans.push(Span { buddy, place: None });
        self.rooms.grow(self.spans.len());
        u32::try_from(self.spans.len() - 1).expect("a block has fewer than 2^26 spans")
    }

    /// Takes a span out of the segregated fit.
    #[cold]
    pub(super) fn new_span(&mut self) -> Option<u32> {
        let place = self.tlsf.allocate_reserved(self.span_size, self.span_size)?;
        let index = match self.vacant.pop() {
            Some(index) => index,
            None => self.add_span(),
        };
        let span = &mut self.spans[index as usize];
        span.place = Some(place);
        let room = span.room();
        self.rooms.put(index, room);
        self.empty = Some(index);
        Some(index)
    }

    /// Ends the span that is empty, if one is kept.
    #[inline(never)]
    pub(super) fn give_empty_span_back(&mut self) -> Option<()> {
        let index = self.empty.take()?;
        let place =
            self.spans[index as usize].place.take().expect("the kept span lies in the block");
        self.rooms.put(index, None);
        self.vacant.push(index);
        self.tlsf.free_reserved(place);
        Some(())
    }
}
