//! What is known of memory types before anything is asked.
//!
//! Basic design: whatever no request changes is worked out once. The last two rules of the order,
//! larger heap and lower index, are such: they give every type its place among all types of the
//! device, and the facts are kept in the order of places.

use core::cmp::Reverse;

use crate::flags::{MemoryHeapFlags, MemoryPropertyFlags as Flags};
use crate::properties::{DeviceMemoryProperties, MAX_MEMORY_TYPES, MemoryType};

/// What is known of a memory type before anything is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TypeFacts {
    /// The flags as reported.
    pub(crate) flags: Flags,
    /// The same, weighed by [`Flags::in_bit_order`].
    pub(crate) flags_in_bit_order: u32,
    /// Its index, below 32.
    pub(crate) index: u32,
    /// How many types have a larger heap, or as large a heap and a lower index; below 32.
    pub(crate) place: u32,
    /// The index of its heap, as reported.
    pub(crate) heap_index: u32,
    /// The bit of its heap; 0 when the table has no such heap.
    pub(crate) heap_bit: u32,
    /// Bytes of its heap; 0 when the table has no such heap.
    pub(crate) heap_size: u64,
    /// Is true when the heap is scarce BAR.
    pub(crate) is_scarce_bar: bool,
}

impl TypeFacts {
    /// Works out the facts of the type at `index`, below 32, but for its place.
    fn of(properties: &DeviceMemoryProperties, index: u32, memory_type: &MemoryType) -> Self {
        let heap = properties.heap_of(memory_type);
        Self {
            flags: memory_type.property_flags,
            flags_in_bit_order: memory_type.property_flags.in_bit_order(),
            index,
            place: 0,
            heap_index: memory_type.heap_index,
            // A heap that is in the table has an index below 16.
            heap_bit: heap.map_or(0, |_| 1 << memory_type.heap_index),
            heap_size: heap.map_or(0, |heap| heap.size),
            is_scarce_bar: is_scarce_bar(properties, memory_type.heap_index),
        }
    }

    /// Works out the facts of all types, of which there are at most 32, in the order of places.
    pub(crate) fn table(properties: &DeviceMemoryProperties) -> [Self; MAX_MEMORY_TYPES] {
        let mut table = [Self::default(); MAX_MEMORY_TYPES];
        let mut count = 0;
        for ((entry, memory_type), index) in table.iter_mut().zip(&properties.memory_types).zip(0..)
        {
            *entry = Self::of(properties, index, memory_type);
            count += 1;
        }
        table[..count].sort_unstable_by_key(|facts| (Reverse(facts.heap_size), facts.index));
        for (entry, place) in table[..count].iter_mut().zip(0..) {
            entry.place = place;
        }
        table
    }
}

/// Is true for a device-local heap that has ordinary types, all of them host-visible, and
/// stands beside a larger device-local heap.
///
/// That is the window through which a host reaches the memory of a discrete GPU without
/// resizable BAR, 256 MiB at most. A heap that has a type for the device alone is the GPU's
/// memory itself, and without a larger neighbour the device has nothing better to offer.
fn is_scarce_bar(properties: &DeviceMemoryProperties, heap_index: u32) -> bool {
    let is_local = |flags: MemoryHeapFlags| flags.contains(MemoryHeapFlags::DEVICE_LOCAL);
    let heap = usize::try_from(heap_index).ok().and_then(|i| properties.memory_heaps.get(i));
    let Some(heap) = heap else {
        return false;
    };
    let mut ordinary = properties
        .memory_types
        .iter()
        .filter(|other| other.heap_index == heap_index && other.property_flags.is_ordinary())
        .peekable();
    is_local(heap.flags)
        && properties
            .memory_heaps
            .iter()
            .any(|other| is_local(other.flags) && other.size > heap.size)
        && ordinary.peek().is_some()
        && ordinary.all(|other| other.property_flags.contains(Flags::HOST_VISIBLE))
}

/// Is true when host and device have the same memory: every ordinary type is device-local and in
/// a device-local heap, and no heap is scarce BAR.
///
/// The kind of device is not asked for: drivers report software and virtual devices as something
/// else than integrated, though their memory is one, and integrated ones with a carved-out part
/// as integrated, though there it matters where memory comes from.
pub(crate) fn is_unified(properties: &DeviceMemoryProperties) -> bool {
    let mut ordinary = properties
        .memory_types
        .iter()
        .filter(|memory_type| memory_type.property_flags.is_ordinary())
        .peekable();
    ordinary.peek().is_some()
        && ordinary.all(|memory_type| {
            memory_type.property_flags.contains(Flags::DEVICE_LOCAL)
                && properties
                    .heap_of(memory_type)
                    .is_some_and(|heap| heap.flags.contains(MemoryHeapFlags::DEVICE_LOCAL))
                && !is_scarce_bar(properties, memory_type.heap_index)
        })
}
