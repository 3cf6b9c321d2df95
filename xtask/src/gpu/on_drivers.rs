//! `cargo xtask test-gpu --driver`: every GPU test on drivers that are unpacked, not installed.
//!
//! Basic design: all programs are built once, then started on one driver after the other, each step a
//! test program whose output goes to a file and is shown if it fails. A driver passes if each step
//! had tests that passed and none that failed, the device is the one that was meant, every device's
//! messages were counted and none came, and the demo replayed its trace. A driver that cannot be had
//! is reported; one that is there has to pass.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::demo;
use crate::drivers::{self, Driver, Launch, Origin, launch};
use crate::results::Tally;
use crate::run::{self, Captured, Echo, Failure};
use crate::setup;

use super::table::{Outcome, Row, table};
use super::words::{DRIVER, EXECUTES, Said};
use super::{REQUIRE, check_planted, judge};

/// The steps on each driver: package, test program, and arguments to it.
const STEPS: [(&str, &str, &[&str]); 5] = [
    ("vk-boot", "gpu", &[]),
    ("gpu-alloc-ash", "gpu", &["--skip", FAILURES]),
    // They leave their process little memory, so one at a time.
    ("gpu-alloc-ash", "gpu", &[FAILURES, "--test-threads=1"]),
    ("vk-sim", "gpu", &[]),
    ("examples", "memory_types", &[]),
];

/// The tests that exhaust a device.
const FAILURES: &str = "failures::";

/// Runs on the drivers of that name or family, or on `all`; at least one has to be there.
pub(crate) fn run(name: &str) -> Result<(), Failure> {
    let drivers = drivers::named(name);
    if drivers.is_empty() {
        let known: Vec<_> = drivers::DRIVERS.iter().map(|driver| driver.name).collect();
        return Err(Failure::new(format!(
            "no driver is called `{name}`; there are all, {}",
            known.join(", ")
        )));
    }
    let mut tally = Tally::default();
    let rows = rows(&drivers, &mut tally)?;
    let is_there = |row: &Row| !matches!(row.outcome, Outcome::Missing(_));
    if !rows.iter().any(is_there) {
        return Err(Failure::new(format!("{name}: no driver could be had, so nothing was tested")));
    }
    check(&rows)
}

/// Runs on every driver but the one that is installed, and passes where none can be had.
pub(crate) fn run_counted(tally: &mut Tally) -> Result<(), Failure> {
    let others: Vec<_> =
        drivers::named("all").into_iter().filter(|d| d.origin != Origin::Machine).collect();
    check(&rows(&others, tally)?)
}

/// Runs on each of them and prints the table.
fn rows(drivers: &[&'static Driver], tally: &mut Tally) -> Result<Vec<Row>, Failure> {
    setup::run_if_needed()?;
    let mut origins: Vec<Origin> = drivers.iter().map(|driver| driver.origin).collect();
    origins.retain(|origin| *origin != Origin::Machine);
    origins.dedup();
    let missing = drivers::fetch(&origins);
    build()?;
    let mut rows = Vec::new();
    for &driver in drivers {
        let outcome = match launch(driver, &missing) {
            Err(why) => Outcome::Missing(why),
            Ok(launch) => on_driver(driver, &launch, tally),
        };
        rows.push(Row { driver: driver.name, outcome });
    }
    print!("\n{}", table(&rows));
    Ok(rows)
}

fn check(rows: &[Row]) -> Result<(), Failure> {
    let failed: Vec<_> = rows
        .iter()
        .filter(|row| matches!(row.outcome, Outcome::Failed(_)))
        .map(|row| row.driver)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("GPU tests failed on {}", failed.join(", "))))
}

/// Compiles what all steps run, with what it prints.
fn build() -> Result<(), Failure> {
    let mut words = vec!["test", "--all-features", "--no-run"];
    for (package, test, _) in STEPS {
        words.extend(["--package", package, "--test", test]);
    }
    run::run(run::cargo(words))?;
    run::run(run::cargo(["build", "--release", "--package", "replay"]))
}

fn on_driver(driver: &Driver, launch: &Launch, tally: &mut Tally) -> Outcome {
    println!("{}:", driver.name);
    let start = Instant::now();
    match steps(driver, launch, tally) {
        Ok((said, run)) => Outcome::Passed { said, run, seconds: start.elapsed().as_secs() },
        Err(failure) => {
            println!("  {failure}");
            Outcome::Failed(failure.to_string())
        }
    }
}

/// Every step; answers what the tests said and how many ran.
fn steps(driver: &Driver, launch: &Launch, tally: &mut Tally) -> Result<(Said, u64), Failure> {
    let mut all = Said::default();
    let mut run = 0;
    for (step, (package, test, words)) in STEPS.into_iter().enumerate() {
        let mut command = launch.cargo(&["test", "--all-features", "--package", package]);
        command.args(["--test", test, "--", "--ignored", "--show-output"]).args(words);
        let captured = logged(driver, &format!("{step}-{package}"), tests_of(driver, command))?;
        let counted = Tally::of(&captured.text);
        *tally += counted;
        let said = Said::of(&captured.text);
        let judged = judge(package, captured.status.success(), counted)
            .and_then(|()| judge_step(driver, step, &captured.text, &said, counted))
            .and_then(|()| judge_report(package, &captured.text, &all));
        if let Err(failure) = judged {
            print!("{}", captured.text);
            return Err(failure);
        }
        let ran = counted.passed.saturating_sub(said.skipped_count());
        println!("  {package} {}: {ran} ran, {} skipped", words.join(" "), said.skipped_count());
        run += ran;
        all.add(said);
    }
    let captured = logged(driver, "demo", tests_of(driver, replay(driver, launch)))?;
    let is_right = captured.status.success() && captured.text.contains(all.fact("device"));
    if let (false, _) | (_, Err(_)) = (is_right, demo::check_summary(&captured.text)) {
        print!("{}", captured.text);
        return Err(Failure::new("the demo did not replay its trace there"));
    }
    println!("  demo: the whole trace");
    Ok((all, run))
}

