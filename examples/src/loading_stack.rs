//! Loading levels with two stacks in one block.
//!
//! What stays while a level is played grows from the lower end; what is only needed while it is loaded
//! grows from the upper one and is gone afterwards. A level is unloaded in the opposite order it was loaded
//! in, so that the next one finds the block as this one did: nothing is ever fragmented, and the driver is
//! asked once.

use std::error::Error;

use gpu_alloc_ash::{
    Algorithm, Allocation, AllocationRequest, CustomPool, CustomPoolConfig, GpuAllocator,
    LinearKind, PoolAllocationRequest, UsageFlags, ash::vk,
};
use vk_boot::Boot;

use crate::pattern;

const LEVEL_COUNT: u64 = 3;
const MESHES_IN_A_LEVEL: u64 = 24;
/// Bytes of the block.
const STACK_SIZE: u64 = 4 << 20;

/// What a run did.
#[derive(Debug)]
pub struct Report {
    /// Meshes whose bytes came back from the device as they were loaded.
    pub checked: u32,
    /// The most bytes that were in use at once, of both stacks.
    pub peak: u64,
    /// Bytes of the one block.
    pub block_size: u64,
}

/// A buffer in the block.
struct Held {
    buffer: vk::Buffer,
    memory: Allocation,
    size: u64,
}

/// Where everything comes from.
struct Loader<'a> {
    boot: &'a Boot,
    allocator: &'a GpuAllocator,
    pool: &'a CustomPool,
}

/// Loads and unloads the levels on a device.
///
/// # Errors
///
/// What the driver or the allocator refuse, and bytes that came back wrong.
pub fn run(boot: &Boot) -> Result<Report, Box<dyn Error>> {
    let allocator = crate::allocator(boot)?;
    let pool = stacks(&allocator)?;
    let loader = Loader { boot, allocator: &allocator, pool: &pool };
    let mut report = Report { checked: 0, peak: 0, block_size: pool.stats().total_size };
    let mut first_places: Option<Vec<u64>> = None;
    for level in 0..LEVEL_COUNT {
        let mut meshes = Vec::new();
        for mesh in 0..MESHES_IN_A_LEVEL {
            let (held, peak) = loader.load(level, mesh)?;
            report.peak = report.peak.max(peak);
            meshes.push(held);
        }
        let places: Vec<u64> = meshes.iter().map(|held| held.memory.offset()).collect();
        let first_places = first_places.get_or_insert_with(|| places.clone());
        if *first_places != places {
            return Err("the next level does not lie where the last one lay".into());
        }
        while let Some(held) = meshes.pop() {
            let found = loader.read_back(&held)?;
            if found != content(level, meshes.len() as u64) {
                return Err(format!("mesh {} of level {level} is damaged", meshes.len()).into());
            }
            report.checked += 1;
            loader.free(held)?;
        }
    }
    if pool.stats().allocation_count != 0 || pool.stats().block_count != 1 {
        return Err(format!("something was left: {:?}", pool.stats()).into());
    }
    allocator.destroy_pool(pool)?;
    allocator.destroy()?;
    Ok(report)
}

/// What a mesh is in the end, of the same size in each level.
fn content(level: u64, mesh: u64) -> Vec<u8> {
    pattern(level * MESHES_IN_A_LEVEL + mesh, 4096 + mesh * 5000)
}

/// One block of mapped memory that the device reads vertices from.
fn stacks(allocator: &GpuAllocator) -> Result<CustomPool, Box<dyn Error>> {
    let usage = UsageFlags::UPLOAD | UsageFlags::FAST_DEVICE_ACCESS;
    let request = AllocationRequest { usage, ..Default::default() };
    // SAFETY: The create info is valid usage.
    let types = unsafe { allocator.memory_types_for_buffer(&mesh_info(4096), &request) }?;
    Ok(allocator.create_pool(&CustomPoolConfig {
        memory_types: &types[..1],
        algorithm: Algorithm::Linear(LinearKind::DoubleStack),
        block_size: Some(STACK_SIZE),
        min_block_count: 1,
        max_block_count: Some(1),
        name: Some("levels"),
        ..Default::default()
    })?)
}

