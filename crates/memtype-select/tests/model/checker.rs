//! The order as documented, the slow way: a type's score written out as a list of faults, one entry
//! for each flag of each set, without packing anything.

use std::cmp::Reverse;

use memtype_select::{
    DeviceMemoryProperties, HostAccess, ImageTiling, ImageUsageFlags, MemoryHeapFlags,
    MemoryRequest, Placement, Resource, ResourceUse, UsageFlags,
};

const DL: u32 = 1;
const HV: u32 = 2;
const HC: u32 = 4;
const CA: u32 = 8;
const LZ: u32 = 16;
const EVERYBODY: u32 = DL | HV | HC | CA;

/// What a purpose requires, prefers and avoids.
type Implied = (u32, &'static [u32], &'static [u32]);

/// The bytes left in each heap.
pub(crate) type Room = [u64];

/// The first row of the documented table of usages that fits.
fn implied_by_usage(usage: UsageFlags) -> Implied {
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

fn is_transient(resource: Resource) -> bool {
    match resource {
        Resource::Buffer { .. } => false,
        Resource::Image { usage, .. } => usage.contains(ImageUsageFlags::TRANSIENT_ATTACHMENT),
    }
}

fn has_other_use(resource: Resource) -> bool {
    match resource {
        Resource::Buffer { usage } => usage.bits() & !0b11 != 0,
        Resource::Image { usage, .. } => usage.bits() & !0b11 != 0,
    }
}

/// The host cannot look into an image of optimal tiling.
fn access(resource_use: ResourceUse) -> HostAccess {
    match resource_use.resource {
        Resource::Image { tiling: ImageTiling::Optimal, .. } => HostAccess::Never,
        _ => resource_use.host_access,
    }
}

fn is_on_the_devices_side(resource_use: ResourceUse) -> bool {
    match resource_use.placement {
        Placement::PreferDevice => true,
        Placement::PreferHost => false,
        Placement::Auto => has_other_use(resource_use.resource),
    }
}

/// The first row of the documented table of resources that fits.
fn implied_by_resource(resource_use: ResourceUse, unified: bool) -> Implied {
    let near = is_on_the_devices_side(resource_use);
    let other_use = has_other_use(resource_use.resource);
    let on_device = resource_use.placement == Placement::PreferDevice;
    let on_host = resource_use.placement == Placement::PreferHost;
    let never = access(resource_use) == HostAccess::Never;
    let writes = access(resource_use) == HostAccess::SequentialWrite;
    let staged = resource_use.may_stage;
    let rows: [(bool, Implied); 13] = [
        (never && is_transient(resource_use.resource), (0, &[LZ, DL], &[])),
        (never && on_host, (0, &[], &[DL])),
        (never, (0, &[DL], &[])),
        (writes && !staged && near, (HV, &[DL, HC], &[CA])),
        (writes && !staged, (HV, &[HC], &[DL, CA])),
        (writes && near && other_use, (0, &[DL, HV, HC], &[CA])),
        (writes && near, (0, &[HV, DL, HC], &[CA])),
        (writes, (0, &[HV, HC], &[DL, CA])),
        (!staged && on_device, (HV, &[CA, HC, DL], &[])),
        (!staged, (HV, &[CA, HC], &[DL])),
        (near && other_use && !unified, (0, &[DL, CA], &[])),
        (on_device, (0, &[HV, CA, HC, DL], &[])),
        (true, (0, &[HV, CA, HC], &[DL])),
    ];
    rows.into_iter().find(|(fits, _)| *fits).expect("the last row fits all").1
}

fn implied(table: &DeviceMemoryProperties, request: &MemoryRequest) -> Implied {
    match request.resource {
        None => implied_by_usage(request.usage),
        Some(resource_use) => implied_by_resource(resource_use, is_unified(table)),
    }
}

fn is_local_heap(table: &DeviceMemoryProperties, heap_index: u32) -> bool {
    table
        .memory_heaps
        .get(heap_index as usize)
        .is_some_and(|heap| heap.flags.contains(MemoryHeapFlags::DEVICE_LOCAL))
}

/// Every ordinary type is device-local, in a device-local heap that is not scarce.
pub(crate) fn is_unified(table: &DeviceMemoryProperties) -> bool {
    let mut count = 0;
    for memory_type in &table.memory_types {
        let flags = memory_type.property_flags.bits();
        if flags & !EVERYBODY != 0 {
            continue;
        }
        let heap_index = memory_type.heap_index;
        if flags & DL == 0 || !is_local_heap(table, heap_index) || is_scarce(table, heap_index) {
            return false;
        }
        count += 1;
    }
    count > 0
}

pub(crate) fn is_scarce(table: &DeviceMemoryProperties, heap_index: u32) -> bool {
    let mut ordinary = 0;
    let mut visible = 0;
    for memory_type in &table.memory_types {
        let flags = memory_type.property_flags.bits();
        if memory_type.heap_index == heap_index && flags & !EVERYBODY == 0 {
            ordinary += 1;
            visible += u32::from(flags & HV != 0);
        }
    }
    let has_larger = (0..).zip(&table.memory_heaps).any(|(other, heap)| {
        is_local_heap(table, other) && heap.size > table.memory_heaps[heap_index as usize].size
    });
    is_local_heap(table, heap_index) && has_larger && ordinary > 0 && ordinary == visible
}

/// Flags that a type may have without being a last resort or refused.
fn ordinary_flags(table: &DeviceMemoryProperties, request: &MemoryRequest) -> u32 {
    let transient = match request.resource {
        None => request.usage.contains(UsageFlags::TRANSIENT),
        Some(resource_use) => is_transient(resource_use.resource),
    };
    EVERYBODY | if transient { LZ } else { 0 } | request.required.bits() | implied(table, request).0
}

/// Whether a type is admissible, by the list of refusals.
fn is_admissible(table: &DeviceMemoryProperties, request: &MemoryRequest, index: usize) -> bool {
    let memory_type = table.memory_types[index];
    let flags = memory_type.property_flags.bits();
    let required = request.required.bits() | implied(table, request).0;
    let heap = table.memory_heaps.get(memory_type.heap_index as usize);
    request.memory_type_bits >> index & 1 == 1
        && flags & required == required
        && flags & !(ordinary_flags(table, request) | request.opt_in.bits()) == 0
        && heap.is_some_and(|heap| heap.size > 0 && heap.size >= request.size)
        && required & request.avoided.bits() == 0
}

/// Whether host and device both want the memory.
fn needs_bar(request: &MemoryRequest) -> bool {
    let stated = (request.required | request.preferred).bits();
    let host = UsageFlags::HOST_ACCESS | UsageFlags::UPLOAD | UsageFlags::DOWNLOAD;
    let (touches, fast) = match request.resource {
        None => (
            request.usage.intersects(host),
            request.usage.contains(UsageFlags::FAST_DEVICE_ACCESS)
                && !request.usage.contains(UsageFlags::DOWNLOAD),
        ),
        Some(resource_use) => (
            access(resource_use) != HostAccess::Never,
            is_on_the_devices_side(resource_use) && access(resource_use) != HostAccess::Random,
        ),
    };
    (touches || stated & (HV | HC | CA) != 0) && (fast || stated & DL != 0)
}

/// The score without the index: a list of faults, and the size of the heap.
pub(crate) type Faults = (Vec<bool>, Reverse<u64>);

pub(crate) fn faults(
    table: &DeviceMemoryProperties,
    request: &MemoryRequest,
    room: &Room,
    index: usize,
) -> Faults {
    let memory_type = table.memory_types[index];
    let flags = memory_type.property_flags.bits();
    let heap_index = memory_type.heap_index;
    let (_, implied_preferred, implied_avoided) = implied(table, request);
    let (preferred, avoided) = (request.preferred.bits(), request.avoided.bits());
    let left = room.get(heap_index as usize);
    let mut list = vec![
        is_scarce(table, heap_index) && !needs_bar(request),
        left.is_some_and(|&left| left < request.size.max(1)),
    ];
    list.extend((0..9).map(|bit| preferred >> bit & 1 == 1 && flags >> bit & 1 == 0));
    list.push(flags & !(ordinary_flags(table, request) | preferred) != 0);
    list.extend(implied_preferred.iter().map(|flag| flags & flag == 0 && avoided & flag == 0));
    list.extend((0..9).map(|bit| avoided >> bit & 1 == 1 && flags >> bit & 1 == 1));
    list.extend(implied_avoided.iter().map(|flag| flags & flag != 0));
    (list, Reverse(table.memory_heaps[heap_index as usize].size))
}

pub(crate) fn rank_slowly(
    table: &DeviceMemoryProperties,
    request: &MemoryRequest,
    room: &Room,
) -> Vec<u32> {
    let admissible =
        (0..table.memory_types.len()).filter(|&index| is_admissible(table, request, index));
    let mut scored: Vec<(Faults, usize)> =
        admissible.map(|index| (faults(table, request, room, index), index)).collect();
    scored.sort();
    scored.into_iter().map(|(_, index)| u32::try_from(index).unwrap()).collect()
}
