//! Stretches of one pool's blocks that another pool carves up.
//!
//! Basic design: a pool that needs a block need not get one from the driver. Another pool of the same
//! memory type and class may have room to let: it takes a piece as for any request, and the first one
//! takes that in as if it were a block. Each of the two has a lock of its own, so what is carved out of
//! a lease never meets the lender's lock. An emptied lease goes back as any superfluous block does. The
//! lender counts the bytes as lent and not as used, the borrower counts them as borrowed and not as
//! committed, so that sums over both count every byte once.

use super::MemoryPool;
use crate::answer::Fitted;
use crate::two_tier::{has_spans, is_small};
use crate::{AddBlockError, Algorithm, BlockId, BlockRequest, ClassId, FreeError, Place, Refused};

/// What a lease is aligned to at least, in bytes, so that most requests find room in it anywhere: the
/// page of textures on GPUs.
const LEASE_ALIGNMENT: u64 = 64 << 10;

/// A stretch of a block, on its way between the pool that lends and the one that borrows it.
///
/// Given to [`MemoryPool::add_lease`] of the borrower, and at last to [`MemoryPool::end_lease`] of the
/// lender; if it is dropped instead, the lender never gets the bytes back.
#[derive(Debug, PartialEq, Eq, Hash)]
#[must_use = "the lender never gets a lease back that is dropped"]
pub struct Lease {
    place: Place,
    id: BlockId,
    memory_type_index: u32,
    class: ClassId,
    alignment: u64,
}

impl Lease {
    /// Bytes from the start of the memory object.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.place.offset
    }

    /// Its bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.place.size
    }

    /// The lender's slot of the block that it lies in.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.place.slot()
    }

    /// The name of the block that it lies in.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// Bytes: offset 0 of the lease is a multiple of this, and more is not known of it.
    pub(crate) fn alignment(&self) -> u64 {
        self.alignment
    }
}

impl MemoryPool {
    /// Lets another pool have the room that its block request asks for, out of blocks that exist;
    /// `None`, and nothing has changed, if none has it, or if the request is for dedicated memory or
    /// another memory type.
    ///
    /// # Complexity
    ///
    /// That of [`allocate_placed`](Self::allocate_placed).
    pub fn lease(&mut self, request: &BlockRequest) -> Option<Lease> {
        let config = &self.config;
        if request.dedicated
            || request.memory_type_index != config.memory_type_index
            || request.class != config.class
        {
            return None;
        }
        // Granules and atoms of a lease are the borrower's alone.
        let unit = config
            .buffer_image_granularity
            .max(config.atom_size)
            // Nothing is rounded up on top of it, so that what is lent is what is borrowed.
            .max(config.min_allocation_size);
        let alignment = LEASE_ALIGNMENT
            .min(1 << request.size.checked_ilog2()?)
            .max(unit)
            .max(request.fitted.map_or(1, |fitted| fitted.alignment));
        let size = request.size.checked_next_multiple_of(unit)?;
        let by_powers_of_two = match config.algorithm {
            Algorithm::Buddy => true,
            // In spans, which any block may have.
            Algorithm::TwoTier => {
                is_small(size, alignment, config.min_allocation_size)
                    && has_spans(config.largest_block_size, config.min_allocation_size)
            }
            _ => false,
        };
        let is_rounded = by_powers_of_two && !(size.is_power_of_two() && alignment <= size);
        if size != request.size || is_rounded {
            return None;
        }
        let needed = config.algorithm.needed(size, alignment, config.min_allocation_size)?;
        let fitted = Fitted { requested: size, size, alignment, upper: false };
        let place = self.place(&fitted, needed)?;
        let id = self.blocks.get(place.slot())?.id;
        let memory_type_index = self.config.memory_type_index;
        self.lent.insert((place.slot(), place.offset), size);
        self.lent_size += size;
        Some(Lease { place, id, memory_type_index, class: self.config.class, alignment })
    }

    /// Takes in a lease instead of a block of its own, and places the request that asked for it.
    ///
    /// Afterwards the ticket is resolved: those who wait for it ask again.
    ///
    /// # Errors
    ///
    /// Both values come back unchanged, and the block request still waits, if the request is not one
    /// of this pool's ([`AddBlockError::UnknownRequest`]) or the lease is for something else
    /// ([`AddBlockError::WrongLease`]).
    #[expect(
        clippy::result_large_err,
        reason = "both values come back, and nobody is in a hurry then"
    )]
    pub fn add_lease(
        &mut self,
        request: BlockRequest,
        lease: Lease,
    ) -> Result<Place, Refused<(BlockRequest, Lease), AddBlockError>> {
        let fits = lease.size() == request.size
            && lease.memory_type_index == request.memory_type_index
            && lease.class == request.class
            && request.fitted.is_none_or(|fitted| lease.alignment >= fitted.alignment)
            && !request.dedicated;
        let checked = if !self.waits_for(&request) {
            Err(AddBlockError::UnknownRequest)
        } else if !fits {
            let (leased, requested) = (lease.size(), request.size);
            Err(AddBlockError::WrongLease { leased, requested })
        } else {
            self.first_place(&request)
        };
        match checked {
            Ok((content, first)) => {
                self.borrowed_count += 1;
                self.borrowed_size += request.size;
                let (_, place) = self.take_in(&request, lease.id, content, first, Some(lease));
                Ok(place.expect("a place was handed in"))
            }
            Err(error) => Err(Refused { returned: (request, lease), error }),
        }
    }

    /// Takes a lease back that this pool gave. A block that has emptied stays, for whoever needs the
    /// room, until [`shed`](Self::shed) or [`trim`](Self::trim) gives it back.
    ///
    /// # Errors
    ///
    /// The lease comes back if this pool did not give it.
    ///
    /// # Complexity
    ///
    /// That of [`free`](Self::free).
    pub fn end_lease(&mut self, lease: Lease) -> Result<(), Refused<Lease, FreeError>> {
        let (slot, offset) = (lease.place.slot(), lease.place.offset);
        let freed = match self.lent.get(&(slot, offset)) {
            Some(&size) if size == lease.size() => self.take_back(&lease.place),
            _ => Err(FreeError::NotAllocated { slot, offset }),
        };
        match freed {
            Ok(_) => {
                self.lent.remove(&(slot, offset));
                self.lent_size -= lease.size();
                Ok(())
            }
            Err(error) => Err(Refused { returned: lease, error }),
        }
    }
}
