//! Where an allocation may lie: the invariants that can be seen from outside.

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest, MemoryPropertyFlags, ResourceKind, Strategy};

use super::Session;
use super::held::{Held, Resource};

/// What was asked for.
pub(super) struct Made {
    pub(super) request: AllocationRequest<'static>,
    /// Bytes that the allocation must have.
    pub(super) wanted: u64,
}

impl Made {
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
        Self { request, wanted: request.size.max(needs.size) }
    }
}

impl Session<'_> {
    /// Checks a new allocation against all others, and keeps it.
    pub(super) fn take_in(&mut self, allocation: Allocation, resource: Resource, made: &Made) {
        self.trace.say(|| format!("  {allocation:x?}"));
        let request = &made.request;
        assert_eq!(allocation.size(), made.wanted);
        self.check_type(&allocation, request);
        self.check_strategy(&allocation, request);
        let mut held = Held::new(allocation, resource, request.kind, request.name);
        self.check_zeroing(&mut held, request);
        assert!(held.offset().is_multiple_of(request.alignment.max(1)), "{request:?}");
        self.check_object(&held, request);
        for other in &self.held {
            self.check_neighbours(&held, other);
        }
        self.tally.allocations += 1;
        self.held.push(held);
    }

    /// Zeroes are there, and stay to be compared, or the device has to write them.
    fn check_zeroing(&self, held: &mut Held, request: &AllocationRequest<'_>) {
        let is_mapped = held.allocation.mapped_ptr().is_some();
        let by_host = is_mapped && request.kind != ResourceKind::NonLinear;
        assert_eq!(held.allocation.needs_zeroing(), request.zeroed && !by_host, "{request:?}");
        if request.zeroed && by_host {
            held.contents.are_zeroes();
        }
    }

    fn check_type(&self, allocation: &Allocation, request: &AllocationRequest<'_>) {
        let index = allocation.memory_type_index();
        let flags = self.type_flags(index);
        assert!(request.memory_type_bits & 1 << index != 0, "type {index} is not allowed");
        assert!(flags.contains(request.required), "{flags:?} lacks {:?}", request.required);
        let special = flags.bits() >= MemoryPropertyFlags::PROTECTED.bits();
        assert!(!special, "{flags:?} was not asked for");
        let is_visible = flags.contains(MemoryPropertyFlags::HOST_VISIBLE);
        assert_eq!(allocation.mapped_ptr().is_some(), is_visible, "{allocation:?}");
    }

    fn check_strategy(&self, allocation: &Allocation, request: &AllocationRequest<'_>) {
        assert!(!allocation.is_external());
        let passthrough = self.allocator.config().passthrough;
        let is_dedicated = allocation.is_dedicated();
        assert!(is_dedicated || !passthrough, "not memory of its own in passthrough");
        match request.strategy {
            Strategy::Dedicated => assert!(is_dedicated, "dedicated was asked for"),
            Strategy::Pooled => assert!(!is_dedicated || passthrough, "pooled was asked for"),
            _ => {}
        }
    }

    /// The memory object is there, is of the right kind, and is large enough.
    fn check_object(&self, held: &Held, request: &AllocationRequest<'_>) {
        let allocation = &held.allocation;
        let records = self.driver.memories();
        let record = records.iter().find(|record| record.memory == allocation.memory());
        let record = record.expect("the memory object of a new allocation lives");
        assert_eq!(record.memory_type_index, allocation.memory_type_index());
        assert!(held.last() < record.size, "{allocation:?} leaves its memory object");
        if allocation.is_dedicated() {
            assert_eq!((allocation.offset(), record.size), (0, allocation.size()));
        } else {
            let unit = self.unit(held);
            assert!(allocation.offset().is_multiple_of(unit), "{allocation:?} on {unit:#x}");
            let end = held.last() / unit;
            assert!(end <= (record.size - 1) / unit && record.size.is_multiple_of(unit));
        }
        if request.device_address {
            assert!(record.flags.contains(vk::MemoryAllocateFlags::DEVICE_ADDRESS));
        }
    }

    /// What an allocation owns whole: its granules if it is not linear, its atoms if the memory is
    /// host-visible and not coherent.
    fn unit(&self, held: &Held) -> u64 {
        let driver = &self.device.driver;
        let flags = self.type_flags(held.allocation.memory_type_index());
        let needs_flush = flags.contains(MemoryPropertyFlags::HOST_VISIBLE)
            && !flags.contains(MemoryPropertyFlags::HOST_COHERENT);
        let atom = if needs_flush { driver.non_coherent_atom_size } else { 1 };
        match held.kind {
            ResourceKind::Linear => atom,
            _ => atom.max(driver.buffer_image_granularity),
        }
    }

    /// Two allocations of one memory object share no byte, and neither a granule nor an atom that
    /// one of them owns.
    fn check_neighbours(&self, held: &Held, other: &Held) {
        if held.allocation.memory() != other.allocation.memory() {
            return;
        }
        let (first, second) =
            if held.offset() < other.offset() { (held, other) } else { (other, held) };
        let unit = self.unit(first).max(self.unit(second));
        let is_mapped = first.allocation.mapped_ptr().is_some();
        let margin = if is_mapped { self.allocator.config().corruption_margin } else { 0 };
        assert!(
            (first.last() + margin) / unit < second.offset() / unit,
            "{:?} and {:?} meet within {unit:#x} bytes",
            first.allocation,
            second.allocation,
        );
        assert!(!held.allocation.is_dedicated() && !other.allocation.is_dedicated());
    }
}
