//! The bytes of an allocation, as they must be.
//!
//! Basic design: what is remembered are windows: the whole of a small allocation, the two ends of a
//! large one, since neighbours and atoms meet at the ends. Every byte written depends on where it is
//! and on a stamp that is never used again, so bytes of another place or time are seen. After a flush
//! that failed nothing is known until all is written anew.

use gpu_alloc_ash::{AccessError, Allocation, GpuAllocator};

/// Bytes remembered at either end.
const WINDOW: u64 = 512;

pub(super) struct Contents {
    windows: Vec<Window>,
    /// Whether the windows are what a read must give.
    is_known: bool,
}

struct Window {
    /// From the start of the allocation.
    offset: u64,
    bytes: Vec<u8>,
}

/// How an access ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Done,
    /// The memory is not mapped.
    NotMapped,
    /// The driver failed.
    Failed,
}

impl Contents {
    pub(super) fn new(size: u64) -> Self {
        let window = |offset: u64, length: u64| Window {
            offset,
            bytes: vec![0; usize::try_from(length).expect("windows are small")],
        };
        let windows = if size <= 2 * WINDOW {
            vec![window(0, size)]
        } else {
            vec![window(0, WINDOW), window(size - WINDOW, WINDOW)]
        };
        Self { windows, is_known: false }
    }

    /// The allocator has zeroed all of it.
    pub(super) fn are_zeroes(&mut self) {
        self.is_known = true;
    }

    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Writes all windows.
    pub(super) fn fill(
        &mut self,
        allocator: &GpuAllocator,
        allocation: &mut Allocation,
        stamp: u64,
    ) -> Access {
        self.fill_by(stamp, |offset, bytes| allocator.write(allocation, offset, bytes))
    }

    /// Writes all windows, in a way of the caller's.
    pub(super) fn fill_by(
        &mut self,
        stamp: u64,
        mut write: impl FnMut(u64, &[u8]) -> Result<(), AccessError>,
    ) -> Access {
        self.is_known = false;
        for Window { offset, bytes } in &mut self.windows {
            paint(bytes, *offset, stamp);
            match ended(write(*offset, bytes)) {
                Access::Done => {}
                other => return other,
            }
        }
        self.is_known = true;
        Access::Done
    }

    /// Writes some bytes of one window, through the allocator or through the mapping.
    pub(super) fn poke(
        &mut self,
        allocator: &GpuAllocator,
        allocation: &mut Allocation,
        [place, length, way]: [u8; 3],
        stamp: u64,
    ) -> Access {
        let last = self.windows.len() - 1;
        let Window { offset, bytes } = &mut self.windows[usize::from(way & 1).min(last)];
        let start = usize::from(place) * 2 % bytes.len();
        let end = (start + usize::from(length)).min(bytes.len());
        let at = *offset + start as u64;
        let piece = &mut bytes[start..end];
        paint(piece, at, stamp);
        let access = if way & 2 == 0 {
            ended(allocator.write(allocation, at, piece))
        } else {
            through_mapping(allocator, allocation, at, piece)
        };
        // What was known stays known but for bytes that may or may not have arrived.
        self.is_known &= access != Access::Failed;
        access
    }

    /// Reads all windows; false if there was nothing to compare with.
    pub(super) fn compare(&self, allocator: &GpuAllocator, allocation: &Allocation) -> bool {
        if !self.is_known {
            return false;
        }
        for Window { offset, bytes } in &self.windows {
            let mut found = vec![0; bytes.len()];
            match ended(allocator.read(allocation, *offset, &mut found)) {
                Access::Done => {}
                Access::Failed => {
                    assert!(found.iter().all(|&byte| byte == 0), "a refused read wrote");
                    return false;
                }
                Access::NotMapped => panic!("the bytes were written, so they are mapped"),
            }
            // As a whole first: a fuzzer looks into every comparison of single bytes.
            if found != *bytes {
                let index = (0..bytes.len()).find(|&index| found[index] != bytes[index]);
                let index = index.expect("they differ");
                let (found, written) = (found[index], bytes[index]);
                let at = offset + index as u64;
                panic!("byte {at:#x} of {allocation:?} is {found:#x}, {written:#x} was written");
            }
        }
        true
    }

    /// The planted fault: remembers another first byte than was written.
    pub(super) fn falsify(&mut self) {
        self.windows[0].bytes[0] ^= 1;
    }
}

fn ended(result: Result<(), AccessError>) -> Access {
    match result {
        Ok(()) => Access::Done,
        Err(AccessError::NotMapped { .. }) => Access::NotMapped,
        Err(AccessError::Driver { .. }) => Access::Failed,
        Err(error) => panic!("an access within the allocation was refused: {error}"),
    }
}

/// Writes as a program does that fills the memory itself.
fn through_mapping(
    allocator: &GpuAllocator,
    allocation: &mut Allocation,
    offset: u64,
    bytes: &[u8],
) -> Access {
    let Some(first) = allocation.mapped_ptr() else {
        return Access::NotMapped;
    };
    let index = usize::try_from(offset).expect("what is mapped fits into the address space");
    // SAFETY: The caller's bytes lie in the allocation, which is mapped whole.
    let target = unsafe { first.add(index) };
    // SAFETY: As above; the allocation is borrowed for writing, and the source is elsewhere.
    unsafe { target.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    ended(allocator.flush(allocation, offset, bytes.len() as u64))
}

/// The bytes that belong at `offset` under a stamp.
fn paint(bytes: &mut [u8], offset: u64, stamp: u64) {
    for (index, byte) in (offset..).zip(bytes) {
        let mixed = (stamp ^ index.rotate_left(24)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        *byte = mixed.to_le_bytes()[7];
    }
}
