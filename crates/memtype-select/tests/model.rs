//! Random tables and requests against a checker written from the documented order alone.
//!
//! Basic design: the checker writes a type's score out as a list of faults, one entry for each
//! flag of each set, without packing anything, and sorts by that list.

use std::cell::Cell;
use std::cmp::Reverse;

use memtype_select::{
    DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryRequest,
    MemoryType, MemoryTypeSelector, UsageFlags,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const DL: u32 = 1;
const HV: u32 = 2;
const HC: u32 = 4;
const CA: u32 = 8;
const LZ: u32 = 16;

/// What a usage requires, prefers and avoids.
type Implied = (u32, &'static [u32], &'static [u32]);

/// The first row of the documented table that fits.
fn implied(usage: UsageFlags) -> Implied {
    let rows: [(UsageFlags, Implied); 8] = [
        (UsageFlags::DOWNLOAD | UsageFlags::FAST_DEVICE_ACCESS, (HV, &[CA, HC, DL], &[])),
        (UsageFlags::DOWNLOAD, (HV, &[CA, HC], &[DL])),
        (UsageFlags::UPLOAD | UsageFlags::FAST_DEVICE_ACCESS, (HV, &[DL, HC], &[CA])),
        (UsageFlags::UPLOAD, (HV, &[HC], &[DL, CA])),
        (UsageFlags::HOST_ACCESS | UsageFlags::FAST_DEVICE_ACCESS, (HV, &[DL, CA, HC], &[])),
        (UsageFlags::HOST_ACCESS, (HV, &[CA, HC], &[DL])),
        (UsageFlags::TRANSIENT, (0, &[LZ, DL], &[])),
        (UsageFlags::empty(), (0, &[DL], &[])),
    ];
    rows.into_iter().find(|(row, _)| usage.contains(*row)).expect("the last row fits all").1
}

fn is_scarce(table: &DeviceMemoryProperties, heap_index: usize) -> bool {
    let heap = table.memory_heaps[heap_index];
    let local = MemoryHeapFlags::DEVICE_LOCAL;
    let mut ordinary = 0;
    let mut visible = 0;
    for memory_type in &table.memory_types {
        let flags = memory_type.property_flags.bits();
        if memory_type.heap_index as usize == heap_index && flags & !(DL | HV | HC | CA) == 0 {
            ordinary += 1;
            visible += u32::from(flags & HV != 0);
        }
    }
    let has_larger = table
        .memory_heaps
        .iter()
        .any(|other| other.flags.contains(local) && other.size > heap.size);
    heap.flags.contains(local) && has_larger && ordinary > 0 && ordinary == visible
}

/// Whether a type is admissible, by the list of refusals.
fn is_admissible(table: &DeviceMemoryProperties, request: &MemoryRequest, index: usize) -> bool {
    let memory_type = table.memory_types[index];
    let flags = memory_type.property_flags.bits();
    let required = request.required.bits() | implied(request.usage).0;
    let heap = table.memory_heaps.get(memory_type.heap_index as usize);
    let everybody = DL | HV | HC | CA;
    let lazy = if request.usage.contains(UsageFlags::TRANSIENT) { LZ } else { 0 };
    request.memory_type_bits >> index & 1 == 1
        && flags & required == required
        && flags & !(everybody | lazy | required) == 0
        && heap.is_some_and(|heap| heap.size > 0 && heap.size >= request.size)
        && required & request.avoided.bits() == 0
}

/// The score as a list of faults, of the heap's size and of the index.
type Faults = (Vec<bool>, Reverse<u64>, usize);

fn faults(table: &DeviceMemoryProperties, request: &MemoryRequest, index: usize) -> Faults {
    let memory_type = table.memory_types[index];
    let flags = memory_type.property_flags.bits();
    let heap_index = memory_type.heap_index as usize;
    let (_, implied_preferred, implied_avoided) = implied(request.usage);
    let (required, preferred) = (request.required.bits(), request.preferred.bits());
    let avoided = request.avoided.bits();
    let host = UsageFlags::HOST_ACCESS | UsageFlags::UPLOAD | UsageFlags::DOWNLOAD;
    let touches = request.usage.intersects(host) || (required | preferred) & (HV | HC | CA) != 0;
    let speed = (required | preferred) & DL != 0
        || (request.usage.contains(UsageFlags::FAST_DEVICE_ACCESS)
            && !request.usage.contains(UsageFlags::DOWNLOAD));
    let mut list = vec![is_scarce(table, heap_index) && !(touches && speed)];
    list.extend((0..32).map(|bit| preferred >> bit & 1 == 1 && flags >> bit & 1 == 0));
    list.extend(implied_preferred.iter().map(|flag| flags & flag == 0 && avoided & flag == 0));
    list.extend((0..32).map(|bit| avoided >> bit & 1 == 1 && flags >> bit & 1 == 1));
    list.extend(implied_avoided.iter().map(|flag| flags & flag != 0));
    (list, Reverse(table.memory_heaps[heap_index].size), index)
}

fn rank_slowly(table: &DeviceMemoryProperties, request: &MemoryRequest) -> Vec<u32> {
    let admissible =
        (0..table.memory_types.len()).filter(|&index| is_admissible(table, request, index));
    let mut scored: Vec<Faults> = admissible.map(|index| faults(table, request, index)).collect();
    scored.sort();
    scored.into_iter().map(|(_, _, index)| u32::try_from(index).unwrap()).collect()
}

fn property_flags() -> impl Strategy<Value = u32> {
    prop_oneof![12 => 0_u32..16, 2 => 0_u32..32, 1 => 0_u32..512, 1 => any::<u32>()]
}

fn stated_flags() -> impl Strategy<Value = MemoryPropertyFlags> {
    let bit = prop_oneof![8 => 0_u32..4, 1 => 0_u32..32];
    prop_oneof![
        4 => Just(0_u32),
        3 => bit.clone().prop_map(|bit| 1 << bit),
        1 => (bit.clone(), bit).prop_map(|(one, other)| 1 << one | 1 << other),
        1 => property_flags(),
    ]
    .prop_map(MemoryPropertyFlags::from_bits_retain)
}

fn tables() -> impl Strategy<Value = DeviceMemoryProperties> {
    let size =
        prop_oneof![8 => (1_u64..8).prop_map(|size| size << 28), 1 => Just(0), 1 => any::<u64>()];
    let heaps = vec((size, prop_oneof![3 => Just(1_u32), 2 => Just(0), 1 => any::<u32>()]), 0..=16);
    heaps.prop_flat_map(|heaps| {
        let heap_count = u32::try_from(heaps.len()).unwrap();
        let index = prop_oneof![30 => 0..heap_count.max(1), 1 => any::<u32>()];
        vec((property_flags(), index), 0..=32).prop_map(move |types| {
            let types = types.into_iter().map(|(flags, heap_index)| MemoryType {
                property_flags: MemoryPropertyFlags::from_bits_retain(flags),
                heap_index,
            });
            let heaps = heaps.iter().map(|&(size, flags)| MemoryHeap {
                size,
                flags: MemoryHeapFlags::from_bits_retain(flags),
            });
            DeviceMemoryProperties { memory_types: types.collect(), memory_heaps: heaps.collect() }
        })
    })
}

fn requests() -> impl Strategy<Value = MemoryRequest> {
    let bits = prop_oneof![2 => Just(u32::MAX), 2 => any::<u32>(), 1 => Just(0)];
    let size = prop_oneof![2 => Just(0), 2 => 0_u64..1 << 31, 1 => any::<u64>()];
    (0_u32..64, bits, size, stated_flags(), stated_flags(), stated_flags()).prop_map(
        |(usage, memory_type_bits, size, required, preferred, avoided)| MemoryRequest {
            usage: UsageFlags::from_bits_retain(usage),
            memory_type_bits,
            size,
            required,
            preferred,
            avoided,
        },
    )
}

#[test]
fn ranking_is_the_documented_order() {
    let (choices, scarce_choices) = (Cell::new(0), Cell::new(0));
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(4096) });
    let outcome = runner.run(&(tables(), requests()), |(table, request)| {
        let expected = rank_slowly(&table, &request);
        let scarce = expected.iter().filter(|&&index| {
            is_scarce(&table, table.memory_types[index as usize].heap_index as usize)
        });
        let scarce_count = scarce.count();
        choices.set(choices.get() + u32::from(expected.len() > 1));
        scarce_choices.set(
            scarce_choices.get() + u32::from(scarce_count > 0 && scarce_count < expected.len()),
        );
        let selector = MemoryTypeSelector::new(table);
        prop_assert_eq!(&*selector.rank(&request), &*expected);
        prop_assert_eq!(selector.select(&request), expected.first().copied());
        prop_assert_eq!(selector.clone().rank(&request), selector.rank(&request));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // Most random requests contradict a random table somehow; enough of them must not.
    assert!(choices.get() > 400, "only {} rankings with a choice", choices.get());
    assert!(scarce_choices.get() > 40, "only {} with scarce memory", scarce_choices.get());
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(1024) })]

    #[test]
    fn taking_types_out_of_the_mask_leaves_the_order_of_the_others(
        table in tables(),
        request in requests(),
        mask in any::<u32>(),
    ) {
        let selector = MemoryTypeSelector::new(table);
        let mut all = selector.rank(&request).to_vec();
        let memory_type_bits = request.memory_type_bits & mask;
        let some = selector.rank(&MemoryRequest { memory_type_bits, ..request });
        all.retain(|index| mask >> index & 1 == 1);
        prop_assert_eq!(&*some, &*all);
    }

    #[test]
    fn every_ranked_type_is_allowed_and_has_what_is_required(
        table in tables(),
        request in requests(),
    ) {
        let selector = MemoryTypeSelector::new(table);
        let ranking = selector.rank(&request);
        for &index in &ranking {
            let memory_type = selector.memory_type(index).expect("a ranked type is in the table");
            prop_assert!(request.memory_type_bits >> index & 1 == 1);
            prop_assert!(memory_type.property_flags.contains(request.required));
            prop_assert!(selector.heap_size(memory_type.heap_index) >= Some(request.size.max(1)));
        }
        let mut distinct = ranking.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), ranking.len());
    }

    #[test]
    fn bits_beyond_the_table_change_nothing(table in tables(), request in requests()) {
        let in_table = (1_u64 << table.memory_types.len()) - 1;
        let memory_type_bits = request.memory_type_bits | !u32::try_from(in_table).unwrap();
        let selector = MemoryTypeSelector::new(table);
        let wide = selector.rank(&MemoryRequest { memory_type_bits, ..request });
        prop_assert_eq!(wide, selector.rank(&request));
    }
}
