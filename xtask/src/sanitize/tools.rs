//! What the sanitizers need beyond the pinned toolchain: a nightly compiler and valgrind.

use crate::run::Failure;
use crate::{nightly, setup};

/// Fails if something is missing, and says what installs it.
pub(super) fn check(valgrind: bool) -> Result<(), Failure> {
    if !nightly::is_there() {
        return Err(Failure::new(format!(
            "missing: {}; `cargo xtask setup --sanitize` installs it",
            nightly::NAME
        )));
    }
    if valgrind { setup::require_valgrind() } else { Ok(()) }
}

/// Installs what is missing, and says what it does.
pub(crate) fn install() -> Result<(), Failure> {
    if nightly::is_there() {
        println!("already there: {}", nightly::NAME);
    } else {
        nightly::install()?;
    }
    setup::install_valgrind()?;
    check(true)
}
