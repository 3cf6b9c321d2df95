//! Whether a branch that has no room asks the trunk for a lease, request by request.
//!
//! Basic design: a trunk that had no lease to give mostly has none for the next request either, and to
//! find that out takes several times as long as to have the request placed in the trunk. So after a
//! refusal a number of requests pass the question over. But each of them, and later its release, writes
//! what the trunk's own thread reads and writes, which costs both threads more than the operation itself.
//! So a branch that has as many within a tenth of a second, and is refused again, has the trunk get a
//! block to lease of. If there is none to be had, it goes on to ask for leases, and it is long before it wants a
//! block again.

use crate::home::{LEASE_PASSES as PASSES, Moment};

/// So many refused leases after a refused block bring none.
const BLOCK_PASSES: u32 = 100;

/// The turns of one pool of a branch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LeaseTurns {
    /// So many more requests pass the question over.
    passes: u32,
    /// When the trunk last refused a lease.
    refused: Option<Moment>,
    /// So many more refused leases bring no block.
    block_passes: u32,
}

impl LeaseTurns {
    /// Whether a request for which there is no room passes the question over.
    pub(super) fn is_passing(&self) -> bool {
        self.passes > 0
    }

    /// One has passed it over.
    pub(super) fn pass(&mut self) {
        self.passes = self.passes.saturating_sub(1);
    }

    /// The trunk has refused a lease; answers whether it should get a block to lease of, about which the next
    /// question is then asked at once.
    pub(super) fn lease_refused(&mut self) -> bool {
        let now = Moment::now();
        // Not if another thread of the branch was refused just now, for the same want.
        let is_through = self.passes == 0;
        let is_short = self.block_passes == 0
            && is_through
            && self.refused.is_some_and(|refused| refused.is_just_before(now));
        let block_passes = self.block_passes.saturating_sub(u32::from(is_through));
        *self = match is_short {
            true => Self::default(),
            false => Self { passes: PASSES, refused: Some(now), block_passes },
        };
        is_short
    }

    /// The block was refused.
    pub(super) fn block_refused(&mut self) {
        *self = Self { passes: PASSES, refused: None, block_passes: BLOCK_PASSES };
    }

    /// The branch has a lease, or the trunk has a block.
    pub(super) fn room_came(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes until the question is asked.
    fn passes(turns: &mut LeaseTurns) -> usize {
        let mut passed = 0;
        while turns.is_passing() {
            turns.pass();
            passed += 1;
        }
        passed
    }

    #[test]
    fn after_a_refusal_requests_pass_and_after_a_second_one_room_is_made() {
        let mut turns = LeaseTurns::default();
        assert_eq!(passes(&mut turns), 0, "the first question is asked");
        // A preempted test may need a second window.
        let is_short = (0..100).any(|_| {
            let is_short = turns.lease_refused();
            if !is_short {
                assert_eq!(passes(&mut turns), PASSES as usize);
            }
            is_short
        });
        assert!(is_short, "two refusals were within the window");
        assert_eq!(passes(&mut turns), 0, "the new block is asked for");
        assert!(!turns.lease_refused(), "one refusal is not enough");
    }

    #[test]
    fn two_threads_that_are_refused_at_once_want_no_block() {
        let mut turns = LeaseTurns::default();
        assert!(!turns.lease_refused());
        assert!(!turns.lease_refused(), "nothing has passed in between");
    }

    #[test]
    fn room_ends_what_was_refused_before() {
        let mut turns = LeaseTurns::default();
        turns.lease_refused();
        turns.room_came();
        assert_eq!(passes(&mut turns), 0);
        assert!(!turns.lease_refused());
    }

    #[test]
    fn after_a_refused_block_leases_are_asked_for_and_it_is_long_before_a_block_is() {
        let mut turns = LeaseTurns::default();
        turns.block_refused();
        for refusal in 0..BLOCK_PASSES {
            assert_eq!(passes(&mut turns), PASSES as usize, "{refusal}: a lease is asked for");
            assert!(!turns.lease_refused(), "{refusal}");
        }
        // A preempted test may need a second window.
        let is_short = (0..100).any(|_| {
            passes(&mut turns);
            turns.lease_refused()
        });
        assert!(is_short, "and then a block is wanted again");
    }
}
