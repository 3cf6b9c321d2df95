//! Replays on a simulated discrete GPU, whose records show that nothing was done wrong.

use std::time::Duration;

use gpu_alloc_ash::ash::vk;
use gpu_alloc_ash::{AllocError, AllocatorConfig, CreateError, GpuAllocator};
use replay::{
    Extent, Machine, Outcome, ReplayError, Report, ResourceLimits, Trace, Watched, close, decode,
    find, folder, read, replay,
};
use vk_sim::{Call, DriverConfig, SimDriver};

const LIMITS: ResourceLimits = ResourceLimits {
    max_image_width: 4096,
    max_image_height: 4096,
    max_image_layers: 256,
    max_buffer_size: 1 << 30,
};

fn driver() -> SimDriver {
    SimDriver::new(DriverConfig::default()).expect("the default describes a device")
}

fn allocator(driver: &SimDriver) -> GpuAllocator {
    let mut config = AllocatorConfig::default();
    config.api_version = vk::API_VERSION_1_3;
    let (instance, device) = (driver.instance(), driver.device());
    // SAFETY: 1. The three are of one driver. 2. Each test closes the allocator before the driver
    // ends. 3. The simulated device has Vulkan 1.3.
    unsafe { GpuAllocator::new(instance, driver.physical_device(), device, config) }
        .expect("the configuration is the default")
}

fn play(allocator: &GpuAllocator, trace: &Trace, extent: Extent) -> Result<Outcome, ReplayError> {
    // SAFETY: 1. The simulated device has no limits of its own for resources.
    unsafe { replay(allocator, &LIMITS, trace, extent, &mut |_| ()) }
}

fn bevy() -> Trace {
    read(&find(&folder(), "bevy-radv-navi21")).expect("the trace comes with the sources")
}

/// A trace that makes one buffer of that size and never frees it.
fn one_buffer(size: u64) -> Trace {
    let header = "gpu-alloc trace 1\nprogram p\nrecorder r\ndevice d\ngranularity 1\natom 1\n\
                  types 0x1@0\nheaps 9\nclass CpuToGpu buffer 1 0x1 staging\noperations 1\n";
    decode(&format!("{header}0 {size}\n")).expect("the trace is well formed")
}

#[test]
fn a_recorded_renderer_replays_without_a_violation_and_leaves_nothing() {
    let (driver, trace) = (driver(), bevy());
    let allocator = allocator(&driver);
    let extent = Extent::default();
    let outcome = play(&allocator, &trace, extent).unwrap();
    close(allocator).unwrap();

    assert_eq!((outcome.operations, outcome.timeline.len()), (36_082, 36_082));
    assert_eq!(outcome.buffer_count, driver.call_count(Call::CreateBuffer));
    assert_eq!(outcome.image_count, driver.call_count(Call::CreateImage));
    assert!(outcome.image_count > 0);
    let calls = driver.call_count(Call::AllocateMemory) as u64;
    assert_eq!(outcome.device_allocations, calls);
    assert!(calls > 0 && calls < outcome.allocation_count() as u64 / 10, "{calls} calls");
    assert!(outcome.written_bytes > 0);
    assert_eq!(outcome.written_bytes, outcome.verified_bytes);
    // Not all memory of a discrete GPU is mapped, and not all that is mapped is written.
    assert!(outcome.mapped_bytes < outcome.required_bytes);
    assert!(outcome.written_bytes < outcome.mapped_bytes);
    let peak = outcome.timeline.peak();
    assert!(peak.live <= peak.used && peak.used <= peak.committed, "{peak:?}");
    assert_eq!(outcome.left_over_count, 0, "the trace frees everything itself");
    assert!(driver.live().is_empty());
    assert_eq!(driver.finish(), []);
}

