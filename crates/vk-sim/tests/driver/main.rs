//! The simulated driver through ash's calls, as a program under test makes them.

mod bindings;
mod budgets;
mod calls;
mod clears;
mod coherence;
mod command_rules;
mod commands;
mod config;
mod failed_commands;
mod failures;
mod lints;
mod pace;
mod queue;
mod recorder;
mod requirements;
mod resource_rules;
mod scopes;
mod support;
#[cfg(feature = "tables")]
mod tables;
mod texels;
mod threads;
mod violations;
