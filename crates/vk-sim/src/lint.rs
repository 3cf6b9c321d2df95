//! Practices that are legal, and that a careful allocator has no use for: neighbours too close.

use std::ops::Bound::{Excluded, Unbounded};

use ash::vk;

use crate::objects::{Place, Span};
use crate::state::Entered;
use crate::violation::Rule;

impl Entered<'_> {
    /// Looks at what is bound next to a place that is about to be bound.
    ///
    /// The nearest on either side are enough: whatever lies behind one of them and reaches further
    /// overlaps with it, which was recorded when those two met.
    pub(crate) fn lint_neighbours(&mut self, memory_handle: u64, place: Place, span: Span) {
        let Some(memory) = self.books.memories.get(&memory_handle) else {
            return;
        };
        let before = memory.bound.range(..place).next_back();
        let after = memory.bound.range((Excluded(place), Unbounded)).next();
        let granularity = self.config.buffer_image_granularity;
        let flags = self.config.memory_flags(memory.request.memory_type_index);
        let has_atoms = flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE)
            && !flags.contains(vk::MemoryPropertyFlags::HOST_COHERENT);
        let atom = if has_atoms { self.config.non_coherent_atom_size } else { 1 };
        let new = (place, span);
        let pairs = [
            before.map(|(&place, &span)| ((place, span), new)),
            after.map(|(&place, &span)| (new, (place, span))),
        ];
        for (first, second) in pairs.into_iter().flatten() {
            if let Some(rule) = too_close(memory_handle, first, second, granularity, atom) {
                self.record(rule);
            }
        }
    }
}

/// What two neighbours, the lower one first, share that they should not.
fn too_close(
    memory: u64,
    (first, first_span): (Place, Span),
    (second, second_span): (Place, Span),
    granularity: u64,
    atom: u64,
) -> Option<Rule> {
    let (first_start, _, first_handle) = first;
    let (second_start, _, second_handle) = second;
    // Within the memory, as the bind was checked, and no resource is empty.
    let last = first_start + first_span.size - 1;
    if last >= second_start {
        return Some(Rule::Overlap { memory, first: first_handle, second: second_handle });
    }
    if first_span.is_linear != second_span.is_linear
        && last / granularity == second_start / granularity
    {
        let (linear, optimal) = if first_span.is_linear {
            (first_handle, second_handle)
        } else {
            (second_handle, first_handle)
        };
        return Some(Rule::SharedGranule { memory, linear, optimal });
    }
    (last / atom == second_start / atom).then_some(Rule::SharedAtom {
        memory,
        first: first_handle,
        second: second_handle,
    })
}
