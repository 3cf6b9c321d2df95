//! What fuzzing needs beyond the pinned toolchain: a nightly compiler and cargo-fuzz.

use std::process::{Command, Stdio};

use crate::run::{self, Failure};

/// A command under the nightly toolchain, in the repository's root.
pub(super) fn nightly(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).args(words).current_dir(run::root());
    command
}

/// Fails if something is missing, and says what installs it.
pub(super) fn check() -> Result<(), Failure> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "missing: {}; `cargo xtask setup --fuzz` installs it",
        missing.join(", ")
    )))
}

/// Installs what is missing, and says what it does.
pub(crate) fn install() -> Result<(), Failure> {
    let missing = missing();
    if missing.contains(&NIGHTLY) {
        let mut command = Command::new("rustup");
        command.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
        run::run(command)?;
    }
    if missing.contains(&CARGO_FUZZ) {
        run::run(run::cargo(["install", "cargo-fuzz", "--locked"]))?;
    }
    println!("setup: fuzzing: {}", if missing.is_empty() { "already there" } else { "done" });
    check()
}

const NIGHTLY: &str = "a nightly toolchain";
const CARGO_FUZZ: &str = "cargo-fuzz";

fn missing() -> Vec<&'static str> {
    let nightly = nightly(&["rustc", "--version"]);
    let mut cargo_fuzz = Command::new("cargo-fuzz");
    cargo_fuzz.arg("--version");
    let parts = [(NIGHTLY, nightly), (CARGO_FUZZ, cargo_fuzz)];
    parts.into_iter().filter_map(|(name, command)| (!answers(command)).then_some(name)).collect()
}

fn answers(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
