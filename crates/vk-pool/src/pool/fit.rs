//! The rounding of a request, and whether it gets a memory object of its own.

use crate::answer::Fitted;
use crate::{Dedicated, PoolConfig, PoolRequest, RequestError, ResourceKind};

/// What a request comes down to.
pub(super) enum Fit {
    /// A memory object of its own.
    Dedicated(Fitted),
    /// A piece of a block of at least `needed` bytes.
    Carved { fitted: Fitted, needed: u64 },
}

/// Rounds a request as granularity and atom want it, and decides whether it is dedicated.
pub(super) fn fit(config: &PoolConfig, request: &PoolRequest) -> Result<Fit, RequestError> {
    let PoolRequest { size, kind, dedicated, .. } = *request;
    let alignment = request.alignment.max(1);
    if size == 0 {
        return Err(RequestError::ZeroSize);
    }
    if !alignment.is_power_of_two() {
        return Err(RequestError::AlignmentNotPowerOfTwo { alignment });
    }
    let whole = Fit::Dedicated(Fitted { requested: size, size, alignment });
    let largest = config.largest_block_size;
    match dedicated {
        Dedicated::Always => return Ok(whole),
        Dedicated::BySize if size > config.dedicated_above => return Ok(whole),
        Dedicated::BySize | Dedicated::Never => {}
    }
    // A non-linear resource owns its granules, so no neighbour can be on one of them; an
    // allocation owns its atoms, so no flush or invalidate touches a neighbour's bytes.
    let granule = match kind {
        ResourceKind::Linear => 1,
        ResourceKind::NonLinear | ResourceKind::Unknown => config.buffer_image_granularity,
    };
    let unit = granule.max(config.atom_size);
    let rounded = size.checked_next_multiple_of(unit);
    let alignment_rounded = alignment.max(unit);
    let needed = rounded.and_then(|rounded| {
        config.algorithm.needed(rounded, alignment_rounded, config.min_allocation_size)
    });
    match (rounded, needed) {
        // Only offset 0 of a block satisfies an alignment above the largest one.
        (Some(rounded), Some(needed)) if needed.max(alignment_rounded) <= largest => {
            let fitted = Fitted { requested: size, size: rounded, alignment: alignment_rounded };
            Ok(Fit::Carved { fitted, needed })
        }
        // Offset 0 of a memory object satisfies any alignment.
        _ if dedicated == Dedicated::BySize => Ok(whole),
        _ => Err(RequestError::LargerThanBlock { size, alignment, largest_block_size: largest }),
    }
}
