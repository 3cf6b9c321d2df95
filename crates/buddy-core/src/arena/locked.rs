//! The arena for several threads, over any lock that `lock_api` knows.

use core::fmt;
use core::mem::MaybeUninit;

use lock_api::{Mutex, RawMutex};

use super::config::{ArenaConfig, ArenaError};
use super::heap::{Exclusive, Heap};
use crate::block::BuddyStats;
use crate::validate::Corruption;

/// Host memory for collections of several threads: an [`Arena`](crate::Arena) behind a lock.
///
/// `R` is the lock: `parking_lot::RawMutex`, one of the `spin` crate, or a system's own. It is
/// held for the bookkeeping only, which is bounded, and never while bytes are copied.
///
/// # Examples
///
/// ```
/// use allocator_api2::vec::Vec;
/// use buddy_core::{ArenaConfig, LockedArena};
/// use core::mem::MaybeUninit;
///
/// let mut memory = [MaybeUninit::uninit(); 64 * 1024];
/// let arena = LockedArena::<parking_lot::RawMutex>::new(&mut memory, ArenaConfig::default())?;
/// std::thread::scope(|scope| {
///     for start in [0, 1000] {
///         let arena = &arena;
///         scope.spawn(move || {
///             let mut numbers = Vec::new_in(arena);
///             numbers.extend(start..start + 1000);
///             assert_eq!(numbers[999], start + 999);
///         });
///     }
/// });
/// assert!(arena.is_empty());
/// # Ok::<(), buddy_core::ArenaError>(())
/// ```
pub struct LockedArena<'m, R> {
    pub(super) heap: Mutex<R, Heap<'m>>,
}

impl<'m, R: RawMutex> LockedArena<'m, R> {
    /// As [`Arena::new`](crate::Arena::new).
    ///
    /// # Errors
    ///
    /// Those of [`Arena::new`](crate::Arena::new).
    pub fn new(memory: &'m mut [MaybeUninit<u8>], config: ArenaConfig) -> Result<Self, ArenaError> {
        Ok(Self { heap: Mutex::new(Heap::new(memory, config)?) })
    }

    /// As [`Arena::with_words`](crate::Arena::with_words);
    /// [`Arena::words_needed`](crate::Arena::words_needed) tells how many.
    ///
    /// # Errors
    ///
    /// Those of [`Arena::with_words`](crate::Arena::with_words).
    pub fn with_words(
        memory: &'m mut [MaybeUninit<u8>],
        words: &'m mut [u64],
        config: ArenaConfig,
    ) -> Result<Self, ArenaError> {
        Ok(Self { heap: Mutex::new(Heap::with_words(memory, words, config)?) })
    }

    /// The counters of the region, at one instant. Zero-sized requests are not in them.
    #[must_use]
    pub fn stats(&self) -> BuddyStats {
        self.heap.with(|heap| heap.region().stats())
    }

    /// The size of the largest free block in bytes; 0 when the arena is full.
    #[must_use]
    pub fn largest_free_block(&self) -> u64 {
        self.heap.with(|heap| heap.region().largest_free_block())
    }

    /// Whether nothing lives in the arena.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.with(|heap| heap.region().is_empty())
    }

    /// Frees everything at once, as [`Arena::reset`](crate::Arena::reset). Takes no lock.
    pub fn reset(&mut self) {
        self.heap.get_mut().reset();
    }

    /// Checks every invariant of the bookkeeping, under the lock. For tests.
    ///
    /// # Errors
    ///
    /// Those of [`Arena::validate`](crate::Arena::validate).
    pub fn validate(&self) -> Result<(), Corruption> {
        self.heap.with(|heap| heap.region().validate())
    }
}

impl<'m, R: RawMutex> Exclusive<'m> for Mutex<R, Heap<'m>> {
    #[inline]
    fn with<T>(&self, act: impl FnOnce(&mut Heap<'m>) -> T) -> T {
        act(&mut self.lock())
    }
}

impl<R: RawMutex> fmt::Debug for LockedArena<'_, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heap.with(|heap| heap.describe("LockedArena", formatter))
    }
}
