//! Random programs on every device there is a table of, under failures of every rate.

use gpu_alloc_ash::{AllocatorConfig, FillBytes};

use super::{Outcome, run};
use crate::devices::{self, OnPanic, on_each};
use crate::rng::Rng;
use crate::support::{MIB, Sim};
use crate::tables;

/// How many of 100 operations meet a driver that fails.
const FAILURE_PERCENTS: [u64; 5] = [0, 2, 10, 30, 70];

/// What all programs together did.
#[derive(Debug, Default)]
struct Sum {
    programs: u64,
    operations: u64,
    failures: u64,
    refusals: u64,
    device_copies: u64,
}

/// Runs a program on each device, under one policy, without coherence too.
fn round(rng: &mut Rng, operations: u64, sum: &mut Sum) {
    on_each(devices::all_and_without_coherence(), |device| {
        let mut config = match rng.below(4) {
            0 => AllocatorConfig::default(),
            1 => AllocatorConfig::classic(),
            _ => tables::small_blocks(),
        };
        config.passthrough = rng.chance(10);
        config.buffer_device_address = true;
        config.ext_memory_budget = rng.chance(50);
        config.heap_limits[0] = rng.chance(20).then_some(2 * MIB);
        config.corruption_margin = rng.pick(&[0, 0, 1, 16, 5000]);
        config.fill = rng.chance(30).then(FillBytes::default);
        let failure_percent = rng.pick(&FAILURE_PERCENTS);
        let seed = rng.next();
        let _context = OnPanic(format!("seed {seed:#x}, {failure_percent} %, {config:?}"));
        let sim = Sim::new(device.config.clone(), config);
        let Outcome { failures, refusals, device_copies } =
            run(sim, seed, failure_percent, operations);
        assert!(failures == 0 || failure_percent > 0, "{failures} failures");
        // With memory for one object there are few calls that could fail.
        let is_called = failure_percent >= 10 && !device.is_single_object();
        assert!(failures > 0 || !is_called, "no failure in {operations} operations");
        sum.programs += 1;
        sum.operations += operations;
        sum.failures += failures;
        sum.refusals += refusals;
        sum.device_copies += device_copies;
    });
}

#[test]
fn short_programs_keep_every_invariant_on_every_device() {
    let (mut rng, mut sum) = (Rng::new(12), Sum::default());
    round(&mut rng, 400, &mut sum);
    println!("{sum:?}");
    assert!(sum.programs >= 86 && sum.operations >= 34_400, "{sum:?}");
    assert!(sum.failures >= 2000 && sum.refusals >= 1000, "{sum:?}");
    assert!(sum.device_copies >= 400, "{sum:?}");
}

#[test]
#[ignore = "long: cargo xtask test --long"]
fn a_million_operations_keep_every_invariant_on_every_device() {
    let (mut rng, mut sum) = (Rng::new(1), Sum::default());
    while sum.operations < 1_000_000 {
        round(&mut rng, 2000, &mut sum);
    }
    println!("{sum:?}");
    assert!(sum.programs >= 500, "{sum:?}");
    assert!(sum.failures >= 50_000 && sum.refusals >= 30_000, "{sum:?}");
    assert!(sum.device_copies >= 10_000, "{sum:?}");
}
