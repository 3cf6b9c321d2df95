//! Which Vulkan memory type for a resource: a pure function from a device's memory types and a
//! request to a ranking, best first.
//!
//! A device offers up to 32 memory types in up to 16 heaps, and a resource may live in several.
//! Taking the first with the right flags loses much, quietly: staging buffers fill the 256 MiB
//! through which a host sees the memory of a GPU, results are read from uncached memory, and
//! types with flags nobody asked for are taken by accident. [`MemoryTypeSelector`] is made once
//! for a device; [`select`](MemoryTypeSelector::select) and [`rank`](MemoryTypeSelector::rank)
//! answer a [`MemoryRequest`], and the same question always gets the same answer.
//! [`explain`](MemoryTypeSelector::explain) says why; [`three_gpus`] shows what it prints.
//!
//! ```
//! use memtype_select::{
//!     DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags as Flags,
//!     MemoryRequest, MemoryType, MemoryTypeSelector, UsageFlags,
//! };
//!
//! // A GeForce GTX 1650: its own memory, the system's, and a window of 214 MiB into the first.
//! let mapped = Flags::HOST_VISIBLE | Flags::HOST_COHERENT;
//! let types = [
//!     (Flags::empty(), 1),
//!     (Flags::DEVICE_LOCAL, 0),
//!     (mapped, 1),
//!     (mapped | Flags::HOST_CACHED, 1),
//!     (mapped | Flags::DEVICE_LOCAL, 2),
//! ]
//! .map(|(property_flags, heap_index)| MemoryType { property_flags, heap_index });
//! let heaps = [
//!     (3952 << 20, MemoryHeapFlags::DEVICE_LOCAL),
//!     (7094 << 20, MemoryHeapFlags::empty()),
//!     (214 << 20, MemoryHeapFlags::DEVICE_LOCAL),
//! ]
//! .map(|(size, flags)| MemoryHeap { size, flags });
//! let selector = MemoryTypeSelector::new(DeviceMemoryProperties::new(&types, &heaps));
//! let rank = |usage| selector.rank(&MemoryRequest { usage, ..Default::default() });
//!
//! // A texture that no longer fits the GPU's memory goes to the system's; the window comes last.
//! assert_eq!(*rank(UsageFlags::FAST_DEVICE_ACCESS), [1, 0, 2, 3, 4]);
//! // Staging stays out of the window, and results are read from cached memory.
//! assert_eq!(*rank(UsageFlags::UPLOAD), [2, 3, 4]);
//! assert_eq!(*rank(UsageFlags::DOWNLOAD), [3, 2, 4]);
//! // What the host writes and the GPU reads in every frame is what the window is for,
//! assert_eq!(*rank(UsageFlags::UPLOAD | UsageFlags::FAST_DEVICE_ACCESS), [4, 2, 3]);
//! // unless it cannot fit.
//! let large = MemoryRequest {
//!     usage: UsageFlags::UPLOAD | UsageFlags::FAST_DEVICE_ACCESS,
//!     size: 300 << 20,
//!     ..Default::default()
//! };
//! assert_eq!(selector.select(&large), Some(2));
//! ```
//!
//! # The rules
//!
//! The purpose of a request is its `usage`, or its `resource` if that is given. A memory type is
//! refused, whatever else speaks for it, if
//!
//! - it is not among the request's `memory_type_bits` (bits beyond the table are ignored),
//! - it lacks a flag that the request or its purpose requires,
//! - it has a flag that is kept for those who require it or opt in to it: protected,
//!   device-coherent and device-uncached (AMD), RDMA-capable (NVIDIA), and any flag this crate
//!   does not know,
//! - it is lazily allocated, and the request neither is `TRANSIENT`, or for a transient
//!   attachment, nor requires that or opts in to it,
//! - its heap is not in the table, is smaller than the request, or has 0 bytes,
//! - the request avoids what it or its purpose requires: then all types are refused.
//!
//! The others get a score, a tuple that is compared from the top; the less, the better:
//!
//! | | column | why |
//! |---|---|---|
//! | 1 | is scarce BAR taken without need | a device-local heap that is all host-visible, beside a larger device-local one, is small, and the only memory both sides reach quickly |
//! | 2 | its heap has no room within its budget, if a [`BudgetSnapshot`] is given | what is beyond the budget may be paged out, or fail; but it is no reason to use up BAR |
//! | 3 | lacks what the caller prefers, flag by flag in the order of the bits | the caller knows best |
//! | 4 | has flags that were opted in to, and neither required nor preferred | they cost something, or nobody would have to ask |
//! | 5 | lacks what the purpose prefers, flag by flag in the order below | |
//! | 6 | has what the caller avoids, flag by flag in the order of the bits | |
//! | 7 | has what the purpose avoids, flag by flag in the order below | |
//! | 8 | size of the heap, larger first | it fills later |
//! | 9 | index | drivers list the better of two similar types first |
//!
//! Scarce BAR is needed when the host touches the memory (by purpose, or because the caller
//! requires or prefers a host flag) and speed on the device was asked for: by requiring or
//! preferring `DEVICE_LOCAL`, by `FAST_DEVICE_ACCESS` when the usage is not `DOWNLOAD`, or by a
//! resource on the device's side that the host does not access at random.
//!
//! # What a usage asks for
//!
//! One row applies, the first from the top that fits:
//!
//! | usage | requires | prefers, in order | avoids, in order | why |
//! |---|---|---|---|---|
//! | `DOWNLOAD` and `FAST_DEVICE_ACCESS` | `HOST_VISIBLE` | `HOST_CACHED`, `HOST_COHERENT`, `DEVICE_LOCAL` | | as below; between two equals the device decides |
//! | `DOWNLOAD` | `HOST_VISIBLE` | `HOST_CACHED`, `HOST_COHERENT` | `DEVICE_LOCAL` | reading uncached memory is slower by orders of magnitude, and invalidating is cheap beside it |
//! | `UPLOAD` and `FAST_DEVICE_ACCESS` | `HOST_VISIBLE` | `DEVICE_LOCAL`, `HOST_COHERENT` | `HOST_CACHED` | written once over the bus, read often on the device |
//! | `UPLOAD` | `HOST_VISIBLE` | `HOST_COHERENT` | `DEVICE_LOCAL`, `HOST_CACHED` | staging should not use up the device's memory, and never read data needs no cache |
//! | `HOST_ACCESS` and `FAST_DEVICE_ACCESS` | `HOST_VISIBLE` | `DEVICE_LOCAL`, `HOST_CACHED`, `HOST_COHERENT` | | where both sides are quick if there is such memory |
//! | `HOST_ACCESS` | `HOST_VISIBLE` | `HOST_CACHED`, `HOST_COHERENT` | `DEVICE_LOCAL` | no direction was stated, so the host may read |
//! | `TRANSIENT` | | `LAZILY_ALLOCATED`, `DEVICE_LOCAL` | | attachments that stay on the chip may need no memory at all |
//! | `FAST_DEVICE_ACCESS`, or nothing | | `DEVICE_LOCAL` | | memory that the host never touches |
//!
//! What the caller avoids, the purpose does not prefer. Lazily allocated memory cannot be mapped,
//! so `TRANSIENT` changes nothing where a row above it applies.
//!
//! # What a resource asks for
//!
//! A [`ResourceUse`] says what will be bound and how the host touches it, as VMA's `AUTO` usages
//! do. A resource is *near* the device if the caller prefers the device's memory, or leaves it
//! open and the resource is used for more than transfers. The first row that fits applies:
//!
//! | host access | or staged | resource | requires | prefers, in order | avoids, in order | why |
//! |---|---|---|---|---|---|---|
//! | never | | transient attachment | | `LAZILY_ALLOCATED`, `DEVICE_LOCAL` | | as `TRANSIENT` |
//! | never | | host preferred | | | `DEVICE_LOCAL` | it makes room on the device |
//! | never | | any other | | `DEVICE_LOCAL` | | as no usage at all |
//! | writes | no | near | `HOST_VISIBLE` | `DEVICE_LOCAL`, `HOST_COHERENT` | `HOST_CACHED` | as `UPLOAD` and `FAST_DEVICE_ACCESS` |
//! | writes | no | any other | `HOST_VISIBLE` | `HOST_COHERENT` | `DEVICE_LOCAL`, `HOST_CACHED` | as `UPLOAD` |
//! | writes | yes | near, not for transfers alone | | `DEVICE_LOCAL`, `HOST_VISIBLE`, `HOST_COHERENT` | `HOST_CACHED` | one copy costs less than many reads over the bus |
//! | writes | yes | near | | `HOST_VISIBLE`, `DEVICE_LOCAL`, `HOST_COHERENT` | `HOST_CACHED` | staging is there to be mapped; staging it again gains nothing |
//! | writes | yes | any other | | `HOST_VISIBLE`, `HOST_COHERENT` | `DEVICE_LOCAL`, `HOST_CACHED` | the same |
//! | random | no | device preferred | `HOST_VISIBLE` | `HOST_CACHED`, `HOST_COHERENT`, `DEVICE_LOCAL` | | as `DOWNLOAD` and `FAST_DEVICE_ACCESS`: the host may read |
//! | random | no | any other | `HOST_VISIBLE` | `HOST_CACHED`, `HOST_COHERENT` | `DEVICE_LOCAL` | as `DOWNLOAD` |
//! | random | yes | near, not for transfers alone, memory not unified | | `DEVICE_LOCAL`, `HOST_CACHED` | | a mapping of uncached memory is worse than a copy |
//! | random | yes | device preferred | | `HOST_VISIBLE`, `HOST_CACHED`, `HOST_COHERENT`, `DEVICE_LOCAL` | | on unified memory a copy goes through the same memory twice |
//! | random | yes | any other | | `HOST_VISIBLE`, `HOST_CACHED`, `HOST_COHERENT` | `DEVICE_LOCAL` | the same |
//!
//! Memory is unified if all ordinary types are device-local, in device-local heaps none of which
//! is scarce. The kind of device is not asked for: software devices are not integrated, and what
//! was carved out of the system's memory for an integrated GPU shows as a heap, with its size,
//! and is treated by it. Everywhere else unified memory needs no rule: avoiding or preferring
//! `DEVICE_LOCAL` says nothing where every host-visible type has it.
//!
//! # Does not
//!
//! - call Vulkan, or hold a handle,
//! - find out how full a heap is: without a [`BudgetSnapshot`] a size is compared with the whole
//!   heap,
//! - know resources: `memory_type_bits` of the driver's requirements says what a resource allows,
//! - decide about blocks, pools, mapping or flushing; a type it names may be non-coherent,
//! - allocate on the host, within the 32 types and 16 heaps of Vulkan,
//! - panic, whatever the table or the request.
//!
//! [`CachedSelector`] is only there on targets with 64-bit atomics.
//!
//! # Features
//!
//! - `ash`: conversions from ash's memory properties, types, heaps, budgets, usages, tilings and
//!   flags, and of property and heap flags back. Without it the crate does not depend on ash.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod budget;
#[cfg(target_has_atomic = "64")]
mod cached;
#[cfg(feature = "ash")]
mod convert;
mod explain;
mod facts;
mod flags;
mod intent;
mod orders;
mod packed;
mod plan;
mod properties;
mod purpose;
#[cfg(target_has_atomic = "64")]
mod quick;
mod ranking;
mod request;
mod resource;
mod select;
mod table;
#[doc = include_str!("three_gpus.md")]
pub mod three_gpus {}
mod verdict;

pub use budget::BudgetSnapshot;
#[cfg(target_has_atomic = "64")]
pub use cached::CachedSelector;
pub use explain::{Comparison, ExplainedType, Explanation, Rule, Verdict};
pub use flags::{MemoryHeapFlags, MemoryPropertyFlags, UsageFlags};
pub use packed::{PackedIndices, PackedRanking};
pub use properties::{DeviceMemoryProperties, MemoryHeap, MemoryType};
pub use ranking::Ranking;
pub use request::MemoryRequest;
pub use resource::{
    BufferUsageFlags, HostAccess, ImageTiling, ImageUsageFlags, Placement, Resource, ResourceUse,
};
pub use select::MemoryTypeSelector;
pub use verdict::Refusal;
