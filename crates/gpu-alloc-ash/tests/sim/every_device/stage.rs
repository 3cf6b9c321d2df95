//! One device, one policy, and buffers through which bytes go to and from everything else.
//!
//! Basic design: what goes in is written to a staging buffer by the allocator and copied by the
//! device, what comes out is copied by the device to a readback buffer, which was overwritten
//! before, and read by the allocator. Each time another part of the two buffers is used, so that
//! flushed and invalidated ranges begin and end anywhere. Everything that is made stays until the
//! end, when it is compared once more: whoever wrote to another's bytes is found then.

use ash::vk;
use gpu_alloc_ash::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, CreateError, LimitError,
    ResourceKind, Strategy, UsageFlags,
};
use vk_sim::DriverConfig;

use crate::devices::Device;
use crate::held::Held;
use crate::queue::{BOTH_ENDS, Queue};
use crate::rng::Rng;
use crate::support::{KIB, Sim};

/// Bytes of the staging and of the readback buffer.
const THROUGH: u64 = 64 * KIB;

/// What the readback buffer holds until the copy.
const NOT_COPIED: u8 = 0xee;

pub(super) struct Stage {
    queue: Queue,
    pub(super) sim: Sim,
    pub(super) rng: Rng,
    staging: (vk::Buffer, Allocation),
    readback: (vk::Buffer, Allocation),
    /// The memory types that may be used.
    pub(super) memory_type_bits: u32,
    kept: Vec<Kept>,
    pub(super) tally: Tally,
}

/// What lives, with the bytes that the device has of it.
struct Kept {
    held: Held,
    bytes: Vec<u8>,
    regions: Vec<vk::BufferImageCopy>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Resources whose bytes came back.
    pub(super) carried: usize,
    /// Of them, buffers that are mapped, so that host and device met in them.
    pub(super) met: usize,
    /// Of those, in memory that is not coherent.
    pub(super) met_without_coherence: usize,
    /// Requests that the device cannot serve.
    pub(super) refused: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.carried += other.carried;
        self.met += other.met;
        self.met_without_coherence += other.met_without_coherence;
        self.refused += other.refused;
    }
}

impl Stage {
    pub(super) fn new(device: &Device, config: AllocatorConfig) -> Self {
        Self::on(device.config.clone(), config, device.is_single_object())
    }

