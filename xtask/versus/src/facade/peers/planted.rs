//! Facades with planted faults: each must be refused, or the verification proves nothing.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{Facade, Place};
use crate::facade::program::{self, Request};
use crate::facade::verify::{self, Fault};

/// The allocation that is answered wrongly: this one and every multiple.
const EVERY: u32 = 97;

const MISALIGNED: u8 = 0;
const TOO_SMALL: u8 = 1;
const OVERLAP: u8 = 2;
const REFUSED: u8 = 3;
/// No fault: what the others would be without theirs.
const NONE: u8 = 4;

/// A bump without end, and now and then an answer of the one wrong kind.
struct Planted<const FAULT: u8> {
    end: AtomicU64,
    count: AtomicU32,
}

impl<const FAULT: u8> Facade for Planted<FAULT> {
    type Handle = Place;

    fn allocate(&self, request: &Request) -> Option<Place> {
        let (mut size, alignment) = (request.size, request.alignment);
        let end = self.end.fetch_add(size + alignment, Ordering::Relaxed);
        let mut offset = end.next_multiple_of(alignment);
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(EVERY) {
            match FAULT {
                MISALIGNED => offset += alignment / 2,
                TOO_SMALL => size -= 1,
                // One byte of what came before it.
                OVERLAP => offset = offset.saturating_sub(alignment * 2),
                REFUSED => return None,
                _ => {}
            }
        }
        Some(Place { memory: 1, offset, size })
    }

    fn free(&self, _: Place) {}

    fn place(&self, handle: &Place) -> Place {
        *handle
    }
}

/// Shows each planted fault to both verifications, which must name it.
///
/// # Errors
///
/// The name of a fault that was not found, or was taken for another.
pub(crate) fn prove() -> Result<(), &'static str> {
    expect::<NONE>("none", |found| found.is_ok())?;
    expect::<MISALIGNED>("misaligned", |f| matches!(f, Err(Fault::Misaligned { .. })))?;
    expect::<TOO_SMALL>("too small", |f| matches!(f, Err(Fault::TooSmall { .. })))?;
    expect::<OVERLAP>("overlap", |f| matches!(f, Err(Fault::Overlap { .. })))?;
    expect::<REFUSED>("refused", |f| matches!(f, Err(Fault::Refused { .. })))
}

fn expect<const FAULT: u8>(
    name: &'static str,
    is_it: impl Fn(&Result<(), Fault>) -> bool,
) -> Result<(), &'static str> {
    let new = || Planted::<FAULT> { end: AtomicU64::new(0), count: AtomicU32::new(0) };
    let mut program = program::churn("planted", 1, 100);
    // The last that is allocated is wrong, and what lies before it lives.
    program.operations.truncate(EVERY as usize);
    let found = verify::verify(&new(), &program);
    let found_among_threads = verify::verify_threads(&new(), &[program]);
    if is_it(&found) && is_it(&found_among_threads) { Ok(()) } else { Err(name) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_planted_fault_is_found() {
        assert_eq!(super::prove(), Ok(()));
    }
}
