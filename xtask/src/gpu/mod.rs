//! `cargo xtask test-gpu`: the integration tests on a real driver under the validation layer.
//!
//! Silence proves nothing here, so three kinds of it are failures: a layer that does not report a
//! deliberate error, a planted test that did not run, and a run of zero tests.

mod on_drivers;
mod table;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::results::{Tally, Verdict, verdict_of};
use crate::run::{self, Captured, Echo, Failure};
use crate::setup;
use crate::vulkan::{DRIVER_VARIABLES, Vulkan};

pub(crate) use on_drivers::{run as run_on_drivers, run_counted as run_counted_on_drivers};

/// The test that makes a deliberate error and sees the layer report it.
const PLANTED: &str = "validation_reports_a_deliberate_error";

/// The packages with GPU tests, and the test program that they are in.
const TESTS: [(&str, &str); 4] = [
    ("vk-sim", "gpu"),
    ("gpu-alloc-ash", "gpu"),
    ("examples", "memory_types"),
    ("examples", "pools"),
];

/// Tells the test programs which driver they must be running on.
const REQUIRE: &str = "GPU_TESTS_REQUIRE";

/// Which devices the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// Lavapipe alone; the tests refuse anything else.
    Lavapipe,
    /// Whatever the loader finds on this machine or the environment names.
    Any,
}

/// Runs the GPU tests and prints how many there were.
pub(crate) fn run(device: Device) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let result = run_counted(device, &mut tally);
    println!("\nGPU tests: {}", tally.line());
    result
}

/// Runs the GPU tests and adds their number to `sum`, also when they fail.
pub(crate) fn run_counted(device: Device, sum: &mut Tally) -> Result<(), Failure> {
    setup::run_if_needed()?;
    let manifest = match device {
        Device::Lavapipe => Some(Vulkan::of_this_machine().lavapipe.ok_or_else(|| {
            Failure::new("no driver manifest of lavapipe (lvp_icd*.json): run `cargo xtask setup`")
        })?),
        Device::Any => None,
    };
    let planted = ["--package", "vk-boot", "--tests", "--", "--ignored"];
    let captured = run::capture(command(manifest.as_deref(), &planted), Echo::Shown)?;
    *sum += Tally::of(&captured.text);
    check_planted(&captured.text)?;
    check_run("vk-boot", &captured)?;

    for (package, test) in TESTS {
        let words = ["--package", package, "--test", test, "--", "--ignored", "--nocapture"];
        let captured = run::capture(command(manifest.as_deref(), &words), Echo::Shown)?;
        *sum += Tally::of(&captured.text);
        check_run(package, &captured)?;
    }
    Ok(())
}

fn command(manifest: Option<&Path>, arguments: &[&str]) -> Command {
    let mut command = run::cargo(["test", "--all-features"]);
    command.args(arguments);
    // Those are for drivers that `--driver` knows.
    command.env_remove(words::DRIVER);
    if let Some(manifest) = manifest {
        command.env(REQUIRE, "lavapipe").env(words::EXECUTES, "yes");
        for variable in DRIVER_VARIABLES {
            command.env(variable, PathBuf::from(manifest));
        }
        // Would add drivers to those named.
        command.env_remove("VK_ADD_DRIVER_FILES");
    } else {
        command.env_remove(REQUIRE);
    }
    command
}

fn check_planted(text: &str) -> Result<(), Failure> {
    let problem = match verdict_of(text, PLANTED) {
        Verdict::Passed => return Ok(()),
        Verdict::Failed => "failed",
        Verdict::NotRun => "did not run",
    };
    Err(Failure::new(format!(
        "the test `{PLANTED}` {problem}: the validation layer was not proven to be on"
    )))
}

fn check_run(package: &str, captured: &Captured) -> Result<(), Failure> {
    judge(package, captured.status.success(), Tally::of(&captured.text))
}

