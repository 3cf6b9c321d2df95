//! The rounding of a request, and whether it gets a memory object of its own.

use crate::answer::Fitted;
use crate::rounding::round_up;
use crate::{Dedicated, PoolConfig, PoolRequest, RequestError, ResourceKind};

/// What a request comes down to.
pub(super) enum Fit {
    /// A memory object of its own.
    Dedicated(Fitted),
    /// A piece of a block of at least `needed` bytes.
    Carved { fitted: Fitted, needed: u64 },
    /// A piece of a block that exists, or else a memory object of its own.
    Either { whole: Fitted, fitted: Fitted, needed: u64 },
}

/// Rounds a request as granularity and atom want it, and decides whether it is dedicated.
#[inline]
pub(super) fn fit(config: &PoolConfig, request: &PoolRequest) -> Result<Fit, RequestError> {
    let PoolRequest { size, alignment, kind, dedicated, upper } = *request;
    if size == 0 {
        return Err(RequestError::ZeroSize);
    }
    // 0 means no alignment.
    if alignment & alignment.wrapping_sub(1) != 0 {
        return Err(RequestError::AlignmentNotPowerOfTwo { alignment });
    }
    if upper && !has_upper_end(config) {
        return Err(RequestError::NoUpperEnd);
    }
    // At least 1.
    let alignment = alignment.max(config.min_alignment);
    let whole = Fitted { requested: size, size, alignment, upper };
    let largest = config.largest_block_size;
    let is_large = dedicated == Dedicated::BySize && size > config.dedicated_above;
    if dedicated == Dedicated::Always || is_large && size > config.room_taken_up_to {
        return dedicated_fit(config, whole, dedicated);
    }
    match carved(config, &whole, kind) {
        Some((fitted, needed)) if is_large => Ok(Fit::Either { whole, fitted, needed }),
        Some((fitted, needed)) => Ok(Fit::Carved { fitted, needed }),
        // Offset 0 of a memory object satisfies any alignment.
        _ if dedicated == Dedicated::BySize && config.allows_dedicated => Ok(Fit::Dedicated(whole)),
        _ => Err(RequestError::LargerThanBlock { size, alignment, largest_block_size: largest }),
    }
}

/// What [`fit`] rounds the request to if it may have a piece of a block that exists, and the bytes of a
/// block for it; else `None`. For who asks no further, and shorter.
//
// Always, or the answer would be written to memory in parts and read as a whole, and so it is where it
// passes through `Fit`.
#[inline(always)]
pub(super) fn fit_carved(config: &PoolConfig, request: &PoolRequest) -> Option<(Fitted, u64)> {
    let PoolRequest { size, alignment, kind, dedicated, upper } = *request;
    let is_sound = size != 0 && alignment & alignment.wrapping_sub(1) == 0;
    let largest = match dedicated {
        Dedicated::Always => return None,
        // The larger of the two, by the configuration's rules, unless the former is all.
        Dedicated::BySize => config.dedicated_above.max(config.room_taken_up_to),
        Dedicated::Never => u64::MAX,
    };
    if !is_sound || size > largest || upper && !has_upper_end(config) {
        return None;
    }
    let alignment = alignment.max(config.min_alignment);
    carved(config, &Fitted { requested: size, size, alignment, upper }, kind)
}

fn has_upper_end(config: &PoolConfig) -> bool {
    config.algorithm.has_upper_end(config.max_block_count)
}

/// Rounds a request as granularity and atom want it; answers it with the bytes of a block for it, or `None`
/// if no block is large enough.
#[inline(always)]
fn carved(config: &PoolConfig, whole: &Fitted, kind: ResourceKind) -> Option<(Fitted, u64)> {
    // A non-linear resource owns its granules, so no neighbour can be on one of them; an
    // allocation owns its atoms, so no flush or invalidate touches a neighbour's bytes.
    let granule = match kind {
        ResourceKind::Linear => 1,
        ResourceKind::NonLinear | ResourceKind::Unknown => config.buffer_image_granularity,
    };
    let unit = granule.max(config.atom_size);
    let size = round_up(whole.size.checked_add(config.margin)?, unit)?;
    let alignment = whole.alignment.max(unit);
    let needed = config.algorithm.needed(size, alignment, config.min_allocation_size)?;
    // Only offset 0 of a block satisfies an alignment above the largest one.
    let may_be = needed.max(alignment) <= config.largest_block_size;
    may_be.then_some((Fitted { size, alignment, ..*whole }, needed))
}

