//! Uniforms of three frames in flight, in one block that is a ring.
//!
//! Each frame makes the buffers it needs, writes them through their mapping, and has the device read them;
//! when the device has finished with the frame, they go, oldest first. The ring never asks the driver for
//! memory after its first block, and never moves anything.

use std::error::Error;

use gpu_alloc_ash::{
    Algorithm, Allocation, AllocationRequest, CustomPool, CustomPoolConfig, GpuAllocator,
    LinearKind, PoolAllocationRequest, UsageFlags, ash::vk,
};
use vk_boot::Boot;

use crate::frame::Frame;
use crate::pattern;

/// Frames that the device may be busy with at once.
const IN_FLIGHT: usize = 3;
const FRAME_COUNT: u64 = 150;
/// Bytes of the ring: somewhat more than three of the largest frames.
const RING_SIZE: u64 = 64 << 10;

/// What a run did.
#[derive(Debug)]
pub struct Report {
    /// Uniform buffers whose bytes came back from the device as they were written.
    pub checked: u32,
    /// How often the ring went on at its start.
    pub wraps: u32,
    /// `vkAllocateMemory` calls, of which one is the ring's and one for what is read back.
    pub device_allocations: u64,
}

/// A uniform buffer, and what the host wrote there.
struct Uniforms {
    buffer: vk::Buffer,
    memory: Allocation,
    bytes: Vec<u8>,
}

/// A frame, its uniforms, and what the device copies them to.
struct Slot<'a> {
    frame: Frame<'a>,
    uniforms: Vec<Uniforms>,
    result: vk::Buffer,
    result_memory: Allocation,
}

/// Runs the frames on a device.
///
/// # Errors
///
/// What the driver or the allocator refuse, and bytes that came back wrong.
pub fn run(boot: &Boot) -> Result<Report, Box<dyn Error>> {
    let allocator = crate::allocator(boot)?;
    let pool = ring(&allocator)?;
    let mut slots = (0..IN_FLIGHT)
        .map(|_| Slot::new(boot, &allocator))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let (mut report, mut newest) = (Report { checked: 0, wraps: 0, device_allocations: 0 }, 0);
    for number in 0..FRAME_COUNT {
        let turn = usize::try_from(number)? % IN_FLIGHT;
        let slot = &mut slots[turn];
        // The frame that was here three frames ago: its uniforms are the oldest of the ring.
        report.checked += slot.retire(&allocator)?;
        for part in 0..3 {
            let uniforms = Uniforms::new(&allocator, &pool, number, part)?;
            report.wraps += u32::from(uniforms.memory.offset() < newest);
            newest = uniforms.memory.offset();
            slot.uniforms.push(uniforms);
        }
        slot.submit(boot)?;
    }
    for number in FRAME_COUNT..FRAME_COUNT + IN_FLIGHT as u64 {
        report.checked += slots[usize::try_from(number)? % IN_FLIGHT].retire(&allocator)?;
    }
    report.device_allocations = allocator.stats().device_allocations;
    for slot in slots {
        // SAFETY: The device has finished with every frame.
        unsafe { allocator.destroy_buffer(slot.result, slot.result_memory) }?;
    }
    allocator.destroy_pool(pool)?;
    allocator.destroy()?;
    Ok(report)
}

/// One block, where such buffers go, mapped.
fn ring(allocator: &GpuAllocator) -> Result<CustomPool, Box<dyn Error>> {
    let usage = UsageFlags::UPLOAD | UsageFlags::FAST_DEVICE_ACCESS;
    let request = AllocationRequest { usage, ..Default::default() };
    // SAFETY: The create info is valid usage.
    let types = unsafe { allocator.memory_types_for_buffer(&uniform_info(256), &request) }?;
    Ok(allocator.create_pool(&CustomPoolConfig {
        memory_types: &types[..1],
        algorithm: Algorithm::Linear(LinearKind::Ring),
        block_size: Some(RING_SIZE),
        min_block_count: 1,
        max_block_count: Some(1),
        name: Some("uniforms in flight"),
        ..Default::default()
    })?)
}

fn uniform_info(size: u64) -> vk::BufferCreateInfo<'static> {
    let usage = vk::BufferUsageFlags::UNIFORM_BUFFER | vk::BufferUsageFlags::TRANSFER_SRC;
    vk::BufferCreateInfo::default().size(size).usage(usage)
}

impl Uniforms {
    fn new(
        allocator: &GpuAllocator,
        pool: &CustomPool,
        frame: u64,
        part: u64,
    ) -> Result<Self, Box<dyn Error>> {
        // A camera, lights, and more or fewer objects in each frame.
        let size = [192, 1024, 4096 + frame * 1664 % 8192][usize::try_from(part)?];
        let request = PoolAllocationRequest::default();
        // SAFETY: 1. The create info is valid usage. 2. Nothing was chained to the pool's memory.
        let made = unsafe { allocator.create_buffer_in(pool, &uniform_info(size), &request) };
        let (buffer, mut memory) = made?;
        let bytes = pattern(frame * 3 + part, size);
        allocator.write(&mut memory, 0, &bytes)?;
        Ok(Self { buffer, memory, bytes })
    }
}

impl<'a> Slot<'a> {
    fn new(boot: &'a Boot, allocator: &GpuAllocator) -> Result<Self, Box<dyn Error>> {
        let usage = vk::BufferUsageFlags::TRANSFER_DST;
        let info = vk::BufferCreateInfo::default().size(RING_SIZE).usage(usage);
        let request = AllocationRequest { usage: UsageFlags::DOWNLOAD, ..Default::default() };
        // SAFETY: The create info is valid usage.
        let (result, result_memory) = unsafe { allocator.create_buffer(&info, &request) }?;
        Ok(Self { frame: Frame::new(boot)?, uniforms: Vec::new(), result, result_memory })
    }

    /// Has the device read every uniform buffer of the frame.
    fn submit(&mut self, boot: &Boot) -> Result<(), Box<dyn Error>> {
        let (uniforms, result) = (&self.uniforms, self.result);
        let record = |commands| {
            let mut end = 0;
            for Uniforms { buffer, bytes, .. } in uniforms {
                let region = vk::BufferCopy::default().dst_offset(end).size(bytes.len() as u64);
                // SAFETY: Both buffers live until the frame has ended, and have room for the region.
                unsafe { boot.device.cmd_copy_buffer(commands, *buffer, result, &[region]) };
                end += bytes.len() as u64;
            }
            crate::frame::make_visible_to_the_host(&boot.device, commands);
        };
        // SAFETY: What is recorded lives until `retire` has waited.
        unsafe { self.frame.submit(record) }
    }

    /// Waits for the frame, compares what the device has read with what was written, and frees its
    /// uniforms; answers how many.
    fn retire(&mut self, allocator: &GpuAllocator) -> Result<u32, Box<dyn Error>> {
        self.frame.wait()?;
        let (mut offset, mut checked) = (0, 0);
        for Uniforms { buffer, memory, bytes } in self.uniforms.drain(..) {
            let mut found = vec![0; bytes.len()];
            allocator.read(&self.result_memory, offset, &mut found)?;
            if found != bytes {
                return Err(
                    format!("the device read other bytes than were written at {offset}").into()
                );
            }
            offset += bytes.len() as u64;
            checked += 1;
            // SAFETY: The device has finished with the frame.
            unsafe { allocator.destroy_buffer(buffer, memory) }?;
        }
        Ok(checked)
    }
}