    /// A stage whose resources all go into one block, if the device has no more than one object.
    fn on(driver: DriverConfig, config: AllocatorConfig, single_object: bool) -> Self {
        let is_visible =
            |flags: vk::MemoryPropertyFlags| flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE);
        let visible = (0..).zip(&driver.memory_types).find(|(_, (flags, _))| is_visible(*flags));
        let (visible, _): (u32, _) = visible.expect("every device has memory for the host");
        let memory_type_bits = if single_object { 1 << visible } else { u32::MAX };
        let sim = Sim::new(driver, config);
        let buffer = |usage| {
            let info = vk::BufferCreateInfo::default().size(THROUGH).usage(BOTH_ENDS);
            let request = AllocationRequest { usage, memory_type_bits, ..Default::default() };
            sim.create_buffer(&info, &request).expect("there is room for two buffers")
        };
        let (staging, readback) = (buffer(UsageFlags::UPLOAD), buffer(UsageFlags::DOWNLOAD));
        Self {
            queue: Queue::new(&sim),
            sim,
            rng: Rng::new(7),
            staging,
            readback,
            memory_type_bits,
            kept: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Makes a buffer, and lets bytes go through it.
    pub(super) fn buffer(
        &mut self,
        info: &vk::BufferCreateInfo<'_>,
        request: &AllocationRequest<'_>,
    ) {
        let info = info.usage(info.usage | BOTH_ENDS);
        let bits = self.memory_type_bits & request.memory_type_bits;
        let request = AllocationRequest { memory_type_bits: bits, ..*request };
        match self.sim.create_buffer(&info, &request) {
            Ok((buffer, memory)) => {
                self.keep(Held::Buffer(buffer, memory), info.size, Vec::new());
            }
            Err(error) => self.refused(&error, &request, ResourceKind::Linear),
        }
    }

    /// Makes an image, and lets texels go through it; `regions` lie one after the other, to `size`.
    pub(super) fn image(
        &mut self,
        info: &vk::ImageCreateInfo<'_>,
        request: &AllocationRequest<'_>,
        (regions, size): (Vec<vk::BufferImageCopy>, u64),
    ) {
        let ends = vk::ImageUsageFlags::TRANSFER_SRC | vk::ImageUsageFlags::TRANSFER_DST;
        let info = info.usage(info.usage | ends);
        let bits = self.memory_type_bits & request.memory_type_bits;
        let request = AllocationRequest { memory_type_bits: bits, ..*request };
        let is_linear = info.tiling == vk::ImageTiling::LINEAR;
        let kind = if is_linear { ResourceKind::Linear } else { ResourceKind::NonLinear };
        match self.sim.create_image(&info, &request) {
            Ok((image, memory)) => self.keep(Held::Image(image, memory), size, regions),
            Err(error) => self.refused(&error, &request, kind),
        }
    }

    /// Takes in what was made after bytes have gone through it.
    pub(super) fn keep(&mut self, held: Held, size: u64, regions: Vec<vk::BufferImageCopy>) {
        let bytes = self.rng.bytes(usize::try_from(size).expect("small"));
        self.kept.push(Kept { held, bytes, regions });
        let index = self.kept.len() - 1;
        self.write_by_device(index);
        self.compare(index);
        self.tally.carried += 1;
        let memory = self.kept[index].memory();
        // The order of an image's texels in memory is the driver's.
        if memory.mapped_ptr().is_none() || !matches!(self.kept[index].held, Held::Buffer(..)) {
            return;
        }
        self.tally.met += 1;
        let (flags, _) = self.sim.driver.config().memory_types[memory.memory_type_index() as usize];
        if !flags.contains(vk::MemoryPropertyFlags::HOST_COHERENT) {
            self.tally.met_without_coherence += 1;
        }
        self.read_by_host(index);
        self.write_by_host(index);
        self.compare(index);
    }

    /// Host, staging buffer, device, resource.
    fn write_by_device(&mut self, index: usize) {
        let Kept { held, bytes, regions } = &self.kept[index];
        let at = through(&mut self.rng, bytes);
        let (staging, memory) = (&self.staging.0, &mut self.staging.1);
        self.sim.allocator.write(memory, at, bytes).expect("it is mapped");
        let size = bytes.len() as u64;
        match *held {
            Held::Buffer(buffer, _) => self.queue.copy((*staging, at), (buffer, 0), size),
            Held::Image(image, _) => self.queue.write_texels(*staging, image, &moved(regions, at)),
            _ => unreachable!("nothing else is kept"),
        }
    }

    /// Resource, device, readback buffer, host: the bytes are those that went in.
    fn compare(&mut self, index: usize) {
        let Kept { held, bytes, regions } = &self.kept[index];
        let at = through(&mut self.rng, bytes);
        let (readback, memory) = (self.readback.0, &mut self.readback.1);
        let mut found = vec![NOT_COPIED; bytes.len()];
        self.sim.allocator.write(memory, at, &found).expect("it is mapped");
        let size = bytes.len() as u64;
        match *held {
            Held::Buffer(buffer, _) => self.queue.copy((buffer, 0), (readback, at), size),
            Held::Image(image, _) => self.queue.read_texels(image, readback, &moved(regions, at)),
            _ => unreachable!("nothing else is kept"),
        }
        self.sim.allocator.read(memory, at, &mut found).expect("it is mapped");
        assert_same(&found, bytes, "on the device", &self.kept[index]);
    }

    /// The host sees in the buffer's own memory what the device wrote.
    fn read_by_host(&self, index: usize) {
        let kept = &self.kept[index];
        let mut found = vec![NOT_COPIED; kept.bytes.len()];
        self.sim.allocator.read(kept.memory(), 0, &mut found).expect("it is mapped");
        assert_same(&found, &kept.bytes, "by the host", kept);
    }

    /// Overwrites a part of the buffer's own memory by the host.
    fn write_by_host(&mut self, index: usize) {
        let Kept { held, bytes, .. } = &mut self.kept[index];
        let start = self.rng.index(bytes.len());
        let end = start + 1 + self.rng.index(bytes.len() - start);
        let fresh = self.rng.bytes(end - start);
        let memory = held.allocation_mut().expect("it has memory");
        self.sim.allocator.write(memory, start as u64, &fresh).expect("it is mapped");
        bytes[start..end].copy_from_slice(&fresh);
    }

    /// What cannot be served by this device, and for which reason.
    pub(super) fn refused(
        &mut self,
        error: &CreateError,
        request: &AllocationRequest<'_>,
        kind: ResourceKind,
    ) {
        let config = self.sim.driver.config();
        let limit = config.max_memory_allocation_count;
        let is_due = match error {
            CreateError::Alloc(AllocError::Limit(LimitError::AllocationCount { limit: said })) => {
                *said == limit && self.sim.driver.live().memory as u64 == u64::from(limit)
            }
            CreateError::Alloc(AllocError::LargerThanBlock { largest_block_size, .. }) => {
                request.strategy == Strategy::Pooled
                    && kind == ResourceKind::NonLinear
                    && config.buffer_image_granularity > *largest_block_size
            }
            _ => false,
        };
        assert!(is_due, "{error}: {request:?}");
        self.tally.refused += 1;
    }

    /// Compares everything once more, and gives it back.
    pub(super) fn finish(mut self) -> Tally {
        self.sim.check_books();
        for index in 0..self.kept.len() {
            self.compare(index);
            let Kept { held, .. } = &self.kept[index];
            if matches!(held, Held::Buffer(_, memory) if memory.mapped_ptr().is_some()) {
                self.read_by_host(index);
            }
        }
        let Self { queue, sim, staging, readback, kept, tally, .. } = self;
        kept.into_iter().for_each(|kept| kept.held.release(&sim));
        for (buffer, memory) in [staging, readback] {
            sim.destroy_buffer(buffer, memory);
        }
        drop(queue);
        sim.finish();
        tally
    }
}

impl Kept {
    fn memory(&self) -> &Allocation {
        self.held.allocation().expect("it has memory")
    }
}

/// Somewhere in the staging or readback buffer, on the size of a texel.
fn through(rng: &mut Rng, bytes: &[u8]) -> u64 {
    let room = THROUGH.checked_sub(bytes.len() as u64).expect("it goes through at once");
    rng.below(room / 4 + 1) * 4
}

/// Regions further on in the buffer.
fn moved(regions: &[vk::BufferImageCopy], at: u64) -> Vec<vk::BufferImageCopy> {
    let moved = |region: &vk::BufferImageCopy| vk::BufferImageCopy {
        buffer_offset: region.buffer_offset + at,
        ..*region
    };
    regions.iter().map(moved).collect()
}

#[track_caller]
fn assert_same(found: &[u8], wanted: &[u8], side: &str, kept: &Kept) {
    let first = found.iter().zip(wanted).position(|(found, wanted)| found != wanted);
    if let Some(first) = first {
        let (found, wanted) = (found[first], wanted[first]);
        panic!("byte {first} is {found:#x} {side}, not {wanted:#x}: {:?}", kept.held);
    }
}
