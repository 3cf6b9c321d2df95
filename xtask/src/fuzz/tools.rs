//! What fuzzing needs beyond the pinned toolchain: a nightly compiler and cargo-fuzz.

use std::process::Command;

use crate::nightly;
use crate::run::{self, Failure};

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
    if missing.contains(&nightly::NAME) {
        nightly::install()?;
    }
    if missing.contains(&CARGO_FUZZ) {
        run::run(run::cargo(["install", "cargo-fuzz", "--locked"]))?;
    }
    println!("setup: fuzzing: {}", if missing.is_empty() { "already there" } else { "done" });
    check()
}

const CARGO_FUZZ: &str = "cargo-fuzz";

fn missing() -> Vec<&'static str> {
    let mut cargo_fuzz = Command::new("cargo-fuzz");
    cargo_fuzz.arg("--version");
    let parts = [(nightly::NAME, nightly::is_there()), (CARGO_FUZZ, run::answers(cargo_fuzz))];
    parts.into_iter().filter_map(|(name, is_there)| (!is_there).then_some(name)).collect()
}
