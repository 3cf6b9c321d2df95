//! The spans of a block: made, carved, emptied, ended.

use buddy_core::BuddyAllocator;

use super::loose::LoosePiece;
use super::{IN_SPAN, ORDER_BITS, TwoTier, is_small, order_for, search_order};
use crate::Piece;
use crate::tlsf::TlsfBlock;

/// A stretch that buddies carve.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) buddy: BuddyAllocator,
    /// Where it lies in the block; `None` while it is vacant.
    pub(super) place: Option<TlsfBlock>,
    /// Live pieces; loose ones are none.
    pub(super) live_count: u32,
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
        // What is aligned to more than its own size is taken out of a larger piece, which is cut to size.
        let is_usual = alignment <= size.max(self.min_block_size);
        match is_usual.then(|| self.loose.pop(order)).flatten() {
            Some(LoosePiece { start, span }) => {
                self.spans[span as usize].live_count += 1;
                Some(self.small_piece(u64::from(start) << self.min_block_log(), span, order))
            }
            None => self.carve(order, size, alignment, is_usual),
        }
    }

    /// [`allocate_small`](Self::allocate_small) where no piece of the order is loose.
    #[inline]
    fn carve(&mut self, order: u32, size: u64, alignment: u64, is_usual: bool) -> Option<Piece> {
        let index = match self.rooms.first_from(order as usize) {
            Some(index) => index,
            None => self.span_with_room(order)?,
        };
        let span = &mut self.spans[index as usize];
        let place = span.place.expect("a listed span lies in the block");
        let (offset, order) = if is_usual {
            (span.buddy.allocate_order(order)?, order)
        } else {
            span.allocate_aligned(size, alignment)?
        };
        span.live_count += 1;
        let room = span.room();
        self.rooms.put(index, room);
        if self.empty == Some(index) {
            self.empty = None;
        }
        Some(self.small_piece(place.offset + offset, index, order))
    }

    /// Counts a small piece that was taken.
    #[inline]
    fn small_piece(&mut self, offset: u64, span: u32, order: u32) -> Piece {
        // No overflow: the piece lies in a span.
        let size = self.min_block_size << order;
        self.counted(Piece { offset, size, node: IN_SPAN | span << ORDER_BITS | order })
    }

    #[inline(always)]
    pub(super) fn free_small(&mut self, offset: u64, node: u32) -> Option<u64> {
        let index = node >> ORDER_BITS;
        let order = node & ((1 << ORDER_BITS) - 1);
        let start = u32::try_from(offset >> self.min_block_log()).ok()?;
        let span = self.spans.get_mut(index as usize)?;
        let in_span = offset.checked_sub(span.place?.offset)?;
        if !span.buddy.is_allocated(in_span, order) || self.loose.contains(order, start) {
            return None;
        }
        // No underflow: it is one of them.
        span.live_count -= 1;
        if span.live_count == 0 || !self.loose.push(order, LoosePiece { start, span: index }) {
            self.give_to_span(index, in_span, order);
        }
        // No overflow: the block lay in the span.
        Some(self.min_block_size << order)
    }

    /// Gives a piece back to the buddies of its span; with the last one that lived there, its loose ones.
    #[inline(never)]
    fn give_to_span(&mut self, index: u32, in_span: u64, order: u32) {
        let min_block_log = self.min_block_log();
        let span = &mut self.spans[index as usize];
        let mut is_whole = span.buddy.free_order(in_span, order);
        if span.live_count == 0 {
            let place = span.place.expect("what lay in it was live until now");
            while let Some((order, piece)) = self.loose.pop_of_span(index) {
                let start = u64::from(piece.start) << min_block_log;
                // No underflow: it lies in the span.
                is_whole &= span.buddy.free_order(start - place.offset, order);
            }
        }
        debug_assert!(is_whole, "live and loose pieces are taken in their span");
        let room = span.room();
        let emptied = span.buddy.is_empty();
        self.rooms.put(index, room);
        if emptied {
            let _ = self.give_empty_span_back();
            self.empty = Some(index);
        }
    }

    /// A span with room for an order, where none is listed: that of a loose piece of a higher order, or a
    /// new one, or what comes of all loose pieces.
    #[cold]
    fn span_with_room(&mut self, order: u32) -> Option<u32> {
        if let Some((above, piece)) = self.loose.pop_above(order) {
            self.give_loose_back(above, piece);
            return self.rooms.first_from(order as usize);
        }
        let new = self.new_span();
        if new.is_some() {
            return new;
        }
        while let Some((below, piece)) = self.loose.pop_any() {
            self.give_loose_back(below, piece);
        }
        self.rooms.first_from(order as usize)
    }

    /// Gives a loose piece back to the buddies of its span, in which others live.
    fn give_loose_back(&mut self, order: u32, piece: LoosePiece) {
        let place = self.spans[piece.span as usize].place;
        let place = place.expect("others live in the span");
        // No underflow: it lies in the span.
        let in_span = (u64::from(piece.start) << self.min_block_log()) - place.offset;
        self.give_to_span(piece.span, in_span, order);
    }

    /// Whether a small piece of this offset and size is loose.
    pub(super) fn is_loose(&self, offset: u64, size: u64) -> bool {
        // Both are powers of two, and a piece has at least one minimum block.
        let order = size.trailing_zeros() - self.min_block_log();
        u32::try_from(offset >> self.min_block_log())
            .is_ok_and(|start| self.loose.contains(order, start))
    }

    /// Whether the buddies of its span have a piece as taken. For tests.
    pub(super) fn is_taken(&self, order: u32, piece: LoosePiece) -> bool {
        let span = &self.spans[piece.span as usize];
        let start = u64::from(piece.start) << self.min_block_log();
        let in_span = span.place.and_then(|place| start.checked_sub(place.offset));
        in_span.is_some_and(|in_span| span.buddy.is_allocated(in_span, order))
    }

    /// log2 of the bytes of a minimum block.
    #[inline]
    fn min_block_log(&self) -> u32 {
        self.min_block_size.trailing_zeros()
    }

    /// Makes the books of a span that is no part of the block yet; answers its index.
    pub(super) fn add_span(&mut self) -> u32 {
        let buddy = BuddyAllocator::new(self.span_size, self.min_block_size);
        let buddy = buddy.expect("a span is a power of two of minimum blocks, by `span_size`");
        self.spans.push(Span { buddy, place: None, live_count: 0 });
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
        self.note_small_room();
        self.tlsf.free_reserved(place);
        Some(())
    }
}
