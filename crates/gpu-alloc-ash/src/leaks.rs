//! What is still allocated, by name, and the end of an allocator.

use core::fmt;

use ash::vk::Handle;
use vk_pool::LiveAllocation;

use crate::names::NameKey;
use crate::pools::{ClassPool, Shard};
use crate::{GpuAllocator, Overrun};

/// What kind of memory a live allocation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeakKind {
    /// A piece of a block.
    Pooled,
    /// A memory object of its own.
    Dedicated,
    /// A memory object made elsewhere.
    External,
}

/// One live allocation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Leak {
    /// The name it was given.
    pub name: Option<String>,
    /// Its memory type.
    pub memory_type_index: u32,
    /// Bytes from the start of its memory object.
    pub offset: u64,
    /// Bytes it holds, rounding and margin included.
    pub size: u64,
    /// What kind of memory it holds.
    pub kind: LeakKind,
    /// The name of the custom pool that it is in, if that has one.
    pub pool: Option<String>,
}

/// What was wrong when an allocator was destroyed. The memory objects of allocations that were alive
/// are leaked: freeing them under their users would be worse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} allocations were alive when their allocator was destroyed, and their memory objects are leaked; {} overruns were found", leaks.len(), overruns.len())]
#[non_exhaustive]
pub struct Leaks {
    /// The allocations that were alive.
    pub leaks: Vec<Leak>,
    /// The allocations behind which somebody wrote: those alive, and those freed before whose overruns
    /// nobody has [taken](GpuAllocator::take_overruns).
    pub overruns: Vec<Overrun>,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, memory_type_index, offset, size, kind, pool } = self;
        let name = name.as_deref().unwrap_or("(unnamed)");
        write!(
            f,
            "{name}: {size} bytes at offset {offset}, memory type {memory_type_index}, {kind:?}"
        )?;
        pool.as_ref().map_or(Ok(()), |pool| write!(f, ", in the pool {pool}"))
    }
}

impl GpuAllocator {
    /// Every live allocation: what is held on purpose, and what was dropped by mistake.
    #[must_use]
    pub fn leaks(&self) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for (memory_type_index, pools) in (0u32..).zip(&self.types) {
            for shard in pools.shards().iter() {
                leaks.extend(self.live_in(shard, memory_type_index, None));
            }
            for seat in pools.custom().seats() {
                leaks.extend(self.live_in(&seat.shard, memory_type_index, seat.name().as_deref()));
            }
        }
        leaks.extend(self.external.snapshot().into_iter().map(|(index, object)| Leak {
            name: self.names.get(NameKey::External { index }),
            memory_type_index: object.memory_type_index,
            offset: 0,
            size: object.size,
            kind: LeakKind::External,
            pool: None,
        }));
        leaks
    }

    /// Every live allocation of one shard.
    pub(crate) fn live_in(
        &self,
        shard: &Shard,
        memory_type_index: u32,
        pool: Option<&str>,
    ) -> Vec<Leak> {
        // Names are looked up after the lock is let go: no two locks are ever held.
        let live: Vec<(u64, LiveAllocation)> = {
            let pools = shard.lock();
            let of_entry = |entry: &ClassPool| {
                let live = entry.pool.live();
                live.map(|live| (entry.object(live.slot).memory.as_raw(), live)).collect::<Vec<_>>()
            };
            pools.iter().flat_map(of_entry).collect()
        };
        let leak = |(memory, live): (u64, LiveAllocation)| Leak {
            name: self.names.get(NameKey::Pool { memory, offset: live.offset }),
            memory_type_index,
            offset: live.offset,
            size: live.size,
            kind: if live.dedicated { LeakKind::Dedicated } else { LeakKind::Pooled },
            pool: pool.map(str::to_owned),
        };
        live.into_iter().map(leak).collect()
    }

    /// # Panics
    ///
    /// If any allocation is alive, with the list.
    pub fn assert_no_leaks(&self) {
        let leaks: Vec<String> = self.leaks().iter().map(Leak::to_string).collect();
        assert!(leaks.is_empty(), "{} allocations are alive:\n{}", leaks.len(), leaks.join("\n"));
    }

    /// Gives all memory back to the driver and ends the allocator.
    ///
    /// # Errors
    ///
    /// [`Leaks`] lists the allocations that are alive, and those that were overrun. What is alive is
    /// leaked, and logged, instead of freed under its users; everything else is freed.
    pub fn destroy(mut self) -> Result<(), Leaks> {
        let (leaks, overruns) = self.tear_down();
        if leaks.is_empty() && overruns.is_empty() {
            return Ok(());
        }
        Err(Leaks { leaks, overruns })
    }

    /// Frees what nobody uses; answers, and logs, what is used.
    fn tear_down(&mut self) -> (Vec<Leak>, Vec<Overrun>) {
        self.torn_down = true;
        let leaks = self.leaks();
        let mut overruns = self.take_overruns();
        // While the memory is there.
        overruns.extend(self.check_corruption());
        self.trim();
        // What custom pools are to have at least goes, too.
        for seat in self.types.iter().flat_map(|pools| pools.custom().seats()) {
            while let Some((block, object)) = seat.dissolve() {
                self.give_back(block, object);
            }
        }
        for leak in &leaks {
            log::warn!("leaked {leak}");
        }
        (leaks, overruns)
    }
}

impl Drop for GpuAllocator {
    fn drop(&mut self) {
        if !self.torn_down {
            self.tear_down();
        }
    }
}
