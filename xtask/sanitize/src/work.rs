//! What the threads do: all that an allocator offers, on memory that goes from hand to hand.
//!
//! Basic design: each thread has allocations of its own, and gives some to whoever takes them. Every
//! allocation that the host can write holds a pattern, checked by who frees it, so that memory that two
//! allocations share is seen by the pattern, and by a sanitizer as a race of its writers.

use std::sync::atomic::{AtomicU64, Ordering};

use ash::vk;
use gpu_alloc_ash::{
    Allocation, AllocationRequest, ExternalMemory, GpuAllocator, ResourceKind, UsageFlags,
};
use parking_lot::Mutex;

use crate::done::Done;
use crate::random::Random;
use crate::threads;

/// Threads that allocate; one more looks on.
const WORKERS: usize = 3;

/// Allocations that a thread holds at most.
const HELD: usize = 64;

/// What a thread takes under one turn of a lock, so that others find it taken; and how often at most,
/// until one of them has moved to another shard.
const CROWD: usize = 200;
const PATIENCE: u32 = 20_000;

/// `VK_MAX_MEMORY_HEAPS` and `VK_MAX_MEMORY_TYPES`.
const MOST_HEAPS: u32 = 16;
const MOST_TYPES: u32 = 32;

/// A live allocation, and what its first bytes are if the host can write it.
struct Held {
    allocation: Allocation,
    pattern: Option<u64>,
}

/// What all threads share.
struct Shared<'a> {
    allocator: &'a GpuAllocator,
    device: &'a ash::Device,
    /// To be freed by whoever takes it.
    given: Mutex<Vec<Held>>,
    working: AtomicU64,
    done: Done,
}

/// Runs all threads to their end, frees everything, and says what came about.
pub(crate) fn run(allocator: &GpuAllocator, device: &ash::Device, rounds: u32) -> Done {
    let shared = Shared {
        allocator,
        device,
        given: Mutex::new(Vec::new()),
        working: AtomicU64::new(WORKERS as u64),
        done: Done::default(),
    };
    threads::run_all(WORKERS + 1, &|index| {
        if index < WORKERS {
            work(&shared, index as u64, rounds);
            shared.working.fetch_sub(1, Ordering::Relaxed);
        } else {
            look_on(&shared);
        }
    });
    let given = std::mem::take(&mut *shared.given.lock());
    given.into_iter().for_each(|held| free(&shared, held));
    let stats = allocator.stats();
    assert_eq!((stats.allocation_count, stats.total_used), (0, 0), "{stats:?}");
    shared.done.device_allocations.store(stats.device_allocations, Ordering::Relaxed);
    shared.done
}

/// A thread that asks for all reports while the others work.
fn look_on(shared: &Shared<'_>) {
    let Shared { allocator, done, .. } = shared;
    while shared.working.load(Ordering::Relaxed) > 0 {
        let stats = allocator.stats();
        assert_eq!(stats.allocation_count, stats.pooled + stats.dedicated + stats.external);
        let leaks = allocator.leaks();
        add(&done.leaks_listed, leaks.len() as u64);
        for heap_index in 0..MOST_HEAPS {
            let usage = allocator.heap_usage(heap_index);
            assert_eq!(usage.is_some(), allocator.heap_budget(heap_index).is_some());
        }
        for memory_type_index in 0..MOST_TYPES {
            if let Some(stats) = allocator.pool_stats(memory_type_index) {
                done.most_leased.fetch_max(stats.borrowed_size, Ordering::Relaxed);
            }
        }
        allocator.refresh_budgets();
    }
}

fn work(shared: &Shared<'_>, index: u64, rounds: u32) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ ((index + 1) << 20));
    let mut own = Vec::new();
    for _ in 0..rounds / 2 {
        one_round(shared, &mut random, &mut own);
    }
    collide(shared);
    for _ in rounds / 2..rounds {
        one_round(shared, &mut random, &mut own);
    }
    own.into_iter().for_each(|held| free(shared, held));
}

/// Holds locks for long, again and again, until a thread has had enough of it and has turned to a shard
/// that leases room.
fn collide(shared: &Shared<'_>) {
    let request = AllocationRequest { size: 256, usage: USAGES[0], ..AllocationRequest::default() };
    for _ in 0..PATIENCE {
        if shared.done.most_leased.load(Ordering::Relaxed) > 0 {
            return;
        }
        let crowd = shared.allocator.allocate_many(&request, CROWD);
        let crowd = crowd.expect("there is memory for so little");
        // SAFETY: the device has never seen them.
        let freed = unsafe { shared.allocator.free_many(crowd) };
        freed.expect("they are this allocator's");
    }
}

fn one_round(shared: &Shared<'_>, random: &mut Random, own: &mut Vec<Held>) {
    let Shared { allocator, done, .. } = shared;
    match random.below(32) {
        0..14 if own.len() < HELD => own.extend(allocated(shared, random)),
        0..22 => {
            if let Some(held) = taken(own, random) {
                free(shared, held);
            }
        }
        22..25 => {
            let held = taken(own, random);
            shared.given.lock().extend(held);
        }
        25..28 => {
            let held = shared.given.lock().pop();
            if let Some(held) = held {
                add(&done.freed_elsewhere, 1);
                free(shared, held);
            }
        }
        28 => buffer(shared, random),
        29 => many(shared, random),
        30 if random.below(8) == 0 => external(shared, random),
        31 if random.below(8) == 0 => add(&done.trimmed_bytes, allocator.trim()),
        _ => {}
    }
}

