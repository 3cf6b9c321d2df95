//! The no-std link check: three libraries in one static library without std, and a planted fault.

use std::path::Path;
use std::process::Command;

use crate::run::{self, Echo, Failure};
use crate::workspace;

/// The package that links the libraries, a workspace of its own.
const PACKAGE: &str = "xtask/no-std";

/// Builds the static library, and proves that it would not build if one of the libraries had std.
pub(crate) fn run() -> Result<(), Failure> {
    run::run(command("build", &["--release"]))?;
    run::run(command("clippy", &["--release", "--", "-D", "warnings"]))?;
    let planted = command("build", &["--release", "--features", "plant-std"]);
    let captured = run::capture(planted, Echo::Hidden)?;
    check_planted(captured.status.success(), &captured.text)?;
    println!("no-std: linked without std; with std planted the build is refused");
    Ok(())
}

fn command(verb: &str, arguments: &[&str]) -> Command {
    let manifest = Path::new(PACKAGE).join("Cargo.toml");
    let mut command = run::cargo([verb, "--locked", "--manifest-path"]);
    command
        .arg(manifest)
        .args(arguments)
        .env("CARGO_TARGET_DIR", workspace::target_folder("no-std"));
    command
}

/// With std linked in there are two panic handlers, which the compiler refuses as E0152.
fn check_planted(succeeded: bool, output: &str) -> Result<(), Failure> {
    if succeeded {
        return Err(Failure::new("std was planted and the build succeeded: nothing is proven"));
    }
    if output.contains("E0152") && output.contains("panic_impl") {
        return Ok(());
    }
    Err(Failure::new(format!(
        "std was planted and the build failed, but not over the panic handler:\n{output}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_over_the_panic_handler_proves_the_check() {
        let refusal = "error[E0152]: found duplicate lang item `panic_impl`\n";
        assert_eq!(check_planted(false, refusal), Ok(()));
        assert!(check_planted(true, refusal).is_err());
        assert!(check_planted(true, "").is_err());
        let other = check_planted(false, "error: cannot update the lock file\n").unwrap_err();
        assert!(other.to_string().contains("cannot update the lock file"));
    }
}
