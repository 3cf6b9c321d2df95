//! The simulated driver beside and over a real one, which is lavapipe under validation.

mod overlay;
mod stage;
