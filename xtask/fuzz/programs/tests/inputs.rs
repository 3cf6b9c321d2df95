//! Runs every recorded input, and a few thousand random ones.
//!
//! An input that once made a program fail is recorded in `inputs/<target>` and stays there; the name of
//! its file says what the defect was.

use std::fs;
use std::path::{Path, PathBuf};

use fuzz_programs::{Tally, Trace, core, facade};

type Run = fn(&[u8], Trace) -> Tally;

/// The recorded inputs of a target, sorted by name.
fn recorded(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../inputs").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Runs all recorded inputs; a panic is told with the name of its file.
fn replay(target: &str, run: Run) -> Tally {
    let mut sum = Tally::default();
    for file in recorded(target) {
        let bytes = fs::read(&file).unwrap();
        let result = std::panic::catch_unwind(|| run(&bytes, Trace::Off));
        sum += result.unwrap_or_else(|_| panic!("{} fails", file.display()));
    }
    sum
}

/// Runs random inputs of random lengths.
fn random(run: Run, count: u64) -> Tally {
    // SplitMix64 (Steele, Lea and Flood, 2014).
    let mut state = 0_u64;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let mut sum = Tally::default();
    for index in 0..count {
        let words = next() % 256;
        let bytes: Vec<u8> = (0..words).flat_map(|_| next().to_le_bytes()).collect();
        let result = std::panic::catch_unwind(|| run(&bytes, Trace::Off));
        sum += result.unwrap_or_else(|_| {
            let file = std::env::temp_dir().join(format!("finding-{index}"));
            fs::write(&file, &bytes).unwrap();
            panic!("random input {index} fails; it is in {}", file.display())
        });
    }
    sum
}

#[test]
fn recorded_programs_on_the_allocator_have_no_finding() {
    let sum = replay("facade", facade);
    let Tally { allocations, refusals, failures, forgeries, comparisons, leaks, .. } = sum;
    let Tally { pools, ends_of_pools, evictables, losses, .. } = sum;
    let all = [
        [allocations, refusals, failures, forgeries, comparisons].as_slice(),
        &[leaks, pools, ends_of_pools, evictables, losses],
    ]
    .concat();
    assert!(all.iter().all(|&count| count > 0), "something was never done: {all:?}");
}

#[test]
fn recorded_programs_on_the_core_have_no_finding() {
    let Tally { allocations, refusals, forgeries, .. } = replay("core", core);
    let all = [allocations, refusals, forgeries];
    assert!(all.iter().all(|&count| count > 0), "something was never done: {all:?}");
}

#[test]
fn random_programs_on_the_allocator_have_no_finding() {
    let sum = random(facade, 1500);
    println!("{sum:?}");
    assert!(sum.allocations > 1500 && sum.comparisons > 1500, "hardly anything was done: {sum:?}");
    assert!(sum.pools > 500 && sum.ends_of_pools > 500, "hardly anything was done: {sum:?}");
    assert!(sum.evictables > 500 && sum.losses > 10, "hardly anything was done: {sum:?}");
}

#[test]
fn random_programs_on_the_core_have_no_finding() {
    let sum = random(core, 1500);
    println!("{sum:?}");
    assert!(sum.allocations > 1500 && sum.forgeries > 1500, "hardly anything was done: {sum:?}");
}
