//! How long a question to the selector takes.
//!
//! Two tables of 16 types: one of a real device, half of whose types are kept for those who ask
//! for them, and one made up so that every type is admissible and nearly all have to be moved.
//! Each question is asked with and without a flag of the caller's own, which keeps the selector
//! from using the order that it has ready, and repeated to a selector that keeps its answers.

use std::hint::black_box;

use criterion::Criterion;
use memtype_select::{
    CachedSelector, DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags,
    MemoryRequest, MemoryType, MemoryTypeSelector, UsageFlags,
};

/// AMD Radeon(TM) Graphics, AMD proprietary driver 23.19.10.11
/// (`github:heintjepeintje/nexus/vulkaninfo.txt@21326aba53`).
const AMD: [(u32, u32); 16] = [
    (1, 0),
    (6, 1),
    (7, 2),
    (14, 1),
    (193, 0),
    (198, 1),
    (199, 2),
    (206, 1),
    (1, 0),
    (6, 1),
    (7, 2),
    (14, 1),
    (193, 0),
    (198, 1),
    (199, 2),
    (206, 1),
];

/// Nothing has opt-in flags, and the order of the table is no help.
const MADE_UP: [(u32, u32); 16] = [
    (14, 1),
    (1, 0),
    (7, 2),
    (6, 1),
    (15, 0),
    (0, 1),
    (7, 0),
    (11, 2),
    (10, 1),
    (1, 0),
    (6, 1),
    (7, 2),
    (14, 1),
    (11, 0),
    (0, 1),
    (7, 0),
];

fn selector(types: &[(u32, u32)]) -> MemoryTypeSelector {
    let types: Vec<MemoryType> = types
        .iter()
        .map(|&(flags, heap_index)| MemoryType {
            property_flags: MemoryPropertyFlags::from_bits_retain(flags),
            heap_index,
        })
        .collect();
    let local = MemoryHeapFlags::DEVICE_LOCAL;
    let heaps = [(8 << 30, local), (16 << 30, MemoryHeapFlags::empty()), (256 << 20, local)]
        .map(|(size, flags)| MemoryHeap { size, flags });
    MemoryTypeSelector::new(DeviceMemoryProperties::new(&types, &heaps))
}

fn questions(criterion: &mut Criterion) {
    let requests = [
        ("device", UsageFlags::FAST_DEVICE_ACCESS),
        ("upload", UsageFlags::UPLOAD),
        ("upload_fast", UsageFlags::UPLOAD | UsageFlags::FAST_DEVICE_ACCESS),
        ("download", UsageFlags::DOWNLOAD),
    ];
    for (table, types) in [("amd", AMD), ("made_up", MADE_UP)] {
        let selector = selector(&types);
        for (name, usage) in requests {
            let request = MemoryRequest { usage, size: 1 << 20, ..Default::default() };
            criterion.bench_function(&format!("rank/{table}/{name}"), |bencher| {
                bencher.iter(|| selector.rank(black_box(&request)));
            });
            criterion.bench_function(&format!("select/{table}/{name}"), |bencher| {
                bencher.iter(|| selector.select(black_box(&request)));
            });
            let cached = CachedSelector::new(selector.clone());
            criterion.bench_function(&format!("cached_rank/{table}/{name}"), |bencher| {
                bencher.iter(|| cached.rank(black_box(&request)));
            });
            criterion.bench_function(&format!("cached_select/{table}/{name}"), |bencher| {
                bencher.iter(|| cached.select(black_box(&request)));
            });
            assert_eq!(cached.kept_count(), 1, "the question was repeated");
            let stated = MemoryRequest { preferred: MemoryPropertyFlags::HOST_CACHED, ..request };
            criterion.bench_function(&format!("stated_rank/{table}/{name}"), |bencher| {
                bencher.iter(|| selector.rank(black_box(&stated)));
            });
            criterion.bench_function(&format!("stated_select/{table}/{name}"), |bencher| {
                bencher.iter(|| selector.select(black_box(&stated)));
            });
        }
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    questions(&mut criterion);
    criterion.final_summary();
}
