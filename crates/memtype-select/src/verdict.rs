//! One memory type against one request: its score, or the rule that refuses it.
//!
//! Basic design: [`judge`] applies all rules, first those that [`admit`], then the [`score`]. A score is a
//! tuple that is compared column by column; its columns are a few bits each and so the tuple is
//! packed into one number, first column highest, and two types are compared by one instruction.
//! The last column is the type's place among all of the device: no two types have the same score.
//! Which column decided between two types is the one with the highest bit in which they differ.

use crate::facts::TypeFacts;
use crate::flags::MemoryPropertyFlags as Flags;
use crate::intent::Intent;
use crate::plan::Plan;
use crate::properties::MAX_MEMORY_TYPES;

/// The rule that refuses a memory type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The request avoids what it, or its purpose, requires: no type will do.
    Contradiction {
        /// The flags both required and avoided.
        flags: Flags,
    },
    /// Its bit is not among the allowed ones.
    NotAllowed,
    /// It lacks flags that the request, or its purpose, requires.
    LacksRequired {
        /// The flags that it lacks.
        flags: Flags,
    },
    /// It has flags that are given only to those who require them or opt in to them.
    NotAskedFor {
        /// The flags that nobody asked for.
        flags: Flags,
    },
    /// Its heap is not in the table.
    NoHeap {
        /// The index that the type states.
        heap_index: u32,
    },
    /// Its heap could not hold the request even if it were empty, or holds nothing at all.
    HeapTooSmall {
        /// Bytes in the heap.
        heap_size: u64,
    },
}

/// How good a memory type is for a request; the least is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Score(u32);

/// The columns of a score, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// Is scarce BAR taken without need.
    ScarceBar,
    /// Its heap has no room within its budget.
    FullHeap,
    /// What the caller prefers and it lacks.
    StatedPreferred,
    /// Has flags that were opted in to, and not asked for.
    OptedIn,
    /// What the purpose prefers and it lacks.
    ImpliedPreferred,
    /// What the caller avoids and it has.
    StatedAvoided,
    /// What the purpose avoids and it has.
    ImpliedAvoided,
    /// Its place by size of heap, then index.
    Place,
}

/// The columns with their bits, which are 32 in all.
const COLUMNS: [(Column, u32); 8] = [
    (Column::ScarceBar, 1),
    (Column::FullHeap, 1),
    (Column::StatedPreferred, Flags::NAMED_COUNT),
    (Column::OptedIn, 1),
    (Column::ImpliedPreferred, Intent::PREFERRED_BITS),
    (Column::StatedAvoided, Flags::NAMED_COUNT),
    (Column::ImpliedAvoided, Intent::AVOIDED_BITS),
    (Column::Place, 5),
];

impl Score {
    /// Packs the values of all columns.
    ///
    /// Every value fits its column and all columns fill 32 bits, so none reaches into another
    /// and none is shifted out.
    #[inline]
    fn new(values: [u32; COLUMNS.len()]) -> Self {
        let columns = COLUMNS.iter().zip(values);
        Self(columns.fold(0, |packed, (&(_, bits), value)| packed << bits | value))
    }

    /// The place of the type it is the score of, below 32.
    #[inline]
    pub(crate) fn place(self) -> u8 {
        self.0.to_le_bytes()[0] & 31
    }

    /// The column in which two scores differ first, and the bit of it, counted from its highest.
    pub(crate) fn first_difference(self, other: Self) -> Option<(Column, usize)> {
        let mut bit = (self.0 ^ other.0).leading_zeros();
        COLUMNS.iter().find_map(|&(column, bits)| {
            if bit < bits {
                return Some((column, usize::try_from(bit).ok()?));
            }
            bit -= bits;
            None
        })
    }
}

/// Judges a type by all rules.
#[inline]
pub(crate) fn judge(plan: &Plan, facts: &TypeFacts) -> Result<Score, Refusal> {
    admit(plan, facts).map(|()| score(plan, facts))
}

/// Judges a type by the rules that refuse.
#[inline]
pub(crate) fn admit(plan: &Plan, facts: &TypeFacts) -> Result<(), Refusal> {
    let flags = facts.flags;
    if !plan.contradiction.is_empty() {
        return Err(Refusal::Contradiction { flags: plan.contradiction });
    }
    if plan.memory_type_bits >> facts.index & 1 == 0 {
        return Err(Refusal::NotAllowed);
    }
    if !flags.contains(plan.required) {
        return Err(Refusal::LacksRequired { flags: plan.required.difference(flags) });
    }
    if !plan.permitted.contains(flags) {
        return Err(Refusal::NotAskedFor { flags: flags.difference(plan.permitted) });
    }
    if facts.heap_size < plan.size {
        return Err(match facts.heap_bit {
            0 => Refusal::NoHeap { heap_index: facts.heap_index },
            _ => Refusal::HeapTooSmall { heap_size: facts.heap_size },
        });
    }
    Ok(())
}

