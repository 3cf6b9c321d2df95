//! Names, the list of what lives, and the end of an allocator.

use gpu_alloc_ash::{AllocationRequest, Leak, LeakKind, ResourceKind, Strategy, UsageFlags};

use crate::support::{KIB, Sim, buffer_info};

fn named(name: &str) -> AllocationRequest<'_> {
    AllocationRequest {
        size: 1000,
        kind: ResourceKind::Linear,
        name: Some(name),
        ..Default::default()
    }
}

fn names(leaks: &[Leak]) -> Vec<Option<&str>> {
    leaks.iter().map(|leak| leak.name.as_deref()).collect()
}

#[test]
fn live_allocations_are_listed_by_name_place_and_kind() {
    let sim = Sim::default();
    let nameless = AllocationRequest { name: None, ..named("") };
    let held = [
        sim.allocate(&named("mesh")),
        sim.allocate(&nameless),
        sim.allocate(&AllocationRequest { strategy: Strategy::Dedicated, ..named("target") }),
        sim.allocate(&AllocationRequest { usage: UsageFlags::UPLOAD, ..named("staging") }),
    ];
    let leaks = sim.allocator.leaks();
    assert_eq!(names(&leaks), [Some("mesh"), None, Some("target"), Some("staging")]);
    let kinds: Vec<_> = leaks.iter().map(|leak| leak.kind).collect();
    assert_eq!(kinds, [LeakKind::Pooled, LeakKind::Pooled, LeakKind::Dedicated, LeakKind::Pooled]);
    for (leak, allocation) in leaks.iter().zip(&held) {
        assert_eq!(leak.memory_type_index, allocation.memory_type_index());
        assert_eq!(leak.offset, allocation.offset());
        assert!(leak.size >= allocation.size());
    }
    assert_eq!(leaks[1].size, KIB, "rounding included");
    assert_eq!(leaks[0].to_string(), "mesh: 1024 bytes at offset 0, memory type 0, Pooled");
    assert!(leaks[1].to_string().starts_with("(unnamed): "));
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[test]
fn a_name_goes_with_its_allocation() {
    let sim = Sim::default();
    let first = sim.allocate(&named("first"));
    let place = (first.memory(), first.offset());
    sim.free(first);
    let second = sim.allocate(&AllocationRequest { name: None, ..named("") });
    assert_eq!((second.memory(), second.offset()), place, "the same place is used again");
    assert_eq!(names(&sim.allocator.leaks()), [None]);
    sim.free(second);
    let (buffer, third) =
        sim.create_buffer(&buffer_info(64), &named("third")).expect("there is room");
    assert_eq!(names(&sim.allocator.leaks()), [Some("third")]);
    sim.destroy_buffer(buffer, third);
    sim.finish();
}

#[test]
#[should_panic(expected = "1 allocations are alive:\nforgotten: 1024 bytes at offset 0")]
fn assert_no_leaks_names_them() {
    let sim = Sim::default();
    sim.allocator.assert_no_leaks();
    let _forgotten = sim.allocate(&named("forgotten"));
    sim.allocator.assert_no_leaks();
}

#[test]
fn what_lives_at_the_end_is_listed_and_not_freed_under_its_user() {
    let sim = Sim::default();
    let lost = sim.allocate(&named("lost"));
    let memory = lost.memory();
    drop(lost);
    let dedicated = AllocationRequest { strategy: Strategy::Dedicated, ..named("kept") };
    let kept = sim.allocate(&dedicated);
    let freed = sim.allocate(&AllocationRequest { usage: UsageFlags::UPLOAD, ..named("freed") });
    sim.free(freed);
    assert_eq!(sim.driver.live().memory, 3);
    let Sim { allocator, driver } = sim;
    let leaks = allocator.destroy().expect_err("two allocations live");
    assert_eq!(names(&leaks.leaks), [Some("lost"), Some("kept")]);
    assert!(leaks.to_string().starts_with("2 allocations were alive"), "{leaks}");
    let left: Vec<_> = driver.memories().iter().map(|record| record.memory).collect();
    assert_eq!(left, [memory, kept.memory()], "the empty block is gone, the others are not");
    assert_eq!(driver.violations(), []);
    assert_eq!(driver.lints(), []);
}
