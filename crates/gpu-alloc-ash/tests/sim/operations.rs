//! Every operation of the allocator, as data for the tests of failures.

mod pools;

use ash::vk;
use gpu_alloc_ash::{
    AccessError, AllocError, AllocationRequest, AllocatorConfig, CreateError, FillBytes,
    PoolAllocationRequest, Strategy, UsageFlags,
};
use vk_sim::{Call, DriverConfig};

use self::pools::{
    IN_POOL, OWN_IN_POOL, adaptive_pool, buffer_example, buffer_in, first_blocks, from_examples,
    full_pool, image_example, image_in, in_pool,
};
use crate::held::Held;
use crate::support::{KIB, MIB, Sim, buffer_info, image_info};
use crate::tables;

/// Every function that the allocator calls and that may fail.
pub(crate) const FALLIBLE: [Call; 8] = [
    Call::AllocateMemory,
    Call::MapMemory,
    Call::FlushMappedMemoryRanges,
    Call::InvalidateMappedMemoryRanges,
    Call::CreateBuffer,
    Call::CreateImage,
    Call::BindBufferMemory,
    Call::BindImageMemory,
];

/// A driver call that failed, as the allocator reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) call: &'static str,
    pub(crate) result: vk::Result,
}

/// One operation in one situation.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) sim: fn() -> Sim,
    /// Makes the situation.
    pub(crate) prepare: fn(&Sim) -> Vec<Held>,
    pub(crate) act: fn(&Sim, &mut Vec<Held>) -> Result<(), Failed>,
    /// Whether one shortage of memory, or one failed map, is made up for by something else.
    pub(crate) falls_back: bool,
}

impl From<AllocError> for Failed {
    #[track_caller]
    fn from(error: AllocError) -> Self {
        match error {
            AllocError::Driver { call, result } => Self { call, result },
            other => panic!("not an error of the driver: {other}"),
        }
    }
}

impl From<CreateError> for Failed {
    #[track_caller]
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Alloc(error) => error.into(),
            CreateError::Driver { call, result } => Self { call, result },
            other => panic!("not an error of the driver: {other}"),
        }
    }
}

impl From<AccessError> for Failed {
    #[track_caller]
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Driver { call, result } => Self { call, result },
            other => panic!("not an error of the driver: {other}"),
        }
    }
}

const SMALL: AllocationRequest<'static> = AllocationRequest {
    size: 1000,
    name: Some("the one that fails"),
    ..AllocationRequest::DEFAULT
};
const UPLOAD: AllocationRequest<'static> = AllocationRequest { usage: UsageFlags::UPLOAD, ..SMALL };
/// In memory that the host does not see.
const ZEROED: AllocationRequest<'static> = AllocationRequest {
    usage: UsageFlags::FAST_DEVICE_ACCESS,
    memory_type_bits: 1,
    zeroed: true,
    ..SMALL
};
const READ_BACK: AllocationRequest<'static> =
    AllocationRequest { usage: UsageFlags::DOWNLOAD, ..SMALL };
const DEDICATED: AllocationRequest<'static> =
    AllocationRequest { strategy: Strategy::Dedicated, ..SMALL };
const FILLER: AllocationRequest<'static> =
    AllocationRequest { size: 16 * MIB, strategy: Strategy::Pooled, ..SMALL };

fn nothing(_: &Sim) -> Vec<Held> {
    Vec::new()
}

fn allocate(
    sim: &Sim,
    held: &mut Vec<Held>,
    request: &AllocationRequest<'_>,
) -> Result<(), Failed> {
    held.push(Held::Memory(sim.allocator.allocate(request)?));
    Ok(())
}

fn buffer(sim: &Sim, held: &mut Vec<Held>, request: &AllocationRequest<'_>) -> Result<(), Failed> {
    let (buffer, memory) = sim.create_buffer(&buffer_info(3000), request)?;
    held.push(Held::Buffer(buffer, memory));
    Ok(())
}