/// The demo's trace, on the device that the tests are about.
fn replay(driver: &Driver, launch: &Launch) -> Command {
    let words = ["run", "--release", "--package", "replay", "--", "--device", driver.requires];
    launch.cargo(&words)
}

fn tests_of(driver: &Driver, mut command: Command) -> Command {
    command.env(REQUIRE, driver.requires).env(DRIVER, driver.name);
    command.env(EXECUTES, if driver.executes { "yes" } else { "no" });
    command
}

/// Runs a command without showing what it prints, which goes to a file instead.
fn logged(driver: &Driver, step: &str, command: Command) -> Result<Captured, Failure> {
    let captured = run::capture(command, Echo::Hidden)?;
    let folder: PathBuf = drivers::folder().join("log");
    let written = fs::create_dir_all(&folder).and_then(|()| {
        fs::write(folder.join(format!("{}-{step}.txt", driver.name)), &captured.text)
    });
    written.map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    Ok(captured)
}

/// The report of memory types is of the device that the tests before it ran on.
fn judge_report(package: &str, text: &str, before: &Said) -> Result<(), Failure> {
    if package == "examples" && !text.contains(before.fact("device")) {
        return Err(Failure::new("memory-types reported on another device"));
    }
    Ok(())
}

/// What a step has to say beside that its tests passed.
fn judge_step(
    driver: &Driver,
    step: usize,
    text: &str,
    said: &Said,
    tally: Tally,
) -> Result<(), Failure> {
    if said.messages > 0 {
        return Err(Failure::new(format!("{} validation messages", said.messages)));
    }
    match step {
        0 => {
            check_planted(text)?;
            let executes = if driver.executes { "yes" } else { "no" };
            if said.fact("executes") != executes {
                return Err(Failure::new("whether it executes was not found out"));
            }
        }
        // Each test has a device of its own, and every device's messages are counted.
        1 if said.message_reports < tally.passed.max(1) => {
            return Err(Failure::new("the messages of the validation layer were not counted"));
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_driver_fails_the_run_and_missing_ones_do_not() {
        let row = |driver, outcome| Row { driver, outcome };
        let missing = row("one", Outcome::Missing("no network".into()));
        let passed = row("two", Outcome::Passed { said: Said::default(), run: 1, seconds: 1 });
        let failed = row("three", Outcome::Failed("2 failed".into()));
        assert_eq!(check(std::slice::from_ref(&missing)), Ok(()));
        assert_eq!(check(&[missing.clone(), passed.clone()]), Ok(()));
        let failure = check(&[missing, failed, passed]).unwrap_err();
        assert_eq!(failure, Failure::new("GPU tests failed on three"));
    }

    #[test]
    fn silence_of_the_layer_has_to_be_counted() {
        let driver = drivers::named("turnip")[0];
        let tally = Tally { passed: 2, failed: 0 };
        let judged = |text: &str| judge_step(driver, 1, text, &Said::of(text), tally);
        assert!(judged("").is_err());
        assert!(judged("gpu-test messages: 0\n").is_err(), "one of two");
        assert!(judged("gpu-test messages: 0\ngpu-test messages: 1\n").is_err());
        assert_eq!(judged("gpu-test messages: 0\ngpu-test messages: 0\n"), Ok(()));
    }

    #[test]
    fn a_report_on_another_device_is_refused() {
        let before = Said::of("gpu-test fact device: Apple M1\n");
        assert_eq!(judge_report("examples", "\nApple M1\nasked of", &before), Ok(()));
        assert!(judge_report("examples", "llvmpipe\nasked of", &before).is_err());
        assert!(judge_report("examples", "Apple M1\n", &Said::default()).is_err());
        assert_eq!(judge_report("vk-sim", "", &before), Ok(()));
    }

    #[test]
    fn the_tests_are_told_what_is_known_of_the_driver() {
        let value = |command: &Command, name: &str| {
            let (_, value) = command.get_envs().find(|(key, _)| *key == name).unwrap();
            value.unwrap().to_string_lossy().into_owned()
        };
        let command = tests_of(drivers::named("nvk-kepler")[0], Command::new("true"));
        assert_eq!(value(&command, REQUIRE), "NVK");
        assert_eq!(value(&command, DRIVER), "nvk-kepler");
        assert_eq!(value(&command, EXECUTES), "no");
        let command = tests_of(drivers::named("swiftshader")[0], Command::new("true"));
        assert_eq!(value(&command, EXECUTES), "yes");
    }
}
