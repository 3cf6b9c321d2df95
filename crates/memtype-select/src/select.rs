//! The selector: every memory type judged, the admissible ones in order.

use crate::budget::BudgetSnapshot;
use crate::explain::Explanation;
use crate::facts::{TypeFacts, is_unified};
use crate::flags::MemoryPropertyFlags as Flags;
use crate::orders::Orders;
use crate::plan::Plan;
use crate::properties::{DeviceMemoryProperties, MAX_MEMORY_HEAPS, MAX_MEMORY_TYPES, MemoryType};
use crate::ranking::Ranking;
use crate::request::MemoryRequest;
use crate::verdict::{Score, admit, judge, sorted_scores};

/// Ranks the memory types of one device by how well they suit a request.
///
/// It never changes after it was made, so it can be shared between threads. The rules are on the
/// [front page](crate#the-rules).
#[derive(Debug, Clone)]
pub struct MemoryTypeSelector {
    properties: DeviceMemoryProperties,
    /// One entry for each type of `properties`, in the order of places: entry `i` has place `i`.
    /// Those past the last type have no meaning.
    facts: [TypeFacts; MAX_MEMORY_TYPES],
    orders: Orders,
    is_unified: bool,
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
        let facts = TypeFacts::table(&properties);
        let is_unified = is_unified(&properties);
        let orders = Orders::new(&facts[..properties.memory_types.len()]);
        Self { properties, facts, orders, is_unified }
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
        self.best_by(&self.plan(request))
    }

    /// Ranks all memory types that `request` may use, best first.
    ///
    /// The same question always gets the same answer, and an allowed type that is taken out of
    /// the mask leaves the order of the others as it was. The ranking is empty when no type will
    /// do: no allowed bit in the table, no type with all required flags, no heap that could hold
    /// the size, or flags both required and avoided. [`explain`](Self::explain) tells which.
    ///
    /// # Complexity
    ///
    /// One look at each type of the device, and a sort of those that are admissible. Touches no
    /// host allocator.
    #[must_use]
    pub fn rank(&self, request: &MemoryRequest) -> Ranking {
        self.rank_by(&self.plan(request))
    }

    /// As [`select`](Self::select), knowing how much the heaps have left.
    #[must_use]
    pub fn select_within(&self, request: &MemoryRequest, budget: &BudgetSnapshot) -> Option<u32> {
        self.best_by(&self.plan(request).within(budget))
    }

    /// As [`rank`](Self::rank), knowing how much the heaps have left: types in a heap without
    /// room for the request go last, but for scarce BAR taken without need. The same types are
    /// ranked.
    #[must_use]
    pub fn rank_within(&self, request: &MemoryRequest, budget: &BudgetSnapshot) -> Ranking {
        self.rank_by(&self.plan(request).within(budget))
    }

    /// Tells for each memory type whether it is chosen, ranked or refused for `request`, and by
    /// which rule.
    ///
    /// # Examples
    ///
    /// ```
    /// use memtype_select::{
    ///     DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags,
    ///     MemoryRequest, MemoryType, MemoryTypeSelector, Refusal, UsageFlags, Verdict,
    /// };
    ///
    /// let device_only =
    ///     MemoryType { property_flags: MemoryPropertyFlags::DEVICE_LOCAL, heap_index: 0 };
    /// let heap = MemoryHeap { size: 8 << 30, flags: MemoryHeapFlags::DEVICE_LOCAL };
    /// let properties = DeviceMemoryProperties::new(&[device_only], &[heap]);
    /// let selector = MemoryTypeSelector::new(properties);
    ///
    /// let upload = MemoryRequest { usage: UsageFlags::UPLOAD, ..Default::default() };
    /// let explanation = selector.explain(&upload);
    /// assert_eq!(explanation.chosen(), None);
    /// let lacks = Refusal::LacksRequired { flags: MemoryPropertyFlags::HOST_VISIBLE };
    /// assert_eq!(explanation[0].verdict, Verdict::Refused(lacks));
    /// println!("{explanation}");
    /// ```
    #[must_use]
    pub fn explain(&self, request: &MemoryRequest) -> Explanation {
        self.explain_by(&self.plan(request))
    }

    /// As [`explain`](Self::explain), knowing how much the heaps have left.
    #[must_use]
    pub fn explain_within(&self, request: &MemoryRequest, budget: &BudgetSnapshot) -> Explanation {
        self.explain_by(&self.plan(request).within(budget))
    }

    /// Is true if host and device have the same memory: all ordinary types are device-local and
    /// in device-local heaps, none of which is scarce.
    #[must_use]
    pub fn is_unified(&self) -> bool {
        self.is_unified
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

    #[inline]
    fn plan(&self, request: &MemoryRequest) -> Plan {
        Plan::of(request, self.is_unified)
    }

    /// The facts of all types of the device, in the order of places.
    #[inline]
    fn facts(&self) -> &[TypeFacts] {
        &self.facts[..self.properties.memory_types.len()]
    }

    /// The facts at a place, which is below 32.
    #[inline]
    fn facts_at(&self, place: u8) -> &TypeFacts {
        &self.facts[usize::from(place) % MAX_MEMORY_TYPES]
    }

    #[inline]
    fn best_by(&self, plan: &Plan) -> Option<u32> {
        if plan.has_intents_order {
            return self.admitted_in_order(plan).next();
        }
        let scores = self.facts().iter().filter_map(|facts| judge(plan, facts).ok());
        scores.min().map(|score| self.facts_at(score.place()).index)
    }

    #[inline]
    fn rank_by(&self, plan: &Plan) -> Ranking {
        if plan.has_intents_order {
            return Ranking::collect(self.admitted_in_order(plan));
        }
        let (scores, count) = self.sorted_scores(plan);
        Ranking::collect(scores[..count].iter().map(|score| self.facts_at(score.place()).index))
    }

    /// The indices of the types that are not refused, in the order of the plan's intent.
    #[inline]
    fn admitted_in_order(&self, plan: &Plan) -> impl Iterator<Item = u32> {
        let order = self.orders.of(plan.intent).iter();
        let facts = order.map(|&place| self.facts_at(place));
        facts.filter(|facts| admit(plan, facts).is_ok()).map(|facts| facts.index)
    }

    /// The scores of the types that are not refused, best first, and how many they are.
    fn sorted_scores(&self, plan: &Plan) -> ([Score; MAX_MEMORY_TYPES], usize) {
        sorted_scores(plan, self.facts())
    }

    fn explain_by(&self, plan: &Plan) -> Explanation {
        let (scores, count) = self.sorted_scores(plan);
        Explanation::of(plan, self.facts(), &scores[..count], &self.properties)
    }
}