/// Weighs a type that is not refused by the rules that order.
#[inline]
fn score(plan: &Plan, facts: &TypeFacts) -> Score {
    let flags = facts.flags;
    Score::new([
        u32::from(facts.is_scarce_bar && !plan.needs_bar),
        u32::from(facts.heap_bit & plan.full_heaps != 0),
        plan.stated_preferred & !facts.flags_in_bit_order,
        u32::from(!plan.asked_for.contains(flags)),
        plan.intent.weigh_preferred(flags | plan.unwanted),
        plan.stated_avoided & facts.flags_in_bit_order,
        plan.intent.weigh_avoided(flags),
        facts.place,
    ])
}

/// The scores of those types that are not refused, best first, and how many they are.
#[inline]
pub(crate) fn sorted_scores(
    plan: &Plan,
    facts: &[TypeFacts],
) -> ([Score; MAX_MEMORY_TYPES], usize) {
    let mut scores = [Score::default(); MAX_MEMORY_TYPES];
    let mut count = 0;
    let admissible = facts.iter().filter_map(|facts| judge(plan, facts).ok());
    for (slot, score) in scores.iter_mut().zip(admissible) {
        *slot = score;
        count += 1;
    }
    scores[..count].sort_unstable();
    (scores, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::{MemoryHeapFlags, UsageFlags};
    use crate::properties::{DeviceMemoryProperties, MemoryHeap, MemoryType};
    use crate::request::MemoryRequest;
    use rstest::rstest;

    fn ask(flags: u32, heap_index: u32, request: MemoryRequest) -> Result<u32, Refusal> {
        let local = MemoryHeapFlags::DEVICE_LOCAL;
        let properties = DeviceMemoryProperties::new(
            &[MemoryType { property_flags: Flags::from_bits_retain(flags), heap_index }],
            &[MemoryHeap { size: 100, flags: local }, MemoryHeap { size: 0, flags: local }],
        );
        let facts = TypeFacts::table(&properties);
        judge(&Plan::of(&request, false), &facts[0]).map(|score| score.0)
    }

    #[rstest]
    #[case::contradiction(7, 0, MemoryRequest {
        required: Flags::HOST_CACHED, avoided: Flags::HOST_CACHED, ..Default::default()
    }, Refusal::Contradiction { flags: Flags::HOST_CACHED })]
    #[case::not_allowed(7, 0, MemoryRequest { memory_type_bits: !1, ..Default::default() },
        Refusal::NotAllowed)]
    #[case::lacks_required(1, 0, MemoryRequest { usage: UsageFlags::UPLOAD, ..Default::default() },
        Refusal::LacksRequired { flags: Flags::HOST_VISIBLE })]
    #[case::not_asked_for(0x101, 0, MemoryRequest::default(),
        Refusal::NotAskedFor { flags: Flags::RDMA_CAPABLE_NV })]
    #[case::lazily_allocated(0x11, 0, MemoryRequest::default(),
        Refusal::NotAskedFor { flags: Flags::LAZILY_ALLOCATED })]
    #[case::no_heap(1, 2, MemoryRequest::default(), Refusal::NoHeap { heap_index: 2 })]
    #[case::heap_too_small(1, 0, MemoryRequest { size: 101, ..Default::default() },
        Refusal::HeapTooSmall { heap_size: 100 })]
    #[case::empty_heap(1, 1, MemoryRequest::default(), Refusal::HeapTooSmall { heap_size: 0 })]
    fn a_refusal_names_its_rule(
        #[case] flags: u32,
        #[case] heap_index: u32,
        #[case] request: MemoryRequest,
        #[case] rule: Refusal,
    ) {
        assert_eq!(ask(flags, heap_index, request), Err(rule));
    }

    #[test]
    fn the_columns_fill_the_score() {
        assert_eq!(COLUMNS.iter().map(|&(_, bits)| bits).sum::<u32>(), u32::BITS);
        assert_eq!(Score::new([1, 0, 1 << 8, 1, 8, 1 << 8, 2, 16]).0, 0xa018_8050);
        assert_eq!(ask(1, 0, MemoryRequest::default()), Ok(0));
    }

    #[rstest]
    #[case(1 << 31, Column::ScarceBar, 0)]
    #[case(1 << 30, Column::FullHeap, 0)]
    #[case(1 << 29, Column::StatedPreferred, 0)]
    #[case(1 << 21, Column::StatedPreferred, 8)]
    #[case(1 << 20, Column::OptedIn, 0)]
    #[case(1 << 19, Column::ImpliedPreferred, 0)]
    #[case(1 << 16, Column::ImpliedPreferred, 3)]
    #[case(1 << 15, Column::StatedAvoided, 0)]
    #[case(1 << 6, Column::ImpliedAvoided, 0)]
    #[case(1 << 5, Column::ImpliedAvoided, 1)]
    #[case(1 << 4, Column::Place, 0)]
    #[case(1, Column::Place, 4)]
    fn the_highest_bit_that_differs_tells_the_column(
        #[case] bit: u32,
        #[case] column: Column,
        #[case] offset: usize,
    ) {
        let (one, other) = (Score(0x1234_5678), Score(0x1234_5678 ^ (bit | bit >> 1)));
        assert_eq!(one.first_difference(other), Some((column, offset)));
        assert_eq!(one.first_difference(one), None);
    }
}
