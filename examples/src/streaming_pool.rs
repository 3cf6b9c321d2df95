//! Textures streamed under a budget: what was not seen for some frames is lost when room is needed.
//!
//! A camera wanders over more textures than the pool has room for. Each frame touches those that it sees,
//! loads those that are not there, and has the device read them all. Nothing is freed by hand: a texture that
//! is lost comes back by a callback, which destroys its image, and is loaded again when it is next seen.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gpu_alloc_ash::{
    Algorithm, Allocation, AllocationRequest, CustomPoolConfig, EvictableImage, EvictablePool,
    GpuAllocator, PoolAllocationRequest, UsageFlags, ash::vk,
};
use vk_boot::Boot;

use crate::frame::Frame;
use crate::pattern;

/// Frames that the device may be busy with at once, and so many are textures kept for.
const IN_FLIGHT: usize = 2;
const FRAME_COUNT: u64 = 120;
const TEXTURE_COUNT: usize = 48;
/// Textures that a frame sees.
const SEEN: usize = 4;
const EDGE: u32 = 128;
/// Bytes of a texture, as the host has it.
const TEXTURE_SIZE: u64 = 4 * EDGE as u64 * EDGE as u64;
/// Bytes that textures may have at most, in one block.
const BUDGET: u64 = 16 * TEXTURE_SIZE;

/// What a run did.
#[derive(Debug)]
pub struct Report {
    /// Textures whose bytes came back from the device as they were loaded.
    pub checked: u32,
    /// How often one was loaded.
    pub loaded: u32,
    /// How often one was lost for another.
    pub lost: u32,
    /// The most bytes that the pool ever had of the driver.
    pub peak: u64,
    /// The budget.
    pub budget: u64,
}

/// What is written to the device by the host, or the other way around.
struct Exchange {
    buffer: vk::Buffer,
    memory: Allocation,
}

/// A frame, and what it sees.
struct Slot<'a> {
    frame: Frame<'a>,
    upload: Exchange,
    result: Exchange,
    seen: Vec<usize>,
}

/// What is in the pool.
struct Streamer<'a> {
    boot: &'a Boot,
    allocator: &'a GpuAllocator,
    pool: EvictablePool<(vk::Image, ())>,
    textures: Vec<Option<EvictableImage<()>>>,
}

/// Runs the frames on a device.
///
/// # Errors
///
/// What the driver or the allocator refuse, and bytes that came back wrong.
pub fn run(boot: &Boot) -> Result<Report, Box<dyn Error>> {
    let allocator = crate::allocator(boot)?;
    let lost = Arc::new(AtomicU32::new(0));
    let mut streamer = Streamer::new(boot, &allocator, &lost)?;
    let mut slots = (0..IN_FLIGHT)
        .map(|_| Slot::new(boot, &allocator))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let mut report = Report { checked: 0, loaded: 0, lost: 0, peak: 0, budget: BUDGET };
    for number in 1..=FRAME_COUNT {
        let slot = &mut slots[usize::try_from(number)? % IN_FLIGHT];
        report.checked += slot.retire(&allocator)?;
        // SAFETY: 1. The frame that was in this slot has ended, and all before it. 2. `see` touches what the
        // frame uses, or loads it, before it is submitted. 3. Nothing of a view is kept.
        unsafe { streamer.pool.begin_frame(number) };
        report.loaded += streamer.render(slot, number)?;
        report.peak = report.peak.max(streamer.pool.pool().stats().total_size);
    }
    for slot in &mut slots {
        report.checked += slot.retire(&allocator)?;
    }
    report.lost = lost.load(Ordering::Relaxed);
    for Slot { upload, result, .. } in slots {
        for Exchange { buffer, memory } in [upload, result] {
            // SAFETY: The device has finished with every frame.
            unsafe { allocator.destroy_buffer(buffer, memory) }?;
        }
    }
    // SAFETY: 1. The device has finished with every frame. 2. The callback destroys the images.
    let ended = unsafe { allocator.destroy_evictable_pool(streamer.pool) };
    ended.map_err(|refused| refused.error)?;
    allocator.destroy()?;
    let told = lost.load(Ordering::Relaxed);
    if told != report.loaded {
        return Err(format!("{} textures were loaded, and {told} came back", report.loaded).into());
    }
    Ok(report)
}

