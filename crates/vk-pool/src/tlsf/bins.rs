//! The bins: which sizes share a list.

/// Bins to each power of two, as a power of two.
const PER_OCTAVE_LOG: u32 = 3;
const PER_OCTAVE: u32 = 1 << PER_OCTAVE_LOG;

/// Sizes are below 2^31 units, so the highest bin is `bin_of(2^31 - 1)` = 231.
pub(super) const USED_BIN_COUNT: u32 = 232;

/// The used bins in whole words.
pub(crate) const BIN_COUNT: usize = 256;

/// The bin of a free node of `units` units, at least 1.
///
/// Up to 8 units each size has a bin of its own; above, eight bins share a power of two.
#[inline]
pub(crate) fn bin_of(units: u32) -> usize {
    bin_in_octave(units, octave(units))
}

/// log2 of how many sizes share a bin of that size's power of two.
#[inline]
fn octave(units: u32) -> u32 {
    // At least 0, as the number has more than `PER_OCTAVE_LOG` significant bits; 0 for small sizes, which
    // need no branch of their own.
    (units | PER_OCTAVE).ilog2() - PER_OCTAVE_LOG
}

#[inline]
fn bin_in_octave(units: u32, shift: u32) -> usize {
    // The four significant bits are 8 to 15, so the bins of an octave follow those of the last.
    (shift * PER_OCTAVE + (units >> shift)) as usize
}

/// The first bin of which every size is at least `units`, but for bin 0, which no size has.
#[inline]
pub(crate) fn first_bin_all_at_least(units: u32) -> usize {
    // One more than the bin of the largest smaller size.
    bin_of(units.saturating_sub(1)) + 1
}

/// The bins of a request for `units` units, at least 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bins {
    /// That of the size itself, of which nodes may be smaller.
    pub(crate) own: usize,
    /// The first one of which every size is enough: the same, or the next.
    pub(crate) sure: usize,
}

impl Bins {
    #[inline(always)]
    pub(crate) fn of(units: u32) -> Self {
        let shift = octave(units);
        let own = bin_in_octave(units, shift);
        // Every size of its own bin is enough if it is the smallest of them.
        let is_smallest = units >> shift << shift == units;
        Self { own, sure: own + usize::from(!is_smallest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bins_of_a_request_are_its_own_and_the_first_of_which_all_are_enough() {
        let near_powers = (0..31).flat_map(|log| {
            (0..5).map(move |step| (1u32 << log).wrapping_sub(2).wrapping_add(step))
        });
        let units = (1..70_000).chain(near_powers.filter(|units| (1..1 << 31).contains(units)));
        for units in units {
            let Bins { own, sure } = Bins::of(units);
            assert_eq!((own, sure), (bin_of(units), first_bin_all_at_least(units)), "{units}");
        }
    }
}
