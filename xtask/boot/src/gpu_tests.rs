//! What GPU tests say about themselves, so that a program that runs them can count.
//!
//! A test that cannot hold on a device passes, as far as the test harness knows. So it says that it
//! was left out and why, in a line that begins with [`SKIPPED`]; a test that did all but look at
//! bytes that the device should have written says so as well, with [`WITHOUT_COPIES`]; and one that
//! has destroyed its device says how many messages the validation layer had, with [`MESSAGES`].

use std::env;
use std::sync::OnceLock;

use crate::boot::Boot;
use crate::messages::Message;

/// Names the driver that the tests were started on, for tests of what this one driver does.
pub const TEST_DRIVER_VARIABLE: &str = "GPU_TESTS_DRIVER";

/// `no` if the device is known to execute nothing. Anything else, and nothing, is a promise that it
/// executes.
pub const TEST_EXECUTION_VARIABLE: &str = "GPU_TESTS_EXECUTES";

/// Begins the line of a test that did not run; the reason follows.
pub const SKIPPED: &str = "gpu-test skipped: ";

/// Begins the line of a test that ran, but for its look at what the device had copied; a number
/// follows.
pub const WITHOUT_COPIES: &str = "gpu-test without copies: ";

/// Begins the line with the number of messages that the validation layer had for one device.
pub const MESSAGES: &str = "gpu-test messages: ";

/// Begins a line with one fact about the device: its name, a colon, its value.
pub const FACT: &str = "gpu-test fact ";

/// The driver that the tests were started on, if they were told.
#[must_use]
pub fn driver() -> Option<String> {
    env::var(TEST_DRIVER_VARIABLE).ok().filter(|name| !name.is_empty())
}

/// Whether the device executes what is submitted, asked of the first device of the process.
///
/// # Panics
///
/// If the probe fails, or if the answer is not what [`TEST_EXECUTION_VARIABLE`] promises: a driver
/// that stopped working would otherwise pass for one that never did.
#[must_use]
pub fn executes(boot: &Boot) -> bool {
    static EXECUTES: OnceLock<bool> = OnceLock::new();
    *EXECUTES.get_or_init(|| {
        let promised = env::var(TEST_EXECUTION_VARIABLE).map_or(true, |word| word != "no");
        let executes = boot.executes().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            executes, promised,
            "whether {} executes (left), and what {TEST_EXECUTION_VARIABLE} says",
            boot.device_name
        );
        executes
    })
}

/// Says that the running test is left out on this device.
pub fn skip(reason: &str) {
    println!("{SKIPPED}{reason}");
}

/// Prints the messages, and says how many there are.
pub fn report_messages(messages: &[Message]) {
    for message in messages {
        eprintln!("{message}");
    }
    println!("{MESSAGES}{}", messages.len());
}

/// Says what is worth knowing about the device in a table of several.
pub fn report_facts(boot: &Boot) {
    let memory = &boot.memory_properties;
    let facts: [(&str, &dyn std::fmt::Display); 7] = [
        ("device", &boot.device_name.trim()),
        ("driver", &boot.driver_info.trim()),
        ("types", &memory.memory_type_count),
        ("heaps", &memory.memory_heap_count),
        ("granularity", &boot.limits.buffer_image_granularity),
        ("atom", &boot.limits.non_coherent_atom_size),
        ("executes", &if executes(boot) { "yes" } else { "no" }),
    ];
    for (name, value) in facts {
        println!("{FACT}{name}: {value}");
    }
}
