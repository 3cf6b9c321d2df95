//! Custom pools of one memory type: a lock and a pool each, beside the shards of the ordinary ones.
//!
//! Basic design: a custom pool is a class of its own, and its class is the number of its seat. Seats
//! never move and are found without a lock: they lie in segments, each twice as long as the one before,
//! which are made when they are first needed and stay. A seat that was left is given to the next pool,
//! which nobody can take for the last one, as that had no live allocation when it ended.

use std::sync::{Arc, OnceLock};

use vk_pool::{ClassId, PoolConfig, PoolRequest, RequestError};

use super::freeing::Spent;
use super::{Asked, ClassPool, LockedShard, Shard, TypePools, WantedBlock};
use crate::sync::Mutex;

/// What allocations of custom pools have instead of the number of a shard, of which there are at most 64.
pub(crate) const CUSTOM_SHARD: u8 = u8::MAX;

/// Classes of custom pools have this bit; below it is the seat.
const CUSTOM_BIT: u32 = 1 << 31;

/// Seats in the first segment.
const FIRST_SEGMENT: u32 = 8;

/// So many segments have a seat for every class.
const SEGMENT_COUNT: usize = 29;

/// Whether a class is a custom pool's.
pub(crate) fn is_custom(class: ClassId) -> bool {
    class.0 & CUSTOM_BIT != 0
}

/// The seats of a memory type's custom pools.
pub(crate) struct CustomPools {
    segments: [OnceLock<Box<[Seat]>>; SEGMENT_COUNT],
    order: Mutex<Order>,
}

/// One seat. Its two locks are never held together.
pub(crate) struct Seat {
    /// Has one pool while the seat is taken, and none else.
    pub(crate) shard: Shard,
    /// The name of the pool.
    name: Mutex<Option<Arc<str>>>,
}

/// Which seats are taken.
#[derive(Default)]
struct Order {
    /// Seats that were ever taken.
    count: u32,
    /// Those of them that are not now.
    vacant: Vec<u32>,
}

impl CustomPools {
    pub(super) fn new() -> Self {
        Self {
            segments: [const { OnceLock::new() }; SEGMENT_COUNT],
            order: Mutex::new(Order::default()),
        }
    }

    /// Takes a seat; answers the class that it stands for.
    fn take_seat(&self, name: Option<Arc<str>>) -> ClassId {
        let index = {
            let mut order = self.order.lock();
            order.vacant.pop().unwrap_or_else(|| {
                order.count += 1;
                order.count - 1
            })
        };
        let (segment, _) = place_of(index);
        self.segments[segment].get_or_init(|| {
            // Segment 0 has `FIRST_SEGMENT` seats, and each is twice the one before.
            (0..FIRST_SEGMENT << segment).map(|_| Seat::new()).collect()
        });
        let class = ClassId(index | CUSTOM_BIT);
        *self.seat(class).name.lock() = name;
        class
    }

    /// Leaves a seat. Its pool has no block any more.
    pub(crate) fn leave_seat(&self, class: ClassId) {
        let seat = self.seat(class);
        let left = seat.shard.lock().take(class);
        // What pools and names are made of is freed with no lock held.
        drop(left);
        let name = seat.name.lock().take();
        drop(name);
        self.order.lock().vacant.push(class.0 & !CUSTOM_BIT);
    }

    /// The seat of a class that was taken.
    #[inline]
    pub(crate) fn seat(&self, class: ClassId) -> &Seat {
        let (segment, index) = place_of(class.0 & !CUSTOM_BIT);
        let seats = self.segments.get(segment).and_then(OnceLock::get);
        &seats.expect("a class of a custom pool is that of a seat")[index]
    }

    /// Every seat that was ever taken, and some others.
    pub(crate) fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.segments.iter().map_while(OnceLock::get).flatten()
    }
}

impl Seat {
    fn new() -> Self {
        Self { shard: Shard::new(), name: Mutex::new(None) }
    }

    /// Takes one empty block out of the books, if the pool that sits there keeps more than it is to have.
    pub(crate) fn trim(&self) -> Option<Spent> {
        self.shard.lock().iter_mut().find_map(ClassPool::trim)
    }

