//! The allocator on a simulated driver: every path of it, every refusal, and every failure that a
//! driver may answer with. No GPU is needed.
//!
//! A test ends with [`support::Sim::finish`], which proves that the driver saw no breach of valid
//! usage and that everything was given back; the few that leave something behind on purpose look for
//! themselves.

mod basics;
mod books;
mod broken;
mod budget;
mod coherence;
mod config;
mod coverage;
mod custom_pools;
mod devices;
mod every_device;
mod evictable;
mod externals;
mod fallback;
mod faults;
mod gate;
mod granularity;
mod guards;
mod held;
mod in_flight;
mod limits;
mod mapping;
mod names;
mod operations;
mod pages;
mod prepared;
mod programs;
mod queue;
mod refusals;
mod renderer;
mod resources;
mod rng;
mod shards;
mod strangers;
mod support;
mod tables;
mod threads;
mod ways;
