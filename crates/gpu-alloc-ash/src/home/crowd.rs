//! How many threads each shard is the first of, among those that got in each other's way.

/// Shards of a memory type at most.
pub(crate) const MOST_SHARDS: usize = 64;

/// For each shard, the threads that turn to it first and have found it taken at least once; a thread that
/// never did disturbs nobody.
#[derive(Debug)]
pub(super) struct Crowd {
    counts: [u32; MOST_SHARDS],
}

impl Crowd {
    pub(super) const fn new() -> Self {
        Self { counts: [0; MOST_SHARDS] }
    }

    pub(super) fn enter(&mut self, shard: u32) {
        self.counts[shard as usize] += 1;
    }

    pub(super) fn leave(&mut self, shard: u32) {
        let count = &mut self.counts[shard as usize];
        *count = count.saturating_sub(1);
    }

    /// Where a thread of a shard gets in fewer others' way, of `shard_count` shards; `None` if that is where
    /// it is. Never shard 0, whose blocks all others lease of.
    ///
    /// Who is alone stays: it was in the way of threads that come for a lease, or free what was made there,
    /// and they would follow it. So of two threads of shard 0 one moves and the other keeps the blocks.
    pub(super) fn better_than(&self, shard: u32, shard_count: usize) -> Option<u32> {
        let least = (1..shard_count).min_by_key(|&other| self.threads(other, shard_count))?;
        let here = self.threads(shard as usize % shard_count, shard_count);
        let is_better = self.threads(least, shard_count) + 1 < here;
        u32::try_from(least).ok().filter(|_| is_better)
    }

    /// The threads of a shard where there are so many, and higher numbers wrap around.
    fn threads(&self, shard: usize, shard_count: usize) -> u32 {
        self.counts.iter().skip(shard).step_by(shard_count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread moves, if there is anywhere better.
    fn move_on(crowd: &mut Crowd, shard: u32, shard_count: usize) -> Option<u32> {
        let better = crowd.better_than(shard, shard_count)?;
        crowd.leave(shard);
        crowd.enter(better);
        Some(better)
    }

    #[test]
    fn of_two_threads_one_moves_and_the_other_stays() {
        let mut crowd = Crowd::new();
        crowd.enter(0);
        assert_eq!(crowd.better_than(0, 8), None, "nobody else is there");
        crowd.enter(0);
        assert_eq!(move_on(&mut crowd, 0, 8), Some(1));
        assert_eq!(crowd.better_than(0, 8), None);
        assert_eq!(crowd.better_than(1, 8), None);
    }

    #[test]
    fn more_threads_spread_evenly_and_then_stay() {
        let mut crowd = Crowd::new();
        (0..10).for_each(|_| crowd.enter(0));
        let to: Vec<_> = core::iter::from_fn(|| move_on(&mut crowd, 0, 4)).collect();
        assert_eq!(to, [1, 2, 3, 1, 2, 3, 1]);
        assert_eq!(crowd.counts[..4], [3, 3, 2, 2]);
        assert!((0..4).all(|shard| crowd.better_than(shard, 4).is_none()));
    }

    #[test]
    fn who_has_left_is_not_in_the_way() {
        let mut crowd = Crowd::new();
        [0, 0, 1, 2].into_iter().for_each(|shard| crowd.enter(shard));
        crowd.leave(1);
        assert_eq!(crowd.better_than(0, 3), Some(1));
    }

    #[test]
    fn where_there_are_fewer_shards_their_numbers_wrap_around() {
        let mut crowd = Crowd::new();
        // With four shards both turn to shard 1.
        [1, 5].into_iter().for_each(|shard| crowd.enter(shard));
        assert_eq!(crowd.better_than(5, 8), None);
        assert_eq!(crowd.better_than(5, 4), Some(2));
    }

    #[test]
    fn with_one_shard_there_is_nowhere_to_go() {
        let mut crowd = Crowd::new();
        (0..9).for_each(|_| crowd.enter(0));
        assert_eq!(crowd.better_than(0, 1), None);
    }
}
