//! What is live in the blocks of a pool, and what its last few thousand operations tell about the empty
//! bytes to keep.
//!
//! Basic design: a program whose live bytes swing by more than what is kept gives a block back and asks
//! for one at each swing, and each time the driver is called twice. A fixed allowance is too small for
//! one program or too large for another, so it is learnt: when a block is needed soon after one went, the
//! empty bytes that were there before it went are what should have been kept, and they are, until
//! nothing of the kind has happened for a while. An operation costs one count and one comparison.

use crate::window::{HALF_WINDOW, PeakWindow};

/// Counts what is live, remembers the peak of it, and the empty bytes that it would have been better to
/// keep.
// What every operation changes comes first, and no two that a release changes alike side by side: they
// would be changed together in a vector, which takes longer.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Live {
    used_size: u64,
    /// Operations until half a window has passed.
    left: u64,
    requested_size: u64,
    peak: PeakWindow,
    allocation_count: u64,
    /// Halves that have passed.
    halves: u64,
    /// When a block went, and the empty bytes before it did; the most, of several in a row.
    gone: Option<(u64, u64)>,
    /// What should have been kept, whenever a block was made again.
    missed: PeakWindow,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            used_size: 0,
            left: HALF_WINDOW,
            requested_size: 0,
            peak: PeakWindow::default(),
            allocation_count: 0,
            halves: 0,
            gone: None,
            missed: PeakWindow::default(),
        }
    }
}

impl Live {
    /// Bytes taken, rounding included.
    #[inline]
    pub(crate) fn used_size(&self) -> u64 {
        self.used_size
    }

    /// Bytes that were asked for.
    pub(crate) fn requested_size(&self) -> u64 {
        self.requested_size
    }

    pub(crate) fn allocation_count(&self) -> u64 {
        self.allocation_count
    }

    /// An allocation has taken so many bytes for what it asked for.
    #[inline(always)]
    pub(crate) fn placed(&mut self, taken: u64, requested: u64) {
        self.used_size += taken;
        self.requested_size += requested;
        self.allocation_count += 1;
        self.peak.record(self.used_size);
        self.operation();
    }

    /// An allocation has gone.
    // The peak is no lower than what was live before.
    #[inline(always)]
    pub(crate) fn freed(&mut self, taken: u64, requested: u64) {
        self.used_size -= taken;
        self.requested_size -= requested;
        self.allocation_count -= 1;
        self.operation();
    }

    #[inline(always)]
    fn operation(&mut self) {
        self.left -= 1;
        if self.left == 0 {
            self.half_passed();
        }
    }

    #[cold]
    #[inline(never)]
    fn half_passed(&mut self) {
        self.left = HALF_WINDOW;
        self.halves += 1;
        self.peak.half_passed(self.used_size);
        self.missed.half_passed(0);
    }

    /// Operations so far; more than there ever will be fit.
    fn operations(&self) -> u64 {
        self.halves * HALF_WINDOW + (HALF_WINDOW - self.left)
    }

    /// The peak of the live bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.peak()
    }

    /// A block goes back, of so many empty bytes.
    pub(crate) fn block_goes(&mut self, retained: u64) {
        let most = self.gone_lately().unwrap_or(0);
        self.gone = Some((self.operations(), retained.max(most)));
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
        (self.operations() - at <= HALF_WINDOW).then_some(retained)
    }

    /// Empty bytes that are worth keeping.
    pub(crate) fn worth_keeping(&self) -> u64 {
        self.missed.peak()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(live: &mut Live, count: u64) {
        assert!(count.is_multiple_of(2), "each pair is two");
        for _ in 0..count / 2 {
            live.placed(0, 0);
            live.freed(0, 0);
        }
    }

    #[test]
    fn what_had_to_be_made_again_soon_is_kept_next_time() {
        let mut live = Live::default();
        live.block_needed();
        assert_eq!(live.worth_keeping(), 0);
        live.block_goes(100);
        live.block_goes(60);
        operations(&mut live, 2);
        assert_eq!(live.worth_keeping(), 0);
        live.block_needed();
        assert_eq!(live.worth_keeping(), 100);
    }

    #[test]
    fn what_is_made_again_late_was_rightly_given_back() {
        let mut live = Live::default();
        live.block_goes(100);
        operations(&mut live, HALF_WINDOW + 2);
        live.block_needed();
        assert_eq!(live.worth_keeping(), 0);
    }

    #[test]
    fn a_lesson_is_forgotten_after_one_or_two_half_windows() {
        let mut live = Live::default();
        operations(&mut live, 10);
        live.block_goes(100);
        live.block_needed();
        operations(&mut live, HALF_WINDOW);
        assert_eq!(live.worth_keeping(), 100);
        operations(&mut live, HALF_WINDOW);
        assert_eq!(live.worth_keeping(), 0);
    }

    #[test]
    fn the_peak_is_forgotten_likewise_and_the_counts_are_not() {
        let mut live = Live::default();
        live.placed(100, 90);
        live.freed(60, 60);
        operations(&mut live, HALF_WINDOW);
        assert_eq!(live.peak(), 100);
        operations(&mut live, HALF_WINDOW);
        assert_eq!(live.peak(), 40);
        assert_eq!((live.used_size(), live.requested_size()), (40, 30));
        assert_eq!(live.allocation_count(), 0);
    }
}
