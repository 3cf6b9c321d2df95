//! The ways to make a region, one for each kind of storage.

use super::BuddyAllocator;
use crate::config::BuddyConfig;
use crate::counters::Counters;
use crate::error::ConfigError;
use crate::layout::{Layout, ORDER_COUNT};
use crate::storage::{Fixed, reset_slice};
#[cfg(feature = "alloc")]
use crate::storage::{Owned, Paged, sealed::Words};
use crate::tree::Tree;
use crate::waiting::Waiting;

impl<S, const ORDERS: usize> BuddyAllocator<S, ORDERS> {
    /// A region over words that are those of a wholly free one.
    const fn over(storage: S, layout: Layout) -> Self {
        let tree = Tree::new(storage, layout);
        Self { tree, waiting: Waiting::NONE, counters: Counters::new() }
    }
}

#[cfg(feature = "alloc")]
impl BuddyAllocator<Owned> {
    /// Makes a region of `total_size` bytes, wholly free, with words on the host's heap.
    ///
    /// `min_block_size` is a power of two and the size of the smallest block. Any total from one
    /// minimum block up will do; a tail shorter than a minimum block is never handed out, and
    /// [`total_size`](Self::total_size) does not count it. The host's allocator is asked once,
    /// here, and never again.
    ///
    /// # Errors
    ///
    /// - [`ConfigError::ZeroSize`], [`ConfigError::MinBlockSizeNotPowerOfTwo`],
    ///   [`ConfigError::BelowMinBlock`]: the sizes contradict the rules above.
    /// - [`ConfigError::TooManyBlocks`]: more than 2^40 minimum blocks. Take larger ones.
    /// - [`ConfigError::OutOfHostMemory`]: the host refused. Take larger minimum blocks, or lend
    ///   the words with [`with_words`](BuddyAllocator::with_words).
    ///
    /// # Complexity
    ///
    /// Linear in the number of words, which is a 32nd of the number of minimum blocks.
    pub fn new(total_size: u64, min_block_size: u64) -> Result<Self, ConfigError> {
        Self::with_config(BuddyConfig::new(total_size, min_block_size))
    }

    /// Makes a region as [`new`](Self::new) does, with choices.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    ///
    /// # Complexity
    ///
    /// That of [`new`](Self::new).
    pub fn with_config(config: BuddyConfig) -> Result<Self, ConfigError> {
        let layout = Layout::new(&config)?;
        let mut storage = Owned::new(layout.word_count())?;
        storage.reset(&layout);
        Ok(Self::over(storage, layout))
    }
}

#[cfg(feature = "alloc")]
impl<const ORDERS: usize> BuddyAllocator<Owned, ORDERS> {
    /// Makes a region as [`with_config`](BuddyAllocator::with_config) does, that keeps books of
    /// `ORDERS` orders, which is within `1 ..= 41`. For many small regions: each order takes 32 bytes
    /// of the allocator itself, which has 1,456 with 41 of them and 496 with 11.
    ///
    /// # Errors
    ///
    /// Those of [`new`](BuddyAllocator::new), and [`ConfigError::TooManyBlocks`] from
    /// `1 << ORDERS` minimum blocks on.
    ///
    /// # Complexity
    ///
    /// That of [`new`](BuddyAllocator::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::{BuddyAllocator, BuddyConfig, Owned};
    ///
    /// let mut span = BuddyAllocator::<Owned, 11>::compact(BuddyConfig::new(256 << 10, 256))?;
    /// assert_eq!(span.allocate(5000)?.size, 8192);
    /// assert!(size_of_val(&span) < size_of::<BuddyAllocator>() / 2);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn compact(config: BuddyConfig) -> Result<Self, ConfigError> {
        let layout = compact_layout::<ORDERS>(&config)?;
        let mut storage = Owned::new(layout.word_count())?;
        storage.reset(&layout);
        Ok(Self::over(storage, layout))
    }
}

