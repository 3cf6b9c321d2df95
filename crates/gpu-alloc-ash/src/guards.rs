//! Margins behind allocations, and who wrote over them.
//!
//! Basic design: a list of the margins that were written, as nothing else knows how many bytes of a piece
//! were asked for. Each check looks at the bytes as the host sees them and, in memory that is not
//! coherent, again after invalidating, so that host and device are both found. While an allocation
//! lives, the atom that its last bytes share with the margin is not invalidated: what its owner has
//! written there and not flushed yet would be lost.
//!
//! A margin may be looked at by one thread while another frees its allocation. So a check pins the entry,
//! and taking it out waits until nobody looks at it. That is the one wait of a `free` for a call of the
//! driver by another thread: of one invalidation, of this very allocation's margin, and only of memory that
//! is not coherent. No lock is held meanwhile.
#![allow(unsafe_code)]

#[cfg(test)]
mod tests;

use core::fmt;
use std::collections::{HashMap, HashSet};

use ash::vk::{self, Handle};

use crate::access::whole_atoms;
use crate::mapped::MappedPtr;
use crate::names::NameKey;
use crate::prepare::margin_length;
use crate::sync::{Condvar, Mutex};
use crate::{Allocation, CustomPool, GpuAllocator};

/// What margins are filled with, over and over: no two neighbours alike, and no value that programs like
/// to write.
pub(crate) const MAGIC: [u8; 16] = [
    0xb5, 0x4e, 0x93, 0x6d, 0xc7, 0x1b, 0xe9, 0x52, 0xa6, 0x3d, 0xf4, 0x8b, 0x71, 0xd8, 0x2f, 0x9c,
];

/// Of what stands in a margin instead, so many bytes are reported at most.
const REPORTED: usize = 32;

/// So many overruns are kept for [`GpuAllocator::take_overruns`]; all are logged.
const KEPT: usize = 256;

/// An allocation behind which somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Overrun {
    /// The name of the allocation.
    pub name: Option<String>,
    /// Its memory type.
    pub memory_type_index: u32,
    /// Bytes from the start of its memory object.
    pub offset: u64,
    /// Its bytes, as they were asked for.
    pub size: u64,
    /// The first wrong byte, counted from the start of the allocation: at least `size`.
    pub first_wrong: u64,
    /// What stands there, up to the last wrong byte, 32 bytes at most.
    pub found: Vec<u8>,
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, memory_type_index, offset, size, first_wrong, found } = self;
        let name = name.as_deref().unwrap_or("(unnamed)");
        write!(
            f,
            "{name}: {size} bytes at offset {offset}, memory type {memory_type_index}, were overrun: from byte {first_wrong} on there is"
        )?;
        found.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
    }
}

/// A margin that was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    pub(crate) memory: vk::DeviceMemory,
    pub(crate) memory_type_index: u8,
    /// Of the allocation, in its memory object.
    pub(crate) offset: u64,
    /// Of the allocation: the margin begins there.
    pub(crate) size: u64,
    /// The allocation's first byte.
    pub(crate) mapped: MappedPtr,
}

/// Memory object and offset: no two live allocations share them.
type GuardKey = (u64, u64);

struct Entry {
    guard: Guard,
    /// Threads that look at it.
    pins: u32,
}

/// The margins behind live allocations, and what was found.
pub(crate) struct Guards {
    entries: Mutex<HashMap<GuardKey, Entry>>,
    /// Notified when nobody looks at an entry any more.
    unpinned: Condvar,
    overruns: Mutex<Vec<Overrun>>,
}

impl Guards {
    pub(crate) fn new() -> Self {
        Self {
            entries: Mutex::new(HashMap::new()),
            unpinned: Condvar::new(),
            overruns: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn add(&self, guard: Guard) {
        self.entries.lock().insert((guard.memory.as_raw(), guard.offset), Entry { guard, pins: 0 });
    }

    /// Takes an entry out, once nobody looks at it.
    fn take(&self, key: GuardKey) -> Option<Guard> {
        let mut entries = self.entries.lock();
        while entries.get(&key)?.pins > 0 {
            self.unpinned.wait(&mut entries);
        }
        entries.remove(&key).map(|entry| entry.guard)
    }

    fn keys(&self) -> Vec<GuardKey> {
        self.entries.lock().keys().copied().collect()
    }

    /// Keeps an entry from being taken out, if it is still there.
    fn pin(&self, key: GuardKey) -> Option<Pinned<'_>> {
        let mut entries = self.entries.lock();
        let entry = entries.get_mut(&key)?;
        entry.pins += 1;
        Some(Pinned { guards: self, key, guard: entry.guard })
    }

    fn keep(&self, overrun: Overrun) {
        let mut overruns = self.overruns.lock();
        if overruns.len() < KEPT {
            overruns.push(overrun);
        }
    }
}

/// An entry that is looked at, until it goes out of scope.
struct Pinned<'a> {
    guards: &'a Guards,
    key: GuardKey,
    guard: Guard,
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        let mut entries = self.guards.entries.lock();
        let entry = entries.get_mut(&self.key).expect("a pinned entry is not taken out");
        entry.pins -= 1;
        drop(entries);
        self.guards.unpinned.notify_all();
    }
}

/// How much of a margin may be invalidated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Is there, and may have written what it has not flushed yet.
    Live,
    /// Has given the allocation up.
    Gone,
}

