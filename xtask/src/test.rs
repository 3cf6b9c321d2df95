//! `cargo xtask test`: everything, in named and timed sections, up to the first that fails.
//!
//! One profile, and everywhere all features but where a library is looked at without them, so that
//! little is compiled twice. What is cheap and fails often comes first.

use crate::demo;
use crate::fuzz;
use crate::gpu;
use crate::layering;
use crate::models;
use crate::no_std;
use crate::results::{Tally, doc_tests, failed_tests};
use crate::run::{self, Echo, Failure};
use crate::sanitize;
use crate::sections::Sections;
use crate::setup;
use crate::tidy;
use crate::versus;
use crate::workspace::{LIBRARIES, own_workspaces};

/// The test programs whose ignored tests are long ones: package and program.
const LONG_TESTS: [(&str, &str); 1] = [("gpu-alloc-ash", "sim")];

/// How many failed tests the last line names; all of them stand above it.
const NAMES_SHOWN: usize = 5;

/// What is run beside what CI runs on every change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    /// What takes minutes, or needs more than the pinned toolchain.
    long: bool,
    /// The comparison with other allocators, which takes a C++ compiler to build.
    versus: bool,
}

impl Extras {
    /// What the words after `test` ask for; `None` if one of them is unknown.
    pub(crate) fn of(words: &[&str]) -> Option<Self> {
        words.iter().try_fold(Self::default(), |extras, &word| match word {
            "--long" => Some(Self { long: true, ..extras }),
            "--versus" => Some(Self { versus: true, ..extras }),
            _ => None,
        })
    }
}

/// Runs every check of the repository; the last line says how many tests passed and failed.
pub(crate) fn run(extras: Extras) -> Result<(), Failure> {
    let mut sections = Sections::default();
    let result = all(&mut sections).and_then(|()| {
        if extras.versus {
            sections.run("versus", versus::check)?;
        }
        if extras.long {
            sections.run("long tests", long_tests)?;
            sections.run("fuzz", |_| fuzz::run_as_test())?;
            sections.run("deep models", |_| models::run(true))?;
            sections.run("sanitizers", |_| sanitize::run(&[]))?;
        }
        Ok(())
    });
    print!("{}", sections.summary());
    result
}

fn all(sections: &mut Sections) -> Result<(), Failure> {
    sections.run("setup", |_| setup::run())?;
    sections.run("format", |_| format())?;
    sections.run("tidy", |_| tidy::run())?;
    sections.run("layering", |_| layering::run())?;
    sections.run("clippy", |_| clippy())?;
    sections.run("libraries alone", |_| libraries_alone())?;
    sections.run("tests", tests)?;
    sections.run("doc tests", documentation_tests)?;
    sections.run("docs", |_| docs())?;
    sections.run("no-std link check", |_| no_std::run())?;
    sections.run("fuzz inputs", fuzz::check_programs)?;
    sections.run("models", models::check)?;
    sections.run("sanitizer program", |_| sanitize::check())?;
    sections.run("GPU tests", |tally| gpu::run_counted(gpu::Device::Lavapipe, tally))?;
    sections.run("demo", |_| demo::check())?;
    sections.run("drivers", gpu::run_counted_on_drivers)
}

fn format() -> Result<(), Failure> {
    run::run(run::cargo(["fmt", "--all", "--check"]))?;
    let folders = own_workspaces(run::root())
        .map_err(|error| Failure::new(format!("xtask/ cannot be read: {error}")))?;
    for folder in folders {
        let mut command = run::cargo(["fmt", "--all", "--check", "--manifest-path"]);
        command.arg(folder.join("Cargo.toml"));
        run::run(command)?;
    }
    Ok(())
}

fn clippy() -> Result<(), Failure> {
    let words = ["clippy", "--workspace", "--all-targets", "--all-features", "--"];
    run::run(run::cargo(words.into_iter().chain(["-D", "warnings"])))
}

/// Each library by itself, without and with all features: building the workspace unites the
/// features of all its members, which hides a feature that a library forgot to ask for.
///
/// Clippy does all that `cargo check` does, and turns warnings into errors for these packages only.
fn libraries_alone() -> Result<(), Failure> {
    for library in LIBRARIES {
        for features in ["--no-default-features", "--all-features"] {
            let words = ["clippy", "--package", library, features, "--", "-D", "warnings"];
            run::run(run::cargo(words))?;
        }
    }
    Ok(())
}