fn mesh_info(size: u64) -> vk::BufferCreateInfo<'static> {
    let copied = vk::BufferUsageFlags::TRANSFER_SRC | vk::BufferUsageFlags::TRANSFER_DST;
    vk::BufferCreateInfo::default().size(size).usage(vk::BufferUsageFlags::VERTEX_BUFFER | copied)
}

impl Loader<'_> {
    /// Loads a mesh: what was read and what was unpacked go to the upper stack and are gone again, what
    /// stays goes to the lower one. Answers the bytes in use in between, too.
    fn load(&self, level: u64, mesh: u64) -> Result<(Held, u64), Box<dyn Error>> {
        let bytes = content(level, mesh);
        let size = bytes.len() as u64;
        // As read from a disk, with every byte turned around.
        let mut packed = self.make(size, true)?;
        let turned: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        self.allocator.write(&mut packed.memory, 0, &turned)?;
        let mut unpacked = self.make(size, true)?;
        let mut read = vec![0; bytes.len()];
        self.allocator.read(&packed.memory, 0, &mut read)?;
        read.iter_mut().for_each(|byte| *byte = !*byte);
        self.allocator.write(&mut unpacked.memory, 0, &read)?;
        let mesh = self.make(size, false)?;
        let peak = self.pool.stats().used_size;
        self.copy(&unpacked, mesh.buffer)?;
        // Last in, first out.
        self.free(unpacked)?;
        self.free(packed)?;
        Ok((mesh, peak))
    }

    fn make(&self, size: u64, upper_end: bool) -> Result<Held, Box<dyn Error>> {
        let request = PoolAllocationRequest { upper_end, ..Default::default() };
        // SAFETY: 1. The create info is valid usage. 2. Nothing was chained to the pool's memory.
        let made =
            unsafe { self.allocator.create_buffer_in(self.pool, &mesh_info(size), &request) };
        let (buffer, memory) = made?;
        Ok(Held { buffer, memory, size })
    }

    fn free(&self, held: Held) -> Result<(), Box<dyn Error>> {
        // SAFETY: Every submission was waited for.
        unsafe { self.allocator.destroy_buffer(held.buffer, held.memory) }?;
        Ok(())
    }

    /// Has the device copy the whole of a buffer, and waits for it.
    fn copy(&self, from: &Held, to: vk::Buffer) -> Result<(), Box<dyn Error>> {
        let device = &self.boot.device;
        let region = [vk::BufferCopy::default().size(from.size)];
        let record = |commands| {
            // SAFETY: Both buffers live until the copy has ended, and are of this size.
            unsafe { device.cmd_copy_buffer(commands, from.buffer, to, &region) };
            crate::frame::make_visible_to_the_host(device, commands);
        };
        // SAFETY: 1. What is recorded is valid. 2. The submission is waited for. 3. It is only recorded.
        unsafe { self.boot.submit(record) }?;
        Ok(())
    }

    /// What the device has in a buffer.
    fn read_back(&self, held: &Held) -> Result<Vec<u8>, Box<dyn Error>> {
        let usage = vk::BufferUsageFlags::TRANSFER_DST;
        let info = vk::BufferCreateInfo::default().size(held.size).usage(usage);
        let request = AllocationRequest { usage: UsageFlags::DOWNLOAD, ..Default::default() };
        // SAFETY: The create info is valid usage.
        let (buffer, memory) = unsafe { self.allocator.create_buffer(&info, &request) }?;
        self.copy(held, buffer)?;
        let mut found = vec![0; usize::try_from(held.size)?];
        self.allocator.read(&memory, 0, &mut found)?;
        // SAFETY: The copy was waited for.
        unsafe { self.allocator.destroy_buffer(buffer, memory) }?;
        Ok(found)
    }
}