/// No failed test, at least one that passed, and a run that agrees.
fn judge(package: &str, succeeded: bool, tally: Tally) -> Result<(), Failure> {
    let problem = match tally {
        Tally { failed: 1.., .. } => format!("{} failed", tally.failed),
        _ if !succeeded => "cargo test failed; its reason stands above".to_owned(),
        Tally { passed: 0, .. } => "zero tests ran".to_owned(),
        _ => return Ok(()),
    };
    Err(Failure::new(format!("GPU tests of {package}: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from `cargo test --package vk-boot --tests -- --ignored` on lavapipe.
    const PROVEN: &str = "
running 7 tests
test a_device_that_is_not_there_is_named ... ok
test a_device_boots_and_ends_without_a_message ... ok
test a_missing_barrier_is_a_hazard ... ok
test an_object_left_behind_is_named_at_the_end ... ok
test two_threads_submit_at_once ... ok
test validation_reports_a_deliberate_error ... ok
test a_panic_while_recording_leaves_nothing_behind ... ok

test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.26s
";

    /// Recorded from a program without ignored tests, with which libtest is content.
    const NOTHING: &str = "
running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s
";

    #[test]
    fn a_planted_error_that_was_reported_proves_the_layer() {
        assert_eq!(check_planted(PROVEN), Ok(()));
        assert_eq!(judge("vk-boot", true, Tally::of(PROVEN)), Ok(()));
    }

    #[test]
    fn a_planted_test_that_is_missing_or_failed_is_a_failure() {
        let refused = |text: &str| check_planted(text).unwrap_err().to_string();
        let renamed = PROVEN.replace(PLANTED, "validation_is_quiet");
        let failed = PROVEN.replace("error ... ok", "error ... FAILED");
        let ignored = PROVEN.replace("error ... ok", "error ... ignored, needs Vulkan");
        for (text, problem) in [
            (renamed.as_str(), "did not run"),
            (NOTHING, "did not run"),
            (failed.as_str(), "failed"),
            (ignored.as_str(), "did not run"),
        ] {
            let message = refused(text);
            assert!(message.contains(problem), "{message}");
            assert!(message.contains("not proven to be on"), "{message}");
        }
    }

    #[test]
    fn zero_tests_are_a_failure() {
        let refused = |text| judge("gpu-alloc-ash", true, Tally::of(text)).unwrap_err().to_string();
        assert_eq!(refused(NOTHING), "GPU tests of gpu-alloc-ash: zero tests ran");
        assert_eq!(refused(""), "GPU tests of gpu-alloc-ash: zero tests ran");
    }

    #[test]
    fn failed_tests_and_failed_builds_are_told_apart() {
        let refused = |tally| judge("vk-boot", false, tally).unwrap_err().to_string();
        let some = Tally { passed: 4, failed: 2 };
        assert_eq!(refused(some), "GPU tests of vk-boot: 2 failed");
        let built_nothing = refused(Tally::default());
        assert!(built_nothing.contains("its reason stands above"), "{built_nothing}");
        assert!(judge("vk-boot", false, Tally::of(PROVEN)).is_err());
    }

    #[test]
    fn lavapipe_is_named_to_loader_and_tests_and_any_device_is_left_alone() {
        let value = |command: &Command, name: &str| -> Option<Option<String>> {
            let (_, value) = command.get_envs().find(|(key, _)| *key == name)?;
            Some(value.map(|value| value.to_string_lossy().into_owned()))
        };
        let lavapipe = command(Some(Path::new("/i/lvp_icd.json")), &[]);
        for variable in DRIVER_VARIABLES {
            assert_eq!(value(&lavapipe, variable), Some(Some("/i/lvp_icd.json".into())));
        }
        assert_eq!(value(&lavapipe, REQUIRE), Some(Some("lavapipe".into())));
        let any = command(None, &[]);
        for variable in DRIVER_VARIABLES {
            assert_eq!(value(&any, variable), None);
        }
        assert_eq!(value(&any, REQUIRE), Some(None));
    }
}
