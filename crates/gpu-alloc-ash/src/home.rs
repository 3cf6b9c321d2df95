//! Which shard a thread turns to first.
//!
//! Basic design: every thread begins at shard 0, so a program whose threads do not get in each other's
//! way has one set of blocks. Who finds the lock of its shard taken many times within a
//! tenth of a second moves to another shard, in turn, and stays there. The shard is a property of the
//! thread, for all allocators and memory types: where they have fewer shards, it wraps around.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// So many collisions make a thread move; one is enough where all shards have to be seen at work, as in
/// the program that runs under sanitizers,
const PATIENCE: u32 = if cfg!(eager_shards) { 1 } else { 16 };

/// within so long a time.
const WINDOW: Duration = Duration::from_millis(100);

/// So many requests after a refused lease go to the trunk itself; none where all that shards do has to be
/// seen at work.
pub(crate) const LEASE_PASSES: u32 = if cfg!(eager_shards) { 0 } else { 32 };

/// A moment of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(Instant);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }

    /// Whether it was a tenth of a second before `now`, or less.
    pub(crate) fn is_just_before(self, now: Self) -> bool {
        now.0.duration_since(self.0) <= WINDOW
    }
}

thread_local! {
    static HOME: Cell<u32> = const { Cell::new(0) };
    static COLLISIONS: Cell<Collisions> = const { Cell::new(Collisions { count: 0, since: None }) };
}

/// Collisions of a thread with others.
#[derive(Clone, Copy)]
struct Collisions {
    count: u32,
    /// When the first of them was.
    since: Option<Moment>,
}

/// The shard that this thread turns to first, where there are as many; else see [`home`].
#[inline]
pub(crate) fn wanted() -> usize {
    HOME.get() as usize
}

/// The shard, of so many, that this thread turns to first.
#[inline]
pub(crate) fn home(shard_count: usize) -> usize {
    let home = wanted();
    if home < shard_count { home } else { home % shard_count.max(1) }
}

/// Puts down that this thread found its shard's lock taken; answers its shard from now on.
pub(crate) fn collided(shard_count: usize) -> usize {
    let now = Moment::now();
    let mut collisions = COLLISIONS.get();
    match collisions.since {
        Some(since) if since.is_just_before(now) => collisions.count += 1,
        _ => collisions = Collisions { count: 1, since: Some(now) },
    }
    if collisions.count >= PATIENCE && shard_count > 1 {
        collisions = Collisions { count: 0, since: None };
        HOME.set(next_home(shard_count));
    }
    COLLISIONS.set(collisions);
    home(shard_count)
}

/// Makes this thread turn to a shard first.
#[cfg(test)]
pub(crate) fn set(home: u32) {
    HOME.set(home);
}

/// The shards in turn, but for shard 0, whose blocks all others lease of.
fn next_home(shard_count: usize) -> u32 {
    static MOVES: AtomicU32 = AtomicU32::new(0);
    let others = u32::try_from(shard_count - 1).expect("there are at most 64 shards");
    1 + MOVES.fetch_add(1, Ordering::Relaxed) % others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_a_new_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(run).join().expect("no panic"))
    }

    #[test]
    fn a_thread_moves_after_many_collisions_in_a_short_time_and_not_to_shard_0() {
        on_a_new_thread(|| {
            assert_eq!(home(4), 0);
            // A preempted test may need a second window.
            let moves = (0..100 * PATIENCE).map(|_| collided(4)).position(|home| home != 0);
            let moved_after = moves.expect("1,600 collisions are enough");
            assert!(moved_after + 1 >= PATIENCE as usize);
            assert!((1..4).contains(&home(4)));
            assert_eq!(home(1), 0);
        });
    }

    #[test]
    fn with_one_shard_nobody_moves() {
        on_a_new_thread(|| {
            assert!((0..100 * PATIENCE).all(|_| collided(1) == 0));
            assert_eq!(home(8), 0);
        });
    }
}
