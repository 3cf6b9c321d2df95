//! Bytes as choices and numbers.
//!
//! Basic design: every choice takes its bytes from the front, so that a change of one byte changes
//! one step and leaves the steps before it alone. Numbers are made around the powers of two, where
//! allocators break. When the bytes run out every choice is the first one.

use arbitrary::Unstructured;

/// The bytes of a program that are not used yet.
pub(crate) struct Input<'a>(Unstructured<'a>);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or(0)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// Below `bound`, which is at least 1.
    pub(crate) fn below(&mut self, bound: u8) -> u8 {
        self.byte() % bound
    }

    /// An index below `count`, which is at least 1.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// True once in `count`, and never when the bytes have run out.
    pub(crate) fn one_in(&mut self, count: u8) -> bool {
        self.byte() % count == count - 1
    }

    /// One of several values, of which there is at least one.
    pub(crate) fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.index(values.len())]
    }

    /// `Some` once in `count`.
    pub(crate) fn maybe<T>(&mut self, count: u8, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(count).then(|| value(self))
    }

    /// A power of two up to `2^max_shift`, which is at most 63.
    pub(crate) fn power(&mut self, max_shift: u8) -> u64 {
        1 << self.below(max_shift + 1)
    }

    /// A number of at most `max_shift` bits and one, below 64: at, beside, or between powers of two.
    pub(crate) fn number(&mut self, max_shift: u8) -> u64 {
        let power = self.power(max_shift);
        match self.below(6) {
            0 | 1 => power,
            2 => power - 1,
            3 => power + 1,
            4 => power + power / 2,
            _ => power | (self.word() & (power - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_stay_within_their_bounds() {
        let bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
        let mut input = Input::new(&bytes);
        while !input.is_empty() {
            assert!(input.below(3) < 3);
            assert!(input.index(5) < 5);
            assert!(input.power(63).is_power_of_two());
            assert!(input.number(10) <= 2 << 10);
        }
    }

    #[test]
    fn without_bytes_every_choice_is_the_first() {
        let mut input = Input::new(&[]);
        assert_eq!((input.byte(), input.word(), input.power(63)), (0, 0, 1));
        assert!(!input.one_in(2));
        assert_eq!(input.pick(&[7, 8]), 7);
        assert_eq!(input.maybe(2, Input::byte), None);
    }
}
