//! Loose pieces: small ones that were freed, and that the buddies of their span do not know of yet.
//!
//! Basic design: to split and to merge takes longer than all else that a small request does, as nobody
//! can guess how often, and a program that frees a uniform buffer asks for another one soon. So a few
//! pieces of each order are kept as they were freed, and the next request of the order gets the last of
//! them, which is most likely still in the cache.
//!
//! With the last live piece of a span its loose ones are forgotten, unless it is the only one, so that spans
//! with live pieces fill up first. A request that finds no span with room for it takes a loose piece of a higher order apart
//! before a span is made for it. What stays unmerged of a block in use is less than 256 KiB: eight pieces of
//! each power of two up to 16 KiB.

/// Loose pieces of one order at most. With eight, nine of ten small requests of a random program get one;
/// with four, eight of ten.
const EACH: usize = 8;

/// Orders that have loose pieces, from the lowest on: those of 256 bytes to 16 KiB, and one more.
const ORDERS: usize = 8;

/// The loose pieces of a block.
#[derive(Debug)]
pub(super) struct Loose {
    lists: [List; ORDERS],
    /// Bit `o` is set iff order `o` has one.
    orders: u8,
}

/// Loose pieces of one order, the one freed last at the end.
#[derive(Clone, Copy, Debug)]
struct List {
    pieces: [LoosePiece; EACH],
    len: u32,
}

/// A loose piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LoosePiece {
    /// Where it starts in the block, in minimum blocks.
    pub(super) start: u32,
    /// The index of its span.
    pub(super) span: u32,
}

impl Loose {
    pub(super) fn new() -> Self {
        let nowhere = LoosePiece { start: 0, span: 0 };
        Self { lists: [List { pieces: [nowhere; EACH], len: 0 }; ORDERS], orders: 0 }
    }

    /// Bit `o` is set iff order `o` has a loose piece.
    #[inline]
    pub(super) fn orders(&self) -> u64 {
        self.orders.into()
    }

    /// Whether there is none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.orders == 0
    }

    /// Whether pieces of an order may be loose.
    #[inline]
    pub(super) fn has_list(&self, order: u32) -> bool {
        (order as usize) < ORDERS
    }

    /// Takes the piece of an order that was freed last.
    #[inline(always)]
    pub(super) fn pop(&mut self, order: u32) -> Option<LoosePiece> {
        let list = self.lists.get_mut(order as usize)?;
        let last = list.len.checked_sub(1)?;
        // The length is at most `EACH`.
        let at = last as usize % EACH;
        let piece = list.pieces[at];
        list.len = last;
        // Not by a branch: whether it was the last one cannot be guessed.
        self.orders &= !(u8::from(last == 0) << order);
        Some(piece)
    }

    /// Takes the last freed piece of the lowest order above this one that has any; answers the order too.
    pub(super) fn pop_above(&mut self, order: u32) -> Option<(u32, LoosePiece)> {
        let above = u32::from(self.orders) & u32::MAX.checked_shl(order + 1).unwrap_or(0);
        let order = (above != 0).then(|| above.trailing_zeros())?;
        Some((order, self.pop(order)?))
    }

    /// Takes a piece of the lowest order that has any; answers the order too.
    pub(super) fn pop_any(&mut self) -> Option<(u32, LoosePiece)> {
        let order = (self.orders != 0).then(|| self.orders.trailing_zeros())?;
        Some((order, self.pop(order)?))
    }

    /// Keeps a piece that is not loose; `false` if its order has as many as it may have, or none.
    #[inline(always)]
    pub(super) fn push(&mut self, order: u32, piece: LoosePiece) -> bool {
        let Some(list) = self.lists.get_mut(order as usize) else { return false };
        let at = list.len as usize;
        if at >= EACH {
            return false;
        }
        list.pieces[at] = piece;
        list.len += 1;
        self.orders |= 1 << order;
        true
    }

    /// Forgets the pieces that lie in a span.
    pub(super) fn forget_span(&mut self, span: u32) {
        let mut orders = self.orders;
        while orders != 0 {
            let order = orders.trailing_zeros();
            orders &= orders - 1;
            let list = &mut self.lists[order as usize];
            let mut kept = 0;
            for at in 0..list.len as usize {
                let piece = list.pieces[at];
                // The others keep their order. Written over itself, or one of the span.
                list.pieces[kept] = piece;
                kept += usize::from(piece.span != span);
            }
            // At most `EACH`.
            list.len = u32::try_from(kept).unwrap_or(0);
            self.orders &= !(u8::from(kept == 0) << order);
        }
    }

    /// Every loose piece, with its order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, LoosePiece)> + '_ {
        (0u32..).zip(&self.lists).flat_map(|(order, list)| {
            list.pieces.iter().take(list.len as usize).map(move |&piece| (order, piece))
        })
    }
}
