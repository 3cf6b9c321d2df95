//! The demo: a recorded trace of a real renderer, replayed through the allocator.
//!
//! A [`Trace`] is what a program asked of its allocator and gave back, in order. [`replay`] plays
//! it on a device: each allocation becomes a real buffer or image of about the recorded size,
//! created, bound, filled and verified, and destroyed where the program freed it. [`Report`] says
//! what that took: blocks, driver calls, committed and live bytes over time.
//!
//! Traces are kept in a text format of their own ([`encode`], [`decode`]), made by [`import`] from
//! the CSV log of a program that runs on wgpu's allocator.
//!
//! Alignment and memory types are what the driver at hand requires; those in the trace are the
//! recorded driver's, and kept for tools that simulate it.
//!
//! Does not: boot a device (`vk-boot` does), submit anything to it, or replay the pace at which the
//! recorded program ran.

#![deny(clippy::unwrap_used)]

mod arguments;
mod books;
mod catalog;
mod error;
mod fields;
mod figures;
mod format;
mod import;
mod outcome;
mod pattern;
mod player;
mod plot;
mod resource;
mod shape;
mod summary;
mod timeline;
mod trace;
mod words;

pub use arguments::{ArgumentError, Command, HELP, Import, Replay};
pub use books::{NotEmpty, close};
pub use catalog::{EXTENSION, find, folder, name_of, names, read, read_text, write};
pub use error::{Problem, TraceError};
pub use figures::Figures;
pub use format::{decode, encode};
pub use import::import;
pub use outcome::{Outcome, ReplayError};
pub use player::{Extent, replay};
pub use plot::plot;
pub use shape::{IMAGE_USAGE, ImageShape, ResourceLimits, Texel};
pub use summary::{Machine, Report, Watched};
pub use timeline::{MeanBytes, Sample, Timeline};
pub use trace::{
    Class, Kind, Location, Operation, Provenance, RecordedDevice, Trace, TraceBuilder,
};