impl GpuAllocator {
    /// Looks at the margins behind all live allocations; answers the overruns, which are logged as well,
    /// in no order. The margins stay as they are, so the same overrun is found again.
    ///
    /// Always none where [`AllocatorConfig::corruption_margin`] is 0. Of memory that is not
    /// host-visible, or dedicated to one resource, nothing is known. In memory that is not coherent, what
    /// the *device* wrote into the atom that holds the allocation's last bytes shows only when the
    /// allocation is freed, and only if its owner has flushed nothing over it: what the host has written
    /// there and not flushed yet must not be lost.
    ///
    /// Any thread may ask at any time. Nothing is held while it looks, but for the allocation whose margin is
    /// looked at: freeing that one waits.
    ///
    /// # Complexity
    ///
    /// Reads each margin, and calls `vkInvalidateMappedMemoryRanges` for each in memory that is not
    /// coherent.
    ///
    /// [`AllocatorConfig::corruption_margin`]: crate::AllocatorConfig::corruption_margin
    #[must_use]
    pub fn check_corruption(&self) -> Vec<Overrun> {
        self.check_guards(|_| true)
    }

    /// [`check_corruption`](Self::check_corruption) of the live allocations of one custom pool.
    #[must_use]
    pub fn check_corruption_in(&self, pool: &CustomPool) -> Vec<Overrun> {
        let of_pool: HashSet<u64> =
            pool.blocks().iter().map(|block| block.memory.as_raw()).collect();
        self.check_guards(|memory| of_pool.contains(&memory))
    }

    /// Looks at the margins in these memory objects.
    fn check_guards(&self, is_meant: impl Fn(u64) -> bool) -> Vec<Overrun> {
        let mut found = Vec::new();
        for key in self.guards.keys().into_iter().filter(|&(memory, _)| is_meant(memory)) {
            let Some(pinned) = self.guards.pin(key) else { continue };
            let looked = self.overrun_of(&pinned.guard, Owner::Live);
            // Loggers are called with nothing held.
            drop(pinned);
            found.extend(logged(looked));
        }
        found
    }

    /// The overruns that were found when allocations were freed, and have not been taken yet: the first
    /// 256. They are logged as well.
    #[must_use]
    pub fn take_overruns(&self) -> Vec<Overrun> {
        std::mem::take(&mut *self.guards.overruns.lock())
    }

    /// Looks at the margin of an allocation that is being freed, for the last time.
    pub(crate) fn check_at_the_end(&self, allocation: &Allocation) {
        let key = (allocation.memory().as_raw(), allocation.offset());
        let guard = self.guards.take(key);
        let guard = guard.expect("the notes say that there is one, and it is taken out only here");
        if let Some(overrun) = logged(self.overrun_of(&guard, Owner::Gone)) {
            self.guards.keep(overrun);
        }
    }

    /// What was written over a margin, if anything was.
    ///
    /// # Errors
    ///
    /// That of `vkInvalidateMappedMemoryRanges`, if the host wrote nothing and what the device wrote
    /// cannot be seen.
    fn overrun_of(&self, guard: &Guard, owner: Owner) -> Result<Option<Overrun>, vk::Result> {
        let pools = &self.types[usize::from(guard.memory_type_index)];
        let margin = self.config.corruption_margin;
        let mut wrong = wrong_bytes(guard, margin);
        if wrong.is_none() && !pools.coherent {
            let end = guard.offset + guard.size;
            let first = match owner {
                Owner::Live => end.next_multiple_of(pools.atom_size()),
                Owner::Gone => end,
            };
            if first < end + margin {
                let range = whole_atoms(guard.memory, pools.atom_size(), first, end + margin);
                // SAFETY: 1. The margin is in a mapped block, which the entry keeps, and on atoms of its
                // allocation alone.
                unsafe { self.driver.invalidate(range) }?;
                wrong = wrong_bytes(guard, margin);
            }
        }
        let place = NameKey::Pool { memory: guard.memory.as_raw(), offset: guard.offset };
        Ok(wrong.map(|(at, found)| Overrun {
            name: self.names.get(place),
            memory_type_index: u32::from(guard.memory_type_index),
            offset: guard.offset,
            size: guard.size,
            first_wrong: guard.size + at,
            found,
        }))
    }
}

/// Logs what came of a look at a margin; with no lock held.
fn logged(looked: Result<Option<Overrun>, vk::Result>) -> Option<Overrun> {
    match looked {
        Ok(overrun) => overrun.inspect(|overrun| log::error!("{overrun}")),
        Err(result) => {
            log::warn!("vkInvalidateMappedMemoryRanges of a margin answered {result}");
            None
        }
    }
}

/// The first byte of a margin that is not as it was written, and what stands from there to the last one.
fn wrong_bytes(guard: &Guard, margin: u64) -> Option<(u64, Vec<u8>)> {
    let mut bytes = vec![0; margin_length(margin)];
    // SAFETY: 1. The margin lies behind the allocation in its mapped block, which lives as long as the
    // entry. 2. The bytes are nobody's: who writes there has passed the end of its allocation. 3. `bytes`
    // is that long, and elsewhere.
    unsafe { guard.mapped.copy_out(guard.size, bytes.as_mut_ptr(), bytes.len()) };
    wrong_of(&bytes)
}

/// The same of a margin's bytes.
fn wrong_of(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let is_wrong = |at: &usize| bytes[*at] != MAGIC[*at % MAGIC.len()];
    let first = (0..bytes.len()).find(is_wrong)?;
    let last = (0..bytes.len()).rfind(is_wrong)?;
    let found = bytes[first..=last].iter().copied().take(REPORTED).collect();
    Some((first as u64, found))
}
