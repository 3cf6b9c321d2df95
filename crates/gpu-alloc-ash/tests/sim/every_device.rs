//! What needs no shader, on every device there is a table of: buffers and images of every usage,
//! filled, copied by the device, and read back.

mod by_hand;
mod shapes;
mod stage;

use ash::vk;
use gpu_alloc_ash::{AllocationRequest, AllocatorConfig, Strategy, UsageFlags};
use rstest::rstest;

use self::shapes::{Shape, TILINGS};
use self::stage::{Stage, Tally};
use crate::devices::{self, Device, on_each};
use crate::held::Held;

const STRATEGIES: [Strategy; 3] = [Strategy::Auto, Strategy::Pooled, Strategy::Dedicated];

/// From the device's own memory to memory of both sides.
const PLACES: [UsageFlags; 6] = [
    UsageFlags::empty(),
    UsageFlags::FAST_DEVICE_ACCESS,
    UsageFlags::UPLOAD,
    UsageFlags::DOWNLOAD,
    UsageFlags::UPLOAD.union(UsageFlags::FAST_DEVICE_ACCESS),
    UsageFlags::HOST_ACCESS,
];

/// Every usage of Vulkan 1.0, and the device address.
const BUFFER_USAGES: [vk::BufferUsageFlags; 10] = [
    vk::BufferUsageFlags::TRANSFER_SRC,
    vk::BufferUsageFlags::TRANSFER_DST,
    vk::BufferUsageFlags::UNIFORM_TEXEL_BUFFER,
    vk::BufferUsageFlags::STORAGE_TEXEL_BUFFER,
    vk::BufferUsageFlags::UNIFORM_BUFFER,
    vk::BufferUsageFlags::STORAGE_BUFFER,
    vk::BufferUsageFlags::INDEX_BUFFER,
    vk::BufferUsageFlags::VERTEX_BUFFER,
    vk::BufferUsageFlags::INDIRECT_BUFFER,
    vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS,
];

/// Every usage of Vulkan 1.0 whose bytes can be copied.
const IMAGE_USAGES: [vk::ImageUsageFlags; 7] = [
    vk::ImageUsageFlags::TRANSFER_SRC,
    vk::ImageUsageFlags::TRANSFER_DST,
    vk::ImageUsageFlags::SAMPLED,
    vk::ImageUsageFlags::STORAGE,
    vk::ImageUsageFlags::COLOR_ATTACHMENT,
    vk::ImageUsageFlags::DEPTH_STENCIL_ATTACHMENT,
    vk::ImageUsageFlags::INPUT_ATTACHMENT,
];

fn default() -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.buffer_device_address = true;
    config.ext_memory_budget = true;
    config
}

fn classic() -> AllocatorConfig {
    let mut config = AllocatorConfig::classic();
    config.buffer_device_address = true;
    config
}

fn passthrough() -> AllocatorConfig {
    let mut config = default();
    config.passthrough = true;
    config
}

/// Runs `body` on a stage on each device, and adds up what was done.
///
/// With every request in an object of its own, one object is not even enough for a copy.
fn on_each_stage(config: &AllocatorConfig, mut body: impl FnMut(&mut Stage)) -> Tally {
    let mut sum = Tally::default();
    let possible = |device: &Device| !(config.passthrough && device.is_single_object());
    let devices = devices::all_and_without_coherence();
    let devices: Vec<_> = devices.into_iter().filter(possible).collect();
    assert!(devices.len() >= if config.passthrough { 84 } else { 86 });
    on_each(devices, |device| {
        let mut stage = Stage::new(device, config.clone());
        body(&mut stage);
        let tally = stage.finish();
        assert!(tally.carried >= 10, "{tally:?}");
        let may_refuse = device.name.starts_with("hostile: ");
        assert!(may_refuse || tally.refused == 0, "{tally:?}");
        sum += tally;
    });
    println!("{sum:?}");
    sum
}

#[rstest]
#[case::default(default())]
#[case::classic(classic())]
#[case::passthrough(passthrough())]
fn buffers_of_every_usage_carry_bytes(#[case] config: AllocatorConfig) {
    let sum = on_each_stage(&config, |stage| {
        for usage in BUFFER_USAGES {
            for strategy in STRATEGIES {
                let info =
                    vk::BufferCreateInfo::default().size(stage.rng.magnitude(11)).usage(usage);
                let place = stage.rng.pick(&PLACES);
                stage.buffer(
                    &info,
                    &AllocationRequest { usage: place, strategy, ..Default::default() },
                );
            }
        }
    });
    assert!(sum.carried >= 2500, "{sum:?}");
    assert!(sum.met >= 1000 && sum.met_without_coherence >= 500, "{sum:?}");
}

