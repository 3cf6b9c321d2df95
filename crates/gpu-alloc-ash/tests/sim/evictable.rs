//! Allocations that may be lost: which go and which stay, what their owners see and are told, what is left
//! when the driver or a callback fails, and all of it at once on several threads; on every device.

mod callbacks;
mod every_device;
mod exact;
mod failures;
mod fixture;
mod model;
mod resources;
mod rules;
