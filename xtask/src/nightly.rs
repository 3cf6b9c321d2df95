//! The nightly toolchain, which fuzzers and sanitizers need.

use std::process::Command;

use crate::run::{self, Failure};

/// What it is called when it is missing.
pub(crate) const NAME: &str = "a nightly toolchain";

/// A command under the nightly toolchain, in the repository's root.
pub(crate) fn command(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).args(words).current_dir(run::root());
    command
}

/// Whether it is there.
pub(crate) fn is_there() -> bool {
    run::answers(command(&["rustc", "--version"]))
}

/// Installs it.
pub(crate) fn install() -> Result<(), Failure> {
    let mut command = Command::new("rustup");
    command.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
    run::run(command)
}
