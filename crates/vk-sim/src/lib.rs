//! A simulated Vulkan memory driver behind the function tables of ash, for tests.
//!
//! A [`SimDriver`] is one device with any memory table and any limits ([`DriverConfig`]). Code
//! under test gets an ordinary [`ash::Device`] and [`ash::Instance`] and cannot tell the difference
//! as far as memory goes: allocations come from heaps that run out, mappings are host memory whose
//! bytes persist, buffers and images have requirements. Beside that the driver
//!
//! - checks: each breach of valid usage that concerns memory is on record, with its values and the
//!   name of the rule ([`SimDriver::violations`]), and harmless; practices that are legal but that a
//!   careful program avoids are a list of their own ([`SimDriver::lints`]);
//! - keeps host and device apart: non-coherent memory has a copy for each, so a forgotten flush or
//!   invalidation, or an atom that two resources share, shows as wrong bytes;
//! - executes transfers: copies, fills and updates of buffers, copies to and from images, and clears of
//!   colour images, when the program waits for what it submitted;
//! - counts: every call ([`SimDriver::calls`]) and every living object ([`SimDriver::live`]);
//! - fails: any call that may fail does so on demand, by number, size, memory type or heap, or at
//!   random ([`SimDriver::fail`], [`SimDriver::fail_within`], [`SimDriver::fail_randomly`]);
//! - waits: calls are delayed or held up ([`SimDriver::set_delay`], [`SimDriver::set_hook`]);
//! - moves budgets: its own and what other processes take ([`SimDriver::set_heap_budget`],
//!   [`SimDriver::set_other_usage`]);
//! - poses: over a real driver, which then executes everything ([`SimDriver::over`]).
//!
//! With the feature `tables` there are the memory tables of 38 real devices, and of some hostile
//! ones, in the module `tables`.
//!
//! Does not: draw or compute, track image layouts, look for hazards between commands, order
//! queues by semaphores, or know about what is not memory. Copies take a texel as a whole, whatever
//! the aspect. Clears do not convert colours: a texel is the bytes of the `VkClearColorValue`, as many as
//! it has, over and over if it has more; right for zeroes, and for formats of 32 bits a component. A function that it lacks is null in the tables, and ash aborts the process when it is
//! called.
//!
//! ```
//! use ash::vk;
//! use vk_sim::{Call, DriverConfig, SimDriver};
//!
//! let driver = SimDriver::new(DriverConfig::default())?;
//! let device = driver.device();
//! let info = vk::MemoryAllocateInfo::default().allocation_size(4096).memory_type_index(0);
//!
//! // The second allocation from here fails.
//! driver.fail_nth_of(Call::AllocateMemory, 2, vk::Result::ERROR_OUT_OF_DEVICE_MEMORY);
//! // SAFETY: the driver lives.
//! let memory = unsafe { device.allocate_memory(&info, None) }?;
//! // SAFETY: the driver lives.
//! let failed = unsafe { device.allocate_memory(&info, None) };
//! assert_eq!(failed, Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
//! assert_eq!(driver.live().memory, 1);
//!
//! // Memory type 0 is not host-visible, and what is breached is said.
//! // SAFETY: the driver lives; it records the breach, and nothing happens.
//! assert!(unsafe { device.map_memory(memory, 0, 4096, vk::MemoryMapFlags::empty()) }.is_err());
//! assert_eq!(
//!     driver.violations()[0].to_string(),
//!     "vkMapMemory: memory type 0 is not host-visible (VUID-vkMapMemory-memory-00682)"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(feature = "tables", doc = include_str!("renderer.md"))]
#![deny(clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed"))]

mod backing;
mod bind;
mod call;
mod clear;
mod command;
mod config;
mod config_error;
mod control;
mod driver;
mod execute;
mod failure;
mod ffi;
mod format;
mod heap;
mod host_memory;
mod image;
mod lint;
mod map;
mod memory;
mod objects;
mod pace;
mod queue;
mod real;
mod record;
mod requirements;
mod resource;
mod rules;
mod state;
#[cfg(feature = "tables")]
pub mod tables;
mod texels;
mod transfer;
mod violation;

pub use call::Call;
pub use config::DriverConfig;
pub use config_error::{ConfigError, OverlayError};
pub use driver::{LiveObjects, SimDriver};
pub use failure::{Failure, RandomFailure, Scope};
pub use objects::{Dedicated, MemoryRecord};
pub use real::RealDriver;
pub use record::CommandState;
pub use rules::{ResourceKind, ResourceRule};
pub use violation::{ObjectKind, Role, Rule, Violation};
