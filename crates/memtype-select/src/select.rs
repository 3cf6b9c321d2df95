//! The selector: every memory type judged, the admissible ones in order.

use crate::flags::MemoryPropertyFlags as Flags;
use crate::intent::Plan;
use crate::properties::{DeviceMemoryProperties, MAX_MEMORY_HEAPS, MAX_MEMORY_TYPES, MemoryType};
use crate::ranking::Ranking;
use crate::request::MemoryRequest;
use crate::verdict::{Score, TypeFacts, judge};

/// Ranks the memory types of one device by how well they suit a request.
///
/// It never changes after it was made, so it can be shared between threads. The rules are on the
/// [front page](crate#the-rules).
#[derive(Debug, Clone)]
pub struct MemoryTypeSelector {
    properties: DeviceMemoryProperties,
    /// Entry `i` is about type `i` of `properties`; those past its last type have no meaning.
    facts: [TypeFacts; MAX_MEMORY_TYPES],
}

impl MemoryTypeSelector {
    /// Makes a selector for a device with these properties.
    ///
    /// Any content is accepted: a type with a heap index out of range, or with flags that nobody
    /// knows, is never chosen by accident. Types past the 32nd and heaps past the 16th, which
    /// Vulkan does not have, are dropped.
    #[must_use]
    pub fn new(mut properties: DeviceMemoryProperties) -> Self {
        properties.memory_types.truncate(MAX_MEMORY_TYPES);
        properties.memory_heaps.truncate(MAX_MEMORY_HEAPS);
        let mut facts = [TypeFacts::default(); MAX_MEMORY_TYPES];
        for (index, entry) in facts.iter_mut().take(properties.memory_types.len()).enumerate() {
            *entry = TypeFacts::of(&properties, index);
        }
        Self { properties, facts }
    }

    /// Finds the index of the best memory type for `request`, if any will do.
    ///
    /// The answer is the first of [`rank`](Self::rank).
    ///
    /// # Complexity
    ///
    /// One look at each type of the device.
    #[must_use]
    pub fn select(&self, request: &MemoryRequest) -> Option<u32> {
        let plan = Plan::of(request);
        self.scores(&plan).min().map(Score::index)
    }

    /// Ranks all memory types that `request` may use, best first.
    ///
    /// The same question always gets the same answer, and an allowed type that is taken out of
    /// the mask leaves the order of the others as it was. The ranking is empty when no type will
    /// do: no allowed bit in the table, no type with all required flags, no heap that could hold
    /// the size, or flags both required and avoided.
    ///
    /// # Complexity
    ///
    /// One look at each type of the device, and a sort of those that are admissible. Touches no
    /// host allocator.
    #[must_use]
    pub fn rank(&self, request: &MemoryRequest) -> Ranking {
        let plan = Plan::of(request);
        let mut scores = [Score::default(); MAX_MEMORY_TYPES];
        let mut count = 0;
        for (slot, score) in scores.iter_mut().zip(self.scores(&plan)) {
            *slot = score;
            count += 1;
        }
        scores[..count].sort_unstable();
        Ranking::new(scores.map(Score::index), count)
    }

    /// Returns the bytes in a heap, unless the device has no such heap.
    #[must_use]
    pub fn heap_size(&self, heap_index: u32) -> Option<u64> {
        let index = usize::try_from(heap_index).ok()?;
        self.properties.memory_heaps.get(index).map(|heap| heap.size)
    }

    /// Returns a memory type, unless the device has no such type.
    #[must_use]
    pub fn memory_type(&self, index: u32) -> Option<MemoryType> {
        self.properties.memory_types.get(usize::try_from(index).ok()?).copied()
    }

    /// Is true if the device has such a type, and it is device-local.
    #[must_use]
    pub fn is_device_local(&self, index: u32) -> bool {
        self.has(index, Flags::DEVICE_LOCAL)
    }

    /// Is true if the device has such a type, and it can be mapped.
    #[must_use]
    pub fn is_host_visible(&self, index: u32) -> bool {
        self.has(index, Flags::HOST_VISIBLE)
    }

    /// Is true if the device has such a type, and it needs no flush and no invalidate.
    #[must_use]
    pub fn is_host_coherent(&self, index: u32) -> bool {
        self.has(index, Flags::HOST_COHERENT)
    }

    /// The properties that the selector was made from.
    #[must_use]
    pub fn properties(&self) -> &DeviceMemoryProperties {
        &self.properties
    }

    fn has(&self, index: u32, flags: Flags) -> bool {
        self.memory_type(index).is_some_and(|found| found.property_flags.contains(flags))
    }

    /// The scores of the admissible types, by index.
    fn scores<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = Score> + 'a {
        let table = self.facts.iter().take(self.properties.memory_types.len());
        (0..).zip(table).filter_map(move |(index, facts)| judge(plan, facts, index).ok())
    }
}
