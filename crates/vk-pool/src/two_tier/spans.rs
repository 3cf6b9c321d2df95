//! The spans of a block, and what lives in them.

use alloc::boxed::Box;
use alloc::vec;

use buddy_core::{Adjacent, BuddyAllocator, BuddyBlock, BuddyConfig, Owned};

use super::loose::LoosePiece;
use super::{IN_SPAN, LARGEST_SPAN, ORDER_BITS, TwoTier, is_small, order_for, search_order};
use crate::Piece;
use crate::tlsf::TlsfBlock;

/// As a power of two, so many pieces are split off at once: what one request is split off costs is then that
/// of several.
const CARVED_AT_ONCE_LOG: u32 = 2;

/// What carves a span: it has at most 2^18 minimum blocks, of a byte each. With the books of more orders, a
/// host's allocator takes several times as long for it, as it is beyond what that keeps at hand.
pub(super) type SpanBuddy = BuddyAllocator<Owned, { LARGEST_SPAN.ilog2() as usize + 1 }>;

/// A stretch that buddies carve.
// What most operations read, in one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Span {
    /// Where it starts in the block, in minimum blocks, unless it is vacant.
    pub(super) start: u32,
    /// Live pieces; loose ones are none.
    pub(super) live_count: u32,
    pub(super) books: SpanBooks,
    /// Where it lies in the block; `None` while it is vacant.
    pub(super) place: Option<TlsfBlock>,
}

/// What lives in a span.
#[derive(Debug)]
pub(super) struct SpanBooks {
    /// For each minimum block, one more than the order of the live piece that starts there; 0 for none.
    marks: Box<[u8]>,
    pub(super) buddy: Box<SpanBuddy>,
}

impl SpanBooks {
    /// Of an empty span.
    pub(super) fn new(span_size: u64, min_block_size: u64) -> Self {
        // What is freed waits as loose pieces, before the buddies.
        let config = BuddyConfig::new(span_size, min_block_size).with_waiting(false);
        let buddy = SpanBuddy::compact(config);
        let buddy = buddy.expect("a span is a power of two of minimum blocks, by `span_size`");
        let mark_count = usize::try_from(span_size / min_block_size);
        let marks = vec![0; mark_count.expect("a span has at most 256 KiB")].into_boxed_slice();
        Self { marks, buddy: Box::new(buddy) }
    }

    /// The buddies of an empty span of the same size: a copy is made sooner than the first.
    pub(super) fn other_buddy(&self) -> Box<SpanBuddy> {
        let mut buddy = self.buddy.clone();
        buddy.reset();
        buddy
    }

    /// Of an empty span of the same size, which these buddies carve.
    pub(super) fn another(&self, buddy: Box<SpanBuddy>) -> Self {
        Self { marks: vec![0; self.marks.len()].into_boxed_slice(), buddy }
    }
}

impl Span {
    pub(super) fn buddy(&self) -> &SpanBuddy {
        &self.books.buddy
    }

    /// The order of its largest free block.
    #[inline]
    pub(super) fn room(&self) -> Option<u8> {
        // Below 64.
        Some(self.books.buddy.largest_free_order()?.to_le_bytes()[0])
    }

    /// Where a piece that starts at a minimum block of the block starts in the span, in bytes.
    #[inline]
    fn offset_of(&self, start: u32) -> u64 {
        // No underflow: the piece lies in the span.
        u64::from(start - self.start) * self.books.buddy.min_block_size()
    }

    /// Puts a piece down as live; answers whether it is the first one.
    #[inline(always)]
    fn mark(&mut self, start: u32, order: u32) -> bool {
        self.live_count += 1;
        // Orders are below 32.
        self.books.marks[start.wrapping_sub(self.start) as usize] = order.to_le_bytes()[0] + 1;
        self.live_count == 1
    }

    /// Puts a live piece down as none; `None`, and nothing has changed, if it is not live.
    #[inline(always)]
    fn unmark(&mut self, start: u32, order: u32) -> Option<()> {
        let mark = self.books.marks.get_mut(start.wrapping_sub(self.start) as usize)?;
        if u32::from(*mark) != order + 1 {
            return None;
        }
        *mark = 0;
        // No underflow: it is one of them.
        self.live_count -= 1;
        Some(())
    }

    /// Offsets in the span and bytes of the live pieces, in address order.
    pub(super) fn live(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let log = self.books.buddy.min_block_size().trailing_zeros();
        let is_live = move |block: &BuddyBlock| {
            let start = usize::try_from(block.offset >> log);
            start.is_ok_and(|start| self.books.marks[start] > 0)
        };
        self.books.buddy.taken_blocks().filter(is_live).map(|block| (block.offset, block.size))
    }

