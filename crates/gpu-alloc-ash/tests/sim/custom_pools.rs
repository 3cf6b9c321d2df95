//! Custom pools: every kind of them on every device, VMA's tests of them told anew, what their rules
//! refuse, and what becomes of them.

mod config;
mod every_device;
mod extension;
pub(crate) mod fixture;
mod guards;
mod life;
mod linear;
pub(crate) mod own_algorithm;
mod program;
mod rules;
mod several_types;
mod vma;
