//! The way of nearly every request and of nearly every place.
//!
//! Basic design: nearly every request is for a piece of a block of two tiers that exists, and nearly every
//! place is a piece of one in which others live as well. What such a request needs of the configuration is
//! worked out once, sizes are counted in units from the start, each tier has its own few lines, and what a
//! block has free is told to the index only where it may have changed. Whatever else there may be to do is
//! left to the ways that start over, so this one changes nothing unless it goes through.

use super::MemoryPool;
use crate::block::{Block, Content};
use crate::search::is_better_sure;
use crate::suballocator::Rooms;
use crate::tlsf::bins::Bins;
use crate::two_tier::{TwoTier, has_spans, is_in_span, order_of_units, small_limit};
use crate::{Algorithm, Dedicated, Place, PoolConfig, PoolRequest, ResourceKind, Suballocator};

/// What the usual way needs of a configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    /// The largest size that has a piece of a block, by [`Dedicated`]; 0 where none has.
    largest: [u64; 3],
    /// The largest size and alignment of what goes to spans; 0 if no block has any.
    small: u64,
    /// What linear resources need, and all others.
    kinds: [Kind; 2],
    margin: u64,
    /// Bytes of a unit, less one.
    unit_less_one: u64,
    /// log2 of the bytes of a unit.
    unit_log: u32,
}

/// What a kind of resources needs.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// Bytes, less one, that a piece is a multiple of.
    less_one: u64,
    /// Bytes that it is aligned to at least.
    alignment: u64,
}

/// A request as the usual way has it.
#[derive(Clone, Copy)]
struct Wanted {
    /// Bytes to be taken.
    size: u64,
    /// A power of two.
    alignment: u64,
}

impl Usual {
    pub(super) fn new(config: &PoolConfig) -> Self {
        let kinds = [1, config.buffer_image_granularity].map(|granule| {
            let granule = granule.max(config.atom_size);
            Kind { less_one: granule - 1, alignment: granule.max(config.min_alignment) }
        });
        let unit = config.min_allocation_size;
        // With margin and rounding a piece is still no larger than the largest block, whose units are
        // fewer than 2^31.
        let on_top = config.margin.saturating_add(kinds[1].less_one.max(unit));
        let most = config.largest_block_size.saturating_sub(on_top);
        let by_size = config.dedicated_above.max(config.room_taken_up_to).min(most);
        let is_usual = matches!(config.algorithm, Algorithm::TwoTier);
        Self {
            largest: if is_usual { [by_size, 0, most] } else { [0; 3] },
            small: if has_spans(config.largest_block_size, unit) { small_limit(unit) } else { 0 },
            kinds,
            margin: config.margin,
            unit_less_one: unit - 1,
            unit_log: unit.trailing_zeros(),
        }
    }

    /// The request rounded as kind, atom and margin want it; `None` if it goes another way.
    #[inline(always)]
    fn wanted(&self, request: &PoolRequest) -> Option<Wanted> {
        let PoolRequest { size, alignment, kind, dedicated, upper } = *request;
        let largest = self.largest[match dedicated {
            Dedicated::BySize => 0,
            Dedicated::Always => 1,
            Dedicated::Never => 2,
        }];
        // None for a size of 0, too.
        let is_carved = size.wrapping_sub(1) < largest;
        let is_power = alignment & alignment.wrapping_sub(1) == 0;
        if !is_carved | !is_power | upper {
            return None;
        }
        let kind = &self.kinds[usize::from(!matches!(kind, ResourceKind::Linear))];
        // No overflow, by the bound on the size.
        let size = (size + self.margin + kind.less_one) & !kind.less_one;
        Some(Wanted { size, alignment: alignment.max(kind.alignment) })
    }

    /// Bytes in whole units, of which a block has fewer than 2^31.
    #[inline(always)]
    fn units(&self, bytes: u64) -> u64 {
        (bytes + self.unit_less_one) >> self.unit_log
    }
}

impl MemoryPool {
    /// Takes room for a usual request in the block that most likely has it; `None`, and nothing has
    /// changed, for any other request and where that block has no room.
    #[inline(always)]
    pub(super) fn place_usual(&mut self, request: &PoolRequest) -> Option<Place> {
        let wanted = self.usual.wanted(request)?;
        if wanted.size.max(wanted.alignment) <= self.usual.small {
            self.place_small(&wanted, request.size)
        } else {
            self.place_large(&wanted, request.size)
        }
    }

