//! What a program did, so that a check on many programs can prove that it saw something.

use std::ops::AddAssign;

/// Whether a program tells on standard error what it does, before it does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Silent.
    Off,
    /// A line for the device, the configuration and each step.
    On,
}

impl Trace {
    pub(crate) fn say(self, text: impl FnOnce() -> String) {
        if self == Self::On {
            eprintln!("{}", text());
        }
    }
}

/// Counts of one program, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Steps taken.
    pub steps: u64,
    /// Requests that got memory, external memory included.
    pub allocations: u64,
    /// Requests that were refused, with nothing left behind.
    pub refusals: u64,
    /// Calls of the driver that were made to fail.
    pub failures: u64,
    /// Made-up blocks, and allocations of another allocator, that were refused.
    pub forgeries: u64,
    /// Comparisons of the contents of an allocation with what was written there.
    pub comparisons: u64,
    /// Allocations that were alive when their allocator was destroyed.
    pub leaks: u64,
    /// Custom pools that were made.
    pub pools: u64,
    /// Custom pools that were ended, or refused to be as they were in use.
    pub ends_of_pools: u64,
    /// Allocations that may be lost.
    pub evictables: u64,
    /// Those that were, under pressure.
    pub losses: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        let Self { steps, allocations, refusals, failures, forgeries, comparisons, leaks, .. } =
            other;
        self.steps += steps;
        self.allocations += allocations;
        self.refusals += refusals;
        self.failures += failures;
        self.forgeries += forgeries;
        self.comparisons += comparisons;
        self.leaks += leaks;
        self.pools += other.pools;
        self.ends_of_pools += other.ends_of_pools;
        self.evictables += other.evictables;
        self.losses += other.losses;
    }
}
