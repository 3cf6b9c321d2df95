//! Which threads got in each other's way lately, by the shards that they turn to first.

use super::Moment;

/// Shards of a memory type at most.
pub(crate) const MOST_SHARDS: usize = 64;

/// The threads that found their shard taken again and again; one that never did disturbs nobody.
#[derive(Debug)]
pub(super) struct Crowd {
    members: Vec<Option<Member>>,
}

/// A thread among them.
#[derive(Clone, Copy, Debug)]
struct Member {
    shard: u32,
    /// When it last found its shard taken so often.
    seen: Moment,
}

/// What a thread is known by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat(usize);

impl Crowd {
    pub(super) const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Counts a thread, which may be known already, as a member of a shard now.
    pub(super) fn enter(&mut self, seat: Option<Seat>, shard: u32, now: Moment) -> Seat {
        let vacant = || self.members.iter().position(Option::is_none);
        let seat = seat.or_else(|| vacant().map(Seat)).unwrap_or(Seat(self.members.len()));
        if seat.0 == self.members.len() {
            self.members.push(None);
        }
        self.members[seat.0] = Some(Member { shard, seen: now });
        seat
    }

    /// A thread has ended.
    pub(super) fn leave(&mut self, seat: Seat) {
        self.members[seat.0] = None;
    }

    /// Where a thread of a shard gets in fewer others' way, of `shard_count` shards; `None` if that is where
    /// it is. Never shard 0, whose blocks all others lease of. O(threads x shards).
    ///
    /// Who is alone stays: it was in the way of threads that come for a lease, or free what was made there,
    /// and they would follow it. So of two threads of shard 0 one moves and the other keeps the blocks.
    pub(super) fn better_than(&self, shard: u32, shard_count: usize, now: Moment) -> Option<u32> {
        let threads = |shard| self.threads(shard, shard_count, now);
        let least = (1..shard_count).min_by_key(|&other| threads(other))?;
        let is_better = threads(least).busy + 1 < threads(shard as usize % shard_count).busy;
        u32::try_from(least).ok().filter(|_| is_better)
    }

    /// The threads of a shard where there are so many, and higher numbers wrap around.
    fn threads(&self, shard: usize, shard_count: usize, now: Moment) -> Threads {
        let of_shard = |member: &&Member| member.shard as usize % shard_count == shard;
        let members = self.members.iter().flatten().filter(of_shard);
        members.fold(Threads::default(), |threads, member| Threads {
            busy: threads.busy + u32::from(member.seen.is_shortly_before(now)),
            all: threads.all + 1,
        })
    }
}

/// The threads of a shard, compared by the busy ones first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Threads {
    /// Those that were in each other's way lately.
    busy: u32,
    all: u32,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Threads of a crowd at one moment.
    struct Crowded {
        crowd: Crowd,
        now: Moment,
    }

    impl Crowded {
        fn new(shards: &[u32]) -> Self {
            let mut crowded = Self { crowd: Crowd::new(), now: Moment::now() };
            for &shard in shards {
                crowded.enter(shard);
            }
            crowded
        }

        fn enter(&mut self, shard: u32) -> Seat {
            self.crowd.enter(None, shard, self.now)
        }

        fn better_than(&self, shard: u32, shard_count: usize) -> Option<u32> {
            self.crowd.better_than(shard, shard_count, self.now)
        }

        /// A thread moves, if there is anywhere better.
        fn move_on(&mut self, seat: Seat, shard: u32, shard_count: usize) -> Option<u32> {
            let better = self.better_than(shard, shard_count)?;
            self.crowd.enter(Some(seat), better, self.now);
            Some(better)
        }
    }

    #[test]
    fn of_two_threads_one_moves_and_the_other_stays() {
        let mut crowded = Crowded::new(&[0]);
        assert_eq!(crowded.better_than(0, 8), None, "nobody else is there");
        let second = crowded.enter(0);
        assert_eq!(crowded.move_on(second, 0, 8), Some(1));
        assert_eq!(crowded.better_than(0, 8), None);
        assert_eq!(crowded.better_than(1, 8), None);
    }

    #[test]
    fn more_threads_spread_evenly_and_then_stay() {
        let mut crowded = Crowded::new(&[]);
        let seats: Vec<_> = (0..10).map(|_| crowded.enter(0)).collect();
        let to: Vec<_> = seats.iter().map_while(|&seat| crowded.move_on(seat, 0, 4)).collect();
        assert_eq!(to, [1, 2, 3, 1, 2, 3, 1]);
        let threads = |shard| crowded.crowd.threads(shard, 4, crowded.now).busy;
        assert_eq!([0, 1, 2, 3].map(threads), [3, 3, 2, 2]);
        assert!((0..4).all(|shard| crowded.better_than(shard, 4).is_none()));
    }

    #[test]
    fn who_has_ended_is_not_in_the_way_and_the_seat_is_used_again() {
        let mut crowded = Crowded::new(&[0, 0, 2]);
        let ended = crowded.enter(1);
        assert_eq!(crowded.better_than(0, 3), None);
        crowded.crowd.leave(ended);
        assert_eq!(crowded.better_than(0, 3), Some(1));
        let next = crowded.enter(1);
        assert_eq!((next.0, crowded.crowd.members.len()), (ended.0, 4));
    }

    #[test]
    fn who_has_been_quiet_for_long_is_not_in_the_way() {
        let mut crowded = Crowded::new(&[0, 1, 2, 2]);
        crowded.now = crowded.now.later_by(Duration::from_secs(60));
        crowded.enter(0);
        assert_eq!(crowded.better_than(0, 3), None, "the other one is quiet");
        crowded.enter(0);
        assert_eq!(crowded.better_than(0, 3), Some(1), "fewer quiet ones are there");
    }

    #[test]
    fn where_there_are_fewer_shards_their_numbers_wrap_around() {
        // With four shards both turn to shard 1.
        let crowded = Crowded::new(&[1, 5]);
        assert_eq!(crowded.better_than(5, 8), None);
        assert_eq!(crowded.better_than(5, 4), Some(2));
    }

    #[test]
    fn with_one_shard_there_is_nowhere_to_go() {
        assert_eq!(Crowded::new(&[0; 9]).better_than(0, 1), None);
    }
}