    /// Takes room for a small request in a span that exists.
    #[inline(always)]
    fn place_small(&mut self, wanted: &Wanted, requested: u64) -> Option<Place> {
        // What is aligned to more than its own size is cut out of a larger piece.
        let units = self.usual.units(wanted.size);
        if wanted.alignment > units << self.usual.unit_log {
            return None;
        }
        let order = order_of_units(units);
        let slot = self.index.with_order(order)?;
        let (generation, block) = self.blocks.slot_mut(slot)?;
        let UsualBlock { base, alignment, rooms, tiers } = UsualBlock::of(block)?;
        if wanted.alignment > alignment {
            return None;
        }
        let piece = tiers.take_small(order)?;
        if rooms.small != tiers.rooms_in_spans() {
            rooms.small = tiers.rooms_in_spans();
            self.index.small_changed(slot, rooms.small);
        }
        Some(self.placed((slot, generation), base, &piece, requested))
    }

    /// Takes room for any other in the segregated fit of the first block that may have it.
    #[inline(always)]
    fn place_large(&mut self, wanted: &Wanted, requested: u64) -> Option<Place> {
        // Only offset 0 of a block satisfies an alignment above the largest one.
        if wanted.alignment > self.usual.largest[2] {
            return None;
        }
        let units = u32::try_from(self.usual.units(wanted.size)).ok()?;
        let alignment_units = u32::try_from(wanted.alignment >> self.usual.unit_log).ok()?;
        let is_sure = is_better_sure(wanted.size, wanted.alignment);
        let bins = Bins::of(units);
        let slot = self.index.first_for(units, alignment_units, bins, is_sure)?;
        let (generation, block) = self.blocks.slot_mut(slot)?;
        let UsualBlock { base, alignment, rooms, tiers } = UsualBlock::of(block)?;
        if wanted.alignment > alignment {
            return None;
        }
        let (piece, bin) = tiers.take_large(units, alignment_units, bins)?;
        // Only if it was of the largest ones.
        if bin >= usize::from(rooms.large) {
            let large = tiers.rooms().large;
            if large != rooms.large {
                rooms.large = large;
                self.index.large_lowered(slot, large);
            }
        }
        Some(self.placed((slot, generation), base, &piece, requested))
    }

    /// Gives back a piece of a block of two tiers in which others live. `None`, and nothing has changed, if
    /// it is no such piece.
    #[inline(always)]
    pub(super) fn take_usual_back(&mut self, place: &Place) -> Option<()> {
        // No block has the name of a memory object of its own.
        let slot = place.name;
        let (generation, block) = self.blocks.slot_mut(slot)?;
        let UsualBlock { base, rooms, tiers, .. } = UsualBlock::of(block)?;
        if generation != place.generation || tiers.allocation_count() <= 1 {
            return None;
        }
        let offset = place.offset.wrapping_sub(base);
        let freed = if is_in_span(place.node) {
            let (freed, has_ended) = tiers.give_small(offset, place.node)?;
            if has_ended {
                // A span may have ended.
                let known = core::mem::replace(rooms, tiers.rooms());
                self.index.update_used(slot, known, *rooms);
            } else if rooms.small != tiers.rooms_in_spans() {
                rooms.small = tiers.rooms_in_spans();
                self.index.small_changed(slot, rooms.small);
            }
            freed
        } else {
            let (freed, bin) = tiers.give_large(offset, place.node)?;
            // It is the largest now, if it is larger than that was.
            if bin > usize::from(rooms.large) {
                rooms.large = bin.to_le_bytes()[0];
                self.index.large_raised(slot, rooms.large);
            }
            freed
        };
        self.live.freed(freed, place.size);
        Some(())
    }
}

/// A block of two tiers.
struct UsualBlock<'a> {
    base: u64,
    alignment: u64,
    rooms: &'a mut Rooms,
    tiers: &'a mut TwoTier,
}

impl<'a> UsualBlock<'a> {
    /// What is in a slot, if it is such a block.
    #[inline(always)]
    fn of(slot: &'a mut Option<Block>) -> Option<Self> {
        match slot {
            Some(Block {
                base,
                alignment,
                rooms,
                content: Content::Carved(Suballocator::TwoTier(tiers)),
                ..
            }) => Some(Self { base: *base, alignment: *alignment, rooms, tiers }),
            _ => None,
        }
    }
}
