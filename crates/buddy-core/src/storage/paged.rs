//! Words for huge regions of which little is in use: pages that come when they are needed.
//!
//! Basic design: a page holds 128 words, and is found through two levels of tables below a root,
//! by the digits of the word's index; so a lookup is four loads for any region. A page that is
//! not there holds zeros, and only reads find that: what an allocation or a resize is about to
//! write is prepared first, and all that a free writes was written by the allocations and splits
//! before it. A region that is wholly free needs pages only for the bits that stand for the
//! outside.

use alloc::{boxed::Box, vec::Vec};

use super::{Storage, sealed::Words};
use crate::error::ConfigError;
use crate::layout::{Layout, word_position};

/// Words in a page. Smaller pages cost more tables, larger ones hold more words without use.
const PAGE_WORDS: usize = 128;

/// Entries of a table.
const TABLE_LENGTH: usize = 256;

type Page = Box<[u64; PAGE_WORDS]>;
type Leaf = Box<[Option<Page>; TABLE_LENGTH]>;
type Table = Box<[Option<Leaf>; TABLE_LENGTH]>;

/// Words on the host's heap, in pages that the host is asked for when an allocation first needs
/// them, and that are kept until the region goes.
///
/// A region of 1 TiB with minimum blocks of 4 KiB, which has 2^28 of them, starts with less than
/// 1 KiB, and has less than 100 KiB when a few blocks are taken, where [`Owned`](super::Owned)
/// words take 65 MiB. In return every access is four loads instead of one.
#[derive(Clone)]
pub struct Paged {
    /// 2^13 entries at most: 2^36 words are 2^29 pages, 2^21 leaves and 2^13 tables.
    root: Box<[Option<Table>]>,
    /// The bytes asked for, tables included.
    host_bytes: usize,
}

/// The place of a page: entry in the root, in the table and in the leaf.
fn place(index: usize) -> (usize, usize, usize) {
    let page = index / PAGE_WORDS;
    let leaf = page / TABLE_LENGTH;
    (leaf / TABLE_LENGTH, leaf % TABLE_LENGTH, page % TABLE_LENGTH)
}

/// As many values as the array has, or `None` if the host refuses.
fn try_boxed<T, const LENGTH: usize>(
    value: impl FnMut() -> T,
    host_bytes: &mut usize,
) -> Option<Box<[T; LENGTH]>> {
    let mut values = Vec::new();
    values.try_reserve_exact(LENGTH).ok()?;
    values.resize_with(LENGTH, value);
    *host_bytes += LENGTH * size_of::<T>();
    values.into_boxed_slice().try_into().ok()
}

impl Paged {
    /// Words of a wholly free region of this shape.
    pub(crate) fn new(layout: &Layout) -> Result<Self, ConfigError> {
        let words_needed = layout.word_count();
        let refusal = ConfigError::OutOfHostMemory { words_needed };
        let root_length = words_needed.div_ceil(PAGE_WORDS * TABLE_LENGTH * TABLE_LENGTH);
        let mut root = Vec::new();
        root.try_reserve_exact(root_length).map_err(|_| refusal)?;
        root.resize_with(root_length, || None);
        let host_bytes = root_length * size_of::<Option<Table>>();
        let mut paged = Self { root: root.into_boxed_slice(), host_bytes };
        let mut is_whole = true;
        for_each_initial_bit(layout, |index, _| is_whole &= paged.prepare(index));
        if !is_whole {
            return Err(refusal);
        }
        paged.reset(layout);
        Ok(paged)
    }

    /// The bytes that the host was asked for.
    pub(crate) fn host_bytes(&self) -> usize {
        self.host_bytes
    }

    /// The page of a word, if it is there.
    fn page_mut(&mut self, index: usize) -> Option<&mut Page> {
        let (table, leaf, page) = place(index);
        self.root[table].as_mut()?[leaf].as_mut()?[page].as_mut()
    }

    /// [`prepare`](Words::prepare) with the refusal as `None`.
    fn try_prepare(&mut self, index: usize) -> Option<()> {
        let (table, leaf, page) = place(index);
        let bytes = &mut self.host_bytes;
        let table = get_or_try_insert(&mut self.root[table], || try_boxed(|| None, bytes))?;
        let leaf = get_or_try_insert(&mut table[leaf], || try_boxed(|| None, bytes))?;
        get_or_try_insert(&mut leaf[page], || try_boxed(|| 0, bytes)).map(|_| ())
    }
}

/// What the option holds, filled if it was empty.
fn get_or_try_insert<T>(slot: &mut Option<T>, make: impl FnOnce() -> Option<T>) -> Option<&mut T> {
    if slot.is_none() {
        *slot = make();
    }
    slot.as_mut()
}

/// Calls `visit` with the word and the bit of all that is set in a region that is wholly free.
fn for_each_initial_bit(layout: &Layout, mut visit: impl FnMut(usize, u64)) {
    for order in 0..=layout.top_order() {
        let mut index = layout.order_block_count(order);
        if index.is_multiple_of(2) {
            continue;
        }
        let mut start = layout.first_word(order);
        let mut word_count = layout.order_word_count(order);
        for _ in 0..=layout.layer_count() {
            visit(start + word_position(index), 1 << (index % 64));
            index /= 64;
            start += word_count;
            word_count = word_count.div_ceil(64);
        }
    }
}

impl Storage for Paged {}

#[expect(private_interfaces, reason = "the trait is out of reach for other crates")]
impl Words for Paged {
    #[inline]
    fn word(&self, index: usize) -> u64 {
        let (table, leaf, page) = place(index);
        let found = || self.root[table].as_ref()?[leaf].as_ref()?[page].as_ref();
        found().map_or(0, |page| page[index % PAGE_WORDS])
    }

    #[inline]
    fn word_mut(&mut self, index: usize) -> &mut u64 {
        let page = self.page_mut(index).expect("a word that is written was prepared before");
        &mut page[index % PAGE_WORDS]
    }

    fn reset(&mut self, layout: &Layout) {
        let leaves = self.root.iter_mut().flatten().flat_map(|table| table.iter_mut().flatten());
        for page in leaves.flat_map(|leaf| leaf.iter_mut().flatten()) {
            page.fill(0);
        }
        for_each_initial_bit(layout, |index, bit| *self.word_mut(index) |= bit);
    }

    fn is_sparse(&self) -> bool {
        true
    }

    fn prepare(&mut self, index: usize) -> bool {
        self.try_prepare(index).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BuddyConfig;

    #[test]
    fn a_word_is_kept_once_it_is_prepared_and_is_zero_before() {
        let layout = Layout::new(&BuddyConfig::new(1 << 40, 1)).unwrap();
        let mut words = Paged::new(&layout).unwrap();
        let far = layout.word_count() - 1;
        let indices = [100, 127, 128, 127 * 256, 128 * 256, 128 * 256 * 256 - 1, 1 << 23, far];
        for index in indices {
            assert_eq!(words.word(index), 0);
            assert!(words.prepare(index) && words.prepare(index));
            *words.word_mut(index) = index as u64 ^ 0xABCD;
        }
        for index in indices {
            assert_eq!(words.word(index), index as u64 ^ 0xABCD);
        }
        words.reset(&layout);
        assert!(indices.into_iter().all(|index| words.word(index) == 0));
    }
}
