//! The simulated driver beside and over a real one under validation, and the tables of real ones.

mod conformance;
mod overlay;
mod stage;
#[path = "../driver/support.rs"]
#[allow(dead_code, reason = "the tests of the simulated driver alone use the rest")]
mod support;
mod tables;
