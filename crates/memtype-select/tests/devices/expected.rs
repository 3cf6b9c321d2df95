//! The usual requests, and what is expected of them.

use memtype_select::{
    BudgetSnapshot, BufferUsageFlags as Buffer, HostAccess, ImageTiling, ImageUsageFlags as Image,
    MemoryPropertyFlags as Flags, MemoryRequest, MemoryTypeSelector, Placement, ResourceUse,
    UsageFlags as Usage,
};

/// The rankings of one device, best first, for each usual request.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) device: &'static [u32],
    pub(crate) host: &'static [u32],
    pub(crate) upload: &'static [u32],
    pub(crate) download: &'static [u32],
    pub(crate) host_fast: &'static [u32],
    pub(crate) upload_fast: &'static [u32],
    pub(crate) download_fast: &'static [u32],
    pub(crate) transient: &'static [u32],
    /// Upload with fast device access, of 300 MiB.
    pub(crate) upload_fast_large: &'static [u32],
    /// Device-local and host-visible required, no usage.
    pub(crate) mappable_device: &'static [u32],
    /// A texture, with the host's side preferred.
    pub(crate) aside: &'static [u32],
    /// A uniform buffer that is written in order, or else staged.
    pub(crate) uniform_or_staged: &'static [u32],
    /// A buffer to copy from that is written in order, or else staged.
    pub(crate) source_or_staged: &'static [u32],
    /// A storage buffer that is read and written at random, or else staged.
    pub(crate) storage_or_staged: &'static [u32],
    /// A buffer to copy to that is read, or else staged.
    pub(crate) target_or_staged: &'static [u32],
    /// What only the device touches, when the heap that is best for it is full.
    pub(crate) device_full: &'static [u32],
    /// What only the device touches, for those who opt in to every flag that has a name.
    pub(crate) everything: &'static [u32],
}

type Row = (&'static str, MemoryRequest, &'static [u32]);

/// Asks the device for the usual requests and compares.
pub(crate) fn check(selector: &MemoryTypeSelector, expected: &Expected) {
    let rows: Vec<Row> = usages(expected).into_iter().chain(resources(expected)).collect();
    assert!(rows.len() >= 30, "{} requests", rows.len());
    for (name, request, ranking) in rows {
        assert_eq!(*selector.rank(&request), *ranking, "rank for {name}");
        assert_eq!(selector.select(&request), ranking.first().copied(), "select for {name}");
    }
    let best = selector.select(&MemoryRequest::default()).expect("there is memory");
    let heap = selector.memory_type(best).expect("the best type is in the table").heap_index;
    let mut room = [u64::MAX; 16];
    room[heap as usize] = 0;
    let budget = BudgetSnapshot::from_room(&room);
    let full = selector.rank_within(&MemoryRequest::default(), &budget);
    assert_eq!(*full, *expected.device_full, "rank for the device when heap {heap} is full");

    let everything = MemoryRequest { opt_in: Flags::all(), ..Default::default() };
    assert_eq!(*selector.rank(&everything), *expected.everything, "rank for those who opt in");
}

fn usages(expected: &Expected) -> Vec<Row> {
    let usage = |usage| MemoryRequest { usage, ..Default::default() };
    let fast = Usage::FAST_DEVICE_ACCESS;
    let large = MemoryRequest { size: 300 << 20, ..usage(Usage::UPLOAD | fast) };
    let mappable =
        MemoryRequest { required: Flags::DEVICE_LOCAL | Flags::HOST_VISIBLE, ..Default::default() };
    vec![
        ("nothing", usage(Usage::empty()), expected.device),
        ("device", usage(fast), expected.device),
        ("host", usage(Usage::HOST_ACCESS), expected.host),
        ("upload", usage(Usage::UPLOAD), expected.upload),
        ("host upload", usage(Usage::HOST_ACCESS | Usage::UPLOAD), expected.upload),
        ("transient upload", usage(Usage::TRANSIENT | Usage::UPLOAD), expected.upload),
        ("download", usage(Usage::DOWNLOAD), expected.download),
        ("upload download", usage(Usage::UPLOAD | Usage::DOWNLOAD), expected.download),
        ("host fast", usage(Usage::HOST_ACCESS | fast), expected.host_fast),
        ("upload fast", usage(Usage::UPLOAD | fast), expected.upload_fast),
        ("download fast", usage(Usage::DOWNLOAD | fast), expected.download_fast),
        ("transient", usage(Usage::TRANSIENT), expected.transient),
        ("transient fast", usage(Usage::TRANSIENT | fast), expected.transient),
        ("upload fast large", large, expected.upload_fast_large),
        ("mappable device", mappable, expected.mappable_device),
    ]
}

fn resources(expected: &Expected) -> Vec<Row> {
    let of = |resource| MemoryRequest { resource: Some(resource), ..Default::default() };
    let (writes, random) = (HostAccess::SequentialWrite, HostAccess::Random);
    let source = ResourceUse::buffer(Buffer::TRANSFER_SRC).host_access(writes);
    let target = ResourceUse::buffer(Buffer::TRANSFER_DST).host_access(random);
    let uniform = ResourceUse::buffer(Buffer::UNIFORM_BUFFER).host_access(writes);
    let storage = ResourceUse::buffer(Buffer::STORAGE_BUFFER).host_access(random);
    let image = |usage| ResourceUse::image(usage, ImageTiling::Optimal);
    let texture = image(Image::SAMPLED | Image::TRANSFER_DST);
    let attachment = Image::COLOR_ATTACHMENT | Image::TRANSIENT_ATTACHMENT;
    let linear = ResourceUse::image(Image::SAMPLED, ImageTiling::Linear);
    let (device, host) = (Placement::PreferDevice, Placement::PreferHost);
    vec![
        ("vertex buffer", of(ResourceUse::buffer(Buffer::VERTEX_BUFFER)), expected.device),
        ("texture", of(texture), expected.device),
        ("texture that cannot be mapped", of(texture.host_access(random)), expected.device),
        ("depth buffer", of(image(Image::DEPTH_STENCIL_ATTACHMENT)), expected.device),
        ("transient attachment", of(image(attachment)), expected.transient),
        ("texture aside", of(texture.placed(host)), expected.aside),
        ("staging", of(source), expected.upload),
        ("staging on the device", of(source.placed(device)), expected.upload_fast),
        ("uniforms", of(uniform), expected.upload_fast),
        ("uniforms on the host", of(uniform.placed(host)), expected.upload),
        ("linear image", of(linear.host_access(writes)), expected.upload_fast),
        ("readback", of(target), expected.download),
        ("storage read at random", of(storage), expected.download),
        ("the same on the device", of(storage.placed(device)), expected.download_fast),
        ("uniforms or staged", of(uniform.or_staged()), expected.uniform_or_staged),
        ("staging or staged", of(source.or_staged()), expected.source_or_staged),
        ("storage or staged", of(storage.or_staged()), expected.storage_or_staged),
        ("readback or staged", of(target.or_staged()), expected.target_or_staged),
    ]
}