#[test]
fn what_lives_when_the_time_is_up_is_freed() {
    let driver = driver();
    let allocator = allocator(&driver);
    let extent = Extent { operations: None, time: Some(Duration::ZERO) };
    let outcome = play(&allocator, &bevy(), extent).unwrap();
    assert_eq!(outcome.operations, 0);

    let outcome = play(&allocator, &one_buffer(1000), Extent::default()).unwrap();
    assert_eq!((outcome.operations, outcome.left_over_count), (1, 1));
    assert_eq!((outcome.written_bytes, outcome.verified_bytes), (1024, 1024));
    close(allocator).unwrap();
    assert!(driver.live().is_empty());
    assert_eq!(driver.finish(), []);
}

#[test]
fn a_driver_error_ends_the_replay_with_its_place_and_leaves_nothing() {
    let (driver, trace) = (driver(), bevy());
    let allocator = allocator(&driver);
    driver.fail_nth_of(Call::BindBufferMemory, 100, vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    driver.fail_nth_of(Call::BindBufferMemory2, 100, vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    let error = play(&allocator, &trace, Extent::default()).unwrap_err();
    let ReplayError::Create { operation, error, .. } = error else {
        panic!("{error}");
    };
    assert!(operation >= 99, "{operation}");
    assert!(matches!(error, CreateError::Driver { .. }), "{error}");
    close(allocator).unwrap();
    assert!(driver.live().is_empty());
    assert_eq!(driver.finish(), []);
}

#[test]
fn buffers_that_the_device_cannot_have_are_refused() {
    let driver = driver();
    let allocator = allocator(&driver);
    let limit = LIMITS.max_buffer_size;
    let too_large = play(&allocator, &one_buffer(limit + 1), Extent::default());
    let expected = ReplayError::BufferTooLarge { operation: 0, size: limit + 1, limit };
    assert_eq!(too_large, Err(expected));
    // SAFETY: 1. The simulated device has no limits of its own for resources.
    let past_every_heap = unsafe {
        let limits = ResourceLimits { max_buffer_size: u64::MAX, ..LIMITS };
        replay(&allocator, &limits, &one_buffer(1 << 40), Extent::default(), &mut |_| ())
    };
    let Err(ReplayError::Create { error: CreateError::Alloc(error), .. }) = past_every_heap else {
        panic!("{past_every_heap:?}");
    };
    assert!(matches!(error, AllocError::TooLarge { .. }), "{error}");
    close(allocator).unwrap();
    assert_eq!(driver.finish(), []);
}

#[test]
fn an_allocation_that_lives_is_found_when_the_books_are_closed() {
    let driver = driver();
    let allocator = allocator(&driver);
    let request = gpu_alloc_ash::AllocationRequest {
        size: 256,
        name: Some("forgotten"),
        ..Default::default()
    };
    drop(allocator.allocate(&request).unwrap());
    let error = close(allocator).unwrap_err();
    assert!(
        error.to_string().starts_with("allocations that were not freed: 1, the first is forgotten")
    );
    assert_eq!(driver.finish().len(), 1, "the leaked memory object");
}

#[test]
fn the_summary_says_what_was_done() {
    let (driver, trace) = (driver(), bevy());
    let allocator = allocator(&driver);
    let extent = Extent { operations: Some(1000), time: None };
    let outcome = play(&allocator, &trace, extent).unwrap();
    close(allocator).unwrap();
    let machine = Machine {
        device_name: "simulated".into(),
        driver_name: "vk-sim".into(),
        api_version: (1, 3),
        max_memory_allocation_count: 3,
        validation: Watched::On { synchronization: false },
    };
    let report = Report {
        trace_name: "bevy",
        trace: &trace,
        machine: &machine,
        outcome: &outcome,
        not_empty: None,
        message_count: 7,
    };
    let text = report.to_string();
    for expected in [
        "  trace        bevy: a Bevy 3D scene, drawn through wgpu\n",
        "  recorded on  AMD Radeon RX 6800 (RADV NAVI21)\n",
        "  replayed on  simulated, vk-sim, Vulkan 1.3\n",
        "  operations   1,000 of 36,082: ",
        " of 3 that the device allows, which is too many\n",
        "; no device memory is left\n",
        "  validation   7 messages, device destruction included\n",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
}
