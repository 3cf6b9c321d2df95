//! Which Vulkan memory type for a resource: a pure function from a device's memory types and a
//! request to a ranking, best first.
//!
//! A device offers up to 32 memory types in up to 16 heaps, and a resource may live in several.
//! Taking the first with the right flags loses much, quietly: staging buffers fill the 256 MiB
//! through which a host sees the memory of a GPU, results are read from uncached memory, and
//! types with flags nobody asked for are taken by accident. [`MemoryTypeSelector`] is made once
//! for a device; [`select`](MemoryTypeSelector::select) and [`rank`](MemoryTypeSelector::rank)
//! answer a [`MemoryRequest`], and the same question always gets the same answer.
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
//! A memory type is refused, whatever else speaks for it, if
//!
//! - it is not among the request's `memory_type_bits` (bits beyond the table are ignored),
//! - it lacks a flag that the request or its usage requires,
//! - it has a flag that is kept for those who require it: protected, device-coherent and
//!   device-uncached (AMD), RDMA-capable (NVIDIA), and any flag this crate does not know,
//! - it is lazily allocated, and the request neither is `TRANSIENT` nor requires that,
//! - its heap is not in the table, is smaller than the request, or has 0 bytes,
//! - the request avoids what it or its usage requires: then all types are refused.
//!
//! The others get a score, a tuple that is compared from the top; the less, the better:
//!
//! | | column | why |
//! |---|---|---|
//! | 1 | is scarce BAR taken without need | a device-local heap that is all host-visible, beside a larger device-local one, is small, and the only memory both sides reach quickly |
//! | 2 | lacks what the caller prefers, flag by flag in the order of the bits | the caller knows best |
//! | 3 | lacks what the usage prefers, flag by flag in the order below | |
//! | 4 | has what the caller avoids, flag by flag in the order of the bits | |
//! | 5 | has what the usage avoids, flag by flag in the order below | |
//! | 6 | size of the heap, larger first | it fills later |
//! | 7 | index | drivers list the better of two similar types first |
//!
//! Scarce BAR is needed when the host touches the memory (by usage, or because the caller
//! requires or prefers a host flag) and speed on the device was asked for: by requiring or
//! preferring `DEVICE_LOCAL`, or by `FAST_DEVICE_ACCESS` when the usage is not `DOWNLOAD`.
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
//! What the caller avoids, the usage does not prefer. Lazily allocated memory cannot be mapped, so
//! `TRANSIENT` changes nothing where a row above it applies.
//!
//! Unified memory needs no rule of its own, and the kind of device is not asked for. Where all
//! memory is one, every host-visible type is device-local and in one heap: avoiding or preferring
//! `DEVICE_LOCAL` then says nothing, and no heap is scarce. A part that was carved out of the
//! system's memory for a GPU shows as a heap, with its size, and is treated by it.
//!
//! # Does not
//!
//! - call Vulkan, or hold a handle,
//! - know how full a heap is: a size is compared with the whole heap,
//! - know resources: `memory_type_bits` of the driver's requirements says what a resource allows,
//! - decide about blocks, pools, mapping or flushing; a type it names may be non-coherent,
//! - allocate on the host, within the 32 types and 16 heaps of Vulkan,
//! - panic, whatever the table or the request.
//!
//! # Features
//!
//! - `ash`: conversions from ash's memory properties, types, heaps and flags, and of property and
//!   heap flags back. Without it the crate does not depend on ash.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

#[cfg(feature = "ash")]
mod convert;
mod flags;
mod intent;
mod properties;
mod ranking;
mod request;
mod select;
mod verdict;

pub use flags::{MemoryHeapFlags, MemoryPropertyFlags, UsageFlags};
pub use properties::{DeviceMemoryProperties, MemoryHeap, MemoryType};
pub use ranking::Ranking;
pub use request::MemoryRequest;
pub use select::MemoryTypeSelector;
