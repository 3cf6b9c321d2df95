//! Host memory that collections live in: a buddy allocator over a slice of bytes.
//!
//! Basic design: a slice of uninitialised bytes is cut into a region, whose start is aligned, and
//! the words that say what of it is taken. A request becomes `allocate_aligned` on the region, and
//! the block's offset becomes an address. Nothing is stored beside a block: the layout that comes
//! back with a pointer tells the size of its block, since every size that fits a block is rounded
//! up to it. So a pointer and a layout are an offset and a size, and the region checks both.
//!
//! What grows or shrinks stays where it is whenever the region can resize its block; otherwise it
//! moves, and the copy is made while nothing is locked.
//!
//! # The unsafe code, and what it rests on
//!
//! All `unsafe` code of the crate is in this module. With *base* the start of the region:
//!
//! 1. **The bytes are ours.** The slice was lent for `'m`, and is given up at construction. From
//!    then on it is reached through *base* only, which has the provenance of the region's part.
//! 2. **The words are nobody's block.** They are cut off the slice, disjoint from the region, and
//!    zeroed before they are read.
//! 3. **A block is inside.** The region's size is that of its part of the slice, and the core
//!    hands out blocks within `[0, size)`, no two of which overlap while both live.
//! 4. **An offset is as aligned as its address**, up to `max_alignment`, of which *base* is a
//!    multiple. Larger alignments are refused.
//! 5. **A layout names its block.** The size of a block is that of any fitting layout, rounded up;
//!    a resized block has the size of the new layout, rounded up.
//! 6. **One change at a time.** The region is behind a `RefCell` or a lock. No caller's code runs
//!    meanwhile, and no reference to a byte of the region is made.
//! 7. **Blocks outlive borrowers, not the arena.** What allocates is `&Arena`, so none of it can
//!    be in use when the arena is reset, which takes `&mut`, or is gone.
//!
//! What the caller owes is the contract of `Allocator`: a pointer that denotes a block currently
//! allocated by this arena, and a layout that fits it. If that is broken in a way the region can
//! tell (a pointer freed twice, another arena's, a layout of another size), the call panics, and
//! nothing has changed. A stale pointer to a place that was handed out again cannot be told.

mod allocator;
mod config;
mod heap;
mod locked;
mod place;

use core::cell::RefCell;
use core::fmt;
use core::mem::MaybeUninit;

use crate::block::BuddyStats;
use crate::validate::Corruption;
pub use config::{ArenaConfig, ArenaError};
use heap::{Exclusive, Heap};
pub use locked::LockedArena;

/// Host memory for collections, for one thread at a time.
///
/// `&Arena` is an [`Allocator`](allocator_api2::alloc::Allocator) of `allocator-api2` 0.2: its
/// `Vec` and `Box`, `hashbrown`'s maps and whatever else takes one live in the slice that was
/// lent. No byte is asked of the host. [`LockedArena`] is the same for several threads.
///
/// - A request is rounded up to the minimum block size times a power of two; the collection is
///   told, and uses the whole block.
/// - Alignment is that of the address. Alignments up to [`ArenaConfig::max_alignment`] are served,
///   out of free blocks of at least as many bytes, and waste none; larger ones are refused. A block
///   larger than that starts on a multiple of it, not of its own size.
/// - A block grows in place if it is the first part of a larger one that is free but for it, and
///   moves otherwise. It always shrinks in place, unless it then needs another alignment.
/// - Requests of zero bytes take nothing.
///
/// # Examples
///
/// ```
/// use allocator_api2::{boxed::Box, vec::Vec};
/// use buddy_core::{Arena, ArenaConfig};
/// use core::mem::MaybeUninit;
/// use hashbrown::{DefaultHashBuilder, HashMap};
///
/// let mut memory = [MaybeUninit::uninit(); 64 * 1024];
/// let arena = Arena::new(&mut memory, ArenaConfig::default())?;
///
/// let mut squares = Vec::new_in(&arena);
/// squares.extend((0..1000_u64).map(|x| x * x));
/// let answer = Box::new_in(squares[10], &arena);
/// let mut names = HashMap::with_hasher_in(DefaultHashBuilder::default(), &arena);
/// names.insert(*answer, "ten squared");
/// assert_eq!(names[&100], "ten squared");
///
/// // What does not fit is refused, and what is there stays.
/// assert!(squares.try_reserve(1 << 20).is_err());
/// assert_eq!(squares.len(), 1000);
///
/// drop((squares, answer, names));
/// assert!(arena.is_empty());
/// # Ok::<(), buddy_core::ArenaError>(())
/// ```
///
/// It is not for two threads at a time:
///
/// ```compile_fail,E0277
/// fn share<T: Sync>() {}
/// share::<buddy_core::Arena>();
/// ```
///
/// What lives in it cannot outlive it, nor be there when it is reset:
///
/// ```compile_fail,E0502
/// # let mut memory = [core::mem::MaybeUninit::uninit(); 64 * 1024];
/// let mut arena = buddy_core::Arena::new(&mut memory, Default::default()).unwrap();
/// let kept = allocator_api2::boxed::Box::new_in(1, &arena);
/// arena.reset();
/// drop(kept);
/// ```
pub struct Arena<'m> {
    heap: RefCell<Heap<'m>>,
}

