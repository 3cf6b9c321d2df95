//! Which shard a thread turns to first.
//!
//! Basic design: every thread begins at shard 0, so a program whose threads do not get in each other's
//! way has one set of blocks. Who finds the lock of its shard taken many times within a tenth of a second
//! moves to the shard with the fewest threads, if others have had that, too, in the one where it is: see
//! `crowd.rs`. The shard is a property of the thread, for all allocators and memory types: where they
//! have fewer shards, it wraps around.

mod crowd;

use std::cell::Cell;
use std::time::{Duration, Instant};

pub(crate) use self::crowd::MOST_SHARDS;

use self::crowd::{Crowd, Seat};
use crate::sync::Mutex;

/// So many collisions make a thread move; one is enough where all shards have to be seen at work, as in
/// the program that runs under sanitizers,
const PATIENCE: u32 = if cfg!(eager_shards) { 1 } else { 16 };

/// within so long a time.
const WINDOW: Duration = Duration::from_millis(100);

/// A thread that had as many within so long a time is in the way of others.
const LATELY: Duration = Duration::from_secs(1);

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

    /// Whether it was a second before `now`, or less.
    fn is_shortly_before(self, now: Self) -> bool {
        now.0.duration_since(self.0) <= LATELY
    }

    #[cfg(test)]
    fn later_by(self, time: Duration) -> Self {
        Self(self.0 + time)
    }

    /// Whether it was a tenth of a second before `now`, or less.
    pub(crate) fn is_just_before(self, now: Self) -> bool {
        now.0.duration_since(self.0) <= WINDOW
    }
}

/// Locked where a thread has collided often, and where it ends, by nobody who holds a lock.
static CROWD: Mutex<Crowd> = Mutex::new(Crowd::new());

thread_local! {
    // Apart from all else, as it is read in each allocation, and what has a destructor takes longer to read.
    static HOME: Cell<u32> = const { Cell::new(0) };
    static COLLISIONS: Collisions = const { Collisions::new() };
}

/// Collisions of a thread with others.
struct Collisions {
    count: Cell<u32>,
    /// When the first of them was.
    since: Cell<Option<Moment>>,
    /// Where the thread is counted.
    seat: Cell<Option<Seat>>,
}

impl Collisions {
    const fn new() -> Self {
        Self { count: Cell::new(0), since: Cell::new(None), seat: Cell::new(None) }
    }

    /// One more; answers the shard that the thread is to turn to first from now on, if it is another.
    fn collided(&self, shard_count: usize) -> Option<u32> {
        let now = Moment::now();
        if !self.since.get().is_some_and(|since| since.is_just_before(now)) {
            self.start_over(Some(now));
        }
        self.count.set(self.count.get() + 1);
        if self.count.get() < PATIENCE {
            return None;
        }
        self.start_over(None);
        let shard = HOME.get();
        let mut crowd = CROWD.lock();
        self.enter(&mut crowd, shard, now);
        let better = crowd.better_than(shard, shard_count, now)?;
        self.enter(&mut crowd, better, now);
        Some(better)
    }

    fn start_over(&self, since: Option<Moment>) {
        self.count.set(0);
        self.since.set(since);
    }

    fn enter(&self, crowd: &mut Crowd, shard: u32, now: Moment) {
        self.seat.set(Some(crowd.enter(self.seat.get(), shard, now)));
    }
}

impl Drop for Collisions {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.get() {
            CROWD.lock().leave(seat);
        }
    }
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

/// Puts down that this thread found its shard's lock taken, and holds none; answers its shard from now on.
pub(crate) fn collided(shard_count: usize) -> usize {
    // Destructors of a thread may allocate after that of its collisions has run; it stays then.
    let moved = COLLISIONS.try_with(|collisions| collisions.collided(shard_count));
    if let Ok(Some(shard)) = moved {
        HOME.set(shard);
    }
    home(shard_count)
}

/// Makes this thread turn to a shard first.
#[cfg(test)]
pub(crate) fn set(home: u32) {
    HOME.set(home);
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn on_a_new_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(run).join().expect("no panic"))
    }

    /// So often that a preempted test has 16 collisions within a tenth of a second, too.
    fn collide(shard_count: usize) -> usize {
        for _ in 0..100 * PATIENCE {
            collided(shard_count);
        }
        home(shard_count)
    }

    // Other tests collide meanwhile, and are counted, too: where exactly threads go is `crowd`'s tests'.
    #[test]
    fn of_threads_that_collide_again_and_again_one_moves_and_not_to_shard_0() {
        let both_are_known = Barrier::new(2);
        let run = || {
            assert_eq!(home(8), 0);
            collide(8);
            both_are_known.wait();
            let home = collide(8);
            both_are_known.wait();
            home
        };
        let homes = std::thread::scope(|scope| {
            let threads = [scope.spawn(run), scope.spawn(run)];
            threads.map(|thread| thread.join().expect("no panic"))
        });
        assert!(homes.iter().any(|&home| home != 0));
    }

    #[test]
    fn with_one_shard_nobody_moves() {
        on_a_new_thread(|| {
            assert_eq!(collide(1), 0);
            assert_eq!(home(8), 0);
        });
    }

    #[test]
    fn a_thread_that_ends_is_counted_no_more() {
        // Where no other test's threads are.
        let now = Moment::now();
        let is_crowded = || CROWD.lock().better_than(63, MOST_SHARDS, now).is_some();
        let enter = || COLLISIONS.with(|collisions| collisions.enter(&mut CROWD.lock(), 63, now));
        on_a_new_thread(|| {
            enter();
            on_a_new_thread(|| {
                enter();
                assert!(is_crowded());
            });
            assert!(!is_crowded());
        });
    }
}
