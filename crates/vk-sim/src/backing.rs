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
    device: DeviceCopy,
    /// What a mapping shows; `Some` since it was first mapped, and only if not coherent.
    host: Option<HostMemory>,
}

/// What the device reads and writes.
#[derive(Debug)]
enum DeviceCopy {
    /// Zeros, not needed so far.
    Unmade,
    Own(HostMemory),
    /// A real driver's mapping of the whole allocation.
    Real(NonNull<u8>),
}

// SAFETY: a mapping may be used from every thread, as the specification has it; the rest is owned.
unsafe impl Send for Backing {}

impl Backing {
    /// `size` bytes of zeros, of which none exists yet.
    pub(crate) fn new(size: u64, is_coherent: bool) -> Self {
        Self { size, is_coherent, device: DeviceCopy::Unmade, host: None }
    }

    /// The address at which the host maps byte `offset`; `None` if the host has no memory left.
    pub(crate) fn map(&mut self, offset: u64) -> Option<NonNull<u8>> {
        if self.is_coherent {
            return self.device_at(offset);
        }
        if self.host.is_none() {
            self.host = Some(HostMemory::new(self.size)?);
        }
        self.host.as_ref().map(|host| host.at(offset))
    }

    /// Lets a real driver's mapping of the whole allocation be the device's copy.
    pub(crate) fn set_real(&mut self, mapping: NonNull<u8>) {
        self.device = DeviceCopy::Real(mapping);
    }

    /// The real driver is about to unmap.
    pub(crate) fn forget_real(&mut self) {
        if matches!(self.device, DeviceCopy::Real(_)) {
            self.device = DeviceCopy::Unmade;
        }
    }

    /// The device's copy, which is not a real driver's; `None` if the host has no memory left.
    pub(crate) fn device(&mut self) -> Option<&mut HostMemory> {
        if matches!(self.device, DeviceCopy::Unmade) {
            self.device = DeviceCopy::Own(HostMemory::new(self.size)?);
        }
        match &mut self.device {
            DeviceCopy::Own(own) => Some(own),
            DeviceCopy::Real(_) => unreachable!("a real driver runs its commands itself"),
            DeviceCopy::Unmade => unreachable!("made above"),
        }
    }

    /// The address of the device's byte `offset`.
    fn device_at(&mut self, offset: u64) -> Option<NonNull<u8>> {
        if let DeviceCopy::Real(mapping) = self.device {
            assert!(offset <= self.size, "offset {offset} of {} bytes", self.size);
            let offset = usize::try_from(offset).expect("mapped, so within the address space");
            // SAFETY: the mapping has `size` bytes, and the offset is within them or at the end.
            return Some(unsafe { mapping.add(offset) });
        }
        self.device().map(|own| own.at(offset))
    }

    /// Copies what the host wrote to the device; `None` if the host has no memory left.
    pub(crate) fn flush(&mut self, range: Range<u64>) -> Option<()> {
        let Some((host, device, count)) = self.both(range)? else {
            return Some(());
        };
        // SAFETY: `both` found `count` bytes behind each, in two pieces of memory. The program
        // under test may write to the host's copy meanwhile only in breach of the rules of
        // flushing, and then sees torn bytes.
        unsafe { ptr::copy_nonoverlapping(host.as_ptr(), device.as_ptr(), count) };
        Some(())
    }

    /// Copies what the device wrote to the host; `None` if the host has no memory left.
    pub(crate) fn invalidate(&mut self, range: Range<u64>) -> Option<()> {
        let Some((host, device, count)) = self.both(range)? else {
            return Some(());
        };
        // SAFETY: as in `flush`, the other way round.
        unsafe { ptr::copy_nonoverlapping(device.as_ptr(), host.as_ptr(), count) };
        Some(())
    }

    /// A range, which the caller checked, in both copies; nothing if the host has none of its own.
    #[expect(clippy::type_complexity, reason = "two addresses and a length, for two callers here")]
    fn both(&mut self, range: Range<u64>) -> Option<Option<(NonNull<u8>, NonNull<u8>, usize)>> {
        let Some(host) = &self.host else {
            return Some(None);
        };
        let (start, end) = (host.at(range.start), host.at(range.end));
        // Two addresses in one piece of memory, in this order: the caller checked the range.
        let count = end.addr().get() - start.addr().get();
        self.device_at(range.end)?;
        Some(Some((start, self.device_at(range.start)?, count)))
    }
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
