//! Which spans have room, by the order of their largest free block.

use alloc::vec::Vec;

/// No span.
const NONE: u32 = u32::MAX;

/// More orders than a span has: 256 KiB of minimum blocks of one byte are 18.
const ORDER_COUNT: usize = 32;

/// Lists of spans, one for each order of the largest free block. Full and vacant spans are in none.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Bit `o` is set iff `heads[o]` is a span.
    occupied: u32,
    heads: [u32; ORDER_COUNT],
    links: Vec<Link>,
}

/// A span's place in its list.
#[derive(Clone, Copy, Debug)]
struct Link {
    order: Option<u32>,
    previous: u32,
    next: u32,
}

impl Rooms {
    pub(super) fn new() -> Self {
        Self { occupied: 0, heads: [NONE; ORDER_COUNT], links: Vec::new() }
    }

    /// Makes room for one more span, which is in no list yet.
    pub(super) fn add_span(&mut self) {
        self.links.push(Link { order: None, previous: NONE, next: NONE });
    }

    /// The span with the tightest room for a block of this order.
    pub(super) fn find(&self, order: u32) -> Option<u32> {
        let candidates = self.occupied & (u32::MAX << order);
        (candidates != 0).then(|| self.heads[candidates.trailing_zeros() as usize])
    }

    pub(super) fn order_of(&self, span: u32) -> Option<u32> {
        self.links[span as usize].order
    }

    /// Moves a span to the list of another order, or out of all lists.
    pub(super) fn change(&mut self, span: u32, order: Option<u32>) {
        let Link { order: old, previous, next } = self.links[span as usize];
        if old == order {
            return;
        }
        if let Some(old) = old {
            match previous {
                NONE => self.set_head(old, next),
                previous => self.links[previous as usize].next = next,
            }
            if next != NONE {
                self.links[next as usize].previous = previous;
            }
        }
        let head = order.map_or(NONE, |order| self.heads[order as usize]);
        self.links[span as usize] = Link { order, previous: NONE, next: head };
        if let Some(order) = order {
            if head != NONE {
                self.links[head as usize].previous = span;
            }
            self.set_head(order, span);
        }
    }

    fn set_head(&mut self, order: u32, span: u32) {
        self.heads[order as usize] = span;
        if span == NONE {
            self.occupied &= !(1 << order);
        } else {
            self.occupied |= 1 << order;
        }
    }
}