fn image(sim: &Sim, held: &mut Vec<Held>, request: &AllocationRequest<'_>) -> Result<(), Failed> {
    let (image, memory) = sim.create_image(&image_info(32, vk::ImageTiling::OPTIMAL), request)?;
    held.push(Held::Image(image, memory));
    Ok(())
}

/// One block size, one memory type allowed: nothing to fall back on.
fn one_size() -> Sim {
    let mut config = AllocatorConfig::default();
    config.first_block_size = MIB;
    config.host_first_block_size = MIB;
    Sim::with_config(config)
}

fn passthrough() -> Sim {
    let mut config = AllocatorConfig::default();
    config.passthrough = true;
    Sim::with_config(config)
}

fn prefers() -> Sim {
    Sim::new(tables::prefers_dedicated(), AllocatorConfig::default())
}

fn requires() -> Sim {
    Sim::new(tables::requires_dedicated(), AllocatorConfig::default())
}

/// Vulkan 1.0, and an allocator that knows of nothing newer.
fn version_1_0() -> Sim {
    let driver = DriverConfig { api_version: vk::API_VERSION_1_0, ..DriverConfig::default() };
    Sim::new(driver, AllocatorConfig::default())
}

fn filled(sim: &Sim) -> Vec<Held> {
    vec![Held::Memory(sim.allocate(&FILLER))]
}

fn raw_resources(sim: &Sim) -> Vec<Held> {
    let image = sim.raw_image(&image_info(32, vk::ImageTiling::OPTIMAL));
    vec![Held::RawBuffer(sim.raw_buffer(&buffer_info(3000))), Held::RawImage(image)]
}

fn read_back(sim: &Sim) -> Vec<Held> {
    vec![Held::Memory(sim.allocate(&READ_BACK)), Held::Memory(sim.allocate(&READ_BACK))]
}

fn for_raw_buffer(sim: &Sim, held: &mut Vec<Held>) -> Result<(), Failed> {
    let Held::RawBuffer(buffer) = held[0] else { unreachable!("prepared") };
    held.push(Held::Memory(sim.allocate_for_buffer(buffer, &DEDICATED)?));
    Ok(())
}

fn for_raw_image(sim: &Sim, held: &mut Vec<Held>) -> Result<(), Failed> {
    let Held::RawImage(image) = held[1] else { unreachable!("prepared") };
    held.push(Held::Memory(sim.allocate_for_image(image, &UPLOAD)?));
    Ok(())
}

fn write(sim: &Sim, held: &mut [Held]) -> Result<(), Failed> {
    let allocation = held[0].allocation_mut().expect("prepared");
    Ok(sim.allocator.write(allocation, 333, &[5; 333])?)
}

fn read(sim: &Sim, held: &mut [Held]) -> Result<(), Failed> {
    let mut bytes = [0xee; 333];
    let result = sim.allocator.read(held[0].allocation().expect("prepared"), 333, &mut bytes);
    assert!(result.is_ok() || bytes == [0xee; 333], "untouched on an error");
    Ok(result?)
}

fn write_slice(sim: &Sim, held: &mut [Held]) -> Result<(), Failed> {
    let allocation = held[0].allocation_mut().expect("prepared");
    Ok(sim.allocator.write_slice(allocation, 12, &[1.5_f32; 7])?)
}

fn read_slice(sim: &Sim, held: &mut [Held]) -> Result<(), Failed> {
    let allocation = held[0].allocation().expect("prepared");
    Ok(sim.allocator.read_slice(allocation, 12, &mut [0.0_f32; 7])?)
}

fn flush(sim: &Sim, held: &mut [Held]) -> Result<(), Failed> {
    Ok(sim.allocator.flush(held[1].allocation().expect("prepared"), 1, 998)?)
}

fn invalidate(sim: &Sim, held: &mut [Held]) -> Result<(), Failed> {
    Ok(sim.allocator.invalidate(held[1].allocation().expect("prepared"), 1, 998)?)
}

