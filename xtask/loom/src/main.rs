//! The locking of `gpu-alloc-ash`'s pools, and the atomics of `vk-pool`'s limits, under [loom].
//!
//! Every model is run in every order of its threads, with no bound on preemptions. Then each planted
//! fault is run, as a program of its own, through the model that must see it. Nothing of this is a
//! copy of the sources by hand: see `build.rs`.
//!
//! What loom does not see: the atomics of `vk-pool` in the models of locks. There the pools' counters
//! are changed under the locks, and those of the limits have models of their own. Nor does it wake who
//! waits without a notification, and it switches threads at its own locks and atomics alone.
//!
//! [loom]: https://docs.rs/loom

extern crate alloc;

mod home;
// The pools need the type alone.
#[allow(dead_code)]
#[path = "../../../crates/gpu-alloc-ash/src/mapped.rs"]
mod mapped;
// What the build script needs of them is not needed here.
#[allow(dead_code)]
mod mutations;
mod sync;
mod variants {
    include!(concat!(env!("OUT_DIR"), "/variants.rs"));
}

use std::env;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::mutations::{MUTATIONS, Mutation};

/// Operations on what loom sees in one execution: more is a thread that runs in circles.
const MOST_BRANCHES: usize = 10_000;

/// The stack of a model's threads, in words.
pub(crate) const STACK_WORDS: usize = 32 << 10;

/// What `gpu-alloc-ash`'s error for wrong configurations is to its pools.
#[derive(Debug)]
pub(crate) struct ConfigError;

impl<E: core::error::Error> From<E> for ConfigError {
    fn from(_: E) -> Self {
        Self
    }
}

/// Threads and operations, and what must hold in every order of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    name: &'static str,
    run: fn(),
    /// The variant without a fault that it is run on.
    variant: &'static str,
    /// The smaller model of which this is more, if it has so many orders that it is run only when asked
    /// for.
    more_of: Option<&'static str>,
}

impl Model {
    /// One in which locks are what matters.
    const fn of_locks(name: &'static str, run: fn()) -> Self {
        Self { name, run, variant: "real", more_of: None }
    }

    /// One that needs loom's atomics.
    const fn of_atomics(name: &'static str, run: fn()) -> Self {
        Self { name, run, variant: "atomics", more_of: None }
    }

    const fn deep(self, more_of: &'static str) -> Self {
        Self { more_of: Some(more_of), ..self }
    }

    /// Runs it in every order; answers how many there are. Panics in the first that fails.
    fn explore(self) -> u64 {
        let executions = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&executions);
        let mut builder = loom::model::Builder::new();
        // Nothing is read from the environment.
        builder.preemption_bound = None;
        builder.max_duration = None;
        builder.max_permutations = None;
        builder.checkpoint_file = None;
        builder.max_branches = MOST_BRANCHES;
        builder.max_threads = 5;
        builder.log = false;
        builder.location = false;
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            // A thread of its own, as that of loom has a small stack for code that is not optimised.
            let thread = loom::thread::Builder::new().stack_size(STACK_WORDS).spawn(self.run);
            thread.expect("loom starts it").join().expect("a model ends at the first panic");
        });
        executions.load(Ordering::Relaxed)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let models = variants::models("real").expect("the real sources are a variant");
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => all(models.iter().filter(|model| model.more_of.is_none())),
        ["--deep"] => all(models.iter()),
        ["--planted", name] => match MUTATIONS.iter().find(|mutation| mutation.name == *name) {
            Some(mutation) => {
                explore(mutation.name, mutation.model);
                ExitCode::SUCCESS
            }
            None => usage(),
        },
        ["--model", name] => match models.iter().find(|model| model.name == *name) {
            Some(model) => {
                explore(model.variant, name);
                ExitCode::SUCCESS
            }
            None => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: loom-models [--deep | --model NAME | --planted NAME]");
    ExitCode::from(2)
}

/// Every model, and every planted fault.
fn all<'a>(models: impl Iterator<Item = &'a Model>) -> ExitCode {
    let (mut model_count, mut failures) = (0, 0);
    for model in models {
        explore(model.variant, model.name);
        model_count += 1;
        let prover = model.more_of.unwrap_or(model.name);
        if !MUTATIONS.iter().any(|mutation| mutation.model == prover) {
            println!("but no planted fault proves {}", model.name);
            failures += 1;
        }
    }
    for mutation in MUTATIONS {
        if let Err(why) = prove(mutation) {
            println!("planted: {}: {why}", mutation.name);
            failures += 1;
        }
    }
    println!("{model_count} models, {} planted faults, {failures} failures", MUTATIONS.len());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a model on a variant, and prints how many orders there are.
fn explore(variant: &str, name: &str) {
    let model = variants::models(variant)
        .and_then(|models| models.iter().find(|model| model.name == name))
        .unwrap_or_else(|| panic!("no such model: {variant}, {name}"));
    let start = Instant::now();
    let executions = model.explore();
    let seconds = start.elapsed().as_secs_f64();
    println!("model: {name}: {executions} executions in {seconds:.2} s");
}

/// A planted fault is found, by its model, for its reason.
fn prove(mutation: &Mutation) -> Result<(), String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["--planted", mutation.name])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Err(format!("not found by {}", mutation.model));
    }
    if !text.contains(mutation.says) {
        return Err(format!("{} failed for another reason:\n{text}", mutation.model));
    }
    println!("planted: {}: found by {}", mutation.name, mutation.model);
    Ok(())
}
