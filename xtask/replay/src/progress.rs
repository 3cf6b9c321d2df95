//! A progress bar, only where somebody watches.

use std::io::{IsTerminal as _, stderr};

use indicatif::{ProgressBar, ProgressStyle};
use replay::{Extent, Trace};

/// Shows how far a replay is, if standard error is a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(trace: &Trace, extent: Extent) -> Self {
        let total = trace.operations().len();
        let total = extent.operations.map_or(total, |limit| limit.min(total));
        let bar = if stderr().is_terminal() {
            ProgressBar::new(total as u64)
        } else {
            ProgressBar::hidden()
        };
        let style =
            ProgressStyle::with_template("  replaying {bar:40} {human_pos}/{human_len} operations")
                .expect("the template is well formed");
        Self { bar: bar.with_style(style) }
    }

    pub(crate) fn set(&mut self, operations: usize) {
        self.bar.set_position(operations as u64);
    }

    /// Takes the bar off the screen, so that the summary stands alone.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
