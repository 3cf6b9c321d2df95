//! Small requests by size, the rest by two-level segregated fit, in one block.
//!
//! Basic design: a segregated fit rounds nothing and takes longer; to round small sizes up to powers of two costs
//! little. Most requests are small, most bytes are not. So requests up to a limit go to *spans*: stretches of the
//! block that are cut into *slots*, each as large as the largest small request. A slot is one such piece, or a
//! *run* of equal pieces of a lower power of two, of which a word has a bit each: see `small.rs`. A span is
//! itself a piece of the segregated fit, aligned to its own size. One that has emptied goes back, but for one
//! that is kept, so that one allocation coming and going does not make and end a span each time. Where there is
//! no room for a span, a small request has some of what a run of another size has free, or else is placed like
//! a large one.

mod evicting;
mod run;
mod sizes;
mod small;
mod spans;
#[cfg(test)]
mod tests;
mod validate;

use alloc::vec::Vec;

pub use self::sizes::SMALL_LIMIT;
pub(crate) use self::sizes::{
    has_spans, is_small, largest_span, order_of_span, order_of_units, search_order, small_limit,
};

use self::run::{NO_RUN, Run};
use self::sizes::{bin_of_span, order_for, slot_order, span_size};
use crate::Piece;
use crate::suballocator::Rooms;
use crate::tlsf::bins::Bins;
use crate::tlsf::{Given, Taken, Tlsf, TlsfBlock, TlsfConfigError};

/// Set in the node of a piece that lies in a span. Nodes of the segregated fit are below it: it has
/// fewer than 2^31 units.
const IN_SPAN: u32 = 1 << 31;

/// Lists of open runs: at least one for each order below that of a slot.
const ORDERS: usize = 8;

/// Bits of a span piece's node that hold its order.
const ORDER_BITS: u32 = 5;

/// Both tiers over one block.
///
/// ```
/// use vk_pool::two_tier::TwoTier;
///
/// let mut block = TwoTier::new(16 << 20, 256)?;
/// let uniforms = block.allocate(1000, 256).expect("the block is empty");
/// assert_eq!(uniforms.size, 1024); // a piece of a run
/// let texture = block.allocate(5_000_000, 65_536).expect("15.75 MiB are free");
/// assert_eq!(texture.size, 5_000_192); // rounded to the unit, nothing more
///
/// assert_eq!(block.free(uniforms.offset, uniforms.node), Some(1024));
/// assert_eq!(block.free(texture.offset, texture.node), Some(5_000_192));
/// assert!(block.allocate(16 << 20, 1).is_some()); // one whole block again
/// # Ok::<(), vk_pool::tlsf::TlsfConfigError>(())
/// ```
// What every operation reads comes first, and the same of the segregated fit right behind it.
#[derive(Debug)]
#[repr(C)]
pub struct TwoTier {
    allocation_count: u64,
    /// Bytes of a span; 0 if the block has none.
    span_size: u64,
    /// log2 of the bytes of a minimum block.
    min_block_log: u32,
    /// One more than the largest order of which a span surely has a piece; 0 for none.
    small_room: u8,
    /// The bin of a piece that is as large as a span.
    span_bin: u8,
    tlsf: Tlsf,
    /// The run of the span in which nothing lives and which is kept, if there is one.
    empty: Option<u32>,
    /// The bit of a whole span's order if one is kept, or none: its unused runs may hide it.
    empty_order: u64,
    /// The first open run of each order up to a slot's, whose runs are spans.
    open: [u32; ORDERS],
    /// Bit `o` is set iff order `o` has an open run.
    open_orders: u64,
    /// What is in the slots of all spans.
    runs: Vec<Run>,
    /// The order of a slot.
    slot_order: u32,
    /// log2 of the slots of a span.
    slots_log: u32,
    /// Bytes of the live pieces in spans.
    size_in_spans: u64,
    min_block_size: u64,
    /// Where each span lies in the block; `None` while it is vacant.
    places: Vec<Option<TlsfBlock>>,
    /// Spans that are no part of the block any more, kept for their bookkeeping.
    vacant: Vec<u32>,
}

impl TwoTier {
    /// An empty block of `size` bytes, handed out in pieces of at least `min_allocation_size` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Tlsf::new`].
    pub fn new(size: u64, min_allocation_size: u64) -> Result<Self, TlsfConfigError> {
        let span_size = span_size(size, min_allocation_size);
        let slot_order = slot_order(min_allocation_size);
        // What is smaller than a slot lies in spans, if there are any.
        let tlsf = Tlsf::with_pieces(size, min_allocation_size, 1 << slot_order)?;
        let min_block_log = min_allocation_size.trailing_zeros();
        let slots_log = span_size.checked_ilog2().map_or(0, |log| log - min_block_log - slot_order);
        let mut tiers = Self {
            tlsf,
            span_size,
            min_block_log,
            min_block_size: min_allocation_size,
            places: Vec::new(),
            vacant: Vec::new(),
            empty: None,
            empty_order: 0,
            allocation_count: 0,
            size_in_spans: 0,
            runs: Vec::new(),
            open: [NO_RUN; ORDERS],
            open_orders: 0,
            slot_order,
            slots_log,
            small_room: 0,
            span_bin: bin_of_span(span_size >> min_block_log),
        };
        if let Some(most) = size.checked_div(span_size) {
            tiers.foresee_spans(most);
        }
        Ok(tiers)
    }

