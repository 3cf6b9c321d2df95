//! Some thousand random creates, writes and destroys, with every mapped byte checked.
//!
//! Basic design: each live allocation has its expected bytes beside it. They are compared when it
//! goes and, for all that live, every few hundred steps, so a write that reached a neighbour is
//! seen. Places go into a shadow map. The population grows and shrinks in turns, so that blocks
//! come, are kept and go. A seed makes a run; failures name seed and step.

use std::fmt;
use std::sync::Mutex;
use std::thread;

use ash::vk;
use gpu_alloc_ash::{
    Allocation, AllocationRequest, AllocatorConfig, FillBytes, ResourceKind, Strategy, UsageFlags,
};
use rstest::rstest;

use crate::bytes::{Random, assert_same_bytes, pattern, usize_from};
use crate::formats::RGBA8;
use crate::resources::{Shape, buffer_info};
use crate::shadow::Shadow;
use crate::support::{Gpu, passthrough};
use crate::{buffers, images, raw};

const STEPS: u64 = 3000;
/// Steps between two changes of direction.
const PHASE: u64 = 300;
/// Steps between two checks of everything.
const CHECK: u64 = 250;

const USAGES: [UsageFlags; 6] = [
    UsageFlags::FAST_DEVICE_ACCESS,
    UsageFlags::UPLOAD,
    UsageFlags::DOWNLOAD,
    UsageFlags::HOST_ACCESS,
    UsageFlags::UPLOAD.union(UsageFlags::FAST_DEVICE_ACCESS),
    UsageFlags::UPLOAD.union(UsageFlags::TRANSIENT),
];

enum Resource {
    None,
    Buffer(vk::Buffer),
    Image(vk::Image),
}

struct Live {
    resource: Resource,
    allocation: Allocation,
    /// What the whole allocation holds; empty if it is not mapped.
    bytes: Vec<u8>,
}

/// One thread's run.
struct Churn<'a> {
    gpu: &'a Gpu,
    shadow: &'a Mutex<Shadow>,
    /// Whether no other thread uses the allocator, so that its counts are this run's.
    is_alone: bool,
    seed: u64,
    step: u64,
    random: Random,
    live: Vec<Live>,
    /// Comparisons of mapped allocations with their expected bytes.
    compared: u64,
}

impl fmt::Display for Churn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} step {}", self.seed, self.step)
    }
}

impl<'a> Churn<'a> {
    fn new(gpu: &'a Gpu, shadow: &'a Mutex<Shadow>, is_alone: bool, seed: u64) -> Self {
        let random = Random::new(seed);
        Self { gpu, shadow, is_alone, seed, step: 0, random, live: Vec::new(), compared: 0 }
    }

    /// Runs to the end and gives everything back; answers how much was compared.
    fn run(mut self) -> u64 {
        while self.step < STEPS {
            let create_share = if (self.step / PHASE).is_multiple_of(2) { 65 } else { 20 };
            match self.random.below(100) {
                roll if roll < create_share => self.create(),
                roll if roll < 85 => self.destroy_one(),
                _ => self.rewrite(),
            }
            self.step += 1;
            if self.step.is_multiple_of(CHECK) {
                self.check_all();
            }
        }
        while !self.live.is_empty() {
            self.destroy_one();
        }
        self.compared
    }

