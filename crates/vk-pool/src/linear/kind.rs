//! In which orders a linear region takes its room back.

/// How a region is used. Each kind but [`Auto`](Self::Auto) refuses the uses of the others.
///
/// Freeing is allowed in any order in every kind. What differs is when freed room is used again; until
/// then it waits.
///
/// | kind | room is used again | upper end | on several blocks |
/// |---|---|---|---|
/// | `Auto` | as in a stack, a double stack or a ring, by what the user does | unless it lies as a ring | as a stack |
/// | `FreeAtOnce` | when the region is empty | no | yes |
/// | `Stack` | when nothing newer lives | no | yes |
/// | `DoubleStack` | at each end, when nothing newer lives there | yes | no |
/// | `Ring` | when nothing older lives, or nothing newer | no | no |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinearKind {
    /// Recognised from use, as in VMA: a stack; a ring once a piece does not fit at the end and the
    /// oldest ones are gone; a double stack once something lives at the upper end.
    #[default]
    Auto,
    /// No offset is handed out twice before the region is empty.
    FreeAtOnce,
    /// Last in, first out.
    Stack,
    /// Two stacks that grow towards each other.
    DoubleStack,
    /// First in, first out: after the end it goes on at the start.
    Ring,
}

impl LinearKind {
    /// Whether room behind the newest piece is used again before the region is empty.
    #[inline]
    pub(super) fn rewinds(self) -> bool {
        !matches!(self, Self::FreeAtOnce)
    }

    /// Whether it goes on at the start when the end is reached.
    #[inline]
    pub(super) fn wraps(self) -> bool {
        matches!(self, Self::Auto | Self::Ring)
    }

    /// Whether pieces may be taken from the upper end.
    #[inline]
    #[must_use]
    pub fn has_upper_end(self) -> bool {
        matches!(self, Self::Auto | Self::DoubleStack)
    }

    /// Whether the kind makes sense on a single block only.
    #[must_use]
    pub fn needs_one_block(self) -> bool {
        matches!(self, Self::DoubleStack | Self::Ring)
    }
}
