//! `cargo xtask models`: the facade's locking, and the limits' atomics, under the model checker loom.
//!
//! The program is a workspace of its own (`xtask/loom`). It runs every model in every order of its
//! threads, and then each planted fault through the model that must see it.

use std::path::Path;
use std::process::Command;

use crate::results::Tally;
use crate::run::{self, Echo, Failure};
use crate::workspace;

/// The program, a workspace of its own.
const PACKAGE: &str = "xtask/loom";

/// Runs the models, with those of very many orders if wanted.
pub(crate) fn run(deep: bool) -> Result<(), Failure> {
    let mut tally = Tally::default();
    run_counted(deep, &mut tally)
}

/// What CI does: checks the program, and runs all but the deep models.
pub(crate) fn check(tally: &mut Tally) -> Result<(), Failure> {
    let mut clippy = command("clippy");
    clippy.args(["--", "-D", "warnings"]);
    run::run(clippy)?;
    run_counted(false, tally)
}

/// Runs the models, and counts each, and each planted fault, as a test.
fn run_counted(deep: bool, tally: &mut Tally) -> Result<(), Failure> {
    let mut command = command("run");
    command.args(["--quiet", "--"]);
    if deep {
        command.arg("--deep");
    }
    let captured = run::capture(command, Echo::Shown)?;
    let found = counts(&captured.text);
    *tally += Tally { passed: found.models + found.planted, failed: found.failures };
    judge(captured.status.success(), found)
}

/// Debug assertions are on in it; see its manifest.
fn command(verb: &str) -> Command {
    let mut command = run::cargo([verb, "--release", "--locked", "--manifest-path"]);
    command.arg(Path::new(PACKAGE).join("Cargo.toml"));
    command.env("CARGO_TARGET_DIR", workspace::target_folder("loom"));
    command
}

/// What the program says that it has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    /// Models that held in every order.
    models: u64,
    /// Planted faults that were found.
    planted: u64,
    failures: u64,
}

fn counts(text: &str) -> Counts {
    let count = |is: &dyn Fn(&str) -> bool| text.lines().filter(|line| is(line)).count() as u64;
    let failures = text
        .lines()
        .rev()
        .find_map(|line| line.strip_suffix(" failures")?.rsplit(' ').next()?.parse().ok());
    Counts {
        models: count(&|line| line.starts_with("model: ") && line.contains(" executions in ")),
        planted: count(&|line| line.starts_with("planted: ") && line.contains(": found by ")),
        failures: failures.unwrap_or(0),
    }
}

fn judge(succeeded: bool, counts: Counts) -> Result<(), Failure> {
    if !succeeded || counts.failures > 0 {
        return Err(Failure::new("a model failed, or a planted fault was not found; see above"));
    }
    if counts.models == 0 || counts.planted < counts.models / 2 {
        return Err(Failure::new("hardly any model ran, or hardly any planted fault was found"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
model: one_block: 8211 executions in 0.49 s
model: another: 14 executions in 0.00 s
planted: nobody_wakes: found by one_block
planted: nobody_waits: found by another
2 models, 2 planted faults, 0 failures
";

    #[test]
    fn models_and_planted_faults_are_counted() {
        let found = counts(TEXT);
        assert_eq!(found, Counts { models: 2, planted: 2, failures: 0 });
        assert_eq!(judge(true, found), Ok(()));
        assert!(judge(false, found).is_err());
    }

    #[test]
    fn a_run_that_did_nothing_or_found_nothing_fails() {
        assert!(judge(true, counts("")).is_err());
        assert!(
            judge(
                true,
                counts(
                    "model: one_block: 3 executions in 0.1 s\nmodel: b: 1 executions in 0.1 s\n"
                )
            )
            .is_err()
        );
        let failed = TEXT.replace("0 failures", "1 failures");
        assert_eq!(counts(&failed).failures, 1);
        assert!(judge(true, counts(&failed)).is_err());
    }
}
