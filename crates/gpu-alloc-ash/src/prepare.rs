//! What is written to an allocation before its owner gets it, and what is looked at when it comes back:
//! zeroes, fill bytes, and the margin behind it.
#![allow(unsafe_code)]

use vk_pool::ResourceKind;

use crate::access::atom_range;
use crate::allocation::Notes;
use crate::guards::{Guard, MAGIC};
use crate::mapped::MappedPtr;
use crate::{AllocError, Allocation, AllocationRequest, GpuAllocator};

impl GpuAllocator {
    /// Whether anything is to be done to what a request gets that asks for this.
    #[inline]
    pub(crate) fn prepares(&self, name: Option<&str>, zeroed: bool) -> bool {
        // Without a branch for each: none of them is the rule.
        name.is_some() | zeroed | self.alters
    }

    /// [`prepare`](Self::prepare), and frees the allocation if that fails.
    pub(crate) fn prepared(
        &self,
        mut allocation: Allocation,
        request: &AllocationRequest<'_>,
    ) -> Result<Allocation, AllocError> {
        match self.prepare(&mut allocation, request) {
            Ok(()) => Ok(allocation),
            Err(error) => {
                // SAFETY: 1. and 2. Nobody has seen it.
                let freed = unsafe { self.free(allocation) };
                debug_assert!(freed.is_ok(), "it was made by this allocator");
                Err(error)
            }
        }
    }

    /// Names an allocation that was just made, and writes to it what the request and the configuration
    /// say. No lock is held.
    ///
    /// # Errors
    ///
    /// [`AllocError::Driver`] if the memory could not be flushed; the allocation is fit to be freed.
    pub(crate) fn prepare(
        &self,
        allocation: &mut Allocation,
        request: &AllocationRequest<'_>,
    ) -> Result<(), AllocError> {
        if let Some(name) = request.name {
            self.name(allocation, name);
        }
        // Where the texels of other tilings lie, and what zero bytes mean to them, the driver knows.
        let by_host = allocation.mapped.is_some() && request.kind != ResourceKind::NonLinear;
        if request.zeroed && !by_host {
            allocation.notes.insert(Notes::UNZEROED);
        }
        let Some(mapped) = allocation.mapped else { return Ok(()) };
        let (size, margin) = (allocation.size(), self.margin_of(allocation));
        let fill = self.config.fill.map(|fill| fill.created);
        let byte = if request.zeroed && by_host { Some(0) } else { fill };
        if let Some(byte) = byte {
            // SAFETY: 1. The allocation is mapped whole. 2. Nobody has seen it yet.
            unsafe { mapped.fill(0, size, byte) };
        }
        if margin > 0 {
            let bytes: Vec<u8> = MAGIC.into_iter().cycle().take(margin_length(margin)).collect();
            // SAFETY: 1. The pool has taken the margin behind the allocation, in the same mapped block,
            // by `PoolConfig::margin`. 2. It is nobody's.
            unsafe { mapped.copy_in(size, &bytes) };
        }
        let first = if byte.is_some() { 0 } else { size };
        self.flush_written(allocation, first, size + margin)
            .map_err(|result| AllocError::Driver { call: "vkFlushMappedMemoryRanges", result })?;
        // A margin may be looked at as soon as it is in the list, so not before it is flushed.
        if margin > 0 {
            self.guard(allocation, mapped);
        }
        if fill.is_some() && !allocation.is_whole_object() {
            allocation.notes.insert(Notes::FILLED);
        }
        Ok(())
    }

    /// Bytes of the margin behind an allocation: none behind memory of its own, or made elsewhere.
    fn margin_of(&self, allocation: &Allocation) -> u64 {
        if allocation.is_whole_object() { 0 } else { self.config.corruption_margin }
    }

    fn guard(&self, allocation: &mut Allocation, mapped: MappedPtr) {
        allocation.notes.insert(Notes::GUARDED);
        self.guards.add(Guard {
            memory: allocation.memory,
            memory_type_index: allocation.memory_type_index,
            offset: allocation.offset(),
            size: allocation.size(),
            mapped,
        });
    }

    /// Makes the bytes from `first` to `end` of an allocation with its margin visible to the device.
    fn flush_written(
        &self,
        allocation: &Allocation,
        first: u64,
        end: u64,
    ) -> Result<(), ash::vk::Result> {
        let pools = &self.types[usize::from(allocation.memory_type_index)];
        if pools.coherent || first == end {
            return Ok(());
        }
        let range = atom_range(allocation, pools, first, end - first);
        // SAFETY: 1. The range is of a live, mapped allocation and its margin, on atoms by `atom_range`.
        unsafe { self.driver.flush(range) }
    }

    /// Does what an allocation's notes ask for before its place is given back, and takes them off.
    #[cold]
    pub(crate) fn settle_notes(&self, allocation: &mut Allocation) {
        if allocation.notes.contains(Notes::GUARDED) {
            self.check_at_the_end(allocation);
        }
        if allocation.notes.contains(Notes::NAMED) {
            self.names.remove(allocation);
        }
        let destroyed = self.config.fill.filter(|_| allocation.notes.contains(Notes::FILLED));
        if let (Some(fill), Some(mapped)) = (destroyed, allocation.mapped) {
            // SAFETY: 1. The allocation is mapped whole. 2. Its owner has given it up.
            unsafe { mapped.fill(0, allocation.size(), fill.destroyed) };
            if let Err(result) = self.flush_written(allocation, 0, allocation.size()) {
                log::warn!("vkFlushMappedMemoryRanges of freed memory answered {result}");
            }
        }
        for settled in [Notes::GUARDED, Notes::NAMED, Notes::FILLED] {
            allocation.notes.remove(settled);
        }
    }
}

/// A margin's bytes as a length in memory.
pub(crate) fn margin_length(margin: u64) -> usize {
    usize::try_from(margin).expect("a margin is at most 64 KiB, by the configuration's check")
}
