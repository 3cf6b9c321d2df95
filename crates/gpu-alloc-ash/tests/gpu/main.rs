//! The facade on a real Vulkan driver, under the validation layer.
//!
//! Each test boots a device of its own, and ends with an empty allocator and without one message
//! of the layer, those at `vkDestroyDevice` included. `cargo xtask test-gpu` runs them.

mod address;
mod buffers;
mod bytes;
mod churn;
mod externals;
mod failures;
mod formats;
mod guards;
mod images;
mod modes;
mod pools;
mod raw;
mod refusals;
mod resources;
mod shadow;
mod shapes;
mod support;
mod threads;
mod transfers;
mod transient;
mod types;
