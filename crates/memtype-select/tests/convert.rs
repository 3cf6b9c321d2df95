//! Conversions from and to the types of ash.

use ash::vk;
use memtype_select::{
    BudgetSnapshot, BufferUsageFlags, DeviceMemoryProperties, ImageTiling, ImageUsageFlags,
    MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryRequest, MemoryType,
    MemoryTypeSelector, UsageFlags,
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

#[rstest]
#[case(vk::BufferUsageFlags::TRANSFER_SRC, BufferUsageFlags::TRANSFER_SRC)]
#[case(vk::BufferUsageFlags::TRANSFER_DST, BufferUsageFlags::TRANSFER_DST)]
#[case(vk::BufferUsageFlags::UNIFORM_TEXEL_BUFFER, BufferUsageFlags::UNIFORM_TEXEL_BUFFER)]
#[case(vk::BufferUsageFlags::STORAGE_TEXEL_BUFFER, BufferUsageFlags::STORAGE_TEXEL_BUFFER)]
#[case(vk::BufferUsageFlags::UNIFORM_BUFFER, BufferUsageFlags::UNIFORM_BUFFER)]
#[case(vk::BufferUsageFlags::STORAGE_BUFFER, BufferUsageFlags::STORAGE_BUFFER)]
#[case(vk::BufferUsageFlags::INDEX_BUFFER, BufferUsageFlags::INDEX_BUFFER)]
#[case(vk::BufferUsageFlags::VERTEX_BUFFER, BufferUsageFlags::VERTEX_BUFFER)]
#[case(vk::BufferUsageFlags::INDIRECT_BUFFER, BufferUsageFlags::INDIRECT_BUFFER)]
#[case(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS, BufferUsageFlags::SHADER_DEVICE_ADDRESS)]
#[case(vk::BufferUsageFlags::from_raw(1 << 31), BufferUsageFlags::from_bits_retain(1 << 31))]
fn buffer_usages_have_vulkans_values(
    #[case] theirs: vk::BufferUsageFlags,
    #[case] ours: BufferUsageFlags,
) {
    assert_eq!(BufferUsageFlags::from(theirs), ours);
    let wide = vk::BufferUsageFlags2KHR::from_raw(u64::from(theirs.as_raw()) | 1 << 40);
    assert_eq!(BufferUsageFlags::from(wide).bits(), ours.bits() | 1 << 40);
}

#[rstest]
#[case(vk::ImageUsageFlags::TRANSFER_SRC, ImageUsageFlags::TRANSFER_SRC)]
#[case(vk::ImageUsageFlags::TRANSFER_DST, ImageUsageFlags::TRANSFER_DST)]
#[case(vk::ImageUsageFlags::SAMPLED, ImageUsageFlags::SAMPLED)]
#[case(vk::ImageUsageFlags::STORAGE, ImageUsageFlags::STORAGE)]
#[case(vk::ImageUsageFlags::COLOR_ATTACHMENT, ImageUsageFlags::COLOR_ATTACHMENT)]
#[case(vk::ImageUsageFlags::DEPTH_STENCIL_ATTACHMENT, ImageUsageFlags::DEPTH_STENCIL_ATTACHMENT)]
#[case(vk::ImageUsageFlags::TRANSIENT_ATTACHMENT, ImageUsageFlags::TRANSIENT_ATTACHMENT)]
#[case(vk::ImageUsageFlags::INPUT_ATTACHMENT, ImageUsageFlags::INPUT_ATTACHMENT)]
#[case(vk::ImageUsageFlags::from_raw(1 << 31), ImageUsageFlags::from_bits_retain(1 << 31))]
fn image_usages_have_vulkans_values(
    #[case] theirs: vk::ImageUsageFlags,
    #[case] ours: ImageUsageFlags,
) {
    assert_eq!(ImageUsageFlags::from(theirs), ours);
}

#[rstest]
#[case(vk::ImageTiling::LINEAR, ImageTiling::Linear)]
#[case(vk::ImageTiling::OPTIMAL, ImageTiling::Optimal)]
#[case(vk::ImageTiling::DRM_FORMAT_MODIFIER_EXT, ImageTiling::Optimal)]
fn only_linear_images_can_be_looked_into(
    #[case] theirs: vk::ImageTiling,
    #[case] ours: ImageTiling,
) {
    assert_eq!(ImageTiling::from(theirs), ours);
}

#[test]
fn a_budget_leaves_what_is_not_used_and_none_means_not_told() {
    let mut reported = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
    reported.heap_budget[..3].copy_from_slice(&[100, 100, 0]);
    reported.heap_usage[..3].copy_from_slice(&[30, 130, 5]);
    let snapshot = BudgetSnapshot::from(&reported);
    assert_eq!(
        [0, 1, 2, 3, 99].map(|heap| snapshot.room(heap)),
        [70, 0, u64::MAX, u64::MAX, u64::MAX]
    );
}
