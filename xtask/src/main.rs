//! Everything a person or CI does with this repository: `cargo xtask <verb>`.
//!
//! Uses std only, so that it builds before anything else is downloaded or installed.
#![forbid(unsafe_code)]

mod demo;
mod drivers;
mod fuzz;
mod gpu;
mod layering;
mod models;
mod nightly;
mod no_std;
mod results;
mod run;
mod sanitize;
mod sections;
mod setup;
mod test;
mod tidy;
mod versus;
mod vulkan;
mod workspace;

use std::process::ExitCode;

use crate::run::Failure;

const HELP: &str = "\
cargo xtask <verb>

  setup                   install what demo and test need beyond the toolchain:
                          lavapipe, the Vulkan loader, the validation layer;
                          with --versus also a C++ compiler, with --fuzz cargo-fuzz,
                          with --sanitize valgrind; the last two a nightly compiler
  demo [arguments]        replay a recorded renderer on this machine's GPU, or on
                          lavapipe; the arguments go to the replay (try: demo --help)
  test                    everything: format, tidy, layering, clippy, each library alone,
                          tests, doc tests, docs, no-std link check, models, GPU tests;
                          with --versus also that the comparison compiles, and its tests;
                          with --long also what takes minutes: a million random operations
                          on every memory table, fuzzing, 30 s for each target, deep
                          models, and sanitizers
  test-gpu [--any-device] GPU tests on lavapipe under validation; with --any-device
                          on the driver that the machine or the environment chooses
  test-gpu --driver NAME|all
                          the same, and the demo, on real drivers that `drivers` unpacks: AMD's,
                          NVIDIA's, Qualcomm's and Apple's open ones, and software; prints a table
  drivers [--fresh]       unpack those drivers into target/, installing nothing; what cannot
                          be had is reported (Debian packages, by this machine's own apt)
  versus <group> [...]    our allocators beside others on this machine, as ratios (try:
                          versus core --quick, and versus help); needs a C++ compiler
  fuzz [core] [facade] [--seconds N | --long] | --prove
                          fuzz the buddy allocator and the whole allocator on a simulated
                          driver, 30 s each (--long: 30 minutes); --prove finds planted faults
  models [--deep]         the facade's locking under a model checker, in every order of its
                          threads, and planted faults that it must find; --deep: also
                          models of very many orders
  sanitize [thread] [address] [valgrind]
                          threads that use one allocator in every way, on a simulated
                          driver and on lavapipe, under each; planted faults come first
  tidy                    rules of the repository that no compiler checks
  help                    this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (verb, rest) = match arguments.split_first() {
        Some((verb, rest)) => (verb.as_str(), rest),
        None => ("help", &[] as &[String]),
    };
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    if verb == "demo" {
        return demo::run(rest).unwrap_or_else(|failure| report(&failure));
    }
    if verb == "versus" {
        return versus::run(rest).unwrap_or_else(|failure| report(&failure));
    }
    let result = match (verb, words.as_slice()) {
        ("help" | "--help" | "-h", _) => {
            print!("{HELP}");
            Ok(())
        }
        ("setup", []) => setup::run(),
        ("setup", ["--versus"]) => setup::run().and_then(|()| setup::install_compiler()),
        ("setup", ["--fuzz"]) => fuzz::install(),
        ("setup", ["--sanitize"]) => setup::run().and_then(|()| sanitize::install()),
        ("test", words) if let Some(extras) = test::Extras::of(words) => test::run(extras),
        ("fuzz", words) => fuzz::run(words),
        ("models", []) => models::run(false),
        ("models", ["--deep"]) => models::run(true),
        ("sanitize", words) => sanitize::run(words),
        ("test-gpu", []) => gpu::run(gpu::Device::Lavapipe),
        ("test-gpu", ["--any-device"]) => gpu::run(gpu::Device::Any),
        ("test-gpu", ["--driver", name]) => gpu::run_on_drivers(name),
        ("drivers", []) => drivers::run(false),
        ("drivers", ["--fresh"]) => drivers::run(true),
        ("tidy", []) => tidy::run(),
        _ => {
            eprint!("error: no such verb or argument: {}\n\n{HELP}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

fn report(failure: &Failure) -> ExitCode {
    eprintln!("error: {failure}");
    ExitCode::FAILURE
}
