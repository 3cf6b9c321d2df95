//! Blocks that were given back and had to be made again: what keeping them would have taken.
//!
//! Basic design: a program whose live bytes swing by more than what is kept gives a block back and asks
//! for one at each swing, and each time the driver is called twice. A fixed allowance is too small for
//! one program or too large for another, so it is learnt: when a block is needed soon after one went, the
//! empty bytes that were there before it went are what should have been kept, and they are, until
//! nothing of the kind has happened for a while.

use crate::window::{HALF_WINDOW, PeakWindow};

/// Remembers the empty bytes that it would have been better to keep.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remakes {
    /// Operations since a block went, and the empty bytes before it did; the most, of several in a row.
    gone: Option<(u32, u64)>,
    /// What should have been kept, whenever a block was made again.
    missed: PeakWindow,
}

impl Remakes {
    /// An allocation or a release has happened.
    pub(crate) fn operation(&mut self) {
        self.missed.record(0);
        self.gone = match self.gone {
            Some((age, retained)) if age < HALF_WINDOW => Some((age + 1, retained)),
            _ => None,
        };
    }

    /// A block goes back, of so many empty bytes.
    pub(crate) fn block_goes(&mut self, retained: u64) {
        let most = self.gone.map_or(0, |(_, retained)| retained);
        self.gone = Some((0, retained.max(most)));
    }

    /// A block is needed.
    pub(crate) fn block_needed(&mut self) {
        if let Some((_, retained)) = self.gone {
            self.missed.record(retained);
        }
    }

    /// Empty bytes that are worth keeping.
    pub(crate) fn worth_keeping(&self) -> u64 {
        self.missed.peak()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_had_to_be_made_again_soon_is_kept_next_time() {
        let mut remakes = Remakes::default();
        remakes.block_needed();
        assert_eq!(remakes.worth_keeping(), 0);
        remakes.block_goes(100);
        remakes.block_goes(60);
        remakes.operation();
        assert_eq!(remakes.worth_keeping(), 0);
        remakes.block_needed();
        assert_eq!(remakes.worth_keeping(), 100);
    }

    #[test]
    fn what_is_made_again_late_was_rightly_given_back() {
        let mut remakes = Remakes::default();
        remakes.block_goes(100);
        for _ in 0..=HALF_WINDOW {
            remakes.operation();
        }
        remakes.block_needed();
        assert_eq!(remakes.worth_keeping(), 0);
    }

    #[test]
    fn a_lesson_is_forgotten_after_two_half_windows() {
        let mut remakes = Remakes::default();
        remakes.block_goes(100);
        remakes.block_needed();
        // The lesson itself counts as one.
        for _ in 1..2 * HALF_WINDOW {
            assert_eq!(remakes.worth_keeping(), 100);
            remakes.operation();
        }
        assert_eq!(remakes.worth_keeping(), 0);
    }
}