    /// Takes `size` bytes at a multiple of `alignment`, or `None`, and nothing has changed but that
    /// a kept empty span may be gone.
    ///
    /// What [`Tlsf::allocate`] says of a region with enough room holds here, too; and where pieces of other sizes
    /// are the only room for a small request, four runs of each are looked at.
    ///
    /// # Complexity
    ///
    /// That of [`Tlsf::allocate`] three times; for a small request that no span has room for, at most 40 runs are
    /// looked at.
    #[inline]
    pub fn allocate(&mut self, size: u64, alignment: u64) -> Option<Piece> {
        let alignment = alignment.max(1);
        if size == 0 || !alignment.is_power_of_two() {
            return None;
        }
        if self.is_small(size, alignment) {
            let order = order_for(size, 1, self.min_block_size);
            let aligned = order_for(size, alignment, self.min_block_size);
            let at_once = if order == aligned { self.take_small(order) } else { None };
            let piece = at_once.or_else(|| self.allocate_small(order, aligned));
            if piece.is_some() {
                return piece;
            }
        }
        let block = match self.tlsf.allocate(size, alignment) {
            Some(block) => block,
            None => {
                self.give_empty_span_back()?;
                self.tlsf.allocate(size, alignment)?
            }
        };
        self.allocation_count += 1;
        Some(block.into())
    }

    /// Takes whole units, at least 1, at a multiple of `alignment` units by segregated fit, and keeps the
    /// empty span; answers the bin of the free piece that it was a part of, too, or 0 if what is left of that has
    /// the same. `bins` are those of `units`.
    #[inline(always)]
    pub(crate) fn take_large(
        &mut self,
        units: u32,
        alignment: u32,
        bins: Bins,
    ) -> Option<(Piece, usize)> {
        let Taken { node, offset, bin } = self.tlsf.take(units, alignment, bins)?;
        self.allocation_count += 1;
        let log = self.min_block_log;
        let (offset, size) = (u64::from(offset) << log, u64::from(units) << log);
        Some((Piece { offset, size, node }, bin))
    }

    /// Gives back the piece at `offset` that `node` names; answers its bytes. `None`, and nothing has
    /// changed, if no such piece is allocated.
    ///
    /// # Complexity
    ///
    /// That of two of [`Tlsf::free`].
    pub fn free(&mut self, offset: u64, node: u32) -> Option<u64> {
        let size = if is_in_span(node) {
            self.give_small(offset, node)?.0
        } else {
            self.give_large(offset, node)?.0
        };
        if self.allocation_count == 0 {
            // An empty block is one whole region again.
            let _ = self.give_empty_span_back();
        }
        Some(size)
    }

    /// Gives back a piece of the segregated fit; answers its bytes, and the bin of the free piece that it is a
    /// part of now. `None`, and nothing has changed, if it is not live.
    #[inline(always)]
    pub(crate) fn give_large(&mut self, offset: u64, node: u32) -> Option<(u64, usize)> {
        let Given { units, bin } = self.tlsf.give(offset, node)?;
        self.allocation_count -= 1;
        Some((u64::from(units) << self.min_block_log, bin))
    }

    /// Whether a search for this request can succeed; `false` is certain. O(1).
    #[must_use]
    pub fn may_hold(&self, size: u64, alignment: u64) -> bool {
        if self.is_small(size, alignment) && self.small_room > 0 {
            return true;
        }
        self.tlsf.may_hold(size) || self.empty.is_some()
    }

    /// The bin of the largest free piece of the segregated fit, and the largest order of which a span surely has
    /// a piece.
    #[inline]
    pub(crate) fn rooms(&self) -> Rooms {
        Rooms { large: self.tlsf.room(), small: self.small_room }
    }

    /// One more than the largest order of which a span surely has a piece; 0 for none.
    #[inline]
    pub(crate) fn rooms_in_spans(&self) -> u8 {
        self.small_room
    }

    /// Puts down what room there is for small requests, wherever that may have changed: an operation on a
    /// large piece, in a block that was not touched for long, has less to read then.
    #[inline]
    fn note_small_room(&mut self) {
        let bits = self.small_bits();
        // It seldom changes, and to see that it has not takes less than to find the highest bit.
        if bits >> self.small_room != 1 {
            self.small_room = highest_bit(bits);
        }
    }

    /// One more than the largest order of which a span surely has a piece; 0 for none.
    fn small_end(&self) -> u8 {
        highest_bit(self.small_bits())
    }

    /// A bit for each order that has an open run, and for the span that is kept, one place up; and bit 0.
    #[inline]
    fn small_bits(&self) -> u64 {
        // Orders are below 32, so none is shifted out.
        (self.open_orders | self.empty_order) << 1 | 1
    }

    /// Puts down which span is empty and kept.
    #[inline]
    fn set_empty(&mut self, index: Option<u32>) {
        self.empty_order = if index.is_some() { 1 << self.whole_span() } else { 0 };
        self.empty = index;
        self.note_small_room();
    }

    /// Bytes taken, rounding included. O(1).
    #[must_use]
    pub fn used_size(&self) -> u64 {
        let lying_count = (self.places.len() - self.vacant.len()) as u64;
        self.tlsf.used_size() - lying_count * self.span_size + self.size_in_spans
    }

    /// Live allocations.
    #[must_use]
    pub fn allocation_count(&self) -> u64 {
        self.allocation_count
    }

    /// Offsets and bytes of the live pieces, in address order.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.stretches().flat_map(move |(block, span)| {
            let whole = span.is_none().then_some((block.offset, block.size));
            let small = span.into_iter().flat_map(move |span| self.live_in(span));
            small.chain(whole)
        })
    }
}

/// The place of the highest bit, of which there is one.
#[inline]
fn highest_bit(bits: u64) -> u8 {
    bits.ilog2().to_le_bytes()[0]
}

/// Whether a piece of that node lies in a span.
#[inline]
pub(crate) fn is_in_span(node: u32) -> bool {
    node & IN_SPAN != 0
}
