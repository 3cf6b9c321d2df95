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
    if upper && !config.algorithm.has_upper_end(config.max_block_count) {
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
    // A non-linear resource owns its granules, so no neighbour can be on one of them; an
    // allocation owns its atoms, so no flush or invalidate touches a neighbour's bytes.
    let granule = match kind {
        ResourceKind::Linear => 1,
        ResourceKind::NonLinear | ResourceKind::Unknown => config.buffer_image_granularity,
    };
    let unit = granule.max(config.atom_size);
    let rounded = size.checked_add(config.margin).and_then(|size| round_up(size, unit));
    let alignment_rounded = alignment.max(unit);
    let needed = rounded.and_then(|rounded| {
        config.algorithm.needed(rounded, alignment_rounded, config.min_allocation_size)
    });
    match (rounded, needed) {
        // Only offset 0 of a block satisfies an alignment above the largest one.
        (Some(rounded), Some(needed)) if needed.max(alignment_rounded) <= largest => {
            let fitted =
                Fitted { requested: size, size: rounded, alignment: alignment_rounded, upper };
            Ok(match is_large {
                true => Fit::Either { whole, fitted, needed },
                false => Fit::Carved { fitted, needed },
            })
        }
        // Offset 0 of a memory object satisfies any alignment.
        _ if dedicated == Dedicated::BySize && config.allows_dedicated => Ok(Fit::Dedicated(whole)),
        _ => Err(RequestError::LargerThanBlock { size, alignment, largest_block_size: largest }),
    }
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