fn address_buffer(sim: &Sim, held: &mut Vec<Held>) -> Result<(), Failed> {
    let info = buffer_info(64 * KIB).usage(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS);
    let (buffer, memory) = sim.create_buffer(&info, &UPLOAD)?;
    held.push(Held::Buffer(buffer, memory));
    Ok(())
}

fn with_addresses() -> Sim {
    let mut config = AllocatorConfig::default();
    config.buffer_device_address = true;
    Sim::with_config(config)
}

/// Everything is filled, and has a margin, in memory that has to be flushed.
fn prepared() -> Sim {
    let mut config = AllocatorConfig::default();
    config.corruption_margin = 100;
    config.fill = Some(FillBytes::default());
    Sim::new(tables::non_coherent(64), config)
}

/// Not coherent, with nothing prepared but what is asked for.
fn not_coherent() -> Sim {
    Sim::new(tables::non_coherent(64), AllocatorConfig::default())
}

fn many(sim: &Sim, held: &mut Vec<Held>, request: &AllocationRequest<'_>) -> Result<(), Failed> {
    held.extend(sim.allocator.allocate_many(request, 3)?.into_iter().map(Held::Memory));
    Ok(())
}

/// A command buffer to record zeroes in.
fn recording(sim: &Sim) -> Vec<Held> {
    let device = sim.driver.device();
    let info = vk::CommandPoolCreateInfo::default();
    // SAFETY: The driver lives.
    let pool = unsafe { device.create_command_pool(&info, None) }.expect("nothing is planted");
    let info = vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
    // SAFETY: The driver lives.
    let commands = unsafe { device.allocate_command_buffers(&info) }.expect("nothing is planted");
    let info = vk::CommandBufferBeginInfo::default();
    // SAFETY: The driver lives.
    unsafe { device.begin_command_buffer(commands[0], &info) }.expect("nothing is planted");
    vec![Held::Recording(pool, commands[0])]
}

fn zeroed_buffer(sim: &Sim, held: &mut Vec<Held>) -> Result<(), Failed> {
    let Held::Recording(_, commands) = held[0] else { unreachable!("prepared") };
    let info = buffer_info(3000).usage(vk::BufferUsageFlags::TRANSFER_DST);
    let (buffer, mut memory) = sim.create_buffer(&info, &ZEROED)?;
    // SAFETY: 1. and 2. The buffer is bound to the memory; nothing is ever submitted.
    unsafe { sim.allocator.record_zeroes(commands, buffer, &mut memory) };
    held.push(Held::Buffer(buffer, memory));
    Ok(())
}

fn zeroed_image(sim: &Sim, held: &mut Vec<Held>) -> Result<(), Failed> {
    let Held::Recording(_, commands) = held[0] else { unreachable!("prepared") };
    let tiling = vk::ImageTiling::OPTIMAL;
    let info = image_info(32, tiling).usage(vk::ImageUsageFlags::TRANSFER_DST);
    let (image, mut memory) = sim.create_image(&info, &ZEROED)?;
    let layout = vk::ImageLayout::GENERAL;
    // SAFETY: 1. to 3. The image is bound to the memory; nothing is ever submitted.
    unsafe { sim.allocator.record_clear(commands, image, layout, &mut memory) };
    held.push(Held::Image(image, memory));
    Ok(())
}

/// The driver is asked for its budgets as well.
fn with_budgets() -> Sim {
    let mut config = AllocatorConfig::default();
    config.ext_memory_budget = true;
    Sim::with_config(config)
}

