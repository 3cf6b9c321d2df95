//! The peak of a value over the last few thousand operations.

/// Operations after which the older half of the window is forgotten.
pub(crate) const HALF_WINDOW: u32 = 4096;

/// Remembers the peak of the last `HALF_WINDOW` to `2 * HALF_WINDOW` operations, in three words.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeakWindow {
    operations: u32,
    /// Peak of the operations counted in `operations`.
    current: u64,
    /// Peak of the `HALF_WINDOW` operations before those.
    previous: u64,
}

impl PeakWindow {
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        self.current = self.current.max(value);
        self.operations += 1;
        if self.operations == HALF_WINDOW {
            self.previous = self.current;
            self.current = value;
            self.operations = 0;
        }
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
        for _ in 1..HALF_WINDOW {
            window.record(1);
        }
        assert_eq!(window.peak(), 100);
        for _ in 0..HALF_WINDOW {
            window.record(1);
        }
        assert_eq!(window.peak(), 1);
    }
}