    /// Takes one empty block out of the books, one that the pool is to have at least too.
    pub(crate) fn dissolve(&self) -> Option<Spent> {
        self.shard.lock().iter_mut().find_map(ClassPool::dissolve)
    }

    /// The name of the pool that sits there.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        self.name.lock().clone()
    }
}

/// Segment and index in it of a seat.
#[inline]
fn place_of(index: u32) -> (usize, usize) {
    // Segment `s` starts at `FIRST_SEGMENT * (2^s - 1)`.
    let segment = (index / FIRST_SEGMENT + 1).ilog2();
    let start = FIRST_SEGMENT * ((1 << segment) - 1);
    (segment as usize, (index - start) as usize)
}

impl TypePools {
    /// The custom pools of the memory type.
    pub(crate) fn custom(&self) -> &Arc<CustomPools> {
        &self.custom
    }

    /// Configuration of the ordinary pools, to begin with.
    pub(crate) fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// A new custom pool, without blocks; answers its class.
    pub(crate) fn add_custom(&self, config: &PoolConfig, name: Option<Arc<str>>) -> ClassId {
        let class = self.custom.take_seat(name);
        self.set_custom(class, config);
        class
    }

    /// Puts a pool on a seat, in place of an empty one if there is one. Its configuration was checked.
    pub(crate) fn set_custom(&self, class: ClassId, config: &PoolConfig) {
        let pool = ClassPool::new(config, class, &self.budgets);
        let pool = pool.expect("its configuration was checked, and its heap is the type's");
        let mut locked = self.custom.seat(class).shard.lock();
        let old = locked.take(class);
        locked.put(pool);
        drop(locked);
        drop(old);
    }

    /// Answers a request to a custom pool. No lock is held before and after.
    pub(super) fn ask_custom(
        &self,
        class: ClassId,
        request: &PoolRequest,
    ) -> Result<Asked<'_>, RequestError> {
        let mut locked = self.custom.seat(class).shard.lock();
        let entry = custom_pool(&mut locked, class);
        let answer = entry.pool.allocate(request)?;
        Ok(self.answered(CUSTOM_SHARD, class, locked, answer))
    }

    /// A block that a custom pool is to have from the start, and has not.
    pub(crate) fn missing_block(&self, class: ClassId) -> Option<WantedBlock<'_>> {
        let request = {
            let mut locked = self.custom.seat(class).shard.lock();
            custom_pool(&mut locked, class).pool.missing_block()?
        };
        Some(WantedBlock::new(self, CUSTOM_SHARD, class, request))
    }
}

/// The pool that sits on a seat whose handle is there.
pub(crate) fn custom_pool<'a>(
    locked: &'a mut LockedShard<'_>,
    class: ClassId,
) -> &'a mut ClassPool {
    locked.class(class).expect("a custom pool is there until its handle is used up")
}

impl ClassPool {
    /// Takes an empty block out of the books, one that is to be there at least too.
    fn dissolve(&mut self) -> Option<Spent> {
        let block = self.pool.dissolve()?;
        Some(self.spent(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_lie_side_by_side_in_segments_that_double() {
        let mut next = (0, 0);
        for index in 0..10_000 {
            assert_eq!(place_of(index), next);
            next.1 += 1;
            if next.1 == (FIRST_SEGMENT as usize) << next.0 {
                next = (next.0 + 1, 0);
            }
        }
        let (segment, _) = place_of(CUSTOM_BIT - 1);
        assert_eq!(segment + 1, SEGMENT_COUNT);
    }

    #[test]
    fn a_seat_that_was_left_is_taken_again() {
        let pools = CustomPools::new();
        let classes: Vec<_> = (0..20).map(|_| pools.take_seat(None)).collect();
        assert!(classes.iter().all(|&class| is_custom(class)));
        assert!(classes.is_sorted() && classes[0] != classes[19]);
        pools.leave_seat(classes[7]);
        assert_eq!(pools.take_seat(Some(Arc::from("again"))), classes[7]);
        assert_eq!(pools.seat(classes[7]).name().as_deref(), Some("again"));
        assert!(pools.seats().count() >= 20);
    }
}