/// The textures that a frame sees: neighbours, around a place that moves to and fro.
fn seen_in(frame: u64) -> impl Iterator<Item = usize> {
    let wander = usize::try_from(frame * 5 / 4 + frame / 16 * 7).unwrap_or(0);
    (0..SEEN).map(move |step| (wander + step) % TEXTURE_COUNT)
}

fn content(texture: usize) -> Vec<u8> {
    pattern(texture as u64, TEXTURE_SIZE)
}

fn texture_info() -> vk::ImageCreateInfo<'static> {
    let copied = vk::ImageUsageFlags::TRANSFER_SRC | vk::ImageUsageFlags::TRANSFER_DST;
    vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_2D)
        .format(vk::Format::R8G8B8A8_UNORM)
        .extent(vk::Extent3D { width: EDGE, height: EDGE, depth: 1 })
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1)
        .tiling(vk::ImageTiling::OPTIMAL)
        .usage(vk::ImageUsageFlags::SAMPLED | copied)
}

impl<'a> Streamer<'a> {
    fn new(
        boot: &'a Boot,
        allocator: &'a GpuAllocator,
        lost: &Arc<AtomicU32>,
    ) -> Result<Self, Box<dyn Error>> {
        let request =
            AllocationRequest { usage: UsageFlags::FAST_DEVICE_ACCESS, ..Default::default() };
        // SAFETY: The create info is valid usage.
        let types = unsafe { allocator.memory_types_for_image(&texture_info(), &request) }?;
        let pool = allocator.create_pool(&CustomPoolConfig {
            memory_types: &types[..1],
            algorithm: Algorithm::Tlsf,
            block_size: Some(BUDGET),
            max_block_count: Some(1),
            name: Some("textures"),
            ..Default::default()
        })?;
        let (device, lost) = (boot.device.clone(), Arc::clone(lost));
        let on_lost = move |(image, ())| {
            // SAFETY: The device has finished with what is lost, and lives longer than the pool.
            unsafe { device.destroy_image(image, None) };
            lost.fetch_add(1, Ordering::Relaxed);
        };
        let pool = EvictablePool::new(pool, IN_FLIGHT as u64, on_lost);
        let textures = (0..TEXTURE_COUNT).map(|_| None).collect();
        Ok(Self { boot, allocator, pool, textures })
    }

    /// Has the device read every texture that a frame sees; answers how many had to be loaded.
    fn render(&mut self, slot: &mut Slot<'_>, frame: u64) -> Result<u32, Box<dyn Error>> {
        slot.seen = seen_in(frame).collect();
        let mut images = Vec::new();
        for &texture in &slot.seen {
            images.push(self.see(texture, frame)?);
        }
        let mut loaded = 0;
        for (place, (&texture, (_, is_new))) in (0u64..).zip(slot.seen.iter().zip(&images)) {
            if *is_new {
                let upload = &mut slot.upload.memory;
                self.allocator.write(upload, place * TEXTURE_SIZE, &content(texture))?;
                loaded += 1;
            }
        }
        let (upload, result) = (slot.upload.buffer, slot.result.buffer);
        let record = |commands| {
            for (place, (image, is_new)) in (0u64..).zip(images) {
                if is_new {
                    load(self.boot, commands, (upload, place * TEXTURE_SIZE), image);
                }
                read(self.boot, commands, image, (result, place * TEXTURE_SIZE));
            }
            crate::frame::make_visible_to_the_host(&self.boot.device, commands);
        };
        // SAFETY: The images are touched in this frame, so they live until it is waited for.
        unsafe { slot.frame.submit(record) }?;
        Ok(loaded)
    }

    /// The image of a texture, and whether it has to be loaded.
    fn see(&mut self, texture: usize, frame: u64) -> Result<(vk::Image, bool), Box<dyn Error>> {
        let there = self.textures[texture].as_ref();
        let image = there.and_then(|one| self.allocator.with(one, frame, |view| view.value().0));
        if let Some(image) = image {
            return Ok((image, false));
        }
        let (allocator, info) = (self.allocator, texture_info());
        let request = PoolAllocationRequest::default();
        // SAFETY: 1. The create info is valid usage. 2. Nothing is chained to the pool's block.
        let made =
            unsafe { allocator.create_evictable_image(&self.pool, &info, &request, frame, ()) };
        let made = made.map_err(|refused| refused.error)?;
        let image = allocator.with(&made, frame, |view| view.value().0);
        let image = image.ok_or("a texture was lost in its own frame")?;
        self.textures[texture] = Some(made);
        Ok((image, true))
    }
}

