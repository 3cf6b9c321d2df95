//! The simulated driver beside and over a real one, which is lavapipe under validation.

mod conformance;
mod overlay;
mod stage;
#[path = "../driver/support.rs"]
#[allow(dead_code, reason = "the tests of the simulated driver alone use the rest")]
mod support;
