//! Bytes that tell where they belong, and the numbers that random programs are made of.

use std::fmt::Display;

/// SplitMix64: every seed is a good one, and the same seed gives the same numbers for ever.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `[0, bound)`; the bias is below 2^-32 for the bounds used here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An index into a list of `count` entries.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize_from(self.below(count.try_into().expect("a list's length fits 64 bits")))
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }
}

/// Sizes here are far below the address space, whose pointers have 64 bits wherever Vulkan runs
/// these tests.
pub(crate) fn usize_from(size: u64) -> usize {
    usize::try_from(size).expect("test sizes fit the address space")
}

/// `size` bytes that no other seed gives.
pub(crate) fn pattern(seed: u64, size: u64) -> Vec<u8> {
    let size = usize_from(size);
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Compares the bytes and, if they differ, says where first instead of printing them all.
#[track_caller]
pub(crate) fn assert_same_bytes(what: impl Display, got: &[u8], wanted: &[u8]) {
    assert_eq!(got.len(), wanted.len(), "{what}: length");
    if got != wanted {
        let at = (0..got.len()).find(|&at| got[at] != wanted[at]);
        let at = at.expect("slices of one length that differ have a place where they do");
        let count = (at..got.len()).filter(|&at| got[at] != wanted[at]).count();
        panic!(
            "{what}: {count} of {} bytes differ, the first at {at}: {:#04x} instead of {:#04x}",
            got.len(),
            got[at],
            wanted[at]
        );
    }
}
