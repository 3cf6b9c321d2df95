//! The block that waits un-merged.
//!
//! Basic design: a freed block is not merged at once. It stays taken in the bits and waits, until
//! the next free takes its place or a request finds nothing else; then it is merged. A request
//! of its order takes it as it is. So a program that frees and allocates one size by turns does
//! no split and no merge, where each could be one for every order.
//!
//! One block waits in the whole region, and not one of each order: with 14 orders in random churn
//! it cannot be predicted whether an order has one, and each wrong guess costs more than a split
//! and a merge; that some block waits, and that it is not of the order at hand, is what the
//! processor expects. It is also all that a query has to allow for, by one walk up the orders:
//! see `view.rs`.

use crate::layout::Layout;

/// A free block that is still taken in the bits, or none.
///
/// Code in the way of every call reads and writes the fields one by one: a copy of the whole is
/// a load wider than the stores before it, which the processor must wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Its order, or that of [`NONE`](Self::NONE).
    pub(crate) order: u32,
    /// Where it starts, in bytes, or that of [`NONE`](Self::NONE). No two taken blocks start at
    /// one place, so this tells it from all others.
    pub(crate) offset: u64,
}

impl Waiting {
    /// No block. The order is above any that a request can have, and the offset is where no block
    /// can start, as it would end above what can be counted.
    pub(crate) const NONE: Self = Self { order: u32::MAX, offset: u64::MAX };

    /// Whether this is no block.
    #[inline]
    pub(crate) fn is_none(self) -> bool {
        self.order == Self::NONE.order
    }

    /// Its index in its order; of no meaning if there is none.
    #[inline]
    pub(crate) fn index(self, layout: &Layout) -> u64 {
        self.offset.wrapping_shr(self.order.wrapping_add(layout.min_shift()))
    }
}
