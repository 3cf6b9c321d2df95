//! `cargo xtask fuzz`: libFuzzer on the whole allocator and on the core, and the proof that it finds.
//!
//! The programs are a plain library (`xtask/fuzz/programs`), which `cargo xtask test` checks and runs
//! on the recorded inputs, with the pinned toolchain. Fuzzing itself needs a nightly compiler, for the
//! sanitizer, and cargo-fuzz: `cargo xtask setup --fuzz` installs both.

mod plan;
mod tools;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use self::plan::{Plan, TARGETS};
use crate::nightly;
use crate::results::Tally;
use crate::run::{self, Echo, Failure};

pub(crate) use self::tools::install;

/// The workspace of the targets, and the package of the programs in it.
const WORKSPACE: &str = "xtask/fuzz";
const PROGRAMS: &str = "xtask/fuzz/programs/Cargo.toml";

/// Within how many seconds the planted faults must be found, each.
const PROOF_SECONDS: u64 = 120;

/// Bytes of the longest input: some three hundred steps.
const MAX_BYTES: u32 = 2048;

/// The verb, with its arguments.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    match plan::parse(words).map_err(Failure::new)? {
        Plan::Prove => prove(),
        Plan::Run { targets, seconds } => fuzz(&targets, seconds),
    }
}

/// What a long test run does: the proof, then as long as the verb does without arguments.
pub(crate) fn run_as_test() -> Result<(), Failure> {
    prove()?;
    fuzz(&TARGETS, plan::DEFAULT_SECONDS)
}

/// Checks the programs, and runs the recorded inputs, without libFuzzer.
pub(crate) fn check_programs(tally: &mut Tally) -> Result<(), Failure> {
    let command = |words: &[&str]| {
        let mut command = run::cargo([words[0], "--locked", "--manifest-path", PROGRAMS]);
        command.args(&words[1..]).env("CARGO_TARGET_DIR", folder("programs"));
        command
    };
    run::run(command(&["clippy", "--all-targets", "--all-features", "--", "-D", "warnings"]))?;
    let captured = run::capture(command(&["test", "--no-fail-fast"]), Echo::Shown)?;
    let ran = Tally::of(&captured.text);
    *tally += ran;
    if !captured.status.success() || ran.failed > 0 || ran.passed == 0 {
        return Err(Failure::new("a recorded input or a random one fails; which stands above"));
    }
    Ok(())
}

fn fuzz(targets: &[&str], seconds: u64) -> Result<(), Failure> {
    tools::check()?;
    for target in targets {
        let corpus = made(folder("corpus").join(target))?;
        let artifacts = made(folder("artifacts").join(target))?;
        let mut command = target_command(target, &[], &[&corpus, &inputs(target)]);
        command.args(limits(seconds, &artifacts));
        let status = run::status(command)?;
        if !status.success() {
            return Err(Failure::new(finding(target, newest(&artifacts).as_deref())));
        }
        println!("fuzz: {target}: {seconds} s without a finding");
    }
    Ok(())
}

/// What to do about a failed run.
fn finding(target: &str, file: Option<&Path>) -> String {
    let Some(file) = file else {
        return format!("fuzz target {target} failed, and left no input; why stands above");
    };
    let file = file.display();
    format!(
        "fuzz target {target} has a finding: {file}\n\
         told step by step: cargo run --manifest-path {PROGRAMS} -- {target} {file}\n\
         made smaller: rustup run nightly cargo fuzz tmin --fuzz-dir {WORKSPACE} {target} {file}\n\
         once it is understood it is recorded in {WORKSPACE}/inputs/{target}, named by its cause"
    )
}