/// Unit, integration and property tests.
fn tests(tally: &mut Tally) -> Result<(), Failure> {
    counted("--tests", tally)?;
    Ok(())
}

fn documentation_tests(tally: &mut Tally) -> Result<(), Failure> {
    let text = counted("--doc", tally)?;
    check_documentation_tests(&text)
}

/// Runs tests of one kind, all of them even if one program fails, and adds up how many ran.
fn counted(kind: &str, tally: &mut Tally) -> Result<String, Failure> {
    let words = ["test", "--workspace", "--all-features", kind, "--no-fail-fast"];
    let captured = run::capture(run::cargo(words), Echo::Shown)?;
    *tally += Tally::of(&captured.text);
    check_tests(captured.status.success(), &captured.text)?;
    Ok(captured.text)
}

/// Tests that are ignored because they are long, in a release build.
fn long_tests(tally: &mut Tally) -> Result<(), Failure> {
    for (package, test) in LONG_TESTS {
        let words = ["test", "--release", "--package", package, "--all-features", "--test", test];
        let words = words.into_iter().chain(["--", "--ignored", "--nocapture"]);
        let captured = run::capture(run::cargo(words), Echo::Shown)?;
        *tally += Tally::of(&captured.text);
        check_tests(captured.status.success(), &captured.text)?;
    }
    Ok(())
}

fn check_tests(succeeded: bool, text: &str) -> Result<(), Failure> {
    let tally = Tally::of(text);
    if tally.failed > 0 {
        let names = failed_tests(text);
        let shown = &names[..names.len().min(NAMES_SHOWN)];
        return Err(Failure::new(format!("{} failed, of them {}", tally.failed, shown.join(", "))));
    }
    if !succeeded {
        return Err(Failure::new("cargo test failed; its reason stands above"));
    }
    if tally.passed == 0 {
        return Err(Failure::new("zero tests ran"));
    }
    Ok(())
}

/// Every library's front page has an example that runs.
fn check_documentation_tests(text: &str) -> Result<(), Failure> {
    let ran = doc_tests(text);
    for library in LIBRARIES {
        let name = library.replace('-', "_");
        if !ran.iter().any(|(found, tally)| *found == name && tally.passed > 0) {
            return Err(Failure::new(format!("no doc test of {library} ran")));
        }
    }
    Ok(())
}

fn docs() -> Result<(), Failure> {
    let mut command = run::cargo(["doc", "--workspace", "--no-deps", "--all-features"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    run::run(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_pass_only_if_some_ran_and_none_failed() {
        let good = "test a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
        let none = "test result: ok. 0 passed; 0 failed; 9 ignored\n";
        let bad = "test a::b ... FAILED\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n";
        let six = "test a ... FAILED\n".repeat(6) + "test result: FAILED. 0 passed; 6 failed\n";
        let refused = |succeeded, text: &str| check_tests(succeeded, text).unwrap_err().to_string();
        assert_eq!(check_tests(true, good), Ok(()));
        assert_eq!(refused(true, none), "zero tests ran");
        assert_eq!(refused(true, ""), "zero tests ran");
        assert_eq!(refused(false, bad), "1 failed, of them a::b");
        assert_eq!(refused(false, &six), "6 failed, of them a, a, a, a, a");
        assert_eq!(refused(false, good), "cargo test failed; its reason stands above");
        assert_eq!(refused(false, "error: no such package\n").lines().count(), 1);
    }

    #[test]
    fn a_library_whose_doc_tests_did_not_run_is_named() {
        let result = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        let all: String = LIBRARIES
            .iter()
            .map(|library| format!("   Doc-tests {}\n{result}\n", library.replace('-', "_")))
            .collect();
        assert_eq!(check_documentation_tests(&all), Ok(()));
        let lacking = all.replace("Doc-tests vk_pool", "Doc-tests vk_sim");
        let failure = check_documentation_tests(&lacking).unwrap_err();
        assert_eq!(failure, Failure::new("no doc test of vk-pool ran"));
        assert!(check_documentation_tests(&all.replace("2 passed", "0 passed")).is_err());
    }

    #[test]
    fn extras_are_told_by_their_words_in_any_order() {
        assert_eq!(Extras::of(&[]), Some(Extras::default()));
        assert_eq!(Extras::of(&["--long", "--versus"]), Some(Extras { long: true, versus: true }));
        assert_eq!(Extras::of(&["--versus"]), Some(Extras { long: false, versus: true }));
        assert_eq!(Extras::of(&["--long", "--fast"]), None);
    }
}
