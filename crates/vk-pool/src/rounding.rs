//! Divisions by powers of two, without dividing.
//!
//! The processor does not know that an alignment or a unit is a power of two, and a division takes it
//! longer than most of what an allocation does otherwise.

/// The least multiple of `unit`, a power of two, that is at least `size`; `None` above 64 bits.
#[inline]
pub(crate) fn round_up(size: u64, unit: u64) -> Option<u64> {
    debug_assert!(unit.is_power_of_two());
    let below = unit.wrapping_sub(1);
    Some(size.checked_add(below)? & !below)
}

/// How many times `unit`, a power of two, has to be taken for `size`.
#[inline]
pub(crate) fn units_of(size: u64, unit: u64) -> u64 {
    debug_assert!(unit.is_power_of_two());
    let whole = size >> unit.trailing_zeros();
    whole + u64::from(size & unit.wrapping_sub(1) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 256, Some(0), 0)]
    #[case(1, 256, Some(256), 1)]
    #[case(256, 256, Some(256), 1)]
    #[case(257, 256, Some(512), 2)]
    #[case(u64::MAX, 1, Some(u64::MAX), u64::MAX)]
    #[case(u64::MAX, 2, None, 1 << 63)]
    #[case(u64::MAX - 1, 2, Some(u64::MAX - 1), u64::MAX >> 1)]
    #[case(1 << 63, 1 << 63, Some(1 << 63), 1)]
    #[case((1 << 63) + 1, 1 << 63, None, 2)]
    fn rounding_agrees_with_division(
        #[case] size: u64,
        #[case] unit: u64,
        #[case] rounded: Option<u64>,
        #[case] units: u64,
    ) {
        assert_eq!(round_up(size, unit), rounded);
        assert_eq!(rounded, size.checked_next_multiple_of(unit));
        assert_eq!(units_of(size, unit), units);
        assert_eq!(units, size.div_ceil(unit));
    }
}
