//! Long random programs on many devices, with drivers that fail now and then.

mod every_device;
mod shadow;

use ash::vk;
use gpu_alloc_ash::{
    AccessError, AllocError, AllocationRequest, AllocatorConfig, CreateError, FillBytes,
    LimitError, ResourceKind, Strategy, UsageFlags,
};
use rstest::rstest;
use vk_sim::{DriverConfig, Failure, RandomFailure};

use self::shadow::Shadow;
use crate::held::Held;
use crate::operations::FALLIBLE;
use crate::queue::{BOTH_ENDS, Queue};
use crate::rng::Rng;
use crate::support::{MIB, Sim, buffer_info, image_info};
use crate::tables;

const OPERATIONS: u64 = 2000;

/// A program on its way.
struct Program {
    // Before `sim`, whose driver has to outlive it.
    queue: Queue,
    sim: Sim,
    rng: Rng,
    shadow: Shadow,
    /// How many of 100 operations meet a driver that fails.
    failure_percent: u64,
    refusals: u64,
    /// Copies by the device whose bytes were compared.
    device_copies: u64,
}

/// What was made.
struct Made {
    held: Held,
    kind: ResourceKind,
    /// Bytes of the buffer, if it is one.
    buffer_size: u64,
}

/// What a program met.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    failures: u64,
    refusals: u64,
    device_copies: u64,
}

fn request(rng: &mut Rng) -> AllocationRequest<'static> {
    let usages = [
        UsageFlags::empty(),
        UsageFlags::UPLOAD,
        UsageFlags::DOWNLOAD,
        UsageFlags::FAST_DEVICE_ACCESS,
        UsageFlags::UPLOAD | UsageFlags::FAST_DEVICE_ACCESS,
    ];
    let strategies = [Strategy::Auto, Strategy::Auto, Strategy::Pooled, Strategy::Dedicated];
    let kinds = [ResourceKind::Linear, ResourceKind::NonLinear, ResourceKind::Unknown];
    AllocationRequest {
        size: rng.magnitude(18),
        alignment: rng.magnitude(9).next_power_of_two(),
        usage: rng.pick(&usages),
        strategy: rng.pick(&strategies),
        kind: rng.pick(&kinds),
        device_address: rng.chance(10),
        within_budget: rng.chance(10),
        zeroed: rng.chance(20),
        name: rng.chance(20).then_some("of a program"),
        ..Default::default()
    }
}

impl Program {
    fn new(sim: Sim, seed: u64, failure_percent: u64) -> Self {
        Self {
            queue: Queue::new(&sim),
            sim,
            rng: Rng::new(seed),
            shadow: Shadow::default(),
            failure_percent,
            refusals: 0,
            device_copies: 0,
        }
    }

    fn step(&mut self) {
        let fails = self.rng.chance(self.failure_percent);
        if fails {
            self.plant();
        }
        match self.rng.below(100) {
            0..40 => self.allocate(),
            40..70 => self.free(),
            70..80 => self.write(),
            80..88 => self.read(),
            88..98 => self.copy_on_device(),
            _ => {
                self.sim.allocator.trim();
            }
        }
        if fails {
            self.sim.driver.clear_failures();
        }
    }

    /// Lets some of the next calls fail: of one function, of all that may run out of memory, or
    /// any of them at random.
    fn plant(&mut self) {
        if self.rng.chance(30) {
            let per_million = self.rng.pick(&[10_000, 100_000, 500_000, 900_000]);
            let seed = self.rng.next();
            let failure = RandomFailure { call: None, result: None, per_million, seed };
            return self.sim.driver.fail_randomly(failure);
        }
        let call = self.rng.pick(&FALLIBLE);
        let result = self.rng.pick(call.errors());
        let shortage =
            [vk::Result::ERROR_OUT_OF_HOST_MEMORY, vk::Result::ERROR_OUT_OF_DEVICE_MEMORY];
        let of_all = shortage.contains(&result) && self.rng.chance(70);
        let call = if of_all { None } else { Some(call) };
        let (skip, count) = (self.rng.below(3), 1 + self.rng.below(8));
        self.sim.driver.fail(Failure { call, skip, count, result });
    }

