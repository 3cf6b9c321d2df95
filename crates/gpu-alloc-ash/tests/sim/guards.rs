//! Margins behind allocations: who writes past an allocation is found, by the allocation's name, and
//! nobody else is.
//!
//! Each test plants its overrun through a pointer or through the device; the same programs without one
//! are silent, here and in the random programs.

mod ends;
mod threads;

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest, AllocatorConfig, Overrun, UsageFlags};
use rstest::rstest;
use vk_sim::{Call, DriverConfig};

use crate::queue::{BOTH_ENDS, Queue};
use crate::support::{KIB, MIB, Sim};
use crate::tables;

/// Bytes behind each allocation.
const MARGIN: u64 = 16;

/// What is written where nobody may write; the margin has no such byte.
const WRONG: u8 = 0x77;

/// The default policy with margins.
pub(crate) fn guarded(margin: u64) -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.corruption_margin = margin;
    config
}

/// Memory that the host sees.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Memory {
    Coherent,
    /// Not coherent, on atoms of so many bytes.
    Atoms(u64),
}

impl Memory {
    fn device(self) -> DriverConfig {
        match self {
            Self::Coherent => tables::unified(),
            Self::Atoms(atom) => tables::non_coherent(atom),
        }
    }
}

/// Who writes past the end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Writer {
    Host,
    HostThatFlushes,
    Device,
}

impl Writer {
    /// Writes one byte, so many from the allocation's first.
    fn write(self, sim: &Sim, queue: &Queue, allocation: &Allocation, at: u64) {
        match self {
            Self::Host => poke(allocation, at, WRONG),
            Self::HostThatFlushes => {
                poke(allocation, at, WRONG);
                sim.allocator.flush(allocation, 0, allocation.size()).expect("it is mapped");
            }
            Self::Device => poke_by_device(sim, queue, allocation, at),
        }
    }
}

/// Writes one byte through the pointer, wherever.
pub(crate) fn poke(allocation: &Allocation, at: u64, byte: u8) {
    assert!(at < allocation.size() + 64 * KIB);
    let address = allocation.mapped_ptr().expect("it is mapped").as_ptr();
    let at = usize::try_from(at).expect("small");
    // SAFETY: The tests stay within the block that the allocation is a piece of.
    let address = unsafe { address.add(at) };
    // SAFETY: As above; no other thread is there.
    unsafe { address.write(byte) };
}

/// Lets the device write one byte, through a buffer that is larger than the allocation it is bound to.
fn poke_by_device(sim: &Sim, queue: &Queue, allocation: &Allocation, at: u64) {
    let buffer = |size| vk::BufferCreateInfo::default().size(size).usage(BOTH_ENDS);
    let (source, memory) =
        sim.create_buffer(&buffer(4), &AllocationRequest::DEFAULT).expect("there is room");
    queue.update(source, 0, &[WRONG; 4]);
    let target = sim.raw_buffer(&buffer(at + 1));
    sim.bind_buffer(target, allocation);
    queue.copy((source, 0), (target, at), 1);
    sim.destroy_raw_buffer(target);
    sim.destroy_buffer(source, memory);
}

fn named(name: &str, size: u64) -> AllocationRequest<'_> {
    AllocationRequest {
        size,
        alignment: 256,
        usage: UsageFlags::UPLOAD,
        name: Some(name),
        ..Default::default()
    }
}

/// The one overrun that was found, of one byte.
#[track_caller]
fn assert_only(overruns: &[Overrun], name: Option<&str>, victim: &Victim, first_wrong: u64) {
    let [overrun] = overruns else { panic!("one overrun was planted: {overruns:?}") };
    assert_eq!(overrun.name.as_deref(), name);
    assert_eq!((overrun.offset, overrun.size), (victim.offset, victim.size));
    assert_eq!(overrun.memory_type_index, victim.memory_type_index);
    assert_eq!((overrun.first_wrong, &overrun.found[..]), (first_wrong, &[WRONG][..]));
}

/// What is to be said of an allocation, also when it is gone.
struct Victim {
    offset: u64,
    size: u64,
    memory_type_index: u32,
}