#[cfg(feature = "alloc")]
impl BuddyAllocator<Paged> {
    /// Makes a region, wholly free, whose words come in pages when they are needed. For regions
    /// of up to 2^40 minimum blocks of which little is in use.
    ///
    /// # Errors
    ///
    /// Those of [`with_config`](BuddyAllocator::with_config). Later,
    /// [`allocate`](Self::allocate) answers
    /// [`AllocError::OutOfHostMemory`](crate::AllocError::OutOfHostMemory) where the host refuses
    /// a page.
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::{BuddyAllocator, BuddyConfig};
    ///
    /// let mut disk = BuddyAllocator::paged(BuddyConfig::new(1 << 40, 4096))?;
    /// let extent = disk.allocate(1 << 20)?;
    /// assert!(disk.host_bytes() < 100 << 10);
    /// disk.free(extent)?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Complexity
    ///
    /// At most some pages for each order, whatever the length of the region.
    pub fn paged(config: BuddyConfig) -> Result<Self, ConfigError> {
        let layout = Layout::new(&config)?;
        let storage = Paged::new(&layout)?;
        Ok(Self::over(storage, layout))
    }

    /// The bytes of pages and tables that the host was asked for so far.
    #[must_use]
    pub fn host_bytes(&self) -> usize {
        self.tree.words().host_bytes()
    }
}

impl<'a> BuddyAllocator<Fixed<'a>> {
    /// Makes a region as `new` does, wholly free, in words lent by the caller.
    ///
    /// What the words hold does not matter; they are cleared.
    ///
    /// # Errors
    ///
    /// - [`ConfigError::ZeroSize`], [`ConfigError::MinBlockSizeNotPowerOfTwo`],
    ///   [`ConfigError::BelowMinBlock`], [`ConfigError::TooManyBlocks`]: the sizes are not those
    ///   of a region, as for `new`.
    /// - [`ConfigError::WrongWordCount`]: the slice is not exactly as long as
    ///   [`words_needed`](Self::words_needed) tells. The words are untouched.
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::{BuddyAllocator, Fixed};
    ///
    /// const WORDS: usize = BuddyAllocator::<Fixed>::words_needed(1 << 20, 256).unwrap();
    /// let mut words = [0; WORDS];
    /// let mut region = BuddyAllocator::with_words(1 << 20, 256, &mut words)?;
    /// assert_eq!(region.allocate(5000)?.size, 8192);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn with_words(
        total_size: u64,
        min_block_size: u64,
        words: &'a mut [u64],
    ) -> Result<Self, ConfigError> {
        Self::in_words(BuddyConfig::new(total_size, min_block_size), words)
    }

    /// Makes a region as [`with_words`](Self::with_words) does, with choices. The slice is as
    /// long as [`BuddyConfig::word_count`] tells.
    ///
    /// # Errors
    ///
    /// Those of [`with_words`](Self::with_words).
    pub fn in_words(config: BuddyConfig, words: &'a mut [u64]) -> Result<Self, ConfigError> {
        let layout = Layout::new(&config)?;
        check_word_count(&layout, words.len())?;
        reset_slice(words, &layout);
        Ok(Self::over(Fixed::new(words), layout))
    }

    /// The count of words a region needs, or `None` if there can be no such region.
    ///
    /// About two bits a minimum block, and at least two words for each order.
    #[must_use]
    pub const fn words_needed(total_size: u64, min_block_size: u64) -> Option<usize> {
        BuddyConfig::new(total_size, min_block_size).word_count()
    }
}

