//! The peak of a value over the last few thousand operations.

/// Operations after which the older half of the window is forgotten.
pub(crate) const HALF_WINDOW: u64 = 4096;

/// Remembers the peak of the last `HALF_WINDOW` to `2 * HALF_WINDOW` operations, in two words. Who counts
/// the operations says when half a window has passed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PeakWindow {
    /// Peak since half a window has passed.
    current: u64,
    /// Peak of the `HALF_WINDOW` operations before those.
    previous: u64,
}

impl PeakWindow {
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        // A branch, as a new peak is seldom; a choice would be written each time.
        if value > self.current {
            self.current = value;
        }
    }

    /// Half a window has passed, and this is the value now.
    pub(crate) fn half_passed(&mut self, value: u64) {
        self.previous = self.current;
        self.current = value;
    }

    pub(crate) fn peak(&self) -> u64 {
        self.current.max(self.previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_forgotten_after_two_half_windows() {
        let mut window = PeakWindow::default();
        window.record(100);
        window.record(1);
        window.half_passed(1);
        assert_eq!(window.peak(), 100);
        window.half_passed(1);
        assert_eq!(window.peak(), 1);
    }
}
