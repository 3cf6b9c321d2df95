//! What a program has: an allocation, what is bound to it, and what was written there.

use ash::vk;
use gpu_alloc_ash::{Allocation, ResourceKind};

use super::contents::Contents;

/// What is bound to an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Nothing,
    Buffer(vk::Buffer),
    Image(vk::Image),
}

/// Where an allocation lies, and what owns how much of its surroundings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) memory: vk::DeviceMemory,
    pub(super) memory_type_index: u32,
    pub(super) offset: u64,
    pub(super) size: u64,
    /// What the allocator was told will be bound there.
    pub(super) kind: ResourceKind,
    pub(super) is_mapped: bool,
    pub(super) is_dedicated: bool,
}

impl Place {
    pub(super) fn of(allocation: &Allocation, kind: ResourceKind) -> Self {
        Self {
            memory: allocation.memory(),
            memory_type_index: allocation.memory_type_index(),
            offset: allocation.offset(),
            size: allocation.size(),
            kind,
            is_mapped: allocation.mapped_ptr().is_some(),
            is_dedicated: allocation.is_dedicated(),
        }
    }

    /// The last byte, from the start of the memory object.
    pub(super) fn last(&self) -> u64 {
        let last = self.size.checked_sub(1).expect("no allocation has 0 bytes");
        self.offset.checked_add(last).expect("an allocation ends in 64 bits")
    }
}

/// A live allocation.
pub(super) struct Held {
    pub(super) allocation: Allocation,
    pub(super) resource: Resource,
    /// What the allocator was told will be bound there.
    pub(super) kind: ResourceKind,
    pub(super) name: Option<&'static str>,
    pub(super) contents: Contents,
}

impl Held {
    pub(super) fn new(
        allocation: Allocation,
        resource: Resource,
        kind: ResourceKind,
        name: Option<&'static str>,
    ) -> Self {
        let contents = Contents::new(allocation.size());
        Self { allocation, resource, kind, name, contents }
    }

    pub(super) fn offset(&self) -> u64 {
        self.allocation.offset()
    }

    pub(super) fn place(&self) -> Place {
        Place::of(&self.allocation, self.kind)
    }

    /// Frees nothing: what the allocator is asked to free is the allocation alone.
    pub(super) fn into_allocation(self) -> Allocation {
        self.allocation
    }
}