impl<'a> Slot<'a> {
    fn new(boot: &'a Boot, allocator: &GpuAllocator) -> Result<Self, Box<dyn Error>> {
        let exchange = |copied, usage| {
            let info =
                vk::BufferCreateInfo::default().size(SEEN as u64 * TEXTURE_SIZE).usage(copied);
            let request = AllocationRequest { usage, ..Default::default() };
            // SAFETY: The create info is valid usage.
            let made = unsafe { allocator.create_buffer(&info, &request) };
            made.map(|(buffer, memory)| Exchange { buffer, memory })
        };
        let upload = exchange(vk::BufferUsageFlags::TRANSFER_SRC, UsageFlags::UPLOAD)?;
        let result = exchange(vk::BufferUsageFlags::TRANSFER_DST, UsageFlags::DOWNLOAD)?;
        Ok(Self { frame: Frame::new(boot)?, upload, result, seen: Vec::new() })
    }

    /// Waits for the frame, and compares what the device has read; answers how many textures.
    fn retire(&mut self, allocator: &GpuAllocator) -> Result<u32, Box<dyn Error>> {
        self.frame.wait()?;
        let (mut found, mut checked) = (vec![0; usize::try_from(TEXTURE_SIZE)?], 0);
        for (place, texture) in (0u64..).zip(self.seen.drain(..)) {
            allocator.read(&self.result.memory, place * TEXTURE_SIZE, &mut found)?;
            if found != content(texture) {
                return Err(
                    format!("the device read other bytes than texture {texture} has").into()
                );
            }
            checked += 1;
        }
        Ok(checked)
    }
}

/// Records that an image gets its bytes, and is read by copies afterwards.
fn load(boot: &Boot, commands: vk::CommandBuffer, from: (vk::Buffer, u64), image: vk::Image) {
    let copied = vk::ImageLayout::TRANSFER_DST_OPTIMAL;
    let none = vk::AccessFlags::empty();
    let written = vk::AccessFlags::TRANSFER_WRITE;
    turn(boot, commands, image, (vk::ImageLayout::UNDEFINED, none), (copied, written));
    let regions = [whole(from.1)];
    // SAFETY: Both live until the frame has ended, and are of this size.
    unsafe { boot.device.cmd_copy_buffer_to_image(commands, from.0, image, copied, &regions) };
    let read = (vk::ImageLayout::TRANSFER_SRC_OPTIMAL, vk::AccessFlags::TRANSFER_READ);
    turn(boot, commands, image, (copied, written), read);
}

/// Records that an image that was loaded is copied to a buffer.
fn read(boot: &Boot, commands: vk::CommandBuffer, image: vk::Image, to: (vk::Buffer, u64)) {
    let (layout, regions) = (vk::ImageLayout::TRANSFER_SRC_OPTIMAL, [whole(to.1)]);
    // SAFETY: Both live until the frame has ended, and are of this size.
    unsafe { boot.device.cmd_copy_image_to_buffer(commands, image, layout, to.0, &regions) };
}

fn whole(buffer_offset: u64) -> vk::BufferImageCopy {
    let layers = vk::ImageSubresourceLayers::default()
        .aspect_mask(vk::ImageAspectFlags::COLOR)
        .layer_count(1);
    vk::BufferImageCopy::default()
        .buffer_offset(buffer_offset)
        .image_subresource(layers)
        .image_extent(vk::Extent3D { width: EDGE, height: EDGE, depth: 1 })
}

/// Records that an image goes from one layout to another, between copies.
fn turn(
    boot: &Boot,
    commands: vk::CommandBuffer,
    image: vk::Image,
    from: (vk::ImageLayout, vk::AccessFlags),
    to: (vk::ImageLayout, vk::AccessFlags),
) {
    let range = vk::ImageSubresourceRange::default()
        .aspect_mask(vk::ImageAspectFlags::COLOR)
        .level_count(1)
        .layer_count(1);
    let barriers = [vk::ImageMemoryBarrier::default()
        .old_layout(from.0)
        .src_access_mask(from.1)
        .new_layout(to.0)
        .dst_access_mask(to.1)
        .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .image(image)
        .subresource_range(range)];
    let (copy, none) = (vk::PipelineStageFlags::TRANSFER, vk::DependencyFlags::empty());
    // SAFETY: The command buffer is being recorded, and the image lives until the frame has ended.
    unsafe { boot.device.cmd_pipeline_barrier(commands, copy, copy, none, &[], &[], &barriers) };
}