    fn allocate(&mut self) {
        let request = request(&mut self.rng);
        let before = self.sim.in_use();
        let made = self.make(&request);
        match made {
            Ok(made) => {
                self.check_zeroed(&made, request.zeroed);
                self.shadow.insert(&self.sim, &mut self.rng, made);
            }
            Err(error) => {
                self.refusals += 1;
                assert!(may_happen(&error, &request), "{error}: {request:?}");
                assert_eq!(self.sim.in_use(), before, "{error}");
            }
        }
    }

    fn make(&mut self, request: &AllocationRequest<'_>) -> Result<Made, CreateError> {
        let sim = &self.sim;
        let with_resource = AllocationRequest { size: 0, ..*request };
        match self.rng.below(3) {
            0 => {
                let held = Held::Memory(sim.allocator.allocate(request)?);
                Ok(Made { held, kind: request.kind, buffer_size: 0 })
            }
            1 => {
                let buffer_size = request.size;
                let info = buffer_info(buffer_size).usage(BOTH_ENDS);
                let (buffer, memory) = sim.create_buffer(&info, &with_resource)?;
                let held = Held::Buffer(buffer, memory);
                Ok(Made { held, kind: ResourceKind::Linear, buffer_size })
            }
            _ => {
                let edge = u32::try_from(self.rng.magnitude(7)).expect("at most 128");
                let (tiling, kind) = self.rng.pick(&[
                    (vk::ImageTiling::OPTIMAL, ResourceKind::NonLinear),
                    (vk::ImageTiling::LINEAR, ResourceKind::Linear),
                ]);
                let (image, memory) =
                    sim.create_image(&image_info(edge, tiling), &with_resource)?;
                Ok(Made { held: Held::Image(image, memory), kind, buffer_size: 0 })
            }
        }
    }

    fn free(&mut self) {
        // What lives varies between a few and many, so that blocks empty and fill.
        if self.shadow.len() > 0 {
            let index = self.rng.index(self.shadow.len());
            self.sim.driver.clear_failures();
            let held = self.shadow.remove(&self.sim, index);
            held.release(&self.sim);
            self.check_guards();
        }
    }

    fn write(&mut self) {
        if self.shadow.len() > 0 {
            let index = self.rng.index(self.shadow.len());
            self.shadow.write(&self.sim, &mut self.rng, index);
        }
    }

    fn read(&mut self) {
        if self.shadow.len() > 0 {
            let index = self.rng.index(self.shadow.len());
            match self.shadow.read(&self.sim, index) {
                Ok(()) => {}
                Err(error) => assert!(matches!(error, AccessError::Driver { .. }), "{error}"),
            }
        }
    }

    /// The device moves bytes within a mapped buffer: it sees what the host wrote, and the host will
    /// see what it did.
    fn copy_on_device(&mut self) {
        if self.shadow.len() > 0 {
            let index = self.rng.index(self.shadow.len());
            self.sim.driver.clear_failures();
            let copied = self.shadow.copy_on_device(&self.sim, &self.queue, index);
            self.device_copies += u64::from(copied);
        }
    }

    fn finish(mut self) -> Outcome {
        self.check();
        while self.shadow.len() > 0 {
            let held = self.shadow.remove(&self.sim, 0);
            held.release(&self.sim);
        }
        self.check_guards();
        let failures = self.sim.driver.fired_failure_count();
        drop(self.queue);
        self.sim.finish();
        let Self { refusals, device_copies, .. } = self;
        Outcome { failures, refusals, device_copies }
    }

