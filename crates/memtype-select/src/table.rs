//! The printed form of an explanation: a line for each memory type, and the order at the end.
//!
//! Flags are printed by their Vulkan names in short: `local`, `visible`, `coherent`, `cached`.

use core::fmt::{self, Display, Formatter, Write};

use crate::explain::{Comparison, ExplainedType, Explanation, Rule, Verdict};
use crate::flags::MemoryPropertyFlags as Flags;
use crate::properties::{MAX_MEMORY_TYPES, MemoryHeap};
use crate::verdict::Refusal;

/// The short names of the flags, by bit.
const WORDS: [&str; Flags::NAMED_COUNT as usize] = [
    "local",
    "visible",
    "coherent",
    "cached",
    "lazy",
    "protected",
    "coherent-amd",
    "uncached-amd",
    "rdma",
];

/// Flags by their short names, unknown ones as a number; `-` if there are none.
struct Words(Flags);

impl Display for Words {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (word, bit) in WORDS.into_iter().zip(0..) {
            if self.0.bits() >> bit & 1 == 1 {
                write!(formatter, "{separator}{word}")?;
                separator = " ";
            }
        }
        let unknown = self.0.difference(Flags::all()).bits();
        if unknown != 0 {
            write!(formatter, "{separator}{unknown:#x}")?;
        } else if self.0.is_empty() {
            formatter.write_str("-")?;
        }
        Ok(())
    }
}

/// Bytes, in MiB where they are at least one.
struct Size(u64);

impl Display for Size {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.0 >> 20 {
            0 => write!(formatter, "{} B", self.0),
            mebibytes => write!(formatter, "{mebibytes} MiB"),
        }
    }
}

/// Counts the characters written, so that a column can be filled up without a host allocation.
struct Width(usize);

impl Write for Width {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.chars().count();
        Ok(())
    }
}

/// How many characters `value` is printed in.
fn width_of(value: &dyn Display) -> usize {
    let mut written = Width(0);
    // Counting does not fail, and neither do the texts of this module.
    let _ = write!(written, "{value}");
    written.0
}

/// Writes `value` and fills it up to `width` characters.
fn pad(formatter: &mut Formatter<'_>, value: &dyn Display, width: usize) -> fmt::Result {
    let missing = width.saturating_sub(width_of(value));
    write!(formatter, "{value}{:missing$}", "")
}

impl Display for Refusal {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Contradiction { flags } => {
                write!(formatter, "both required and avoided: {}", Words(flags))
            }
            Self::NotAllowed => formatter.write_str("not among the allowed types"),
            Self::LacksRequired { flags } => write!(formatter, "lacks {}", Words(flags)),
            Self::NotAskedFor { flags } => {
                write!(formatter, "nobody asked for {}", Words(flags))
            }
            Self::NoHeap { heap_index } => write!(formatter, "there is no heap {heap_index}"),
            Self::HeapTooSmall { heap_size } => {
                write!(formatter, "the heap holds {} only", Size(heap_size))
            }
        }
    }
}

impl Display for Rule {
    /// What is true of the better one, as the end of "it is better because …".
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SparesScarceBar => formatter.write_str("spares scarce BAR"),
            Self::WithinBudget => formatter.write_str("within budget"),
            Self::CallerPrefers(flags) => write!(formatter, "caller prefers {}", Words(flags)),
            Self::Ordinary => formatter.write_str("no flag that was merely opted in to"),
            Self::PurposePrefers(flags) => write!(formatter, "purpose prefers {}", Words(flags)),
            Self::CallerAvoids(flags) => write!(formatter, "caller avoids {}", Words(flags)),
            Self::PurposeAvoids(flags) => write!(formatter, "purpose avoids {}", Words(flags)),
            Self::LargerHeap => formatter.write_str("larger heap"),
            Self::LowerIndex => formatter.write_str("lower index"),
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen { runner_up: None } => formatter.write_str("chosen   the only one"),
            Self::Chosen { runner_up: Some(Comparison { other, rule }) } => {
                write!(formatter, "chosen   before {other}: {rule}")
            }
            Self::Ranked { rank, better: Comparison { other, rule } } => {
                write!(formatter, "rank {rank:<2}  after {other}: {rule}")
            }
            Self::Refused(refusal) => write!(formatter, "refused  {refusal}"),
        }
    }
}

/// Writes the line of one type, with the flags filled up to `flags_width` characters.
fn write_line(
    formatter: &mut Formatter<'_>,
    explained: &ExplainedType,
    flags_width: usize,
) -> fmt::Result {
    let ExplainedType { index, memory_type, heap, verdict } = explained;
    let size = Size(heap.map_or(0, |MemoryHeap { size, .. }| size));
    write!(formatter, "{index:>4}  {:>4}  ", memory_type.heap_index)?;
    pad(formatter, &size, 10)?;
    formatter.write_str("  ")?;
    pad(formatter, &Words(memory_type.property_flags), flags_width)?;
    write!(formatter, "  {verdict}")
}

impl Display for ExplainedType {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_line(formatter, self, 0)
    }
}

impl Display for Explanation {
    /// A heading, a line for each type by index, and the ranking. No newline at the end.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let words = |explained: &ExplainedType| Words(explained.memory_type.property_flags);
        let widths = self.iter().map(|explained| width_of(&words(explained)));
        let Some(widest) = widths.max() else {
            return formatter.write_str("the device has no memory types");
        };
        let flags_width = widest.max("flags".len());
        formatter.write_str("type  heap  bytes       ")?;
        pad(formatter, &"flags", flags_width)?;
        formatter.write_str("  verdict")?;
        let mut order = [None; MAX_MEMORY_TYPES];
        for explained in self.iter() {
            formatter.write_str("\n")?;
            write_line(formatter, explained, flags_width)?;
            let better_count = match explained.verdict {
                Verdict::Chosen { .. } => Some(0),
                Verdict::Ranked { rank, .. } => rank.checked_sub(1),
                Verdict::Refused(_) => None,
            };
            let slot = better_count.and_then(|count| order.get_mut(usize::try_from(count).ok()?));
            if let Some(slot) = slot {
                *slot = Some(explained.index);
            }
        }
        if order[0].is_none() {
            return formatter.write_str("\nno type will do");
        }
        formatter.write_str("\nbest first:")?;
        order.iter().flatten().try_for_each(|index| write!(formatter, " {index}"))
    }
}
