//! What the last few thousand operations of a pool tell about the empty bytes to keep.
//!
//! Basic design: a program whose live bytes swing by more than what is kept gives a block back and asks
//! for one at each swing, and each time the driver is called twice. A fixed allowance is too small for
//! one program or too large for another, so it is learnt: when a block is needed soon after one went, the
//! empty bytes that were there before it went are what should have been kept, and they are, until
//! nothing of the kind has happened for a while. An operation costs one count and one comparison.

use crate::window::{HALF_WINDOW, PeakWindow};

/// Remembers the peak of the live bytes, and the empty bytes that it would have been better to keep.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    /// So far; more than there ever will be fit.
    operations: u64,
    live: PeakWindow,
    /// When a block went, and the empty bytes before it did; the most, of several in a row.
    gone: Option<(u64, u64)>,
    /// What should have been kept, whenever a block was made again.
    missed: PeakWindow,
}

impl Recent {
    /// An allocation or a release has happened; so many bytes are live.
    #[inline]
    pub(crate) fn operation(&mut self, live: u64) {
        self.live.record(live);
        self.operations += 1;
        if self.operations.is_multiple_of(HALF_WINDOW) {
            self.half_passed(live);
        }
    }

    #[cold]
    fn half_passed(&mut self, live: u64) {
        self.live.half_passed(live);
        self.missed.half_passed(0);
    }

    /// The peak of the live bytes.
    pub(crate) fn live_peak(&self) -> u64 {
        self.live.peak()
    }

    /// A block goes back, of so many empty bytes.
    pub(crate) fn block_goes(&mut self, retained: u64) {
        let most = self.gone_lately().unwrap_or(0);
        self.gone = Some((self.operations, retained.max(most)));
    }

    /// A block is needed.
    pub(crate) fn block_needed(&mut self) {
        if let Some(retained) = self.gone_lately() {
            self.missed.record(retained);
        }
    }

    /// The empty bytes before a block went, if that was not long ago.
    fn gone_lately(&self) -> Option<u64> {
        let (at, retained) = self.gone?;
        // No underflow: operations are counted upwards.
        (self.operations - at <= HALF_WINDOW).then_some(retained)
    }

    /// Empty bytes that are worth keeping.
    pub(crate) fn worth_keeping(&self) -> u64 {
        self.missed.peak()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(recent: &mut Recent, count: u64) {
        (0..count).for_each(|_| recent.operation(0));
    }

    #[test]
    fn what_had_to_be_made_again_soon_is_kept_next_time() {
        let mut recent = Recent::default();
        recent.block_needed();
        assert_eq!(recent.worth_keeping(), 0);
        recent.block_goes(100);
        recent.block_goes(60);
        recent.operation(0);
        assert_eq!(recent.worth_keeping(), 0);
        recent.block_needed();
        assert_eq!(recent.worth_keeping(), 100);
    }

    #[test]
    fn what_is_made_again_late_was_rightly_given_back() {
        let mut recent = Recent::default();
        recent.block_goes(100);
        operations(&mut recent, HALF_WINDOW + 1);
        recent.block_needed();
        assert_eq!(recent.worth_keeping(), 0);
    }

    #[test]
    fn a_lesson_is_forgotten_after_one_or_two_half_windows() {
        let mut recent = Recent::default();
        operations(&mut recent, 10);
        recent.block_goes(100);
        recent.block_needed();
        operations(&mut recent, HALF_WINDOW);
        assert_eq!(recent.worth_keeping(), 100);
        operations(&mut recent, HALF_WINDOW);
        assert_eq!(recent.worth_keeping(), 0);
    }

    #[test]
    fn the_live_peak_is_forgotten_likewise() {
        let mut recent = Recent::default();
        recent.operation(100);
        operations(&mut recent, HALF_WINDOW);
        assert_eq!(recent.live_peak(), 100);
        operations(&mut recent, HALF_WINDOW);
        assert_eq!(recent.live_peak(), 0);
    }
}
