//! One memory type against one request: its score, or the rule that refuses it.
//!
//! Basic design: everything about a type that no request changes is worked out once, in
//! [`TypeFacts`]. [`judge`] holds all rules, first the refusals, then the score. A score is a
//! tuple that is compared column by column; its columns are a few bits each and so the tuple is
//! packed into one number, first column highest, and two types are compared by one instruction.
//! The last column is the index: no two types of a device have the same score.

use crate::flags::{MemoryHeapFlags, MemoryPropertyFlags as Flags};
use crate::intent::Plan;
use crate::properties::{DeviceMemoryProperties, MemoryType};

/// What is known of a memory type before anything is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TypeFacts {
    /// The flags as reported.
    flags: Flags,
    /// The same, weighed: below 32.
    flags_in_bit_order: u32,
    /// Is false when the table has no such heap.
    has_heap: bool,
    /// Bytes of its heap; 0 when the table has no such heap.
    heap_size: u64,
    /// How many types of the table have a larger heap; at most 31.
    larger_heap_count: u32,
    /// Is true when the heap is scarce BAR.
    is_scarce_bar: bool,
}

impl TypeFacts {
    /// Works out the facts of the type at `index`, which is in the table.
    pub(crate) fn of(properties: &DeviceMemoryProperties, index: usize) -> Self {
        let memory_type = &properties.memory_types[index];
        let size_of = |other| properties.heap_of(other).map_or(0, |heap| heap.size);
        let heap_size = size_of(memory_type);
        let larger = properties.memory_types.iter().filter(|other| size_of(other) > heap_size);
        Self {
            flags: memory_type.property_flags,
            flags_in_bit_order: memory_type.property_flags.in_bit_order(),
            has_heap: properties.heap_of(memory_type).is_some(),
            heap_size,
            larger_heap_count: larger.map(|_| 1).sum(),
            is_scarce_bar: is_scarce_bar(properties, memory_type),
        }
    }
}

/// Is true for a device-local heap that has ordinary types, all of them host-visible, and
/// stands beside a larger device-local heap.
///
/// That is the window through which a host reaches the memory of a discrete GPU without
/// resizable BAR, 256 MiB at most. A heap that has a type for the device alone is the GPU's
/// memory itself, and without a larger neighbour the device has nothing better to offer.
fn is_scarce_bar(properties: &DeviceMemoryProperties, memory_type: &MemoryType) -> bool {
    let is_local = |flags: MemoryHeapFlags| flags.contains(MemoryHeapFlags::DEVICE_LOCAL);
    let Some(heap) = properties.heap_of(memory_type) else {
        return false;
    };
    let heap_index = memory_type.heap_index;
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

/// The rule that refuses a memory type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request avoids what it requires.
    Contradiction,
    /// Its bit is not among the allowed ones.
    NotAllowed,
    /// It lacks a required flag.
    LacksRequired,
    /// It has a flag that is given only to those who require it.
    NotAskedFor,
    /// Its heap is not in the table.
    NoHeap,
    /// Its heap could not hold the request even if it were empty, or holds nothing at all.
    HeapTooSmall,
}

/// How good a memory type is for a request; the least is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Score(u32);

impl Score {
    /// Bits of the last column.
    const INDEX_BITS: u32 = 5;

    /// Packs columns of (bits, value), the most important first.
    ///
    /// Every value fits its bits, and the bits of all columns are 26, so no column reaches into
    /// another and none is shifted out.
    fn new<const COLUMNS: usize>(columns: [(u32, u32); COLUMNS]) -> Self {
        Self(columns.iter().fold(0, |packed, &(bits, value)| packed << bits | value))
    }

    /// The index of the type it is the score of.
    pub(crate) fn index(self) -> u32 {
        self.0 & ((1 << Self::INDEX_BITS) - 1)
    }
}

/// Judges the type at `index`, below 32, by all rules.
#[inline]
pub(crate) fn judge(plan: &Plan, facts: &TypeFacts, index: u32) -> Result<Score, Refusal> {
    let flags = facts.flags;
    if plan.is_contradictory {
        return Err(Refusal::Contradiction);
    }
    if plan.memory_type_bits >> index & 1 == 0 {
        return Err(Refusal::NotAllowed);
    }
    if !flags.contains(plan.required) {
        return Err(Refusal::LacksRequired);
    }
    if !plan.permitted.contains(flags) {
        return Err(Refusal::NotAskedFor);
    }
    if facts.heap_size < plan.size {
        return Err(if facts.has_heap { Refusal::HeapTooSmall } else { Refusal::NoHeap });
    }
    Ok(Score::new([
        (1, u32::from(facts.is_scarce_bar && !plan.needs_bar)),
        (5, plan.stated_preferred & !facts.flags_in_bit_order),
        (3, plan.intent.weigh_preferred(flags | plan.unwanted)),
        (5, plan.stated_avoided & facts.flags_in_bit_order),
        (2, plan.intent.weigh_avoided(flags)),
        (5, facts.larger_heap_count),
        (Score::INDEX_BITS, index),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::UsageFlags;
    use crate::properties::MemoryHeap;
    use crate::request::MemoryRequest;
    use rstest::rstest;

    fn ask(flags: u32, heap_index: u32, request: MemoryRequest) -> Result<u32, Refusal> {
        let local = MemoryHeapFlags::DEVICE_LOCAL;
        let properties = DeviceMemoryProperties::new(
            &[MemoryType { property_flags: Flags::from_bits_retain(flags), heap_index }],
            &[MemoryHeap { size: 100, flags: local }, MemoryHeap { size: 0, flags: local }],
        );
        let facts = TypeFacts::of(&properties, 0);
        judge(&Plan::of(&request), &facts, 0).map(|score| score.0)
    }

    #[rstest]
    #[case::contradiction(7, 0, MemoryRequest {
        required: Flags::HOST_CACHED, avoided: Flags::HOST_CACHED, ..Default::default()
    }, Refusal::Contradiction)]
    #[case::not_allowed(7, 0, MemoryRequest { memory_type_bits: !1, ..Default::default() },
        Refusal::NotAllowed)]
    #[case::lacks_required(1, 0, MemoryRequest { usage: UsageFlags::UPLOAD, ..Default::default() },
        Refusal::LacksRequired)]
    #[case::not_asked_for(0x101, 0, MemoryRequest::default(), Refusal::NotAskedFor)]
    #[case::lazily_allocated(0x11, 0, MemoryRequest::default(), Refusal::NotAskedFor)]
    #[case::no_heap(1, 2, MemoryRequest::default(), Refusal::NoHeap)]
    #[case::heap_too_small(1, 0, MemoryRequest { size: 101, ..Default::default() },
        Refusal::HeapTooSmall)]
    #[case::empty_heap(1, 1, MemoryRequest::default(), Refusal::HeapTooSmall)]
    fn a_refusal_names_its_rule(
        #[case] flags: u32,
        #[case] heap_index: u32,
        #[case] request: MemoryRequest,
        #[case] rule: Refusal,
    ) {
        assert_eq!(ask(flags, heap_index, request), Err(rule));
    }

    #[test]
    fn columns_are_packed_first_to_last() {
        assert_eq!(Score::new([(1, 1), (5, 0b10001), (5, 3)]).0, 0b1_10001_00011);
        assert_eq!(Score::new([(5, 1), (Score::INDEX_BITS, 31)]).index(), 31);
        assert_eq!(ask(1, 0, MemoryRequest::default()), Ok(0));
    }
}