impl Victim {
    fn of(allocation: &Allocation) -> Self {
        Self {
            offset: allocation.offset(),
            size: allocation.size(),
            memory_type_index: allocation.memory_type_index(),
        }
    }
}

/// From a minimum block of a span to a quarter of a block.
#[rstest]
fn one_byte_past_the_end_is_found_when_the_allocation_is_freed(
    #[values(Memory::Coherent, Memory::Atoms(1), Memory::Atoms(64), Memory::Atoms(4096))]
    memory: Memory,
    #[values(1, 100, 256, 5000, 100 * KIB, 3 * MIB)] size: u64,
    #[values(Writer::Host, Writer::HostThatFlushes, Writer::Device)] writer: Writer,
    #[values(0, MARGIN - 1)] at: u64,
) {
    let sim = Sim::new(memory.device(), guarded(MARGIN));
    let queue = Queue::new(&sim);
    let [before, victim, after] =
        ["before", "victim", "after"].map(|name| sim.allocate(&named(name, size)));
    assert_eq!([before.memory(), after.memory()], [victim.memory(); 2], "neighbours");
    assert_eq!(sim.allocator.check_corruption(), []);
    writer.write(&sim, &queue, &victim, size + at);
    sim.free(before);
    assert_eq!(sim.allocator.take_overruns(), [], "of the neighbour nothing is said");
    let of_victim = Victim::of(&victim);
    sim.free(victim);
    assert_only(&sim.allocator.take_overruns(), Some("victim"), &of_victim, size + at);
    sim.free(after);
    assert_eq!(sim.allocator.take_overruns(), [], "each is reported once");
    drop(queue);
    sim.finish();
}

/// While the owner has its atoms to itself, what the device wrote into the last of them is not seen.
#[rstest]
fn one_byte_past_the_end_is_found_on_request(
    #[values(Memory::Coherent, Memory::Atoms(1), Memory::Atoms(64), Memory::Atoms(4096))]
    memory: Memory,
    #[values(Writer::Host, Writer::HostThatFlushes, Writer::Device)] writer: Writer,
    #[values(0, 7, 8, MARGIN - 1)] at: u64,
) {
    let sim = Sim::new(memory.device(), guarded(MARGIN));
    let queue = Queue::new(&sim);
    // Eight bytes of the margin are in the allocation's last atom of 64.
    let [victim, other] = ["victim", "other"].map(|name| sim.allocate(&named(name, 120)));
    writer.write(&sim, &queue, &victim, 120 + at);
    let is_seen = match (writer, memory) {
        (Writer::Device, Memory::Atoms(64)) => at >= 8,
        (Writer::Device, Memory::Atoms(4096)) => false,
        _ => true,
    };
    for _ in 0..2 {
        let found =
            std::thread::scope(|scope| scope.spawn(|| sim.allocator.check_corruption()).join());
        let found = found.expect("no panic");
        if is_seen {
            assert_only(&found, Some("victim"), &Victim::of(&victim), 120 + at);
        } else {
            assert_eq!(found, []);
        }
    }
    assert_eq!(sim.allocator.take_overruns(), [], "nothing was freed");
    let of_victim = Victim::of(&victim);
    sim.free(victim);
    assert_only(&sim.allocator.take_overruns(), Some("victim"), &of_victim, 120 + at);
    sim.free(other);
    drop(queue);
    sim.finish();
}

#[rstest]
fn a_check_loses_nothing_that_its_owner_has_not_flushed(#[values(1, 64, 4096)] atom: u64) {
    let sim = Sim::new(tables::non_coherent(atom), guarded(100));
    let sizes = [1, 63, 64, 65, 120, 4095, 4096, 5000, 100 * KIB];
    let held = sizes.map(|size| sim.allocate(&named("written", size)));
    for allocation in &held {
        (0..allocation.size()).for_each(|at| poke(allocation, at, 9));
    }
    sim.driver.clear_calls();
    assert_eq!(sim.allocator.check_corruption(), []);
    let looked = sim.driver.call_count(Call::InvalidateMappedMemoryRanges);
    assert!(looked > 0, "the device was asked for something");
    for allocation in &held {
        let address = allocation.mapped_ptr().expect("it is mapped");
        let size = usize::try_from(allocation.size()).expect("small");
        // SAFETY: The allocation is mapped whole, and nobody writes to it now.
        let bytes = unsafe { std::slice::from_raw_parts(address.as_ptr(), size) };
        assert!(bytes.iter().all(|&byte| byte == 9), "{size} bytes");
    }
    held.into_iter().for_each(|allocation| sim.free(allocation));
    assert_eq!(sim.allocator.take_overruns(), []);
    sim.finish();
}

