//! The functions that the allocator can call, read out of its sources, are those that the tests of
//! failures call, and each that may fail was made to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use vk_sim::{Call, Failure};

use crate::operations::{FALLIBLE, OPERATIONS, Operation};

/// What follows these names in the sources is a call of the driver, or one of `NO_CALLS`.
const RECEIVERS: [&str; 3] = ["device.", "khr.", "instance."];

/// Methods of ash's tables that call nothing.
const NO_CALLS: [&str; 2] = ["clone", "handle"];

/// The functions that the sources of the allocator call, by what stands there.
fn functions_in(folder: &Path) -> BTreeSet<Call> {
    let mut calls = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources are there").path();
        if path.is_dir() {
            calls.extend(functions_in(&path));
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source is text");
        let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let code: String = code.collect();
        let call_of = |name| call_named(name).unwrap_or_else(|| panic!("what is `{name}`?"));
        calls.extend(names_in(&code).into_iter().map(call_of));
    }
    calls
}

/// The names of what is called on a table of the driver's functions.
fn names_in(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for receiver in RECEIVERS {
        for (at, _) in code.match_indices(receiver) {
            let rest = &code[at + receiver.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
            if after.starts_with('(') && !NO_CALLS.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn call_named(name: &str) -> Option<Call> {
    let plain = name.replace('_', "");
    Call::ALL.into_iter().find(|call| call.name()["vk".len()..].eq_ignore_ascii_case(&plain))
}

/// What the allocator called, without the test's own calls.
struct Run {
    calls: BTreeSet<Call>,
    /// Those of the operation itself, which a planted failure meets.
    acted: BTreeSet<Call>,
    has_failed: bool,
}

/// Runs an operation from the making of its allocator to the end, with a failure or none.
fn calls_of(operation: &Operation, failure: Option<Failure>) -> Run {
    let sim = (operation.sim)();
    let mut calls = BTreeSet::from_iter(sim.driver.calls());
    let mut held = (operation.prepare)(&sim);
    sim.driver.clear_calls();
    if let Some(failure) = failure {
        sim.driver.fail(failure);
    }
    let result = (operation.act)(&sim, &mut held);
    assert!(result.is_ok() || failure.is_some(), "{}: {result:?}", operation.name);
    sim.driver.clear_failures();
    let has_failed = sim.driver.fired_failure_count() > 0;
    let acted = BTreeSet::from_iter(sim.driver.calls());
    let (raw, made): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|held| held.allocation().is_none());
    // Allocations go before their pools.
    made.into_iter().rev().for_each(|held| held.release(&sim));
    sim.allocator.trim();
    calls.extend(sim.driver.calls());
    raw.into_iter().for_each(|held| held.release(&sim));
    sim.finish();
    Run { calls, acted, has_failed }
}

#[test]
fn every_function_that_can_be_called_was_called_and_failed() {
    let possible = functions_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let (mut called, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for operation in OPERATIONS {
        let clean = calls_of(operation, None);
        for &call in clean.acted.iter().filter(|call| call.is_fallible()) {
            let run = calls_of(operation, Some(Failure::every(call, call.errors()[0])));
            assert!(run.has_failed, "{}: {call:?}", operation.name);
            failed.insert(call);
            called.extend(run.calls);
        }
        called.extend(clean.calls);
    }
    println!("{} functions can be called, {} may fail", possible.len(), failed.len());
    assert_eq!(called, possible);
    let fallible = called.into_iter().filter(|call| call.is_fallible());
    assert_eq!(failed, fallible.collect());
    assert_eq!(failed, BTreeSet::from(FALLIBLE));
}

#[test]
fn a_call_in_the_sources_is_found_and_a_foreign_one_is_none() {
    let code = "unsafe { self.device.map_memory(memory) }; khr.get_image_memory_requirements2(a); \
                self.device.clone(); instance.handle(); self.driver.create_buffer(info)";
    let names = names_in(code);
    assert_eq!(names, ["map_memory", "get_image_memory_requirements2"]);
    let calls: Vec<_> = names.into_iter().filter_map(call_named).collect();
    assert_eq!(calls, [Call::MapMemory, Call::GetImageMemoryRequirements2]);
    assert_eq!(call_named("create_render_pass"), None);
}