    /// The host sees zeroes if they were asked for, or the device is to write them.
    fn check_zeroed(&self, made: &Made, zeroed: bool) {
        let allocation = made.held.allocation().expect("a program holds nothing without memory");
        assert!(zeroed || !allocation.needs_zeroing(), "nobody asked");
        if zeroed && !allocation.needs_zeroing() {
            self.sim.driver.clear_failures();
            let size = usize::try_from(allocation.size()).expect("it is mapped");
            let mut bytes = vec![0xee; size];
            self.sim.allocator.read(allocation, 0, &mut bytes).expect("nothing is planted");
            assert!(bytes.iter().all(|&byte| byte == 0), "{allocation:?}");
        }
    }

    /// Nobody has written past an allocation.
    fn check_guards(&self) {
        assert_eq!(self.sim.allocator.take_overruns(), []);
    }

    fn check(&self) {
        self.sim.check_books();
        assert_eq!(self.sim.allocator.check_corruption(), []);
        self.shadow.check(&self.sim);
    }
}

/// Whether this request may be refused so, on a driver that fails and a device that runs out.
fn may_happen(error: &CreateError, request: &AllocationRequest<'_>) -> bool {
    match error {
        CreateError::Driver { .. } => true,
        CreateError::Alloc(error) => match error {
            AllocError::Driver { .. } => true,
            AllocError::Limit(limit) => !matches!(limit, LimitError::NoSuchHeap { .. }),
            AllocError::LargerThanBlock { .. } | AllocError::DedicatedRequired => {
                request.strategy == Strategy::Pooled
            }
            AllocError::TooLarge { .. } => true,
            _ => false,
        },
        _ => false,
    }
}

/// Programs meet these devices, each with its own policy.
#[rstest]
#[case::discrete(DriverConfig::default(), AllocatorConfig::default())]
#[case::discrete_small_blocks(DriverConfig::default(), tables::small_blocks())]
#[case::unified(tables::unified(), tables::small_blocks())]
#[case::granular(tables::granular(65536), AllocatorConfig::default())]
#[case::coarse_atoms(tables::non_coherent(256), tables::small_blocks())]
#[case::atoms_of_a_page(tables::non_coherent(4096), tables::small_blocks())]
#[case::one_object(tables::objects(1), tables::small_blocks())]
#[case::tiny_heaps(tables::tiny_heaps(), tables::small_blocks())]
#[case::tiny_heaps_large_blocks(tables::tiny_heaps(), AllocatorConfig::classic())]
#[case::prefers_dedicated(tables::prefers_dedicated(), tables::small_blocks())]
#[case::requires_dedicated(tables::requires_dedicated(), tables::small_blocks())]
fn a_long_program_keeps_every_invariant(
    #[case] driver: DriverConfig,
    #[case] mut config: AllocatorConfig,
    #[values((0, 0), (0, 40), (30, 0), (30, 4000))] (failure_percent, margin): (u64, u64),
) {
    config.corruption_margin = margin;
    config.fill = (margin > 0).then(FillBytes::default);
    config.buffer_device_address = true;
    config.heap_limits[1] = config.heap_limits[1].or(Some(64 * MIB));
    let seed = u64::from(driver.max_memory_allocation_count) ^ failure_percent;
    let outcome = run(Sim::new(driver, config), seed, failure_percent, OPERATIONS);
    assert_eq!(outcome.failures >= 40, failure_percent > 0, "{outcome:?}");
    assert!(outcome.device_copies > 0, "{outcome:?}");
    println!("{OPERATIONS} operations, {outcome:?}");
}

/// Runs a program of so many operations to its end.
fn run(sim: Sim, seed: u64, failure_percent: u64, operations: u64) -> Outcome {
    let mut program = Program::new(sim, seed, failure_percent);
    for operation in 0..operations {
        program.step();
        if operation % 64 == 0 {
            program.check();
            // The list of calls would grow without end.
            program.sim.driver.clear_calls();
        }
    }
    program.finish()
}