impl<'m> Arena<'m> {
    /// Makes an arena of a slice, which also holds the bookkeeping.
    ///
    /// The region starts on a multiple of `max_alignment`; the words lie in the gap before it, or
    /// behind it, whichever leaves more. What the slice holds does not matter.
    ///
    /// The slice need not be aligned. If it is, to `max_alignment`, the gap is nothing.
    ///
    /// # Errors
    ///
    /// - [`ArenaError::MinBlockSizeNotPowerOfTwo`], [`ArenaError::MaxAlignmentNotPowerOfTwo`],
    ///   [`ArenaError::TooManyBlocks`]: the configuration is not one; change it.
    /// - [`ArenaError::TooSmall`]: beside gap and words no minimum block is left. Lend more bytes,
    ///   or ask for less alignment.
    ///
    /// # Complexity
    ///
    /// Linear in the number of words: about two bits a minimum block. The bytes are not touched.
    pub fn new(memory: &'m mut [MaybeUninit<u8>], config: ArenaConfig) -> Result<Self, ArenaError> {
        Ok(Self { heap: RefCell::new(Heap::new(memory, config)?) })
    }

    /// Makes an arena of a slice, with the bookkeeping in words given apart.
    ///
    /// For memory that is aligned and has a power of two of bytes: with the words in it, as
    /// [`new`](Self::new) does, its largest block would be half of it. `words` may be longer than
    /// needed; what they hold does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), and [`ArenaError::TooFewWords`]: lend as many as
    /// [`words_needed`](Self::words_needed) tells.
    ///
    /// # Complexity
    ///
    /// That of [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use allocator_api2::vec::Vec;
    /// use buddy_core::{Arena, ArenaConfig};
    /// use core::mem::MaybeUninit;
    ///
    /// #[repr(align(4096))]
    /// struct Pages([MaybeUninit<u8>; 1 << 16]);
    ///
    /// const CONFIG: ArenaConfig = ArenaConfig { min_block_size: 64, max_alignment: 4096 };
    /// const WORDS: usize = Arena::words_needed(1 << 16, CONFIG).unwrap();
    /// let mut pages = Pages([MaybeUninit::uninit(); 1 << 16]);
    /// let mut words = [0; WORDS];
    /// let arena = Arena::with_words(&mut pages.0, &mut words, CONFIG)?;
    /// let whole = Vec::<u8, _>::with_capacity_in(1 << 16, &arena);
    /// assert_eq!(arena.largest_free_block(), 0);
    /// # Ok::<(), buddy_core::ArenaError>(())
    /// ```
    pub fn with_words(
        memory: &'m mut [MaybeUninit<u8>],
        words: &'m mut [u64],
        config: ArenaConfig,
    ) -> Result<Self, ArenaError> {
        Ok(Self { heap: RefCell::new(Heap::with_words(memory, words, config)?) })
    }

    /// The count of words that are enough for `length` bytes at any address, or `None` if there
    /// can be no such arena.
    #[must_use]
    pub const fn words_needed(length: usize, config: ArenaConfig) -> Option<usize> {
        place::words_for(length, config.min_block_size)
    }

    /// The counters of the region. Zero-sized requests are not in them.
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

    /// Frees everything at once, what was leaked or forgotten included.
    ///
    /// Nothing that borrows the arena can be in use, as this takes `&mut`; destructors of what was
    /// forgotten do not run.
    ///
    /// # Complexity
    ///
    /// Linear in the number of words.
    pub fn reset(&mut self) {
        self.heap.get_mut().reset();
    }

    /// Checks every invariant of the bookkeeping. For tests.
    ///
    /// # Errors
    ///
    /// The first contradiction found. Somebody has written to the words: a write outside of a
    /// block, or a defect of this crate.
    ///
    /// # Complexity
    ///
    /// Linear in the number of minimum blocks.
    pub fn validate(&self) -> Result<(), Corruption> {
        self.heap.with(|heap| heap.region().validate())
    }
}

impl fmt::Debug for Arena<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heap.with(|heap| heap.describe("Arena", formatter))
    }
}
