//! A headless Vulkan device under validation, for GPU tests, the demo and the examples.
//!
//! [`Boot::new`] loads the Vulkan loader, picks a physical device, makes a logical device with one
//! queue and collects what the validation layer says in a [`MessageSink`]. [`Boot::submit`] runs
//! one command buffer and waits for it, from any thread. [`Boot::finish`] destroys everything and
//! hands over every message, those about leaked objects included.
//!
//! [`Boot::executes`] finds out whether there is anything behind the driver, and [`gpu_tests`] is
//! how tests tell what they could not do.
//!
//! Does not: allocate memory or make buffers for its user, open windows.
//!
//! ```no_run
//! use vk_boot::{Boot, BootOptions, Validation};
//!
//! let boot = Boot::new(&BootOptions { validation: Validation::Required, ..Default::default() })?;
//! println!("{} by {}", boot.device_name, boot.driver_name);
//! // SAFETY: nothing is recorded.
//! unsafe { boot.submit(|_commands| ()) }?;
//! assert!(boot.finish().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(clippy::unwrap_used)]

mod boot;
mod choose;
mod device;
mod error;
pub mod gpu_tests;
mod instance;
mod messages;
mod options;
mod probe;
mod submit;

pub use ash;

pub use boot::Boot;
pub use device::Enabled;
pub use error::BootError;
pub use messages::{Message, MessageSink, Severity};
pub use options::{
    BootOptions, DEVICE_VARIABLE, DeviceChoice, TEST_REQUIREMENT_VARIABLE, Validation,
};
