//! `cargo xtask versus`: our allocators beside others', by a program in a workspace of its own.
//!
//! One of the peers is in C++, so a compiler for it must be there; nothing else here needs one.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::demo;
use crate::results::Tally;
use crate::run::{self, Echo, Failure};
use crate::setup;
use crate::vulkan::DRIVER_VARIABLES;
use crate::workspace;

/// The program, a workspace of its own.
const PACKAGE: &str = "xtask/versus";

/// Builds and runs the comparison; `arguments` go to it, and its exit code comes back.
///
/// Nothing is printed on standard output but what the comparison prints: it may be for a program.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    setup::require_compiler()?;
    let mut command = command("run");
    command.args(["--quiet", "--"]).args(arguments);
    // Groups that need a device see the same one as the demo; the others load none.
    if let Some(manifest) = demo::lavapipe_alone() {
        for variable in DRIVER_VARIABLES {
            command.env(variable, &manifest);
        }
    }
    let status = run::status_in_silence(command)?;
    // A program ended by a signal has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Checks that the comparison still compiles, and that its tests pass; no time is measured.
pub(crate) fn check(tally: &mut Tally) -> Result<(), Failure> {
    setup::require_compiler()?;
    let mut clippy = command("clippy");
    clippy.args(["--all-targets", "--", "-D", "warnings"]);
    run::run(clippy)?;
    let captured = run::capture(command("test"), Echo::Shown)?;
    let counted = Tally::of(&captured.text);
    *tally += counted;
    if !captured.status.success() {
        return Err(Failure::new("the tests of the comparison failed; the reason stands above"));
    }
    if counted.passed == 0 {
        return Err(Failure::new("zero tests of the comparison ran"));
    }
    Ok(())
}

/// Always in release: what is checked is what is measured, and little is compiled twice.
fn command(verb: &str) -> Command {
    let mut command = run::cargo([verb, "--release", "--locked", "--manifest-path"]);
    command.arg(Path::new(PACKAGE).join("Cargo.toml"));
    command.env("CARGO_TARGET_DIR", workspace::target_folder("versus"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_lies_where_it_is_looked_for() {
        assert!(run::root().join(PACKAGE).join("Cargo.toml").is_file());
    }
}
