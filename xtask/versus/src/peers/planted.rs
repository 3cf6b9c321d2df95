//! Allocators with planted faults: each must be refused, or the verification proves nothing.

use std::time::Duration;

use super::ours::Ours;
use super::{Core, Drive, Driver, Region};
use crate::verify::Fault;
use crate::workloads;

/// The allocation that is answered wrongly, and the release that is dropped: this one and every
/// multiple.
const EVERY: u32 = 97;

const OUT_OF_BOUNDS: u8 = 0;
const MISALIGNED: u8 = 1;
const TOO_SMALL: u8 = 2;
const OVERLAP: u8 = 3;
const NOT_MERGED: u8 = 4;

/// Ours, but for now and then an answer of the one wrong kind.
struct Planted<const FAULT: u8> {
    inner: Ours,
    region: Region,
    count: u32,
}

/// The true handle, and what is claimed of it.
struct Claim<H> {
    handle: H,
    extent: (u64, u64),
}

impl<const FAULT: u8> Planted<FAULT> {
    fn is_turn(&mut self) -> bool {
        self.count += 1;
        self.count.is_multiple_of(EVERY)
    }
}

impl<const FAULT: u8> Core for Planted<FAULT> {
    type Handle = Claim<<Ours as Core>::Handle>;

    fn new(region: Region) -> Self {
        Self { inner: Ours::new(region), region, count: 0 }
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Self::Handle> {
        let handle = self.inner.allocate(size, alignment)?;
        let (mut offset, mut granted) = self.inner.extent(&handle, size);
        if FAULT != NOT_MERGED && self.is_turn() {
            match FAULT {
                OUT_OF_BOUNDS => offset = self.region.size - granted + alignment,
                MISALIGNED => offset += alignment / 2,
                TOO_SMALL => granted = size - 1,
                // The first block of the program lies at the start, and lives on.
                _ => offset = 0,
            }
        }
        Some(Claim { handle, extent: (offset, granted) })
    }

    fn free(&mut self, handle: Self::Handle) {
        if FAULT != NOT_MERGED || !self.is_turn() {
            self.inner.free(handle.handle);
        }
    }

    fn extent(&self, handle: &Self::Handle, _: u64) -> (u64, u64) {
        handle.extent
    }
}

/// A peer that overlaps its blocks.
#[cfg(test)]
pub(crate) fn overlapping() -> super::Peer {
    super::Peer::of::<Planted<OVERLAP>>("planted", super::Needs::Nothing, "overlaps")
}

/// Shows each planted fault to the verification, which must name it.
///
/// # Errors
///
/// The name of a fault that was not found, or was taken for another.
pub(crate) fn prove() -> Result<(), &'static str> {
    expect::<OUT_OF_BOUNDS>("out of bounds", |f| matches!(f, Fault::OutOfBounds { .. }))?;
    expect::<MISALIGNED>("misaligned", |f| matches!(f, Fault::Misaligned { .. }))?;
    expect::<TOO_SMALL>("too small", |f| matches!(f, Fault::TooSmall { .. }))?;
    expect::<OVERLAP>("overlap", |f| matches!(f, Fault::Overlap { .. }))?;
    expect::<NOT_MERGED>("not merged", |f| matches!(f, Fault::NotMerged { .. }))
}

fn expect<const FAULT: u8>(
    name: &'static str,
    is_it: impl Fn(&Fault) -> bool,
) -> Result<(), &'static str> {
    // Half full with blocks that are never freed, the first of them at the start of the region.
    let case = workloads::core("ping-pong", 1_000).ok_or(name)?;
    let driver = Driver::<Planted<FAULT>>(std::marker::PhantomData);
    match driver.verify(&case, Duration::from_secs(60)) {
        Err(fault) if is_it(&fault) => Ok(()),
        _ => Err(name),
    }
}
