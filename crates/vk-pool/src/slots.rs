//! A slab with generations: dense indices, and stale ones are told apart.
//!
//! Generations are drawn from one counter for all slabs, so that an index is told apart not only
//! from its earlier uses, but also from the same index in another slab.

use alloc::vec::Vec;
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::visits;

/// Indices are below this, so that a bit is left to who stores them.
pub(crate) const MOST_SLOTS: u32 = 1 << 31;

/// Values at dense `u32` indices. A freed index is used again, with another generation.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// Indices of the empty slots.
    vacant: Vec<u32>,
}

// Whole cache lines, and the generation first, beside what the value has first.
#[derive(Debug)]
#[repr(C, align(64))]
struct Slot<T> {
    generation: NonZeroU32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), vacant: Vec::new() }
    }

    /// One more than the highest index ever used.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Stores a value; answers its index and generation.
    pub(crate) fn insert(&mut self, value: T) -> (u32, NonZeroU32) {
        // After 2^32 blocks a stale handle could pass; each of them costs a driver call.
        static NEXT_GENERATION: AtomicU32 = AtomicU32::new(1);
        let generation = NEXT_GENERATION.fetch_add(1, Ordering::Relaxed);
        let generation = NonZeroU32::new(generation).unwrap_or(NonZeroU32::MIN);
        let slot = Slot { generation, value: Some(value) };
        if let Some(index) = self.vacant.pop() {
            self.slots[index as usize] = slot;
            return (index, generation);
        }
        let index = u32::try_from(self.slots.len()).ok().filter(|index| *index < MOST_SLOTS);
        let index =
            index.expect("a pool has fewer than 2^31 memory objects, which host memory bounds");
        self.slots.push(slot);
        (index, generation)
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        visits::block();
        let value = self.slots.get_mut(index as usize)?.value.take()?;
        self.vacant.push(index);
        Some(value)
    }

    /// The value at `index`, and its generation.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<(NonZeroU32, &mut T)> {
        visits::block();
        let slot = self.slots.get_mut(index as usize)?;
        Some((slot.generation, slot.value.as_mut()?))
    }

    /// What is at `index`, which may be nothing, and the generation.
    #[inline(always)]
    pub(crate) fn slot_mut(&mut self, index: u32) -> Option<(NonZeroU32, &mut Option<T>)> {
        visits::block();
        let slot = self.slots.get_mut(index as usize)?;
        Some((slot.generation, &mut slot.value))
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        visits::block();
        self.slots.get(index as usize)?.value.as_ref()
    }

    /// The value at `index`, if it is still the one of this generation.
    #[inline]
    pub(crate) fn get_live_mut(&mut self, index: u32, generation: NonZeroU32) -> Option<&mut T> {
        visits::block();
        let slot = self.slots.get_mut(index as usize)?;
        if slot.generation != generation {
            return None;
        }
        slot.value.as_mut()
    }

    /// Indices and values, ascending by index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..).zip(&self.slots).filter_map(|(index, slot)| {
            visits::block();
            Some((index, slot.value.as_ref()?))
        })
    }
}
