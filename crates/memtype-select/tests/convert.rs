//! Conversions from and to the types of ash.

use ash::vk;
use memtype_select::{
    DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryRequest,
    MemoryType, MemoryTypeSelector, UsageFlags,
};
use rstest::rstest;

#[test]
fn properties_are_taken_up_to_their_counts() {
    let mut reported = vk::PhysicalDeviceMemoryProperties {
        memory_type_count: 2,
        memory_heap_count: 1,
        ..Default::default()
    };
    let mapped = vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
    reported.memory_types[0].property_flags = vk::MemoryPropertyFlags::DEVICE_LOCAL;
    reported.memory_types[1].property_flags = mapped | vk::MemoryPropertyFlags::from_raw(1 << 20);
    reported.memory_types[2].property_flags = vk::MemoryPropertyFlags::DEVICE_LOCAL;
    reported.memory_heaps[0] =
        vk::MemoryHeap { size: 77, flags: vk::MemoryHeapFlags::DEVICE_LOCAL };

    let properties = DeviceMemoryProperties::from(&reported);
    let of = |bits| MemoryType {
        property_flags: MemoryPropertyFlags::from_bits_retain(bits),
        heap_index: 0,
    };
    assert_eq!(properties.memory_types.as_slice(), [of(1), of(6 | 1 << 20)]);
    let heap = MemoryHeap { size: 77, flags: MemoryHeapFlags::DEVICE_LOCAL };
    assert_eq!(properties.memory_heaps.as_slice(), [heap]);

    let selector = MemoryTypeSelector::new(properties);
    assert_eq!(*selector.rank(&MemoryRequest::default()), [0]);
    let upload = MemoryRequest { usage: UsageFlags::UPLOAD, ..Default::default() };
    assert_eq!(selector.select(&upload), None, "type 1 has a flag nobody asked for");
}

#[test]
fn counts_past_the_arrays_mean_the_whole_arrays() {
    let reported = vk::PhysicalDeviceMemoryProperties {
        memory_type_count: u32::MAX,
        memory_heap_count: 17,
        ..Default::default()
    };
    let properties = DeviceMemoryProperties::from(&reported);
    assert_eq!((properties.memory_types.len(), properties.memory_heaps.len()), (32, 16));
}

#[rstest]
#[case(vk::MemoryPropertyFlags::DEVICE_LOCAL, MemoryPropertyFlags::DEVICE_LOCAL)]
#[case(vk::MemoryPropertyFlags::HOST_VISIBLE, MemoryPropertyFlags::HOST_VISIBLE)]
#[case(vk::MemoryPropertyFlags::HOST_COHERENT, MemoryPropertyFlags::HOST_COHERENT)]
#[case(vk::MemoryPropertyFlags::HOST_CACHED, MemoryPropertyFlags::HOST_CACHED)]
#[case(vk::MemoryPropertyFlags::LAZILY_ALLOCATED, MemoryPropertyFlags::LAZILY_ALLOCATED)]
#[case(vk::MemoryPropertyFlags::PROTECTED, MemoryPropertyFlags::PROTECTED)]
#[case(vk::MemoryPropertyFlags::DEVICE_COHERENT_AMD, MemoryPropertyFlags::DEVICE_COHERENT_AMD)]
#[case(vk::MemoryPropertyFlags::DEVICE_UNCACHED_AMD, MemoryPropertyFlags::DEVICE_UNCACHED_AMD)]
#[case(vk::MemoryPropertyFlags::RDMA_CAPABLE_NV, MemoryPropertyFlags::RDMA_CAPABLE_NV)]
#[case(vk::MemoryPropertyFlags::from_raw(1 << 31), MemoryPropertyFlags::from_bits_retain(1 << 31))]
fn property_flags_have_vulkans_values(
    #[case] theirs: vk::MemoryPropertyFlags,
    #[case] ours: MemoryPropertyFlags,
) {
    assert_eq!(MemoryPropertyFlags::from(theirs), ours);
    assert_eq!(vk::MemoryPropertyFlags::from(ours).as_raw(), theirs.as_raw());
}

#[rstest]
#[case(vk::MemoryHeapFlags::DEVICE_LOCAL, MemoryHeapFlags::DEVICE_LOCAL)]
#[case(vk::MemoryHeapFlags::MULTI_INSTANCE, MemoryHeapFlags::MULTI_INSTANCE)]
#[case(vk::MemoryHeapFlags::from_raw(1 << 31), MemoryHeapFlags::from_bits_retain(1 << 31))]
fn heap_flags_have_vulkans_values(
    #[case] theirs: vk::MemoryHeapFlags,
    #[case] ours: MemoryHeapFlags,
) {
    assert_eq!(MemoryHeapFlags::from(theirs), ours);
    assert_eq!(vk::MemoryHeapFlags::from(ours).as_raw(), theirs.as_raw());
}
