//! The policy state that all pools of one memory type and class share.

use core::sync::atomic::{AtomicU64, Ordering};

/// Bytes committed, on their way and retained by every pool of one memory type and class.
///
/// A type that is split over several pools (one a thread, say) must still grow by what all have committed, and
/// retain no more in all; each such pool is given the same books. How live bytes rise and fall each pool
/// follows for itself. Counters only: no decision reads two of them as one value, so relaxed ordering is
/// enough.
#[derive(Debug, Default)]
pub struct PoolBooks {
    /// Bytes of the blocks that are carved up. Dedicated memory does not count: it says nothing
    /// about how many small requests are to come.
    committed: AtomicU64,
    /// Bytes of the blocks asked for and not there yet.
    pending: AtomicU64,
    /// Bytes of the blocks that are empty and kept.
    retained: AtomicU64,
    next_ticket: AtomicU64,
}

impl PoolBooks {
    /// Empty books.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of all carved blocks.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.committed.load(Ordering::Relaxed)
    }

    /// Bytes of the blocks on their way.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }

    /// Bytes of the empty blocks that are kept.
    #[must_use]
    pub fn retained(&self) -> u64 {
        self.retained.load(Ordering::Relaxed)
    }

    pub(crate) fn next_ticket(&self) -> u64 {
        self.next_ticket.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn block_asked(&self, size: u64) {
        self.pending.fetch_add(size, Ordering::Relaxed);
    }

    pub(crate) fn block_not_coming(&self, size: u64) {
        self.pending.fetch_sub(size, Ordering::Relaxed);
    }

    pub(crate) fn block_arrived(&self, size: u64) {
        self.committed.fetch_add(size, Ordering::Relaxed);
        self.pending.fetch_sub(size, Ordering::Relaxed);
    }

    pub(crate) fn block_left(&self, size: u64) {
        self.committed.fetch_sub(size, Ordering::Relaxed);
    }

    pub(crate) fn block_emptied(&self, size: u64) {
        self.retained.fetch_add(size, Ordering::Relaxed);
    }

    pub(crate) fn empty_block_taken(&self, size: u64) {
        self.retained.fetch_sub(size, Ordering::Relaxed);
    }
}