/// One allocation of any size, for any use, with or without a name.
fn allocated(shared: &Shared<'_>, random: &mut Random) -> Option<Held> {
    let size = match random.below(16) {
        0 => 1 + random.below(3 << 20),
        1..4 => 1 + random.below(128 << 10),
        _ => 1 + random.below(4 << 10),
    };
    let name = format!("of {size} bytes");
    let is_named = random.below(8) == 0;
    add(&shared.done.named, u64::from(is_named));
    let request = AllocationRequest {
        size,
        alignment: 1 << random.below(9),
        usage: any(random, &USAGES),
        kind: any(random, &[ResourceKind::Linear, ResourceKind::NonLinear, ResourceKind::Unknown]),
        name: is_named.then_some(&name),
        ..AllocationRequest::default()
    };
    let mut allocation =
        shared.allocator.allocate(&request).expect("there is memory for so little");
    add(&shared.done.allocated, 1);
    let pattern = (size >= 8 && allocation.mapped_ptr().is_some()).then(|| random.next());
    if let Some(pattern) = pattern {
        let written = shared.allocator.write(&mut allocation, 0, &pattern.to_ne_bytes());
        written.expect("it is mapped, and has eight bytes");
        let last = [pattern.to_ne_bytes()[0]];
        let written = shared.allocator.write(&mut allocation, size - 1, &last);
        // The last of eight bytes is the pattern's own.
        written.expect("it is mapped, and has so many bytes");
    }
    Some(Held { allocation, pattern: pattern.filter(|_| size > 8) })
}

const USAGES: [UsageFlags; 4] = [
    UsageFlags::FAST_DEVICE_ACCESS,
    UsageFlags::UPLOAD,
    UsageFlags::DOWNLOAD,
    UsageFlags::HOST_ACCESS,
];

fn free(shared: &Shared<'_>, held: Held) {
    let Held { allocation, pattern } = held;
    if let Some(pattern) = pattern {
        let mut first = [0; 8];
        let read = shared.allocator.read(&allocation, 0, &mut first);
        read.expect("it is mapped, and has eight bytes");
        assert_eq!(u64::from_ne_bytes(first), pattern, "nobody else has written there");
    }
    // SAFETY: the device has never seen it.
    let freed = unsafe { shared.allocator.free(allocation) };
    freed.expect("it is this allocator's");
}

/// A buffer that comes and goes.
fn buffer(shared: &Shared<'_>, random: &mut Random) {
    let usage = vk::BufferUsageFlags::UNIFORM_BUFFER | vk::BufferUsageFlags::TRANSFER_DST;
    let info = vk::BufferCreateInfo::default().size(1 + random.below(64 << 10)).usage(usage);
    let request = AllocationRequest { usage: UsageFlags::UPLOAD, ..AllocationRequest::default() };
    // SAFETY: the create info is valid usage.
    let made = unsafe { shared.allocator.create_buffer(&info, &request) };
    let (buffer, mut allocation) = made.expect("there is memory for so little");
    let written = shared.allocator.write(&mut allocation, 0, &[1]);
    written.expect("memory for uploads is mapped");
    // SAFETY: the device has never seen it.
    let destroyed = unsafe { shared.allocator.destroy_buffer(buffer, allocation) };
    destroyed.expect("it is this allocator's");
    add(&shared.done.buffers, 1);
}

/// Some of one kind, freed at once.
fn many(shared: &Shared<'_>, random: &mut Random) {
    let request = AllocationRequest {
        size: 1 + random.below(16 << 10),
        usage: any(random, &USAGES),
        ..AllocationRequest::default()
    };
    let many = shared.allocator.allocate_many(&request, 8).expect("there is memory for so little");
    add(&shared.done.allocated, many.len() as u64);
    // SAFETY: the device has never seen them.
    let freed = unsafe { shared.allocator.free_many(many) };
    freed.expect("they are this allocator's");
}

/// A memory object made elsewhere.
fn external(shared: &Shared<'_>, random: &mut Random) {
    let size = 1 + random.below(64 << 10);
    let info = vk::MemoryAllocateInfo::default().allocation_size(size).memory_type_index(0);
    // SAFETY: every device has a memory type 0, and the size is not 0.
    let memory = unsafe { shared.device.allocate_memory(&info, None) };
    let memory = memory.expect("there is memory for so little");
    let external = ExternalMemory {
        memory,
        size,
        memory_type_index: 0,
        mapped_ptr: None,
        name: Some("made elsewhere"),
    };
    // SAFETY: it is described truly, and lives until the allocation is freed below.
    let adopted = unsafe { shared.allocator.adopt_external(external) };
    let allocation = adopted.expect("it is a memory object of this device");
    // SAFETY: the device has never seen it.
    let freed = unsafe { shared.allocator.free(allocation) };
    freed.expect("it is this allocator's");
    // SAFETY: it was made above, and nothing uses it.
    unsafe { shared.device.free_memory(memory, None) };
    add(&shared.done.externals, 1);
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

fn taken(held: &mut Vec<Held>, random: &mut Random) -> Option<Held> {
    let count = held.len() as u64;
    (count > 0).then(|| held.swap_remove(index(random.below(count))))
}

fn any<T: Copy>(random: &mut Random, all: &[T]) -> T {
    all[index(random.below(all.len() as u64))]
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("it is below a length")
}
