//! Questions about one word of an order: 32 pairs of buddies, two bits each.
//!
//! Basic design: the bit of a block says that it is occupied, which is taken or split. Buddies
//! are neighbours with an even and an odd index, so a pair never straddles two words. Of a pair,
//! 00 means that the parent is not split, 11 that both are occupied, and 01 or 10 that exactly
//! one is free. The free blocks of a word are therefore the pairs whose two bits differ.

/// The low bit of each pair.
const LOW_BITS: u64 = 0x5555_5555_5555_5555;

/// The low bit of each pair of which exactly one block is free.
#[inline]
pub(crate) const fn free_pairs(word: u64) -> u64 {
    (word ^ (word >> 1)) & LOW_BITS
}

/// The pair that holds bit `index % 64`, as a number from 0b00 to 0b11.
#[inline]
pub(crate) const fn pair(word: u64, index: u64) -> u64 {
    (word >> (index & 62)) & 0b11
}

/// The bit of block `index` within its word.
#[inline]
pub(crate) const fn bit(index: u64) -> u64 {
    1 << (index & 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_pairs_whose_bits_differ_have_a_free_block() {
        for pattern in 0..=0xFF_u64 {
            for shift in [0, 8, 56] {
                let word = pattern << shift;
                for low in (0..64).step_by(2) {
                    let states = ((word >> low) & 1, (word >> (low + 1)) & 1);
                    let free = free_pairs(word) >> low & 1;
                    assert_eq!(free == 1, states.0 != states.1, "word {word:#x}, pair at {low}");
                    assert_eq!(pair(word, low), states.0 | states.1 << 1);
                    assert_eq!(pair(word, low + 1), pair(word, low));
                }
            }
        }
    }

    #[test]
    fn a_bit_wraps_at_its_word() {
        assert_eq!(bit(0), 1);
        assert_eq!(bit(63), 1 << 63);
        assert_eq!(bit(64 * 5 + 7), 1 << 7);
    }
}
