//! What is chosen on real devices, with the reason for each group of them.

mod discrete;
mod expected;
mod partly;
mod tables;
mod unified;
