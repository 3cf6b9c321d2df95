//! The selector that keeps its answers: how many, which, and between threads.

use std::sync::Barrier;
use std::thread;

use memtype_select::{
    BufferUsageFlags, CachedSelector, DeviceMemoryProperties, HostAccess, MemoryHeap,
    MemoryHeapFlags, MemoryPropertyFlags as Flags, MemoryRequest, MemoryType, MemoryTypeSelector,
    PackedRanking, Ranking, ResourceUse, UsageFlags,
};
use rstest::rstest;

/// A device with this many types in four heaps of 1 to 4 GiB, every fourth one host-visible.
fn selector(type_count: u32) -> MemoryTypeSelector {
    let types: Vec<MemoryType> = (0..type_count)
        .map(|index| MemoryType {
            property_flags: Flags::from_bits_retain(if index % 4 == 0 { 7 } else { 1 }),
            heap_index: index % 3,
        })
        .collect();
    let heaps = [1, 2, 3, 4]
        .map(|gib: u64| MemoryHeap { size: gib << 30, flags: MemoryHeapFlags::DEVICE_LOCAL });
    MemoryTypeSelector::new(DeviceMemoryProperties::new(&types, &heaps))
}

/// A question that no other number asks.
fn question(number: u32) -> MemoryRequest {
    MemoryRequest {
        memory_type_bits: number.reverse_bits() | number,
        avoided: Flags::from_bits_retain(number << 9),
        ..Default::default()
    }
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(12)]
#[case(13)]
#[case(24)]
#[case(25)]
#[case(32)]
fn a_packed_ranking_is_the_ranking(#[case] type_count: u32) {
    let ranking = selector(type_count).rank(&MemoryRequest::default());
    let packed = PackedRanking::from(&ranking);
    assert_eq!(ranking.len(), type_count as usize);
    assert_eq!((packed.len(), packed.is_empty()), (ranking.len(), type_count == 0));
    assert_eq!(packed.first(), ranking.first().copied());
    assert!(packed.iter().eq(ranking.iter().copied()));
    assert_eq!(Ranking::from(packed), ranking);
    assert_eq!(format!("{packed:?}"), format!("{ranking:?}"));
}

#[test]
fn a_question_is_kept_once_and_its_size_makes_no_other() {
    let selector = CachedSelector::new(selector(16));
    assert_eq!(selector.kept_count(), 0);
    for size in [1, 2 << 30, 1, 5 << 30, 0] {
        let request = MemoryRequest { size, ..Default::default() };
        let computed = selector.selector().rank(&request);
        assert!(selector.rank(&request).iter().eq(computed), "size {size}");
        assert_eq!(selector.kept_count(), 1);
    }
    // What differs in one field only is another question.
    let resource = ResourceUse::buffer(BufferUsageFlags::TRANSFER_SRC);
    let mapped = resource.host_access(HostAccess::SequentialWrite);
    let local = Flags::DEVICE_LOCAL;
    let others = [
        MemoryRequest { usage: UsageFlags::FAST_DEVICE_ACCESS, ..Default::default() },
        MemoryRequest { resource: Some(resource), ..Default::default() },
        MemoryRequest { resource: Some(mapped), ..Default::default() },
        MemoryRequest { memory_type_bits: 1, ..Default::default() },
        MemoryRequest { required: local, ..Default::default() },
        MemoryRequest { preferred: local, ..Default::default() },
        MemoryRequest { avoided: local, ..Default::default() },
        MemoryRequest { opt_in: local, ..Default::default() },
    ];
    for (kept_before, request) in (1..).zip(&others) {
        assert_eq!(selector.kept_count(), kept_before);
        for _ in 0..2 {
            assert!(selector.rank(request).iter().eq(selector.selector().rank(request)));
        }
    }
    assert_eq!(selector.kept_count(), 1 + others.len());
}

#[test]
fn a_full_table_goes_on_answering() {
    let selector = CachedSelector::new(selector(32));
    for round in 0..2 {
        for number in 0..1000 {
            let request = question(number);
            let computed = selector.selector().rank(&request);
            assert!(selector.rank(&request).iter().eq(computed), "round {round}, {number}");
        }
        assert_eq!(selector.kept_count(), 64, "1000 questions reach every slot");
    }
}

#[test]
fn threads_get_the_answers_of_the_selector() {
    const THREADS: u32 = 4;
    for round in 0..50 {
        let selector = CachedSelector::new(selector(24));
        let start = Barrier::new(THREADS as usize);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (selector, start) = (&selector, &start);
                scope.spawn(move || {
                    start.wait();
                    // All threads ask the same questions, each beginning with another one.
                    for step in 0..200 {
                        let request = question((step + thread * 7) % 80 + round);
                        let computed = selector.selector().rank(&request);
                        assert!(selector.rank(&request).iter().eq(computed), "step {step}");
                    }
                });
            }
        });
        let kept = selector.kept_count();
        assert!((1..=64).contains(&kept), "{kept} answers kept");
    }
}
