//! What the sanitizers need beyond the pinned toolchain: a nightly compiler and valgrind.

use std::process::{Command, Stdio};

use crate::run::{self, Failure};
use crate::setup;

const NIGHTLY: &str = "a nightly toolchain";

/// A command under the nightly toolchain, in the repository's root.
pub(super) fn nightly(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).args(words).current_dir(run::root());
    command
}

/// Fails if something is missing, and says what installs it.
pub(super) fn check(valgrind: bool) -> Result<(), Failure> {
    if !answers(nightly(&["rustc", "--version"])) {
        return Err(Failure::new(format!(
            "missing: {NIGHTLY}; `cargo xtask setup --sanitize` installs it"
        )));
    }
    if valgrind { setup::require_valgrind() } else { Ok(()) }
}

/// Installs what is missing, and says what it does.
pub(crate) fn install() -> Result<(), Failure> {
    if answers(nightly(&["rustc", "--version"])) {
        println!("already there: {NIGHTLY}");
    } else {
        let mut command = Command::new("rustup");
        command.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
        run::run(command)?;
    }
    setup::install_valgrind()?;
    check(true)
}

fn answers(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