/// A memory object of its own, or the refusal of a pool that has none.
fn dedicated_fit(
    config: &PoolConfig,
    whole: Fitted,
    dedicated: Dedicated,
) -> Result<Fit, RequestError> {
    let Fitted { size, alignment, .. } = whole;
    match dedicated {
        _ if config.allows_dedicated => Ok(Fit::Dedicated(whole)),
        Dedicated::Always => Err(RequestError::DedicatedNotAllowed { size }),
        Dedicated::BySize | Dedicated::Never => {
            let largest_block_size = config.largest_block_size;
            Err(RequestError::LargerThanBlock { size, alignment, largest_block_size })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Algorithm, linear::LinearKind};

    fn powers(to: u32) -> impl Strategy<Value = u64> {
        (0..=to).prop_map(|log| 1 << log)
    }

    fn sizes() -> impl Strategy<Value = u64> {
        prop_oneof![0u64..5, 0u64..1 << 17, (0u64..3).prop_map(|below| u64::MAX - below)]
    }

    fn configs() -> impl Strategy<Value = PoolConfig> {
        let algorithms = prop_oneof![
            Just(Algorithm::TwoTier),
            Just(Algorithm::Buddy),
            Just(Algorithm::Linear(LinearKind::Auto)),
        ];
        let blocks = prop_oneof![Just(None), Just(Some(1)), Just(Some(2))];
        let limits = (0u64..1 << 16, 0u64..1 << 16, any::<bool>());
        let powers = (powers(12), powers(8), powers(4), powers(12));
        (algorithms, blocks, limits, powers, 0u64..100).prop_map(
            |(
                algorithm,
                max_block_count,
                limits,
                (granule, atom_size, least, min_alignment),
                margin,
            )| {
                let (above, taken, is_fixed) = limits;
                let config = PoolConfig {
                    algorithm,
                    max_block_count,
                    buffer_image_granularity: granule,
                    atom_size,
                    margin,
                    min_allocation_size: least,
                    min_alignment,
                    smallest_block_size: 1 << 12,
                    first_block_size: 1 << 14,
                    largest_block_size: 1 << 16,
                    dedicated_above: above,
                    room_taken_up_to: taken,
                    ..PoolConfig::default()
                };
                if is_fixed { config.with_block_size(60_000) } else { config }
            },
        )
    }

    fn requests() -> impl Strategy<Value = PoolRequest> {
        let kinds = prop_oneof![
            Just(ResourceKind::Linear),
            Just(ResourceKind::NonLinear),
            Just(ResourceKind::Unknown),
        ];
        let choices =
            prop_oneof![Just(Dedicated::BySize), Just(Dedicated::Never), Just(Dedicated::Always)];
        let alignments = prop_oneof![powers(20), Just(0), Just(1 << 63), Just(3)];
        (sizes(), alignments, kinds, choices, any::<bool>()).prop_map(
            |(size, alignment, kind, dedicated, upper)| PoolRequest {
                size,
                alignment,
                kind,
                dedicated,
                upper,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn the_short_way_rounds_and_refuses_as_the_long_one(
            config in configs(),
            request in requests(),
        ) {
            let long = match fit(&config, &request) {
                Ok(Fit::Carved { fitted, needed } | Fit::Either { fitted, needed, .. }) => {
                    Some((fitted, needed))
                }
                Ok(Fit::Dedicated(_)) | Err(_) => None,
            };
            prop_assert_eq!(fit_carved(&config, &request), long);
        }
    }
}
