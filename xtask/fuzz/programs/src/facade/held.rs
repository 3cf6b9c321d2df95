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

    /// The last byte, from the start of the memory object.
    pub(super) fn last(&self) -> u64 {
        let last = self.allocation.size().checked_sub(1).expect("no allocation has 0 bytes");
        self.offset().checked_add(last).expect("an allocation ends in 64 bits")
    }

    /// Frees nothing: what the allocator is asked to free is the allocation alone.
    pub(super) fn into_allocation(self) -> Allocation {
        self.allocation
    }
}
