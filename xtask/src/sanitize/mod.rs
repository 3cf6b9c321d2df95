//! `cargo xtask sanitize`: threads that use one allocator in every way, under ThreadSanitizer,
//! AddressSanitizer and valgrind, on the simulated driver and on lavapipe.
//!
//! The program is a workspace of its own (`xtask/sanitize`). std comes compiled, without a sanitizer, so
//! its locks and its threads would be reported, and a suppression of those would hide every race: the
//! program starts threads by the C library, and everything locks with a crate that is compiled along.
//! So nothing is suppressed, but for a false report about the dynamic linker under valgrind. Under each
//! tool and driver a planted fault runs first, and must be reported.

mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::nightly;
use crate::results::Tally;
use crate::run::{self, Captured, Echo, Failure};
use crate::setup;
use crate::vulkan::{DRIVER_VARIABLES, Vulkan};
use crate::workspace;

pub(crate) use self::tools::install;

/// The program, a workspace of its own.
const PACKAGE: &str = "xtask/sanitize";

/// Sanitizers need it named: build scripts and macros are then compiled without.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Threads of the program turn to other shards at the first collision, so that it sees all at work.
const EAGER: &str = "--cfg eager_shards";

/// A way of looking for faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Thread,
    Address,
    Valgrind,
}

const TOOLS: [Tool; 3] = [Tool::Thread, Tool::Address, Tool::Valgrind];

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Address => "address",
            Self::Valgrind => "valgrind",
        }
    }

    /// The compiler's flags.
    fn flags(self) -> String {
        let flags = match self {
            Self::Thread => "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer ",
            Self::Address => "-Zsanitizer=address ",
            Self::Valgrind => "",
        };
        format!("{flags}{EAGER}")
    }

    fn drivers(self) -> &'static [&'static str] {
        match self {
            Self::Thread | Self::Address => &["sim", "lavapipe"],
            Self::Valgrind => &["lavapipe"],
        }
    }

    /// The program's words for the faults that it must find, and what it says of each.
    fn planted(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Thread => &[("race", "WARNING: ThreadSanitizer: data race")],
            Self::Address => &[
                ("overrun", "ERROR: AddressSanitizer: heap-buffer-overflow"),
                ("leak", "ERROR: LeakSanitizer: detected memory leaks"),
            ],
            Self::Valgrind => &[("overrun", "Invalid write of size 1"), ("leak", "planted_leak")],
        }
    }

    /// Rounds of each thread: as many as take some seconds.
    fn rounds(self) -> &'static str {
        match self {
            Self::Thread | Self::Address => "10000",
            Self::Valgrind => "500",
        }
    }

    /// The folder that it builds in: none can use what another has compiled.
    fn folder(self) -> PathBuf {
        workspace::target_folder("sanitize").join(self.name())
    }
}

/// The verb, with its arguments: the tools, or none for all.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let chosen = chosen(words)?;
    tools::check(chosen.contains(&Tool::Valgrind))?;
    setup::run_if_needed()?;
    let lavapipe = Vulkan::of_this_machine().lavapipe.ok_or_else(|| {
        Failure::new("no driver manifest of lavapipe (lvp_icd*.json): run `cargo xtask setup`")
    })?;
    for tool in chosen {
        build(tool)?;
        for driver in tool.drivers() {
            for (fault, says) in tool.planted() {
                prove(tool, driver, &lavapipe, fault, says)?;
            }
            look(tool, driver, &lavapipe)?;
        }
        if tool == Tool::Address {
            facade_tests(&mut Tally::default())?;
        }
    }
    Ok(())
}

/// What CI does, without a sanitizer: the program compiles, and runs on the simulated driver.
pub(crate) fn check() -> Result<(), Failure> {
    let command = |verb: &str| {
        let mut command = run::cargo([verb, "--locked", "--manifest-path"]);
        command.arg(manifest()).env("CARGO_TARGET_DIR", workspace::target_folder("sanitize"));
        // As a build with flags would compile everything once more.
        command.env("CARGO_ENCODED_RUSTFLAGS", EAGER.replace(' ', "\u{1f}"));
        command
    };
    let mut clippy = command("clippy");
    clippy.args(["--", "-D", "warnings"]);
    run::run(clippy)?;
    let mut program = command("run");
    program.args(["--quiet", "--", "sim"]);
    let captured = run::capture(program, Echo::Shown)?;
    judge_silence("the program without a sanitizer", &captured)
}

fn chosen(words: &[&str]) -> Result<Vec<Tool>, Failure> {
    if words.is_empty() {
        return Ok(TOOLS.to_vec());
    }
    let tool = |word: &&str| {
        TOOLS.into_iter().find(|tool| tool.name() == *word).ok_or_else(|| {
            Failure::new(format!("no such sanitizer: {word} (thread, address, valgrind)"))
        })
    };
    words.iter().map(tool).collect()
}

fn manifest() -> PathBuf {
    Path::new(PACKAGE).join("Cargo.toml")
}

fn build(tool: Tool) -> Result<(), Failure> {
    let mut command = match tool {
        Tool::Thread | Tool::Address => nightly::command(&["cargo", "build"]),
        Tool::Valgrind => run::cargo(["build"]),
    };
    command.args(["--release", "--locked", "--target", TARGET, "--manifest-path"]).arg(manifest());
    command.env("CARGO_TARGET_DIR", tool.folder()).env("RUSTFLAGS", tool.flags());
    run::run(command)
}