impl<const WORD_COUNT: usize> BuddyAllocator<[u64; WORD_COUNT]> {
    /// Makes a region, wholly free, that holds its words in itself. It can be made by the
    /// compiler, for a `static`.
    ///
    /// # Errors
    ///
    /// - [`ConfigError::ZeroSize`], [`ConfigError::MinBlockSizeNotPowerOfTwo`],
    ///   [`ConfigError::BelowMinBlock`], [`ConfigError::TooManyBlocks`]: the sizes are not those
    ///   of a region.
    /// - [`ConfigError::WrongWordCount`]: the array is not exactly as long as
    ///   [`BuddyConfig::word_count`] tells.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Mutex;
    ///
    /// use buddy_core::{BuddyAllocator, BuddyConfig};
    ///
    /// const CONFIG: BuddyConfig = BuddyConfig::new(1 << 20, 4096);
    /// const WORDS: usize = CONFIG.word_count().unwrap();
    /// static PAGES: Mutex<BuddyAllocator<[u64; WORDS]>> =
    ///     Mutex::new(match BuddyAllocator::in_array(CONFIG) {
    ///         Ok(region) => region,
    ///         Err(_) => panic!("the sizes are a region's, and the words are as many as it needs"),
    ///     });
    ///
    /// let mut pages = PAGES.lock().unwrap();
    /// let block = pages.allocate(10_000)?;
    /// assert_eq!((block.offset, block.size), (0, 16_384));
    /// pages.free(block)?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub const fn in_array(config: BuddyConfig) -> Result<Self, ConfigError> {
        match Layout::new(&config) {
            Ok(layout) => Self::over_array(layout),
            Err(error) => Err(error),
        }
    }
}

impl<const WORD_COUNT: usize, const ORDERS: usize> BuddyAllocator<[u64; WORD_COUNT], ORDERS> {
    /// Makes a region as [`in_array`](BuddyAllocator::in_array) does, that keeps books of `ORDERS`
    /// orders, which is within `1 ..= 41`, at 32 bytes each.
    ///
    /// # Errors
    ///
    /// Those of [`in_array`](BuddyAllocator::in_array), and [`ConfigError::TooManyBlocks`] from
    /// `1 << ORDERS` minimum blocks on.
    ///
    /// # Examples
    ///
    /// ```
    /// use buddy_core::{BuddyAllocator, BuddyConfig};
    ///
    /// const CONFIG: BuddyConfig = BuddyConfig::new(1 << 20, 4096);
    /// const WORDS: usize = CONFIG.word_count().unwrap();
    /// // 256 pages have the orders from 0 to 8.
    /// let mut pages = BuddyAllocator::<[u64; WORDS], 9>::compact_in_array(CONFIG)?;
    /// assert_eq!(pages.allocate(10_000)?.size, 16_384);
    /// assert!(size_of_val(&pages) < 1024);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub const fn compact_in_array(config: BuddyConfig) -> Result<Self, ConfigError> {
        match compact_layout::<ORDERS>(&config) {
            Ok(layout) => Self::over_array(layout),
            Err(error) => Err(error),
        }
    }

    /// A region of this shape.
    const fn over_array(layout: Layout) -> Result<Self, ConfigError> {
        if let Err(error) = check_word_count(&layout, WORD_COUNT) {
            return Err(error);
        }
        let mut words = [0; WORD_COUNT];
        reset_slice(&mut words, &layout);
        Ok(Self::over(words, layout))
    }
}

/// The layout of a region of at most so many orders.
const fn compact_layout<const ORDERS: usize>(config: &BuddyConfig) -> Result<Layout, ConfigError> {
    const { assert!(ORDERS >= 1 && ORDERS <= ORDER_COUNT, "regions have 1 to 41 orders") };
    let layout = match Layout::new(config) {
        Ok(layout) => layout,
        Err(error) => return Err(error),
    };
    if layout.top_order() as usize >= ORDERS {
        return Err(ConfigError::TooManyBlocks {
            block_count: layout.block_count(),
            max_block_count: (1 << ORDERS) - 1,
        });
    }
    Ok(layout)
}

/// Whether a region of this shape has so many words.
const fn check_word_count(layout: &Layout, word_count: usize) -> Result<(), ConfigError> {
    let words_needed = layout.word_count();
    if word_count != words_needed {
        return Err(ConfigError::WrongWordCount { word_count, words_needed });
    }
    Ok(())
}