    fn request(&mut self) -> AllocationRequest<'static> {
        let strategy = match self.random.below(16) {
            0 => Strategy::Dedicated,
            1..=3 => Strategy::Pooled,
            _ => Strategy::Auto,
        };
        let name = (self.random.below(4) == 0).then_some("churn");
        AllocationRequest { usage: self.random.pick(&USAGES), strategy, name, ..Default::default() }
    }

    fn create(&mut self) {
        let request = self.request();
        let (resource, mut allocation, is_linear) = match self.random.below(10) {
            0..=5 => self.buffer(&request),
            6..=8 => self.image(&request),
            _ => self.plain(request),
        };
        self.shadow.lock().unwrap().insert(self.gpu, &allocation, is_linear);
        let mut bytes = Vec::new();
        if allocation.mapped_ptr().is_some() {
            bytes = pattern(self.random.next(), allocation.size());
            self.gpu.allocator.write(&mut allocation, 0, &bytes).unwrap();
        }
        self.live.push(Live { resource, allocation, bytes });
    }

    /// As many small ones as large ones, and one in fifty of some MiB.
    fn size(&mut self) -> u64 {
        if self.random.below(50) == 0 {
            return 1 + self.random.below(6 << 20);
        }
        let magnitude = self.random.below(19);
        (1 << magnitude) + self.random.below(1 << magnitude)
    }

    fn buffer(&mut self, request: &AllocationRequest<'_>) -> (Resource, Allocation, bool) {
        let info = buffer_info(self.size(), buffers::COPIED);
        // SAFETY: valid usage on every device.
        let created = unsafe { self.gpu.allocator.create_buffer(&info, request) };
        let (buffer, allocation) = created.unwrap_or_else(|error| panic!("{self}: {error}"));
        (Resource::Buffer(buffer), allocation, true)
    }

    fn image(&mut self, request: &AllocationRequest<'_>) -> (Resource, Allocation, bool) {
        let tilings = [vk::ImageTiling::OPTIMAL, vk::ImageTiling::OPTIMAL, vk::ImageTiling::LINEAR];
        let tiling = self.random.pick(&tilings);
        let extents = [1, 7, 32, 100, 256, 300];
        let (width, height) = (self.random.pick(&extents), self.random.pick(&extents));
        let info = Shape::flat(&RGBA8, tiling, width, height).info(images::COPIED);
        // Optimal images may have fewer memory types than buffers, none of them mapped.
        let request = AllocationRequest { usage: UsageFlags::FAST_DEVICE_ACCESS, ..*request };
        // SAFETY: copies of this format are supported with both tilings.
        let created = unsafe { self.gpu.allocator.create_image(&info, &request) };
        let (image, allocation) = created.unwrap_or_else(|error| panic!("{self}: {error}"));
        (Resource::Image(image), allocation, tiling == vk::ImageTiling::LINEAR)
    }

    fn plain(&mut self, request: AllocationRequest<'_>) -> (Resource, Allocation, bool) {
        let kinds = [ResourceKind::Linear, ResourceKind::NonLinear, ResourceKind::Unknown];
        let kind = self.random.pick(&kinds);
        let alignment = 1 << self.random.below(13);
        let request = AllocationRequest { size: self.size(), alignment, kind, ..request };
        let allocated = self.gpu.allocator.allocate(&request);
        let allocation = allocated.unwrap_or_else(|error| panic!("{self}: {error}"));
        assert_eq!(allocation.offset() % alignment, 0, "{self}");
        assert_eq!(allocation.size(), request.size, "{self}");
        (Resource::None, allocation, kind == ResourceKind::Linear)
    }

    /// Writes a part of a mapped allocation anew.
    fn rewrite(&mut self) {
        let mapped: Vec<_> =
            (0..self.live.len()).filter(|&index| !self.live[index].bytes.is_empty()).collect();
        if mapped.is_empty() {
            return;
        }
        let live = &mut self.live[self.random.pick(&mapped)];
        let offset = self.random.below(live.allocation.size());
        let size = 1 + self.random.below(live.allocation.size() - offset);
        let bytes = pattern(self.random.next(), size);
        self.gpu.allocator.write(&mut live.allocation, offset, &bytes).unwrap();
        live.bytes[usize_from(offset)..usize_from(offset + size)].copy_from_slice(&bytes);
    }

    fn destroy_one(&mut self) {
        if self.live.is_empty() {
            return;
        }
        let index = self.random.index(self.live.len());
        let live = self.live.swap_remove(index);
        self.check(&live);
        self.shadow.lock().unwrap().remove(&live.allocation);
        let allocator = &self.gpu.allocator;
        let answer = match live.resource {
            Resource::None => return raw::free(allocator, live.allocation),
            // SAFETY: the pair is of one `create_buffer`, and nothing was ever submitted.
            Resource::Buffer(buffer) => unsafe {
                allocator.destroy_buffer(buffer, live.allocation)
            },
            // SAFETY: as above.
            Resource::Image(image) => unsafe { allocator.destroy_image(image, live.allocation) },
        };
        answer.unwrap_or_else(|refused| panic!("{self}: {}", refused.error));
    }

    fn check(&mut self, live: &Live) {
        if live.bytes.is_empty() {
            return;
        }
        let mut got = vec![0u8; live.bytes.len()];
        self.gpu.allocator.read(&live.allocation, 0, &mut got).unwrap();
        assert_same_bytes(&*self, &got, &live.bytes);
        self.compared += 1;
    }

    fn check_all(&mut self) {
        let live = std::mem::take(&mut self.live);
        live.iter().for_each(|live| self.check(live));
        self.live = live;
        if !self.is_alone {
            return;
        }
        let stats = self.gpu.allocator.stats();
        assert_eq!(stats.allocation_count, self.live.len() as u64, "{self}");
        assert_eq!(self.shadow.lock().unwrap().len(), self.live.len(), "{self}");
        let requested: u64 = self.live.iter().map(|live| live.allocation.size()).sum();
        assert_eq!(stats.total_requested, requested, "{self}");
        assert!(requested <= stats.total_used && stats.total_used <= stats.total_allocated);
        let dedicated = self.live.iter().filter(|live| live.allocation.is_dedicated()).count();
        assert_eq!(stats.dedicated, dedicated as u64, "{self}");
        assert_eq!(self.gpu.allocator.leaks().len(), self.live.len(), "{self}");
    }
}

/// Blocks so small that many come and go, none of them kept.
fn small_blocks() -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.first_block_size = 1 << 20;
    config.host_first_block_size = 1 << 20;
    config.largest_block_size = 8 << 20;
    config.retained_bytes = Some(0);
    config.retained_live_divisor = 0;
    config
}

/// Small blocks with everything that finds mistakes; the end finds none.
fn guarded() -> AllocatorConfig {
    let mut config = small_blocks();
    config.corruption_margin = 64;
    config.fill = Some(FillBytes::default());
    config
}

#[rstest]
#[case::default(AllocatorConfig::default(), 1)]
#[case::small_blocks(small_blocks(), 1)]
#[case::from_two_threads(AllocatorConfig::default(), 2)]
#[case::small_blocks_from_two_threads(small_blocks(), 2)]
#[case::guarded_from_two_threads(guarded(), 2)]
#[case::passthrough_from_two_threads(passthrough(), 2)]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn random_programs_keep_their_bytes(#[case] config: AllocatorConfig, #[case] thread_count: u64) {
    let gpu = Gpu::with_config(config);
    let shadow = Mutex::new(Shadow::new(&gpu));
    thread::scope(|scope| {
        let spawn = |seed| {
            let (gpu, shadow) = (&gpu, &shadow);
            scope.spawn(move || Churn::new(gpu, shadow, thread_count == 1, seed).run())
        };
        let threads: Vec<_> = (1..=thread_count).map(spawn).collect();
        for thread in threads {
            let compared = thread.join().expect("no thread panics");
            assert!(compared > STEPS / 4, "only {compared} comparisons");
        }
    });
    assert_eq!(shadow.lock().unwrap().len(), 0);
    gpu.finish();
}
