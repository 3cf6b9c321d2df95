//! Threads that use one allocator in every way at once, on a simulated driver or on a real one.
//!
//! `cargo xtask sanitize` compiles it with ThreadSanitizer and AddressSanitizer, and runs it under
//! valgrind. It ends with 0 if nothing is wrong by its own books, which says nothing about what a
//! sanitizer has found: they have exit codes of their own.

mod done;
mod libraries;
mod plant;
mod random;
mod threads;
mod work;

use std::env;
use std::process::ExitCode;

use ash::vk;
use gpu_alloc_ash::{AllocatorConfig, GpuAllocator};
use vk_boot::{Boot, BootOptions, DeviceChoice, Validation};
use vk_sim::{DriverConfig, SimDriver};

use crate::done::Done;

const USAGE: &str = "usage: sanitize-program sim|lavapipe [--rounds N] \
                     [--plant race|overrun|leak] [--libraries keep]";

/// Rounds of each thread if nothing else is said.
const ROUNDS: u32 = 4000;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    on_lavapipe: bool,
    rounds: u32,
    plant: Option<Fault>,
    /// Whether the driver's libraries stay loaded to the end.
    keeps_libraries: bool,
}

/// A planted fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Race,
    Overrun,
    Leak,
}

impl Plan {
    fn of(words: &[&str]) -> Option<Self> {
        let (&driver, mut rest) = words.split_first()?;
        let on_lavapipe = match driver {
            "sim" => false,
            "lavapipe" => true,
            _ => return None,
        };
        let mut plan = Self { on_lavapipe, rounds: ROUNDS, plant: None, keeps_libraries: false };
        while let [option, value, behind @ ..] = rest {
            match (*option, *value) {
                ("--rounds", number) => plan.rounds = number.parse().ok()?,
                ("--plant", "race") => plan.plant = Some(Fault::Race),
                ("--plant", "overrun") => plan.plant = Some(Fault::Overrun),
                ("--plant", "leak") => plan.plant = Some(Fault::Leak),
                ("--libraries", "keep") => plan.keeps_libraries = true,
                _ => return None,
            }
            rest = behind;
        }
        rest.is_empty().then_some(plan)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(plan) = Plan::of(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let done = if plan.on_lavapipe { on_lavapipe(plan) } else { on_the_simulator(plan) };
    println!("{done}");
    ExitCode::SUCCESS
}

/// Small blocks and few shards, so that a short run comes by everything.
fn config(api_version: u32, ext_memory_budget: bool) -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.api_version = api_version;
    config.ext_memory_budget = ext_memory_budget;
    config.first_block_size = 1 << 20;
    config.host_first_block_size = 1 << 20;
    config.largest_block_size = 8 << 20;
    config.smallest_block_size = 256 << 10;
    config.retained_bytes = Some(1 << 20);
    config.retained_live_divisor = 0;
    config.shards = Some(4);
    config
}

fn on_the_simulator(plan: Plan) -> Done {
    let driver = SimDriver::new(DriverConfig::default()).expect("the default is a device");
    let (instance, device) = (driver.instance(), driver.device());
    // The default device has the budgets' extension.
    let config = config(vk::API_VERSION_1_3, true);
    // SAFETY: the three belong together, outlive the allocator, and are of Vulkan 1.3.
    let allocator =
        unsafe { GpuAllocator::new(instance, driver.physical_device(), device, config) };
    let done = used(allocator.expect("the configuration is valid"), device, plan);
    assert!(driver.live().is_empty(), "everything has gone back: {:?}", driver.live());
    assert_eq!(driver.finish(), [], "every call was valid usage");
    done
}

fn on_lavapipe(plan: Plan) -> Done {
    // The layer has locks and threads of its own.
    let options = BootOptions { validation: Validation::Off, device: DeviceChoice::Lavapipe };
    let boot = Boot::new(&options).expect("lavapipe boots");
    let config = config(boot.api_version, boot.enabled.memory_budget);
    // SAFETY: the three belong together, outlive the allocator, and have what the configuration says.
    let allocator =
        unsafe { GpuAllocator::new(&boot.instance, boot.physical_device, &boot.device, config) };
    let done = used(allocator.expect("the configuration is valid"), &boot.device, plan);
    if plan.keeps_libraries {
        libraries::keep_loaded();
    }
    let messages = boot.finish();
    assert!(messages.is_empty(), "{messages:?}");
    done
}

fn used(allocator: GpuAllocator, device: &ash::Device, plan: Plan) -> Done {
    let done = work::run(&allocator, device, plan.rounds);
    match plan.plant {
        None => {}
        Some(Fault::Race) => plant::planted_race(),
        Some(Fault::Overrun) => plant::planted_overrun(&allocator),
        Some(Fault::Leak) => plant::planted_leak(),
    }
    allocator.assert_no_leaks();
    allocator.destroy().expect("nothing is live");
    done
}
