//! A thread-safe Vulkan memory allocator over [ash].
//!
//! Drivers allow few `vkAllocateMemory` calls, and each is slow; memory comes in types and heaps that
//! differ from GPU to GPU. This crate asks the driver for few large blocks and carves resources out of
//! them: it picks the memory type, the block and the place, keeps host-visible memory mapped, flushes
//! and invalidates where a type needs it, follows the driver's wishes for dedicated memory, keeps the
//! device's limits and yours, and says by name what was never freed.
//!
//! ```
//! use gpu_alloc_ash::{AllocationRequest, AllocatorConfig, GpuAllocator, UsageFlags, ash::vk};
//!
//! # let driver = vk_sim::SimDriver::new(vk_sim::DriverConfig::default())?;
//! # let (instance, physical_device, device) = (driver.instance(), driver.physical_device(), driver.device());
//! let mut config = AllocatorConfig::default();
//! config.api_version = vk::API_VERSION_1_3; // what instance and device were made with
//!
//! // SAFETY: The three belong together, outlive the allocator, and are of Vulkan 1.3.
//! let allocator = unsafe { GpuAllocator::new(instance, physical_device, device, config) }?;
//!
//! let info = vk::BufferCreateInfo::default().size(1024).usage(vk::BufferUsageFlags::UNIFORM_BUFFER);
//! let request = AllocationRequest { usage: UsageFlags::UPLOAD, name: Some("camera"), ..Default::default() };
//! // SAFETY: The create info is valid usage.
//! let (buffer, mut allocation) = unsafe { allocator.create_buffer(&info, &request) }?;
//!
//! allocator.write_slice(&mut allocation, 0, &[1.0f32; 16])?; // checked, and flushed where needed
//!
//! // SAFETY: The device has finished with the buffer.
//! unsafe { allocator.destroy_buffer(buffer, allocation) }?;
//! allocator.destroy()?; // or drop it: leaks are then only logged
//! # assert!(driver.live().is_empty());
//! # assert!(driver.finish().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Choosing a usage
//!
//! | the memory is for | [`UsageFlags`] |
//! |---|---|
//! | textures, vertex buffers, render targets: what only the device touches | `FAST_DEVICE_ACCESS` |
//! | staging, and what the host writes once and the device reads once | `UPLOAD` |
//! | what the host rewrites every frame and the device reads often | `UPLOAD \| FAST_DEVICE_ACCESS` |
//! | reading back what the device wrote | `DOWNLOAD` |
//! | both directions, random access by the host | `HOST_ACCESS` |
//! | attachments that live inside one render pass | `TRANSIENT \| FAST_DEVICE_ACCESS` |
//!
//! [`AllocationRequest`] takes required, preferred and avoided flags on top.
//! [`GpuAllocator::selector`] answers the same questions without allocating.
//!
//! # Threads
//!
//! Every method takes `&self`, and [`GpuAllocator`] is `Send + Sync`: do not wrap it in a mutex. Each
//! memory type has several shards with a lock each. All threads begin with the same one; who finds its
//! lock taken again and again moves to another, which leases room of the first one's blocks, so programs
//! with one thread pay nothing and threads do not wait for each other. An allocation may be freed by any
//! thread, and its room goes back to the shard it came from. No lock is held while the driver is called,
//! so a slow `vkAllocateMemory` stalls only those who need that block, and they wait for it instead of
//! making another.
//!
//! # Custom pools
//!
//! [`GpuAllocator::create_pool`] keeps memory apart: blocks of a fixed size or growing ones, so many at least
//! and at most, in one memory type or several to fall back over, with a priority, a name and structures of
//! your own. Allocating from a pool needs nothing but the pool, and freeing is as always.
//!
//! | [`Algorithm`] | for |
//! |---|---|
//! | `TwoTier`, `Tlsf` | any order of sizes and releases, without waste; two tiers are faster for small ones |
//! | `Buddy` | many powers of two that come and go; rounds sizes up |
//! | `Linear(Ring)` | what is freed in the order it came: uniforms of a few frames in flight |
//! | `Linear(Stack)`, `Linear(DoubleStack)` | what is freed in the opposite order, at one end or two: a loading screen |
//! | `Linear(FreeAtOnce)` | what goes all at once; no offset is handed out twice before that |
//! | `Custom` | your own [`CustomSuballocator`]; what it answers is checked before it is handed out |
//!
//! ```
//! use gpu_alloc_ash::{Algorithm, AllocationRequest, CustomPoolConfig, LinearKind, UsageFlags, ash::vk};
//!
//! # let driver = vk_sim::SimDriver::new(vk_sim::DriverConfig::default())?;
//! # let (instance, physical_device, device) = (driver.instance(), driver.physical_device(), driver.device());
//! # // SAFETY: The three belong together and outlive the allocator.
//! # let allocator = unsafe {
//! #     gpu_alloc_ash::GpuAllocator::new(instance, physical_device, device, Default::default())
//! # }?;
//! // Where would such buffers go?
//! let info = vk::BufferCreateInfo::default().size(1024).usage(vk::BufferUsageFlags::UNIFORM_BUFFER);
//! let upload = AllocationRequest { usage: UsageFlags::UPLOAD, ..Default::default() };
//! // SAFETY: The create info is valid usage.
//! let types = unsafe { allocator.memory_types_for_buffer(&info, &upload) }?;
//!
//! let pool = allocator.create_pool(&CustomPoolConfig {
//!     memory_types: &types[..1], // or all of them, to fall back
//!     algorithm: Algorithm::Linear(LinearKind::Ring),
//!     block_size: Some(3 << 20),
//!     min_block_count: 1,
//!     max_block_count: Some(1),
//!     name: Some("uniforms"),
//!     ..Default::default()
//! })?;
//! // SAFETY: The create info is valid usage.
//! let (buffer, memory) = unsafe { allocator.create_buffer_in(&pool, &info, &Default::default()) }?;
//! assert_eq!(pool.stats().allocation_count, 1);
//!
//! let refused = allocator.destroy_pool(pool).expect_err("a buffer lives there");
//! // SAFETY: The device has never seen the buffer.
//! unsafe { allocator.destroy_buffer(buffer, memory) }?;
//! allocator.destroy_pool(refused.returned)?;
//! # allocator.destroy()?;
//! # assert!(driver.finish().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Memory that may be lost
//!
//! What can be loaded again need not be freed by hand. An [`EvictablePool`] is a custom pool that, when it is
//! full, gives up what was not used for some frames, the oldest first and no more than a request needs, and
//! hands back what was bound there. [`create_evictable_buffer`](GpuAllocator::create_evictable_buffer) and
//! [`create_evictable_image`](GpuAllocator::create_evictable_image) make what is bound, too.
//!
//! ```
//! use gpu_alloc_ash::{CustomPoolConfig, EvictablePool, PoolAllocationRequest, ResourceKind};
//!
//! # use gpu_alloc_ash::{AllocationRequest, AllocatorConfig, GpuAllocator, UsageFlags};
//! # let driver = vk_sim::SimDriver::new(vk_sim::DriverConfig::default())?;
//! # let (instance, physical_device, device) = (driver.instance(), driver.physical_device(), driver.device());
//! # // SAFETY: The three belong together and outlive the allocator.
//! # let allocator = unsafe { GpuAllocator::new(instance, physical_device, device, AllocatorConfig::default()) }?;
//! # let upload = AllocationRequest { usage: UsageFlags::UPLOAD, ..Default::default() };
//! # let types = allocator.memory_types(&upload)?;
//! let pool = allocator.create_pool(&CustomPoolConfig {
//!     memory_types: &types[..1],
//!     block_size: Some(1 << 20),
//!     max_block_count: Some(1),
//!     ..Default::default()
//! })?;
//! let (lost, told) = std::sync::mpsc::channel();
//! let pool = EvictablePool::new(pool, 2, move |texture: &str| lost.send(texture).unwrap());
//!
//! let kind = ResourceKind::Linear;
//! let request = PoolAllocationRequest { size: 1 << 20, kind, ..Default::default() };
//! let sky = allocator.allocate_evictable(&pool, &request, 1, "sky")?;
//! assert!(allocator.touch(&sky, 2)); // it stays for two more frames
//! assert_eq!(allocator.with(&sky, 2, |view| *view.value()), Some("sky"));
//!
//! // SAFETY: The device has finished with what was used before frame 3, which is all.
//! unsafe { pool.begin_frame(5) };
//! let sea = allocator.allocate_evictable(&pool, &request, 5, "sea")?;
//! assert_eq!(told.try_recv(), Ok("sky"));
//! assert!(!allocator.touch(&sky, 5)); // lost, for good
//! # drop(sea);
//! # // SAFETY: The device has never seen any of it.
//! # unsafe { allocator.destroy_evictable_pool(pool) }.unwrap();
//! # allocator.destroy()?;
//! # assert!(driver.finish().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Errors and what to do
//!
//! An operation that fails leaves no allocation, handle, mapping or reservation. On the way it has tried
//! smaller blocks, has given the heap's empty blocks back, and has tried every other memory type that the
//! request allows. [`AllocError::Limit`] and [`AllocError::Driver`] with an out-of-memory result mean that
//! something must be freed; [`GpuAllocator::trim`] gives back what other heaps keep empty. At most, a
//! block that was made on the way stays as an empty one.
//!
//! # Finding overruns
//!
//! With [`AllocatorConfig::corruption_margin`] there are bytes behind each piece of host-visible memory that
//! nobody may write. They are looked at when the allocation is freed, by
//! [`GpuAllocator::check_corruption`], and at the end: an [`Overrun`] has the allocation's name, its size, the
//! first wrong byte, and what stands there.
//!
//! ```
//! # use gpu_alloc_ash::{AllocationRequest, AllocatorConfig, GpuAllocator, UsageFlags, ash::vk};
//! # let driver = vk_sim::SimDriver::new(vk_sim::DriverConfig::default())?;
//! # let (instance, physical_device, device) = (driver.instance(), driver.physical_device(), driver.device());
//! let mut config = AllocatorConfig::default();
//! config.corruption_margin = 16;
//! # // SAFETY: The three belong together and outlive the allocator.
//! # let allocator = unsafe { GpuAllocator::new(instance, physical_device, device, config) }?;
//! let request = AllocationRequest { size: 100, usage: UsageFlags::UPLOAD, name: Some("mesh"), ..Default::default() };
//! let mesh = allocator.allocate(&request)?;
//! let first = mesh.mapped_ptr().expect("uploads are mapped");
//! // SAFETY: For the example: the byte is one past the mesh, and still in its block.
//! unsafe { first.as_ptr().add(100).write(7) };
//! // SAFETY: Nothing was bound to it.
//! unsafe { allocator.free(mesh) }?;
//! assert_eq!(
//!     allocator.take_overruns()[0].to_string(),
//!     "mesh: 100 bytes at offset 0, memory type 1, were overrun: from byte 100 on there is 07"
//! );
//! # allocator.destroy()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`AllocatorConfig::fill`] shows who reads what was never written, or was freed;
//! [`AllocationRequest::zeroed`] is for those who need zeroes. All three cost nothing when they are off.
//!
//! # What is unsafe, and what is not
//!
//! Allocating from numbers, copying, statistics and reports are safe. What is not, says so in numbered
//! clauses: [`GpuAllocator::new`] (the handles belong together and outlive the allocator), the functions
//! that take a create info or a handle, and [`free`](GpuAllocator::free): nobody but you knows when the
//! device has finished. An [`Allocation`] cannot be copied, so freeing twice does not compile; freeing it
//! at the wrong allocator gives it back. Safe code never gets a reference into mapped memory.
//!
//! # Does not
//!
//! - create instances, devices, surfaces or windows;
//! - copy on the device, or know when it has finished;
//! - defragment, or suballocate sparse resources (yet);
//! - call anything outside of what [`AllocatorConfig`] says the device was made with.
//!
//! # When not to use it
//!
//! If you need Direct3D 12 or Metal behind the same interface, if your program makes a handful of
//! allocations in its whole life, or if you need moving allocations today.
//!
//! [ash]: https://docs.rs/ash