/// The program under a tool, on a driver.
fn program(tool: Tool, driver: &str, lavapipe: &Path) -> Command {
    let program = tool.folder().join(TARGET).join("release/sanitize-program");
    let data = |name: &str| run::root().join(PACKAGE).join(name).display().to_string();
    let mut command = match tool {
        Tool::Thread | Tool::Address => Command::new(program),
        Tool::Valgrind => {
            let mut command = Command::new("valgrind");
            command.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
            command.args(["--errors-for-leak-kinds=definite", "--fair-sched=yes"]);
            command.arg(format!("--suppressions={}", data("valgrind.supp"))).arg(program);
            command
        }
    };
    command.arg(driver);
    if tool == Tool::Address {
        // It sees leaks of libraries that are gone; valgrind sees those of keeping them.
        command.args(["--libraries", "keep"]);
    }
    for variable in DRIVER_VARIABLES {
        command.env(variable, lavapipe);
    }
    // The user's own options could make the tools silent.
    command.env("TSAN_OPTIONS", "halt_on_error=0").env("ASAN_OPTIONS", "detect_leaks=1");
    command.env("LSAN_OPTIONS", "").current_dir(run::root());
    command
}

/// A planted fault is reported.
fn prove(
    tool: Tool,
    driver: &str,
    lavapipe: &Path,
    fault: &str,
    says: &str,
) -> Result<(), Failure> {
    let mut command = program(tool, driver, lavapipe);
    command.args(["--rounds", "100", "--plant", fault]);
    let captured = run::capture(command, Echo::Hidden)?;
    judge_planted(&format!("{} on {driver}", tool.name()), says, &captured)?;
    println!("sanitize: {} on {driver}: the planted {fault} is reported", tool.name());
    Ok(())
}

fn judge_planted(what: &str, says: &str, captured: &Captured) -> Result<(), Failure> {
    if !captured.status.success() && captured.text.contains(says) {
        return Ok(());
    }
    let text = &captured.text;
    Err(Failure::new(format!("{what}: the planted fault was not reported as `{says}`:\n{text}")))
}

/// Without it, nothing is.
fn look(tool: Tool, driver: &str, lavapipe: &Path) -> Result<(), Failure> {
    let mut command = program(tool, driver, lavapipe);
    command.args(["--rounds", tool.rounds()]);
    let captured = run::capture(command, Echo::Shown)?;
    judge_silence(&format!("{} on {driver}", tool.name()), &captured)?;
    println!("sanitize: {} on {driver}: silent", tool.name());
    Ok(())
}

/// The program has done everything that it can do, and nobody has complained.
fn judge_silence(what: &str, captured: &Captured) -> Result<(), Failure> {
    if !captured.status.success() {
        return Err(Failure::new(format!("{what}: {}; why stands above", captured.status)));
    }
    let done = captured.text.lines().find_map(|line| line.strip_prefix("done:"));
    let done = done.ok_or_else(|| Failure::new(format!("{what}: it has not come to its end")))?;
    let not_done: Vec<&str> = done
        .split(',')
        .map(str::trim)
        .filter(|figure| !figure.is_empty() && figure.ends_with(" 0"))
        .collect();
    if not_done.is_empty() && done.split(',').count() > 3 {
        Ok(())
    } else {
        Err(Failure::new(format!("{what}: not everything was done: {}", not_done.join(", "))))
    }
}

/// The facade's tests on the simulated driver under AddressSanitizer.
fn facade_tests(tally: &mut Tally) -> Result<(), Failure> {
    let mut command = nightly::command(&["cargo", "test", "--locked", "--target", TARGET]);
    command.args(["--package", "gpu-alloc-ash", "--all-features", "--test", "sim"]);
    command.env("CARGO_TARGET_DIR", Tool::Address.folder());
    // Memory types are larger than this machine, whose refusal to map them is one of the failures.
    command.env("ASAN_OPTIONS", "allocator_may_return_null=1:detect_leaks=0");
    command.env("RUSTFLAGS", "-Zsanitizer=address");
    let captured = run::capture(command, Echo::Shown)?;
    let counted = Tally::of(&captured.text);
    *tally += counted;
    if !captured.status.success() || counted.failed > 0 || counted.passed == 0 {
        return Err(Failure::new("address: the facade's tests on the simulated driver failed"));
    }
    println!("sanitize: address: {} tests of the facade are silent", counted.passed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn captured(code: i32, text: &str) -> Captured {
        Captured { text: text.into(), status: ExitStatus::from_raw(code << 8) }
    }

    #[test]
    fn tools_are_chosen_by_their_names() {
        assert_eq!(chosen(&[]).unwrap(), TOOLS);
        assert_eq!(chosen(&["valgrind", "thread"]).unwrap(), [Tool::Valgrind, Tool::Thread]);
        assert!(chosen(&["memory"]).is_err());
    }

    #[test]
    fn a_planted_fault_must_be_reported_as_what_it_is() {
        let (_, says) = Tool::Thread.planted()[0];
        assert_eq!(judge_planted("a", says, &captured(66, says)), Ok(()));
        assert!(judge_planted("a", says, &captured(0, says)).is_err());
        assert!(judge_planted("a", says, &captured(66, "segmentation fault")).is_err());
    }

    #[test]
    fn silence_counts_only_of_a_program_that_has_done_everything() {
        let done = "done: allocated 7, freed elsewhere 3, named 10, bytes leased 20,\n";
        assert_eq!(judge_silence("a", &captured(0, done)), Ok(()));
        assert!(judge_silence("a", &captured(66, done)).is_err());
        assert!(judge_silence("a", &captured(0, "")).is_err());
        assert!(judge_silence("a", &captured(0, "done:\n")).is_err());
        let lazy = judge_silence("a", &captured(0, &done.replace("leased 20", "leased 0")));
        assert!(lazy.unwrap_err().to_string().ends_with("bytes leased 0"));
    }
}