    /// Takes a piece that is aligned to more than its own size; answers its offset and order.
    #[cold]
    fn allocate_aligned(&mut self, size: u64, alignment: u64) -> Option<(u64, u32)> {
        let block = self.books.buddy.allocate_aligned(size, alignment).ok()?;
        // Both are powers of two, and a block has at least one minimum block.
        let order =
            block.size.trailing_zeros() - self.books.buddy.min_block_size().trailing_zeros();
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

    #[cold]
    pub(super) fn allocate_small(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        let order = order_for(size, alignment, self.min_block_size);
        // What is aligned to more than its own size is taken out of a larger piece, which is cut to size.
        if order == order_for(size, 1, self.min_block_size) {
            if let Some(piece) = self.take_small(order) {
                return Some(piece);
            }
            self.span_with_room(order)?;
            return self.take_small(order);
        }
        let index = match self.rooms.first_from(order as usize) {
            Some(index) => index,
            None => self.span_with_room(order)?,
        };
        self.before_carving(index);
        let (offset, order) = self.spans[index as usize].allocate_aligned(size, alignment)?;
        let piece = self.carved(index, offset);
        Some(self.taken(piece, order))
    }

    /// Takes a piece of an order: a loose one, or of a span that has room; `None`, and nothing has changed,
    /// if there is neither.
    #[inline(always)]
    pub(crate) fn take_small(&mut self, order: u32) -> Option<Piece> {
        let piece = match self.loose.pop(order) {
            Some(piece) => piece,
            None => self.carve(order)?,
        };
        Some(self.taken(piece, order))
    }

    /// Has the buddies of a span with room split a piece off, where none of its order is loose. If others of
    /// its order come of that, they are loose then.
    #[inline(never)]
    fn carve(&mut self, order: u32) -> Option<LoosePiece> {
        let index = self.rooms.first_from(order as usize)?;
        self.before_carving(index);
        let most_log = if self.loose.has_list(order) { CARVED_AT_ONCE_LOG } else { 0 };
        let pieces = self.spans[index as usize].books.buddy.allocate_adjacent(order, most_log);
        let Adjacent { offset, count } = pieces.expect("it is listed by an order that it has free");
        let first = self.carved(index, offset);
        // The nearest one is the next.
        for nth in (1..count).rev() {
            let is_loose =
                self.loose.push(order, LoosePiece { start: first.start + (nth << order), ..first });
            debug_assert!(is_loose, "there was none, so there is room for some");
        }
        Some(first)
    }

    /// What the buddies of a span have split off at an offset.
    #[inline]
    fn carved(&mut self, index: u32, offset: u64) -> LoosePiece {
        let span = &self.spans[index as usize];
        self.rooms.put(index, span.room());
        // A block has fewer than 2^31 minimum blocks.
        let in_span = u32::try_from(offset >> self.min_block_log).unwrap_or(u32::MAX);
        LoosePiece { start: span.start + in_span, span: index }
    }

    /// Puts a small piece down as live, and in the counts.
    #[inline(always)]
    fn taken(&mut self, piece: LoosePiece, order: u32) -> Piece {
        let LoosePiece { start, span } = piece;
        if self.spans[span as usize].mark(start, order) {
            // It was the one that is kept, if any: no other lies there empty.
            self.set_empty(None, false);
        }
        self.allocation_count += 1;
        self.note_small_room();
        let log = self.min_block_log;
        // No overflow: the piece lies in a span.
        let (offset, size) = (u64::from(start) << log, 1 << (log + order));
        Piece { offset, size, node: IN_SPAN | span << ORDER_BITS | order }
    }

    /// Gives back a small piece; answers its bytes, and whether it is loose now. `None`, and nothing has
    /// changed, if it is not live.
    #[inline(always)]
    pub(crate) fn give_small(&mut self, offset: u64, node: u32) -> Option<(u64, bool)> {
        let index = (node & !IN_SPAN) >> ORDER_BITS;
        let order = node & ((1 << ORDER_BITS) - 1);
        let log = self.min_block_log;
        let start = u32::try_from(offset >> log).ok()?;
        let span = self.spans.get_mut(index as usize)?;
        if u64::from(start) << log != offset {
            return None;
        }
        span.unmark(start, order)?;
        let piece = LoosePiece { start, span: index };
        let is_empty = span.live_count == 0;
        let is_loose = if is_empty {
            self.span_emptied(piece, order)
        } else {
            let is_loose = self.loose.push(order, piece);
            if !is_loose {
                self.give_to_span(index, start, order);
            }
            is_loose
        };
        self.allocation_count -= 1;
        self.note_small_room();
        // No overflow: the piece lay in the span.
        Some((1 << (log + order), is_loose))
    }

    /// Gives a piece that is not the last one back to the buddies of its span.
    #[inline(never)]
    fn give_to_span(&mut self, index: u32, start: u32, order: u32) {
        let span = &mut self.spans[index as usize];
        let is_free = span.books.buddy.free_order(span.offset_of(start), order);
        debug_assert!(is_free, "live and loose pieces are taken in their span");
        self.rooms.put(index, span.room());
    }

    /// A span with room for an order, where none is listed: the one that is empty, that of a loose piece of a
    /// higher order, a new one, or what comes of all loose pieces.
    #[cold]
    fn span_with_room(&mut self, order: u32) -> Option<u32> {
        if let Some(index) = self.empty {
            self.make_whole(index);
            return Some(index);
        }
        if let Some((above, piece)) = self.loose.pop_above(order) {
            self.give_to_span(piece.span, piece.start, above);
            return self.rooms.first_from(order as usize);
        }
        let new = self.new_span();
        if new.is_some() {
            return new;
        }
        while let Some((below, piece)) = self.loose.pop_any() {
            self.give_to_span(piece.span, piece.start, below);
        }
        self.rooms.first_from(order as usize)
    }

    /// Whether the buddies of its span have a piece as taken, and nobody else. For tests.
    pub(super) fn is_taken(&self, order: u32, piece: LoosePiece) -> bool {
        let span = &self.spans[piece.span as usize];
        let mark = span.books.marks[(piece.start - span.start) as usize];
        let is_taken = span.books.buddy.is_allocated(span.offset_of(piece.start), order);
        span.place.is_some() && is_taken && mark == 0
    }
}
