//! Whether a branch that has no room asks the trunk for a lease, request by request.
//!
//! Basic design: a trunk that had no lease to give mostly has none for the next request either, and to
//! find that out takes several times as long as to have the request placed in the trunk. So after a
//! refusal a number of requests pass the question over. But each of them, and later its release, writes
//! what the trunk's own thread reads and writes, which costs both threads more than the operation itself.
//! So a branch that has as many within a short time, and is refused again, has the trunk get a block to
//! lease of.

use std::time::{Duration, Instant};

/// So many requests after a refused lease go to the trunk itself; none where all that shards do has to be
/// seen at work, as in the program that runs under sanitizers.
const PASSES: u32 = if cfg!(eager_shards) { 0 } else { 32 };

/// A branch that is refused a second lease within so long a time is short of room all the time.
const WINDOW: Duration = Duration::from_millis(100);

/// The turns of one pool of a branch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LeaseTurns {
    /// So many more requests pass the question over.
    passes: u32,
    /// When the trunk last refused a lease.
    refused: Option<Instant>,
}

impl LeaseTurns {
    /// Whether a request for which there is no room passes the question over.
    pub(super) fn pass(&mut self) -> bool {
        let left = self.passes.checked_sub(1);
        self.passes = left.unwrap_or(0);
        left.is_some()
    }

    /// The trunk has refused a lease; answers whether it should get a block to lease of.
    pub(super) fn refused(&mut self) -> bool {
        let now = Instant::now();
        let before = self.refused.replace(now);
        let is_short = before.is_some_and(|before| now.duration_since(before) <= WINDOW);
        // The block is there for the next question, and if it is not, there is no hurry.
        *self = if is_short { Self::default() } else { Self { passes: PASSES, ..*self } };
        is_short
    }

    /// The branch has a lease, or the trunk gets a block.
    pub(super) fn room_comes(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_refusal_requests_pass_and_after_a_second_one_room_is_made() {
        let mut turns = LeaseTurns::default();
        assert!(!turns.pass(), "the first question is asked");
        // A preempted test may need a second window.
        let is_short = (0..100).any(|_| {
            let is_short = turns.refused();
            if !is_short {
                assert_eq!((0..1000).take_while(|_| turns.pass()).count(), PASSES as usize);
            }
            is_short
        });
        assert!(is_short, "two refusals were within the window");
        assert!(!turns.pass(), "the new block is asked for");
        assert!(!turns.refused(), "one refusal is not enough");
    }

    #[test]
    fn room_ends_what_was_refused_before() {
        let mut turns = LeaseTurns::default();
        turns.refused();
        turns.room_comes();
        assert!(!turns.pass());
        assert!(!turns.refused());
    }
}