#![deny(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod access;
mod allocation;
mod allocator;
mod attempts;
mod batch;
mod config;
mod create;
mod custom;
mod driver;
mod error;
mod evictable;
mod external;
mod facts;
mod grow;
mod guards;
mod home;
mod leaks;
mod mapped;
mod names;
mod place;
mod pools;
mod prepare;
mod request;
mod resource;
mod stats;
mod sync;
mod zeroes;

pub use ash;
pub use memtype_select::{
    DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryRequest,
    MemoryType, MemoryTypeSelector, UsageFlags,
};
pub use vk_pool::linear::LinearKind;
pub use vk_pool::{
    Algorithm, BlockShape, CustomAlgorithm, CustomFault, CustomSuballocator, HeapBudget, HeapUsage,
    LimitError, Piece, PieceRequest, PoolStats, ResourceKind,
};
// What stands inside of errors of the same names here.
pub use vk_pool::{ConfigError as PoolConfigError, FreeError as PoolFreeError};

pub use allocation::Allocation;
pub use allocator::GpuAllocator;
pub use config::{AllocatorConfig, FillBytes};
pub use custom::{
    CreatePoolError, CustomPool, CustomPoolConfig, DestroyPoolError, PoolAllocationRequest,
    PoolBlock, PoolCheckError, PoolPiece,
};
pub use error::{
    AccessError, AdoptError, AllocError, ConfigError, CreateError, FreeError, Refused,
};
pub use evictable::{
    Evictable, EvictableBuffer, EvictableImage, EvictablePool, EvictionStats, View, ViewMut,
};
pub use external::ExternalMemory;
pub use guards::Overrun;
pub use leaks::{Leak, LeakKind, Leaks};
pub use request::{AllocationRequest, Strategy};
pub use stats::AllocatorStats;