#[rstest]
#[case::default(default())]
#[case::classic(classic())]
#[case::passthrough(passthrough())]
fn images_of_every_usage_carry_texels(#[case] config: AllocatorConfig) {
    let sum = on_each_stage(&config, |stage| {
        for usage in IMAGE_USAGES {
            for tiling in TILINGS {
                for strategy in STRATEGIES {
                    let shape = Shape::random(&mut stage.rng, usage, tiling);
                    let place = stage.rng.pick(&PLACES);
                    let request =
                        AllocationRequest { usage: place, strategy, ..Default::default() };
                    stage.image(&shape.info(), &request, shape.regions());
                }
            }
        }
    });
    assert!(sum.carried >= 3500, "{sum:?}");
}

/// Attachments that live inside one render pass, where the device provides their memory lazily.
#[test]
fn transient_attachments_are_lazily_allocated_where_that_is_possible() {
    let mut lazily_allocated = 0;
    on_each(devices::all(), |device| {
        let lazily = vk::MemoryPropertyFlags::LAZILY_ALLOCATED;
        let mut stage = Stage::new(device, default());
        let types = device.config.memory_types.iter().zip(0..);
        let lazy_bits: u32 = types
            .filter(|((flags, _), _)| flags.contains(lazily))
            .fold(0, |bits, (_, index)| bits | 1 << index);
        for strategy in STRATEGIES {
            let usage = vk::ImageUsageFlags::COLOR_ATTACHMENT;
            let info = Shape::random(&mut stage.rng, usage, vk::ImageTiling::OPTIMAL).info();
            let info = info.usage(usage | vk::ImageUsageFlags::TRANSIENT_ATTACHMENT);
            let request = AllocationRequest {
                usage: UsageFlags::TRANSIENT | UsageFlags::FAST_DEVICE_ACCESS,
                memory_type_bits: stage.memory_type_bits,
                strategy,
                ..Default::default()
            };
            match stage.sim.create_image(&info, &request) {
                Ok((image, memory)) => {
                    let is_lazy = lazy_bits & (1 << memory.memory_type_index()) != 0;
                    assert_eq!(is_lazy, lazy_bits != 0, "{memory:?}");
                    lazily_allocated += usize::from(is_lazy);
                    Held::Image(image, memory).release(&stage.sim);
                }
                Err(error) => {
                    stage.refused(&error, &request, gpu_alloc_ash::ResourceKind::NonLinear)
                }
            }
        }
        stage.finish();
    });
    assert!(lazily_allocated >= 9, "{lazily_allocated} on three devices");
}

/// What the driver says about dedicated memory, and versions that cannot ask, on every device.
#[rstest]
#[case::prefers(true, false, vk::API_VERSION_1_3)]
#[case::requires(true, true, vk::API_VERSION_1_1)]
#[case::cannot_be_asked(true, false, vk::API_VERSION_1_0)]
fn what_the_driver_wants_is_followed_on_every_device(
    #[case] prefers_dedicated: bool,
    #[case] requires_dedicated: bool,
    #[case] api_version: u32,
) {
    let devices = devices::all().into_iter().filter(|device| !device.is_single_object());
    let devices = devices.map(|device| Device {
        config: vk_sim::DriverConfig {
            prefers_dedicated,
            requires_dedicated,
            api_version,
            ..device.config
        },
        ..device
    });
    let mut config = default();
    config.ext_memory_budget = api_version >= vk::API_VERSION_1_1;
    let mut sum = Tally::default();
    let count = on_each(devices.collect(), |device| {
        let mut stage = Stage::new(device, config.clone());
        for usage in BUFFER_USAGES {
            let info = vk::BufferCreateInfo::default().size(stage.rng.magnitude(11)).usage(usage);
            let place = stage.rng.pick(&PLACES);
            stage.buffer(&info, &AllocationRequest { usage: place, ..Default::default() });
        }
        for tiling in TILINGS {
            let shape = Shape::random(&mut stage.rng, vk::ImageUsageFlags::SAMPLED, tiling);
            stage.image(&shape.info(), &AllocationRequest::default(), shape.regions());
        }
        let told = stage.sim.driver.memories().iter().filter(|m| m.dedicated.is_some()).count();
        let expected = if api_version == vk::API_VERSION_1_0 { 0 } else { 14 };
        assert_eq!(told, expected, "the two buffers of the stage, and all others");
        sum += stage.finish();
    });
    assert!(count >= 42 && sum.carried == count * 12, "{sum:?}");
}