/// Everything the driver is asked to do that may fail.
#[rustfmt::skip]
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation { name: "first block", sim: Sim::default, prepare: nothing, falls_back: true,
        act: |sim, held| allocate(sim, held, &SMALL) },
    Operation { name: "first block, budgets", sim: with_budgets, prepare: nothing, falls_back: true,
        act: |sim, held| allocate(sim, held, &SMALL) },
    Operation { name: "second block", sim: Sim::default, prepare: filled, falls_back: true,
        act: |sim, held| allocate(sim, held, &SMALL) },
    Operation { name: "mapped block", sim: Sim::default, prepare: nothing, falls_back: true,
        act: |sim, held| allocate(sim, held, &UPLOAD) },
    Operation { name: "only block size, only type", sim: one_size, prepare: nothing, falls_back: false,
        act: |sim, held| allocate(sim, held, &AllocationRequest { memory_type_bits: 0b10, ..UPLOAD }) },
    Operation { name: "dedicated", sim: Sim::default, prepare: nothing, falls_back: true,
        act: |sim, held| allocate(sim, held, &DEDICATED) },
    Operation { name: "dedicated, only type", sim: Sim::default, prepare: nothing, falls_back: false,
        act: |sim, held| allocate(sim, held, &AllocationRequest { memory_type_bits: 1, ..DEDICATED }) },
    Operation { name: "dedicated by size, last resort", sim: one_size, prepare: nothing, falls_back: true,
        act: |sim, held| allocate(sim, held, &AllocationRequest { size: MIB, memory_type_bits: 0b10, ..UPLOAD }) },
    Operation { name: "passthrough", sim: passthrough, prepare: nothing, falls_back: true,
        act: |sim, held| allocate(sim, held, &UPLOAD) },
    Operation { name: "create_buffer", sim: Sim::default, prepare: nothing, falls_back: true,
        act: |sim, held| buffer(sim, held, &SMALL) },
    Operation { name: "create_buffer, mapped, 1.0", sim: version_1_0, prepare: filled, falls_back: true,
        act: |sim, held| buffer(sim, held, &UPLOAD) },
    Operation { name: "create_buffer, dedicated", sim: Sim::default, prepare: filled, falls_back: true,
        act: |sim, held| buffer(sim, held, &AllocationRequest { usage: UsageFlags::DOWNLOAD, ..DEDICATED }) },
    Operation { name: "create_buffer, preferred", sim: prefers, prepare: nothing, falls_back: true,
        act: |sim, held| buffer(sim, held, &AllocationRequest { memory_type_bits: 1, ..SMALL }) },
    Operation { name: "create_buffer, required", sim: requires, prepare: nothing, falls_back: false,
        act: |sim, held| buffer(sim, held, &AllocationRequest { memory_type_bits: 1, size: 0, ..SMALL }) },
    Operation { name: "create_buffer, device address", sim: with_addresses, prepare: filled, falls_back: true,
        act: address_buffer },
    Operation { name: "create_image", sim: Sim::default, prepare: filled, falls_back: true,
        act: |sim, held| image(sim, held, &SMALL) },
    Operation { name: "create_image, 1.0", sim: version_1_0, prepare: nothing, falls_back: true,
        act: |sim, held| image(sim, held, &SMALL) },
    Operation { name: "create_image, dedicated, only type", sim: Sim::default, prepare: nothing, falls_back: false,
        act: |sim, held| image(sim, held, &AllocationRequest { memory_type_bits: 0b100, ..DEDICATED }) },
    Operation { name: "create_image, required", sim: requires, prepare: nothing, falls_back: true,
        act: |sim, held| image(sim, held, &SMALL) },
    Operation { name: "allocate_for_buffer", sim: Sim::default, prepare: raw_resources, falls_back: true,
        act: for_raw_buffer },
    Operation { name: "allocate_for_image", sim: Sim::default, prepare: raw_resources, falls_back: true,
        act: for_raw_image },
    Operation { name: "filled and guarded", sim: prepared, prepare: nothing, falls_back: true,
        act: |sim, held| allocate(sim, held, &UPLOAD) },
    Operation { name: "filled, dedicated", sim: prepared, prepare: nothing, falls_back: false,
        act: |sim, held| allocate(sim, held, &DEDICATED) },
    Operation { name: "create_buffer, filled and guarded", sim: prepared, prepare: nothing, falls_back: true,
        act: |sim, held| buffer(sim, held, &SMALL) },
    Operation { name: "zeroed, in room that there is", sim: not_coherent, prepare: read_back, falls_back: false,
        act: |sim, held| allocate(sim, held, &AllocationRequest { zeroed: true, ..UPLOAD }) },
    Operation { name: "allocate_many, filled and guarded", sim: prepared, prepare: nothing, falls_back: true,
        act: |sim, held| many(sim, held, &UPLOAD) },
    Operation { name: "record_zeroes", sim: Sim::default, prepare: recording, falls_back: true, act: zeroed_buffer },
    Operation { name: "record_clear", sim: Sim::default, prepare: recording, falls_back: true, act: zeroed_image },
    Operation { name: "create_pool", sim: Sim::default, prepare: nothing, falls_back: false,
        act: |sim, held| first_blocks(sim, held, &[1]) },
    Operation { name: "create_pool, two types", sim: Sim::default, prepare: nothing, falls_back: true,
        act: |sim, held| first_blocks(sim, held, &[3, 1]) },
    Operation { name: "allocate_in, only block size", sim: Sim::default, prepare: full_pool, falls_back: false,
        act: |sim, held| in_pool(sim, held, &IN_POOL) },
    Operation { name: "allocate_in, two types", sim: with_budgets, prepare: adaptive_pool, falls_back: true,
        act: |sim, held| in_pool(sim, held, &IN_POOL) },
    Operation { name: "allocate_in, dedicated", sim: Sim::default, prepare: adaptive_pool, falls_back: true,
        act: |sim, held| in_pool(sim, held, &OWN_IN_POOL) },
    Operation { name: "create_buffer_in, only block size", sim: Sim::default, prepare: full_pool, falls_back: false,
        act: |sim, held| buffer_in(sim, held, &IN_POOL) },
    Operation { name: "create_buffer_in, preferred", sim: prefers, prepare: adaptive_pool, falls_back: true,
        act: |sim, held| buffer_in(sim, held, &IN_POOL) },
    Operation { name: "create_image_in", sim: Sim::default, prepare: adaptive_pool, falls_back: true,
        act: |sim, held| image_in(sim, held, &IN_POOL) },
    Operation { name: "create_image_in, dedicated, only type", sim: version_1_0, prepare: adaptive_pool, falls_back: false,
        act: |sim, held| image_in(sim, held, &PoolAllocationRequest { memory_type_bits: 0b10, ..OWN_IN_POOL }) },
    Operation { name: "create_pool, from examples", sim: Sim::default, prepare: nothing, falls_back: false,
        act: from_examples },
    Operation { name: "memory_types_for_buffer, 1.0", sim: version_1_0, prepare: nothing, falls_back: false,
        act: |sim, _| buffer_example(sim) },
    Operation { name: "memory_types_for_image, 1.0", sim: version_1_0, prepare: nothing, falls_back: false,
        act: |sim, _| image_example(sim) },
    Operation { name: "write", sim: Sim::default, prepare: read_back, falls_back: false, act: |sim, held| write(sim, held) },
    Operation { name: "read", sim: Sim::default, prepare: read_back, falls_back: false, act: |sim, held| read(sim, held) },
    Operation { name: "write_slice", sim: Sim::default, prepare: read_back, falls_back: false, act: |sim, held| write_slice(sim, held) },
    Operation { name: "read_slice", sim: Sim::default, prepare: read_back, falls_back: false, act: |sim, held| read_slice(sim, held) },
    Operation { name: "flush", sim: Sim::default, prepare: read_back, falls_back: false, act: |sim, held| flush(sim, held) },
    Operation { name: "invalidate", sim: Sim::default, prepare: read_back, falls_back: false, act: |sim, held| invalidate(sim, held) },
];