#[test]
fn a_long_overrun_is_reported_from_its_first_byte() {
    let sim = Sim::with_config(guarded(64));
    let request = AllocationRequest { name: None, ..named("", 1000) };
    let victim = sim.allocate(&request);
    (1003..1060).for_each(|at| poke(&victim, at, 5));
    let of_victim = Victim::of(&victim);
    sim.free(victim);
    let overruns = sim.allocator.take_overruns();
    let [overrun] = &overruns[..] else { panic!("one: {overruns:?}") };
    assert_eq!((overrun.name.as_deref(), overrun.size), (None, 1000));
    assert_eq!((overrun.first_wrong, &overrun.found[..]), (1003, &[5; 32][..]), "32 at most");
    let said = overrun.to_string();
    let place = format!("(unnamed): 1000 bytes at offset {}, memory type", of_victim.offset);
    assert!(said.starts_with(&place), "{said}");
    assert!(said.contains("from byte 1003 on there is 05 05"), "{said}");
    sim.finish();
}

/// What is freed in one call is looked at one by one.
#[test]
fn overruns_are_found_among_many() {
    let sim = Sim::with_config(guarded(MARGIN));
    let many = sim.allocator.allocate_many(&named("batch", 300), 40).expect("there is room");
    let wrong = [3, 17, 39];
    let mut offsets = wrong.map(|index: usize| {
        poke(&many[index], 300, WRONG);
        many[index].offset()
    });
    offsets.sort_unstable();
    let mut live: Vec<_> =
        sim.allocator.check_corruption().iter().map(|overrun| overrun.offset).collect();
    live.sort_unstable();
    assert_eq!(live, offsets);
    sim.free_many(many);
    let mut freed = sim.allocator.take_overruns();
    assert!(freed.iter().all(|overrun| overrun.name.as_deref() == Some("batch")));
    freed.sort_unstable_by_key(|overrun| overrun.offset);
    assert_eq!(freed.iter().map(|overrun| overrun.offset).collect::<Vec<_>>(), offsets);
    sim.finish();
}

/// Resources of the allocator's making, whose bytes beyond the driver's own size are the margin.
#[rstest]
fn buffers_and_images_are_guarded_too(
    #[values(Memory::Coherent, Memory::Atoms(256))] memory: Memory,
    #[values(vk::ImageTiling::LINEAR, vk::ImageTiling::OPTIMAL)] tiling: vk::ImageTiling,
) {
    let sim = Sim::new(memory.device(), guarded(MARGIN));
    let request = |name| AllocationRequest { size: 0, ..named(name, 0) };
    let info = vk::BufferCreateInfo::default().size(1000).usage(BOTH_ENDS);
    let (buffer, of_buffer) = sim.create_buffer(&info, &request("buffer")).expect("room");
    let image_info = crate::support::image_info(20, tiling);
    let (image, of_image) = sim.create_image(&image_info, &request("image")).expect("room");
    let victims = [Victim::of(&of_buffer), Victim::of(&of_image)];
    poke(&of_buffer, of_buffer.size(), WRONG);
    poke(&of_image, of_image.size(), WRONG);
    sim.destroy_buffer(buffer, of_buffer);
    let size = victims[0].size;
    assert_only(&sim.allocator.take_overruns(), Some("buffer"), &victims[0], size);
    sim.destroy_image(image, of_image);
    let size = victims[1].size;
    assert_only(&sim.allocator.take_overruns(), Some("image"), &victims[1], size);
    sim.finish();
}
