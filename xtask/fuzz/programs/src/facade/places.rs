//! Where an allocation may lie: the invariants that can be seen from outside.

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest, MemoryPropertyFlags, ResourceKind, Strategy};

use super::Session;
use super::contents::Contents;
use super::held::{Held, Place, Resource};

/// What was asked for.
pub(super) struct Made {
    pub(super) request: AllocationRequest<'static>,
    /// Bytes that the allocation must have.
    pub(super) wanted: u64,
    /// Of a custom pool: whether its allocations may have memory of their own.
    pub(super) pool: Option<bool>,
}

impl Made {
    /// A request for plain bytes.
    pub(super) fn plain(request: AllocationRequest<'static>) -> Self {
        Self { request, wanted: request.size, pool: None }
    }

    /// A request for a resource with these requirements.
    pub(super) fn raised(
        request: AllocationRequest<'static>,
        needs: &vk::MemoryRequirements,
    ) -> Self {
        let request = AllocationRequest {
            alignment: request.alignment.max(needs.alignment),
            memory_type_bits: request.memory_type_bits & needs.memory_type_bits,
            ..request
        };
        Self { request, wanted: request.size.max(needs.size), pool: None }
    }
}

impl Session<'_> {
    /// Checks a new allocation against all others, and keeps it.
    pub(super) fn take_in(&mut self, allocation: Allocation, resource: Resource, made: &Made) {
        self.trace.say(|| format!("  {allocation:x?}"));
        assert!(!allocation.is_external());
        let request = &made.request;
        let needs_zeroing = allocation.needs_zeroing();
        let mut held = Held::new(allocation, resource, request.kind, request.name);
        let place = held.place();
        self.check_place(&place, made);
        check_zeroing(&mut held.contents, needs_zeroing, place.is_mapped, request);
        self.tally.allocations += 1;
        self.held.push(held);
    }

    /// Checks where an allocation lies that is not among the others yet.
    pub(super) fn check_place(&self, place: &Place, made: &Made) {
        let request = &made.request;
        assert_eq!(place.size, made.wanted);
        self.check_type(place, request);
        self.check_strategy(place, made);
        assert!(place.offset.is_multiple_of(request.alignment.max(1)), "{request:?}");
        self.check_object(place, made);
        let held = self.held.iter().map(Held::place);
        let losable = self.losables.iter().map(|losable| losable.place);
        for other in held.chain(losable) {
            self.check_neighbours(place, &other);
        }
    }

    fn check_type(&self, place: &Place, request: &AllocationRequest<'_>) {
        let index = place.memory_type_index;
        let flags = self.type_flags(index);
        assert!(request.memory_type_bits & 1 << index != 0, "type {index} is not allowed");
        assert!(flags.contains(request.required), "{flags:?} lacks {:?}", request.required);
        let special = flags.bits() >= MemoryPropertyFlags::PROTECTED.bits();
        assert!(!special, "{flags:?} was not asked for");
        let is_visible = flags.contains(MemoryPropertyFlags::HOST_VISIBLE);
        assert_eq!(place.is_mapped, is_visible, "{place:?}");
    }

    fn check_strategy(&self, place: &Place, made: &Made) {
        let is_dedicated = place.is_dedicated;
        if made.pool == Some(false) {
            return assert!(!is_dedicated, "the pool has no such memory");
        }
        let passthrough = self.allocator.config().passthrough;
        assert!(is_dedicated || !passthrough, "not memory of its own in passthrough");
        match made.request.strategy {
            Strategy::Dedicated => assert!(is_dedicated, "dedicated was asked for"),
            Strategy::Pooled => assert!(!is_dedicated || passthrough, "pooled was asked for"),
            _ => {}
        }
    }

    /// The memory object is there, is of the right kind, and is large enough.
    fn check_object(&self, place: &Place, made: &Made) {
        let records = self.driver.memories();
        let record = records.iter().find(|record| record.memory == place.memory);
        let record = record.expect("the memory object of a new allocation lives");
        assert_eq!(record.memory_type_index, place.memory_type_index);
        assert!(place.last() < record.size, "{place:?} leaves its memory object");
        if place.is_dedicated {
            assert_eq!((place.offset, record.size), (0, place.size));
        } else {
            let unit = self.unit(place);
            assert!(place.offset.is_multiple_of(unit), "{place:?} on {unit:#x}");
            // What it owns whole is in the object, whose size need be no multiple of that.
            let end = (place.last() / unit + 1).checked_mul(unit);
            assert!(end.is_some_and(|end| end <= record.size), "{place:?} on {unit:#x}");
        }
        if made.request.device_address {
            assert!(record.flags.contains(vk::MemoryAllocateFlags::DEVICE_ADDRESS));
        }
    }

    /// What an allocation owns whole: its granules if it is not linear, its atoms if the memory is
    /// host-visible and not coherent.
    fn unit(&self, place: &Place) -> u64 {
        let driver = &self.device.driver;
        let flags = self.type_flags(place.memory_type_index);
        let needs_flush = flags.contains(MemoryPropertyFlags::HOST_VISIBLE)
            && !flags.contains(MemoryPropertyFlags::HOST_COHERENT);
        let atom = if needs_flush { driver.non_coherent_atom_size } else { 1 };
        match place.kind {
            ResourceKind::Linear => atom,
            _ => atom.max(driver.buffer_image_granularity),
        }
    }

    /// Two allocations of one memory object share no byte, and neither a granule nor an atom that
    /// one of them owns.
    fn check_neighbours(&self, place: &Place, other: &Place) {
        if place.memory != other.memory {
            return;
        }
        let (first, second) =
            if place.offset < other.offset { (place, other) } else { (other, place) };
        let unit = self.unit(first).max(self.unit(second));
        let margin = if first.is_mapped { self.allocator.config().corruption_margin } else { 0 };
        assert!(
            (first.last() + margin) / unit < second.offset / unit,
            "{first:?} and {second:?} meet within {unit:#x} bytes",
        );
        assert!(!place.is_dedicated && !other.is_dedicated);
    }
}

/// Zeroes are there, and stay to be compared, or the device has to write them.
pub(super) fn check_zeroing(
    contents: &mut Contents,
    needs_zeroing: bool,
    is_mapped: bool,
    request: &AllocationRequest<'_>,
) {
    let by_host = is_mapped && request.kind != ResourceKind::NonLinear;
    assert_eq!(needs_zeroing, request.zeroed && !by_host, "{request:?}");
    if request.zeroed && by_host {
        contents.are_zeroes();
    }
}
