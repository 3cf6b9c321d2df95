//! What the threads have done, in numbers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// What came about, so that a run that did nothing is seen.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) allocated: AtomicU64,
    pub(crate) freed_elsewhere: AtomicU64,
    pub(crate) named: AtomicU64,
    pub(crate) buffers: AtomicU64,
    pub(crate) externals: AtomicU64,
    pub(crate) leaks_listed: AtomicU64,
    pub(crate) trimmed_bytes: AtomicU64,
    pub(crate) most_leased: AtomicU64,
    pub(crate) device_allocations: AtomicU64,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = [
            ("allocated", &self.allocated),
            ("freed elsewhere", &self.freed_elsewhere),
            ("named", &self.named),
            ("buffers", &self.buffers),
            ("externals", &self.externals),
            ("leaks listed", &self.leaks_listed),
            ("bytes trimmed", &self.trimmed_bytes),
            ("bytes leased", &self.most_leased),
            ("device allocations", &self.device_allocations),
        ];
        write!(f, "done:")?;
        figures
            .iter()
            .try_for_each(|(name, count)| write!(f, " {name} {},", count.load(Ordering::Relaxed)))
    }
}