/// Plants a fault in the books of each target's programs, which libFuzzer must find from nothing.
fn prove() -> Result<(), Failure> {
    tools::check()?;
    for target in TARGETS {
        let folder = folder("planted").join(target);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| cannot("empty", &folder, &error))?;
        }
        let corpus = made(folder.join("corpus"))?;
        let artifacts = made(folder.join("artifacts"))?;
        let mut command = target_command(target, &["--features", "plant"], &[&corpus]);
        command.args(limits(PROOF_SECONDS, &artifacts));
        let start = Instant::now();
        let captured = run::capture(command, Echo::Hidden)?;
        let found = newest(&artifacts).filter(|_| !captured.status.success());
        let Some(file) = found else {
            return Err(Failure::new(format!(
                "fuzz target {target} has not found its planted fault in {PROOF_SECONDS} s\n{}",
                captured.text
            )));
        };
        let seconds = start.elapsed().as_secs();
        check_planted(target, &file)?;
        println!("fuzz: {target}: the planted fault was found in {seconds} s, building included");
    }
    Ok(())
}

/// What was found is the planted fault alone: without it the same input has no finding.
fn check_planted(target: &str, file: &Path) -> Result<(), Failure> {
    let mut command = run::cargo(["run", "--locked", "--quiet", "--manifest-path", PROGRAMS, "--"]);
    command.arg(target).arg(file).env("CARGO_TARGET_DIR", folder("programs"));
    let captured = run::capture(command, Echo::Hidden)?;
    if captured.status.success() {
        return Ok(());
    }
    let file = file.display();
    Err(Failure::new(format!("{file} fails without the planted fault too:\n{}", captured.text)))
}

/// `cargo fuzz run` of a target over folders of inputs; libFuzzer's own flags are to follow.
fn target_command(target: &str, options: &[&str], inputs: &[&Path]) -> Command {
    let mut command = nightly::command(&["cargo", "fuzz", "run", "--fuzz-dir", WORKSPACE]);
    command.arg("--target-dir").arg(folder("")).args(options).arg(target).args(inputs).arg("--");
    // A device may have more memory than this machine, whose refusal to map it is one of the
    // failures to be tested.
    command.env("ASAN_OPTIONS", "allocator_may_return_null=1");
    command
}

/// libFuzzer's flags.
fn limits(seconds: u64, artifacts: &Path) -> Vec<String> {
    vec![
        format!("-max_total_time={seconds}"),
        format!("-max_len={MAX_BYTES}"),
        // Long programs from the start: what goes wrong needs several steps.
        "-len_control=0".into(),
        "-timeout=20".into(),
        "-rss_limit_mb=4096".into(),
        "-print_final_stats=1".into(),
        // libFuzzer takes the last one, and names files by appending to it.
        format!("-artifact_prefix={}/", artifacts.display()),
    ]
}

/// The recorded inputs of a target.
fn inputs(target: &str) -> PathBuf {
    run::root().join(WORKSPACE).join("inputs").join(target)
}

/// A folder under the main target folder that is fuzzing's own.
fn folder(name: &str) -> PathBuf {
    let main = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    run::root().join(main.unwrap_or_else(|| "target".into())).join("fuzz").join(name)
}

fn made(folder: PathBuf) -> Result<PathBuf, Failure> {
    fs::create_dir_all(&folder).map_err(|error| cannot("make", &folder, &error))?;
    Ok(folder)
}

fn cannot(verb: &str, folder: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot {verb} {}: {error}", folder.display()))
}

/// The file that was written last.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let dated = entries.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry)));
    dated.max_by_key(|(written, _)| *written).map(|(_, entry)| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_recorded_inputs_and_a_source() {
        for target in TARGETS {
            assert!(newest(&inputs(target)).is_some(), "{target} has no recorded input");
            let source = run::root().join(WORKSPACE).join(format!("fuzz_targets/{target}.rs"));
            assert!(source.exists(), "{}", source.display());
        }
    }

    #[test]
    fn a_finding_is_told_with_its_file_and_what_to_do() {
        let text = finding("core", Some(Path::new("/a/crash-1")));
        assert!(text.starts_with("fuzz target core has a finding: /a/crash-1\n"), "{text}");
        assert!(text.contains("-- core /a/crash-1\n"), "{text}");
        assert!(finding("core", None).contains("left no input"));
    }

    #[test]
    fn an_empty_folder_has_no_newest_file() {
        assert_eq!(newest(Path::new("/no/such/folder")), None);
    }
}
