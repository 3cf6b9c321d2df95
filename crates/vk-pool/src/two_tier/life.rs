//! How spans come and go: prepared, taken into use, emptied and kept, ended.
//!
//! Basic design: the longest that a small request waits for is a span, and of that for the span's books: three
//! pieces of host memory, and many cache lines that nothing has touched before. So the books of the next
//! span are made in parts by requests that need none. A span whose last live piece has gone is kept, one at a
//! time, and its buddies are told of that when it is carved again.

use alloc::boxed::Box;

use super::TwoTier;
use super::loose::LoosePiece;
use super::spans::{Span, SpanBooks, SpanBuddy};

/// The next span that the block will need if it needs one more.
#[derive(Debug)]
pub(super) enum Prepared {
    Nothing,
    /// What carves it.
    Buddy(Box<SpanBuddy>),
    /// All, under this index.
    Span(u32),
}

impl TwoTier {
    /// Keeps the span whose last live piece was this one, and ends the one that was kept; answers whether the
    /// piece is loose now.
    ///
    /// Of the only span of a block the loose pieces stay so, that of one allocation that comes and goes among
    /// them. Of others they are forgotten, so that spans with live pieces fill up first. The buddies are
    /// not told piece by piece, which takes many times as long as to forget all at once, and that
    /// waits until one of them is asked for again.
    #[inline(never)]
    pub(super) fn span_emptied(&mut self, piece: LoosePiece, order: u32) -> bool {
        let index = piece.span;
        let is_loose = self.lying_spans() == 1 && self.loose.push(order, piece);
        if !is_loose {
            let _ = self.give_empty_span_back();
            self.loose.forget_span(index);
            self.rooms.put(index, Some(self.whole_span()));
        }
        self.set_empty(Some(index), true);
        is_loose
    }

    /// How many spans lie in the block.
    fn lying_spans(&self) -> usize {
        let prepared = usize::from(matches!(self.prepared, Prepared::Span(_)));
        self.spans.len() - self.vacant.len() - prepared
    }

    /// The order of a whole span.
    pub(super) fn whole_span(&self) -> u8 {
        // Below 64.
        (self.span_size.trailing_zeros() - self.min_block_log).to_le_bytes()[0]
    }

    /// Before a span is carved: the buddies of the empty one hear what has been freed. Beside that, a part of
    /// the next span is made: not by who has just taken a new one into use, which is empty.
    #[inline]
    pub(super) fn before_carving(&mut self, index: u32) {
        if self.empty != Some(index) {
            self.prepare_span();
        } else if self.empty_is_stale {
            self.make_whole(index);
        }
    }

    /// Makes the kept span whole, whatever was loose of it.
    pub(super) fn make_whole(&mut self, index: u32) {
        self.loose.forget_span(index);
        self.spans[index as usize].books.buddy.reset();
        self.rooms.put(index, Some(self.whole_span()));
        self.empty_is_stale = false;
    }

    /// Asks for the host memory that as many spans as there may be are listed in, so that no operation
    /// moves what the earlier ones have built up; nothing of it is touched before it is used. And makes the
    /// books of the first one, so that the first small request need not wait for that.
    pub(super) fn foresee_spans(&mut self, most: usize) {
        self.spans.reserve_exact(most);
        self.vacant.reserve_exact(most);
        self.rooms.reserve(most);
        let first = self.add_span(SpanBooks::new(self.span_size, self.min_block_size));
        self.prepared = Prepared::Span(first);
    }

    /// Makes a part of the next span, if none is left to be taken into use: what a request that needs a span
    /// would wait for the longest is then there, and no other request waits for all of it.
    #[inline]
    fn prepare_span(&mut self) {
        let is_ready = matches!(self.prepared, Prepared::Span(_)) || !self.vacant.is_empty();
        // A block that consists of spans never needs one more than there is room for.
        if !is_ready && self.spans.len() < self.spans.capacity() {
            self.prepare_part();
        }
    }

    #[cold]
    #[inline(never)]
    fn prepare_part(&mut self) {
        let books = &self.spans[0].books;
        self.prepared = match core::mem::replace(&mut self.prepared, Prepared::Nothing) {
            Prepared::Nothing => Prepared::Buddy(books.other_buddy()),
            Prepared::Buddy(buddy) => {
                let books = books.another(buddy);
                Prepared::Span(self.add_span(books))
            }
            ready @ Prepared::Span(_) => ready,
        };
    }

    /// Adds a span that is no part of the block yet; answers its index.
    fn add_span(&mut self, books: SpanBooks) -> u32 {
        self.spans.push(Span { start: 0, live_count: 0, books, place: None });
        self.rooms.grow(self.spans.len());
        u32::try_from(self.spans.len() - 1).expect("a block has fewer than 2^26 spans")
    }

    /// The span that was prepared; what it lacks is made now.
    fn prepared_span(&mut self) -> u32 {
        loop {
            if let Prepared::Span(index) = self.prepared {
                self.prepared = Prepared::Nothing;
                return index;
            }
            self.prepare_part();
        }
    }

    /// Takes a span out of the segregated fit.
    #[cold]
    pub(super) fn new_span(&mut self) -> Option<u32> {
        let place = self.tlsf.allocate_reserved(self.span_size, self.span_size)?;
        let (index, is_stale) = match self.vacant.pop() {
            Some(index) => (index, true),
            None => (self.prepared_span(), false),
        };
        let log = self.min_block_log;
        let span = &mut self.spans[index as usize];
        span.start = u32::try_from(place.offset >> log).expect("a block has fewer than 2^31 units");
        span.place = Some(place);
        self.rooms.put(index, Some(self.whole_span()));
        self.set_empty(Some(index), is_stale);
        Some(index)
    }

    /// Ends the span that is empty, if one is kept.
    #[inline(never)]
    pub(super) fn give_empty_span_back(&mut self) -> Option<()> {
        let index = self.empty?;
        self.set_empty(None, false);
        self.loose.forget_span(index);
        let place =
            self.spans[index as usize].place.take().expect("the kept span lies in the block");
        self.rooms.put(index, None);
        self.vacant.push(index);
        self.note_small_room();
        self.tlsf.free_reserved(place);
        Some(())
    }
}
