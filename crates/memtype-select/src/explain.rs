//! Why the ranking is what it is: for every memory type its verdict and the rule that decided.

use core::ops::Deref;

use smallvec::SmallVec;

use crate::facts::TypeFacts;
use crate::flags::MemoryPropertyFlags as Flags;
use crate::plan::Plan;
use crate::properties::{DeviceMemoryProperties, MAX_MEMORY_TYPES, MemoryHeap, MemoryType};
use crate::verdict::{Column, Refusal, Score, judge};

/// The rule by which one admissible memory type goes before another: the first column of the
/// [order](crate#the-rules) in which they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The other is scarce BAR, which nobody needs here.
    SparesScarceBar,
    /// The other's heap has no room for the request within its budget.
    WithinBudget,
    /// The caller prefers this flag, and the other lacks it.
    CallerPrefers(Flags),
    /// The other has flags that were opted in to, and not asked for.
    Ordinary,
    /// The purpose prefers this flag, and the other lacks it.
    PurposePrefers(Flags),
    /// The caller avoids this flag, and the other has it.
    CallerAvoids(Flags),
    /// The purpose avoids this flag, and the other has it.
    PurposeAvoids(Flags),
    /// Its heap is larger.
    LargerHeap,
    /// Its index is lower.
    LowerIndex,
}

/// The rule that decided between a type and the one next to it in the ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// The index of the other type.
    pub other: u32,
    /// Why the better of the two is better.
    pub rule: Rule,
}

/// What became of a memory type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is the best.
    Chosen {
        /// The second best, and why it is not the best; `None` if no other type will do.
        runner_up: Option<Comparison>,
    },
    /// It will do, and others are better.
    Ranked {
        /// Its rank, from 2 as the chosen one's is 1.
        rank: u32,
        /// The next better one, and why it is better.
        better: Comparison,
    },
    /// It will not do.
    Refused(Refusal),
}

/// One memory type and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExplainedType {
    /// Its index.
    pub index: u32,
    /// Its flags, and the index of its heap.
    pub memory_type: MemoryType,
    /// Its heap, if the table has it.
    pub heap: Option<MemoryHeap>,
    /// What became of it.
    pub verdict: Verdict,
}

/// All memory types of a device and what became of each for one request, by index.
///
/// It derefs to a slice of [`ExplainedType`], and prints as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    types: SmallVec<[ExplainedType; MAX_MEMORY_TYPES]>,
}

impl Explanation {
    /// Judges all types by `plan`; `facts` are those of the table's types, in the order of places.
    pub(crate) fn of(
        plan: &Plan,
        facts: &[TypeFacts],
        ranked: &[Score],
        properties: &DeviceMemoryProperties,
    ) -> Self {
        let types = properties.memory_types.iter().zip(0..).filter_map(|(memory_type, index)| {
            let own = facts.iter().find(|facts| facts.index == index)?;
            let verdict = match judge(plan, own) {
                Err(refusal) => Verdict::Refused(refusal),
                Ok(score) => rank_of(plan, facts, ranked, score),
            };
            let heap = properties.heap_of(memory_type).copied();
            Some(ExplainedType { index, memory_type: *memory_type, heap, verdict })
        });
        Self { types: types.collect() }
    }

    /// The index of the chosen type, if any will do.
    #[must_use]
    pub fn chosen(&self) -> Option<u32> {
        let is_chosen =
            |explained: &&ExplainedType| matches!(explained.verdict, Verdict::Chosen { .. });
        self.types.iter().find(is_chosen).map(|explained| explained.index)
    }
}

impl Deref for Explanation {
    type Target = [ExplainedType];

    fn deref(&self) -> &[ExplainedType] {
        &self.types
    }
}

/// The verdict on the type with `score`, which is among the ranked ones.
fn rank_of(plan: &Plan, facts: &[TypeFacts], ranked: &[Score], score: Score) -> Verdict {
    let compare = |better: Score, worse: Score, other: Score| Comparison {
        other: at(facts, other).index,
        rule: deciding_rule(plan, facts, better, worse),
    };
    let better = ranked.iter().take_while(|&&other| other < score);
    match (1..).zip(better).last() {
        None => {
            let runner_up = ranked.get(1);
            Verdict::Chosen { runner_up: runner_up.map(|&other| compare(score, other, other)) }
        }
        Some((better_count, &before)) => {
            Verdict::Ranked { rank: better_count + 1, better: compare(before, score, before) }
        }
    }
}

/// The rule by which one type goes before another.
fn deciding_rule(plan: &Plan, facts: &[TypeFacts], better: Score, worse: Score) -> Rule {
    let (column, bit) = better
        .first_difference(worse)
        .expect("two types differ in their place at least, which the score ends with");
    // The stated flags are weighed in the order of their bits, the first one highest.
    let stated = Flags::from_bits_retain(1 << bit);
    match column {
        Column::ScarceBar => Rule::SparesScarceBar,
        Column::FullHeap => Rule::WithinBudget,
        Column::StatedPreferred => Rule::CallerPrefers(stated),
        Column::OptedIn => Rule::Ordinary,
        Column::ImpliedPreferred => Rule::PurposePrefers(plan.intent.preferred[bit]),
        Column::StatedAvoided => Rule::CallerAvoids(stated),
        Column::ImpliedAvoided => Rule::PurposeAvoids(plan.intent.avoided[bit]),
        Column::Place => {
            if at(facts, better).heap_size > at(facts, worse).heap_size {
                Rule::LargerHeap
            } else {
                Rule::LowerIndex
            }
        }
    }
}

/// The facts of the type with this score, which was given to one of `facts`.
fn at(facts: &[TypeFacts], score: Score) -> &TypeFacts {
    &facts[usize::from(score.place())]
}
