//! A request made ready to judge types by: what it states, joined with what its purpose implies.

use crate::budget::BudgetSnapshot;
use crate::flags::MemoryPropertyFlags as Flags;
use crate::intent::Intent;
use crate::purpose::Purpose;
use crate::request::MemoryRequest;

/// A request made ready to judge types by, the same for all types.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The allowed types.
    pub(crate) memory_type_bits: u32,
    /// Bytes the heap must hold; at least 1, so that an empty heap never does.
    pub(crate) size: u64,
    /// What is both required and avoided.
    pub(crate) contradiction: Flags,
    /// Flags a type must have, by the caller's word or the purpose's.
    pub(crate) required: Flags,
    /// Flags a type may have. All others are refused.
    pub(crate) permitted: Flags,
    /// Flags that were asked for, and do not make a type a last resort.
    pub(crate) asked_for: Flags,
    /// Is true when host and device both want this memory, so that scarce BAR is well spent.
    pub(crate) needs_bar: bool,
    /// A bit for each heap without room for the request, as far as that is known.
    pub(crate) full_heaps: u32,
    /// Preferred by the caller, as [`Flags::in_bit_order`] weighs it.
    pub(crate) stated_preferred: u32,
    /// Avoided by the caller, weighed likewise.
    pub(crate) stated_avoided: u32,
    /// Avoided by the caller: the purpose does not prefer it.
    pub(crate) unwanted: Flags,
    /// What the purpose prefers and avoids.
    pub(crate) intent: &'static Intent,
    /// Is true when nothing but the intent has a say in the order of the admissible types.
    pub(crate) has_intents_order: bool,
}

impl Plan {
    /// Joins what `request` states with what its purpose implies, on a device with unified memory
    /// or not.
    #[inline]
    pub(crate) fn of(request: &MemoryRequest, is_unified: bool) -> Self {
        let Purpose { intent, is_transient, host_touches, is_fast } =
            Purpose::of(request, is_unified);
        let required = request.required | intent.required;
        let lazily_allocated = if is_transient { Flags::LAZILY_ALLOCATED } else { Flags::empty() };
        let ordinary = Flags::UNREMARKABLE | lazily_allocated | required;
        let stated = request.required | request.preferred;
        let host_touches = host_touches || stated.intersects(Flags::HOST);
        let needs_bar = host_touches && (is_fast || stated.contains(Flags::DEVICE_LOCAL));
        Self {
            memory_type_bits: request.memory_type_bits,
            size: request.size.max(1),
            contradiction: required & request.avoided,
            required,
            permitted: ordinary | request.opt_in,
            asked_for: ordinary | request.preferred,
            needs_bar,
            full_heaps: 0,
            stated_preferred: request.preferred.in_bit_order(),
            stated_avoided: request.avoided.in_bit_order(),
            unwanted: request.avoided,
            intent,
            has_intents_order: needs_bar == intent.needs_bar
                && (request.preferred | request.avoided | request.opt_in).is_empty(),
        }
    }

    /// A plan by which every type is judged that any request with this intent admits, and whose
    /// order is the order for all such requests that state nothing.
    pub(crate) fn of_intent(intent: &'static Intent) -> Self {
        Self {
            memory_type_bits: u32::MAX,
            size: 1,
            contradiction: Flags::empty(),
            required: Flags::empty(),
            permitted: Flags::from_bits_retain(u32::MAX),
            asked_for: Flags::from_bits_retain(u32::MAX),
            needs_bar: intent.needs_bar,
            full_heaps: 0,
            stated_preferred: 0,
            stated_avoided: 0,
            unwanted: Flags::empty(),
            intent,
            has_intents_order: true,
        }
    }

    /// The same, knowing how much the heaps have left.
    pub(crate) fn within(self, budget: &BudgetSnapshot) -> Self {
        Self { full_heaps: budget.full_heaps(self.size), has_intents_order: false, ..self }
    }
}
