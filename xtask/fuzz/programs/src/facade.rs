//! Programs on the whole of `gpu-alloc-ash`, on a simulated driver.
//!
//! Basic design: a session holds what the program has, custom pools and what may be lost among it, and
//! keeps its own books of it: places, bytes and names. After each step the books, the allocator's statistics and the driver's are compared,
//! and the driver may have seen no breach of valid usage. At the end everything is freed, or left to
//! the allocator to report; the driver must then be empty.

mod accesses;
mod balance;
mod contents;
mod device;
mod finish;
mod held;
mod losable;
mod makes;
mod places;
mod policy;
mod pools;
mod requests;
mod shapes;
mod steps;

use gpu_alloc_ash::{AllocatorConfig, GpuAllocator};
use vk_sim::SimDriver;

use self::device::Device;
use self::held::Held;
use self::losable::Losable;
use self::pools::Pool;
use crate::input::Input;
use crate::{Tally, Trace};

/// Steps of one program, at most.
const MAX_STEPS: u64 = 400;

/// Runs one program on the allocator.
///
/// # Panics
///
/// On every finding.
pub fn facade(bytes: &[u8], trace: Trace) -> Tally {
    let mut input = Input::new(bytes);
    if input.is_empty() {
        return Tally::default();
    }
    let device = device::device(&mut input);
    let config = policy::policy(&mut input, &device);
    trace.say(|| format!("{:#?}\n{config:#?}", device.driver));
    let driver = SimDriver::new(device.driver.clone());
    let driver = driver.expect("the table keeps the rules of the specification");
    // SAFETY: 1. and 2. The driver is the one above, and outlives the session. 3. The configuration
    // names no more than it has.
    let allocator = unsafe { allocator(&driver, config) };
    let tally = match allocator {
        Ok(allocator) => {
            let config = AllocatorConfig::default();
            // SAFETY: As above.
            let stranger = unsafe { self::allocator(&driver, config) }
                .expect("the default configuration suits every device");
            Session::new(&driver, device, allocator, stranger, trace).run(&mut input)
        }
        Err(error) => {
            trace.say(|| format!("the configuration is refused: {error}"));
            Tally { refusals: 1, ..Tally::default() }
        }
    };
    assert!(driver.live().is_empty(), "objects are left: {:?}", driver.live());
    let violations = driver.finish();
    assert!(violations.is_empty(), "{}", violations[0]);
    tally
}

/// # Safety
///
/// 1. The allocator does not outlive `driver`.
/// 2. `config` names no version, extension or feature that `driver` lacks.
unsafe fn allocator(
    driver: &SimDriver,
    config: AllocatorConfig,
) -> Result<GpuAllocator, gpu_alloc_ash::ConfigError> {
    let (instance, device) = (driver.instance(), driver.device());
    // SAFETY: 1. They are of one driver. 2. and 3. Our clauses.
    unsafe { GpuAllocator::new(instance, driver.physical_device(), device, config) }
}

/// A program on its way.
struct Session<'a> {
    driver: &'a SimDriver,
    device: Device,
    allocator: GpuAllocator,
    /// Another allocator on the same device, which never allocates.
    stranger: GpuAllocator,
    held: Vec<Held>,
    pools: Vec<Pool>,
    /// What lives in pools and may be lost.
    losables: Vec<Losable>,
    /// Whether external memory was ever adopted: it is never refused, so limits may be passed.
    had_external: bool,
    /// Whether the step before was refused.
    was_refused: bool,
    /// Tells what is written from what was written before, and pools and allocations from each other.
    stamp: u64,
    trace: Trace,
    tally: Tally,
}

impl<'a> Session<'a> {
    fn new(
        driver: &'a SimDriver,
        device: Device,
        allocator: GpuAllocator,
        stranger: GpuAllocator,
        trace: Trace,
    ) -> Self {
        Self {
            driver,
            device,
            allocator,
            stranger,
            held: Vec::new(),
            pools: Vec::new(),
            losables: Vec::new(),
            had_external: false,
            was_refused: false,
            stamp: 0,
            trace,
            tally: Tally::default(),
        }
    }

    fn run(mut self, input: &mut Input<'_>) -> Tally {
        self.check_balance();
        while !input.is_empty() && self.tally.steps < MAX_STEPS {
            self.tally.steps += 1;
            self.step(input);
            self.check_balance();
        }
        self.finish(input)
    }
}
