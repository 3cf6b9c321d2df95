//! Random tables, requests and budgets.

use memtype_select::{
    BufferUsageFlags, DeviceMemoryProperties, HostAccess, ImageTiling, ImageUsageFlags, MemoryHeap,
    MemoryHeapFlags, MemoryPropertyFlags, MemoryRequest, MemoryType, Placement, Resource,
    ResourceUse, UsageFlags,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

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

/// Any table, or one whose heaps and types are all device-local.
pub(crate) fn tables() -> impl Strategy<Value = DeviceMemoryProperties> {
    (mixed_tables(), prop::bool::weighted(0.2)).prop_map(|(mut table, is_local)| {
        if is_local {
            for memory_type in &mut table.memory_types {
                memory_type.property_flags |= MemoryPropertyFlags::DEVICE_LOCAL;
            }
            for heap in &mut table.memory_heaps {
                heap.flags |= MemoryHeapFlags::DEVICE_LOCAL;
                heap.size = 1 << 30;
            }
        }
        table
    })
}

fn mixed_tables() -> impl Strategy<Value = DeviceMemoryProperties> {
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

fn resource_uses() -> impl Strategy<Value = ResourceUse> {
    let accesses = prop_oneof![
        Just(HostAccess::Never),
        Just(HostAccess::SequentialWrite),
        Just(HostAccess::Random)
    ];
    let placements = prop_oneof![
        Just(Placement::Auto),
        Just(Placement::PreferDevice),
        Just(Placement::PreferHost)
    ];
    let tilings = prop_oneof![Just(ImageTiling::Optimal), Just(ImageTiling::Linear)];
    let usages = prop_oneof![0_u32..4, 0_u32..256, any::<u32>()];
    let resources = prop_oneof![
        2 => usages.clone().prop_map(|bits| Resource::Buffer {
            usage: BufferUsageFlags::from_bits_retain(u64::from(bits)),
        }),
        1 => (usages, tilings).prop_map(|(bits, tiling)| Resource::Image {
            usage: ImageUsageFlags::from_bits_retain(bits),
            tiling,
        }),
    ];
    (resources, accesses, any::<bool>(), placements).prop_map(
        |(resource, host_access, may_stage, placement)| ResourceUse {
            resource,
            host_access,
            may_stage,
            placement,
        },
    )
}

fn opt_ins() -> impl Strategy<Value = MemoryPropertyFlags> {
    prop_oneof![4 => Just(0_u32), 2 => 0_u32..512, 1 => any::<u32>()]
        .prop_map(MemoryPropertyFlags::from_bits_retain)
}

/// What is left in each of some heaps, around the sizes of requests.
pub(crate) fn rooms() -> impl Strategy<Value = Vec<u64>> {
    vec(prop_oneof![1 => Just(0), 2 => 0_u64..1 << 31, 1 => any::<u64>()], 0..=16)
}

pub(crate) fn requests() -> impl Strategy<Value = MemoryRequest> {
    let bits = prop_oneof![2 => Just(u32::MAX), 2 => any::<u32>(), 1 => Just(0)];
    let size = prop_oneof![2 => Just(0), 2 => 0_u64..1 << 31, 1 => any::<u64>()];
    let purpose = (0_u32..64, option::of(resource_uses()));
    (purpose, bits, size, stated_flags(), stated_flags(), stated_flags(), opt_ins()).prop_map(
        |((usage, resource), memory_type_bits, size, required, preferred, avoided, opt_in)| {
            MemoryRequest {
                usage: UsageFlags::from_bits_retain(usage),
                resource,
                memory_type_bits,
                size,
                required,
                preferred,
                avoided,
                opt_in,
            }
        },
    )
}
