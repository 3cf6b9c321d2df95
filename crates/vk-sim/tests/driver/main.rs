//! The simulated driver through ash's calls, as a program under test makes them.

mod bindings;
mod calls;
mod config;
mod failures;
mod requirements;
mod support;
mod threads;
mod violations;
