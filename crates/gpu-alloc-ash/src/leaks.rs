//! What is still allocated, by name, and the end of an allocator.

use core::fmt;

use ash::vk::Handle;
use vk_pool::LiveAllocation;

use crate::GpuAllocator;
use crate::names::NameKey;

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
    /// Bytes it holds, rounding included.
    pub size: u64,
    /// What kind of memory it holds.
    pub kind: LeakKind,
}

/// The allocations that were alive when their allocator was destroyed. Their memory objects are
/// leaked: freeing them under their users would be worse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} allocations were alive when their allocator was destroyed; their memory objects are leaked", leaks.len())]
#[non_exhaustive]
pub struct Leaks {
    /// All of them.
    pub leaks: Vec<Leak>,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, memory_type_index, offset, size, kind } = self;
        let name = name.as_deref().unwrap_or("(unnamed)");
        write!(
            f,
            "{name}: {size} bytes at offset {offset}, memory type {memory_type_index}, {kind:?}"
        )
    }
}

impl GpuAllocator {
    /// Every live allocation: what is held on purpose, and what was dropped by mistake.
    #[must_use]
    pub fn leaks(&self) -> Vec<Leak> {
        let mut leaks = Vec::new();
        let shards = (0u32..).zip(&self.types).flat_map(|(memory_type_index, pools)| {
            pools.shards().iter().map(move |shard| (memory_type_index, shard))
        });
        for (memory_type_index, shard) in shards {
            // Names are looked up after the lock is let go: no two locks are ever held.
            let live: Vec<(u64, LiveAllocation)> = {
                let pools = shard.lock();
                let entries = pools.iter();
                entries
                    .flat_map(|entry| {
                        entry
                            .pool
                            .live()
                            .map(|live| (entry.object(live.slot).memory.as_raw(), live))
                    })
                    .collect()
            };
            leaks.extend(live.into_iter().map(|(memory, live)| Leak {
                name: self.names.get(NameKey::Pool { memory, offset: live.offset }),
                memory_type_index,
                offset: live.offset,
                size: live.size,
                kind: if live.dedicated { LeakKind::Dedicated } else { LeakKind::Pooled },
            }));
        }
        leaks.extend(self.external.snapshot().into_iter().map(|(index, object)| Leak {
            name: self.names.get(NameKey::External { index }),
            memory_type_index: object.memory_type_index,
            offset: 0,
            size: object.size,
            kind: LeakKind::External,
        }));
        leaks
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
    /// [`Leaks`] lists the allocations that are alive. What they hold is leaked, and logged, instead
    /// of freed under them; everything else is freed.
    pub fn destroy(mut self) -> Result<(), Leaks> {
        let leaks = self.tear_down();
        if leaks.is_empty() { Ok(()) } else { Err(Leaks { leaks }) }
    }

    /// Frees what nobody uses; answers, and logs, what is used.
    fn tear_down(&mut self) -> Vec<Leak> {
        self.torn_down = true;
        let leaks = self.leaks();
        self.trim();
        for leak in &leaks {
            log::warn!("leaked {leak}");
        }
        leaks
    }
}

impl Drop for GpuAllocator {
    fn drop(&mut self) {
        if !self.torn_down {
            self.tear_down();
        }
    }
}
