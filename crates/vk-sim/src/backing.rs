//! The bytes behind a simulated allocation: what the device sees, and what the host sees.
//!
//! Basic design: memory of a coherent type has one copy, and the host maps that. Memory of a
//! non-coherent type has two, as if a cache lay between host and device that never writes back or
//! reads again by itself. The device works on its copy, a mapping shows the host's; a flush copies
//! a range from the host's to the device's, an invalidation the other way, whole atoms always, as
//! the rules about ranges have it. So a flush that was forgotten leaves the device with old bytes,
//! and an atom shared by two resources carries one's old bytes over the other's new ones.
//!
//! Both copies begin as zeros and are made when they are first needed.

use std::ops::Range;
use std::ptr::{self, NonNull};

use crate::host_memory::HostMemory;

/// The copies of one allocation.
#[derive(Debug)]
pub(crate) struct Backing {
    size: u64,
    is_coherent: bool,
    /// What the device reads and writes; `Some` since it was first needed.
    device: Option<HostMemory>,
    /// What a mapping shows; `Some` since it was first mapped, and only if not coherent.
    host: Option<HostMemory>,
}

impl Backing {
    /// `size` bytes of zeros, of which none exists yet.
    pub(crate) fn new(size: u64, is_coherent: bool) -> Self {
        Self { size, is_coherent, device: None, host: None }
    }

    /// The address at which the host maps byte `offset`; `None` if the host has no memory left.
    pub(crate) fn map(&mut self, offset: u64) -> Option<NonNull<u8>> {
        let copy = if self.is_coherent { &mut self.device } else { &mut self.host };
        made(copy, self.size).map(|copy| copy.at(offset))
    }

    /// The device's copy; `None` if the host has no memory left.
    pub(crate) fn device(&mut self) -> Option<&mut HostMemory> {
        made(&mut self.device, self.size)
    }

    /// Copies what the host wrote to the device; `None` if the host has no memory left.
    pub(crate) fn flush(&mut self, range: Range<u64>) -> Option<()> {
        if let Some(host) = &self.host {
            copy(host, made(&mut self.device, self.size)?, range);
        }
        Some(())
    }

    /// Copies what the device wrote to the host; `None` if the host has no memory left.
    pub(crate) fn invalidate(&mut self, range: Range<u64>) -> Option<()> {
        if let Some(host) = &mut self.host {
            copy(made(&mut self.device, self.size)?, host, range);
        }
        Some(())
    }
}

/// The copy, made if it was not there.
fn made(copy: &mut Option<HostMemory>, size: u64) -> Option<&mut HostMemory> {
    if copy.is_none() {
        *copy = Some(HostMemory::new(size)?);
    }
    copy.as_mut()
}

/// Copies a range, which the caller checked, from one copy to the other.
fn copy(from: &HostMemory, to: &HostMemory, range: Range<u64>) {
    let (from_start, from_end) = (from.at(range.start), from.at(range.end));
    let to_start = to.at(range.start);
    // Two addresses in one piece of memory, in this order: `at` checked the end.
    let count = from_end.addr().get() - from_start.addr().get();
    // SAFETY: `at` panics unless the range lies within each copy, which are two pieces of memory.
    // The program under test may write to the host's copy meanwhile only in breach of the rules of
    // flushing, and then sees torn bytes.
    unsafe { ptr::copy_nonoverlapping(from_start.as_ptr(), to_start.as_ptr(), count) };
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 256;

    fn write_host(backing: &mut Backing, offset: u64, byte: u8) {
        let pointer = backing.map(offset).unwrap();
        // SAFETY: in bounds, and nobody else has the address.
        unsafe { pointer.write(byte) };
    }

    fn read_host(backing: &mut Backing, offset: u64) -> u8 {
        let pointer = backing.map(offset).unwrap();
        // SAFETY: in bounds and initialised.
        unsafe { pointer.read() }
    }

    fn read_device(backing: &mut Backing, offset: u64) -> u8 {
        let mut byte = [0];
        backing.device().unwrap().read(offset, &mut byte);
        byte[0]
    }

    #[test]
    fn coherent_memory_has_one_copy() {
        let mut backing = Backing::new(SIZE, true);
        write_host(&mut backing, 7, 1);
        assert_eq!(read_device(&mut backing, 7), 1);
        backing.device().unwrap().write(8, &[2]);
        assert_eq!(read_host(&mut backing, 8), 2);
    }

    #[test]
    fn without_a_flush_or_an_invalidation_each_side_keeps_its_bytes() {
        let mut backing = Backing::new(SIZE, false);
        write_host(&mut backing, 7, 1);
        assert_eq!(read_device(&mut backing, 7), 0);
        backing.flush(0..64).unwrap();
        assert_eq!(read_device(&mut backing, 7), 1);
        backing.device().unwrap().write(7, &[3]);
        assert_eq!(read_host(&mut backing, 7), 1);
        backing.invalidate(64..128).unwrap();
        assert_eq!(read_host(&mut backing, 7), 1, "another range was invalidated");
        backing.invalidate(0..64).unwrap();
        assert_eq!(read_host(&mut backing, 7), 3);
    }

    #[test]
    fn a_flush_carries_old_bytes_over_a_neighbour_in_the_same_atom() {
        let mut backing = Backing::new(SIZE, false);
        backing.device().unwrap().write(32, &[9]);
        write_host(&mut backing, 0, 1);
        backing.flush(0..64).unwrap();
        assert_eq!(read_device(&mut backing, 32), 0, "the host never saw the 9");
    }

    #[test]
    fn copies_that_no_host_has_room_for_are_refused() {
        let mut backing = Backing::new(1 << 62, false);
        assert!(backing.map(0).is_none());
        assert!(backing.device().is_none());
        assert!(backing.flush(0..64).is_some(), "there is nothing to copy yet");
    }
}
