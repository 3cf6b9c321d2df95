//! Numbered lists of indices, and which of them are not empty: finds a member of the first list at or
//! above a number without a walk.

use alloc::vec::Vec;

/// No index.
const NONE: u32 = u32::MAX;

/// `N` lists over the indices that were added, `N` a multiple of 64. An index is in one list or none.
#[derive(Debug)]
pub(crate) struct Buckets<const N: usize> {
    /// Bit `b % 64` of word `b / 64` is set iff `heads[b]` is an index.
    occupied: [u64; 4],
    heads: [u32; N],
    links: Vec<Link>,
}

/// An index's place in its list.
#[derive(Clone, Copy, Debug)]
struct Link {
    bucket: Option<u8>,
    previous: u32,
    next: u32,
}

impl Buckets<64> {
    /// The first index of the last list below `bucket`, which is below 64.
    pub(crate) fn first_below(&self, bucket: usize) -> Option<u32> {
        let below = self.occupied[0] & !(u64::MAX << bucket);
        Some(self.heads[below.checked_ilog2()? as usize])
    }

    /// The index behind this one: in its list, or the first of the list before it.
    pub(crate) fn next_below(&self, index: u32) -> Option<u32> {
        let Link { bucket, next, .. } = self.links[index as usize];
        if next != NONE { Some(next) } else { self.first_below(usize::from(bucket?)) }
    }
}

impl<const N: usize> Buckets<N> {
    const WORDS: usize = {
        assert!(N.is_multiple_of(64) && N <= 256, "lists are counted in words of the bitmap");
        N / 64
    };

    pub(crate) fn new() -> Self {
        Self { occupied: [0; 4], heads: [NONE; N], links: Vec::new() }
    }

    /// Makes every index below `count` known; new ones are in no list.
    pub(crate) fn grow(&mut self, count: usize) {
        if self.links.len() < count {
            self.links.resize(count, Link { bucket: None, previous: NONE, next: NONE });
        }
    }

    /// The list an index is in.
    #[cfg(test)]
    pub(crate) fn bucket_of(&self, index: u32) -> Option<u8> {
        self.links[index as usize].bucket
    }

    /// The first index of the first list at or above `bucket`.
    #[inline]
    pub(crate) fn first_from(&self, bucket: usize) -> Option<u32> {
        let mut mask = u64::MAX << (bucket % 64);
        for word in bucket / 64..Self::WORDS {
            let bits = self.occupied[word] & mask;
            if bits != 0 {
                return Some(self.heads[word * 64 + bits.trailing_zeros() as usize]);
            }
            mask = u64::MAX;
        }
        None
    }

    /// The index behind this one: in its list, or the first of the next list.
    pub(crate) fn next(&self, index: u32) -> Option<u32> {
        let Link { bucket, next, .. } = self.links[index as usize];
        if next != NONE { Some(next) } else { self.first_from(usize::from(bucket?) + 1) }
    }

    /// The highest list that is not empty.
    pub(crate) fn highest(&self) -> Option<u8> {
        let word = (0..Self::WORDS).rev().find(|&word| self.occupied[word] != 0)?;
        // `N` is at most 256.
        Some((word * 64 + self.occupied[word].ilog2() as usize).to_le_bytes()[0])
    }

    /// The first index of a list.
    pub(crate) fn head(&self, bucket: u8) -> Option<u32> {
        Some(self.heads[usize::from(bucket)]).filter(|&head| head != NONE)
    }

    /// Moves an index to another list, to its front, or out of all lists.
    #[inline]
    pub(crate) fn put(&mut self, index: u32, bucket: Option<u8>) {
        if self.links[index as usize].bucket != bucket {
            self.relink(index, bucket);
        }
    }

    #[inline(never)]
    fn relink(&mut self, index: u32, bucket: Option<u8>) {
        let Link { bucket: old, previous, next } = self.links[index as usize];
        if let Some(old) = old {
            match previous {
                NONE => self.set_head(old, next),
                previous => self.links[previous as usize].next = next,
            }
            if next != NONE {
                self.links[next as usize].previous = previous;
            }
        }
        let head = bucket.map_or(NONE, |bucket| self.heads[usize::from(bucket)]);
        self.links[index as usize] = Link { bucket, previous: NONE, next: head };
        if let Some(bucket) = bucket {
            if head != NONE {
                self.links[head as usize].previous = index;
            }
            self.set_head(bucket, index);
        }
    }

    fn set_head(&mut self, bucket: u8, head: u32) {
        let bucket = usize::from(bucket);
        self.heads[bucket] = head;
        let bit = 1 << (bucket % 64);
        if head == NONE {
            self.occupied[bucket / 64] &= !bit;
        } else {
            self.occupied[bucket / 64] |= bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn searches_agree_with_a_scan(moves in prop::collection::vec((0u32..20, prop::option::of(0u8..128)), 1..200), from in 0u8..128) {
            let mut buckets = Buckets::<128>::new();
            buckets.grow(20);
            let mut shadow = [None; 20];
            for (index, bucket) in moves {
                buckets.put(index, bucket);
                shadow[index as usize] = bucket;
            }
            let lowest = shadow.iter().flatten().copied().filter(|&bucket| bucket >= from).min();
            let found = buckets.first_from(usize::from(from));
            prop_assert_eq!(found.and_then(|index| buckets.bucket_of(index)), lowest);
            prop_assert_eq!(buckets.highest(), shadow.iter().flatten().copied().max());
            // Walking visits every listed index once, in ascending buckets.
            let walked: Vec<u32> = core::iter::successors(buckets.first_from(0), |&index| buckets.next(index)).collect();
            prop_assert_eq!(walked.len(), shadow.iter().flatten().count());
            let order: Vec<u8> = walked.iter().map(|&index| buckets.bucket_of(index).unwrap()).collect();
            prop_assert!(order.is_sorted());
            for (index, bucket) in (0u32..).zip(shadow) {
                prop_assert_eq!(buckets.bucket_of(index), bucket);
            }
        }
    }
}
