//! The order of a device's memory types for each intent, worked out once.
//!
//! Basic design: which types a request refuses has no influence on the order of the others. So
//! for a request that states no flags of its own, and no budget, the ranking is what its intent's
//! order leaves when the refused types are taken out, and nothing has to be scored or sorted.

use crate::facts::TypeFacts;
use crate::intent::{INTENTS, Intent};
use crate::plan::Plan;
use crate::properties::MAX_MEMORY_TYPES;
use crate::verdict::sorted_scores;

/// The order of the memory types for each intent.
#[derive(Debug, Clone)]
pub(crate) struct Orders([Order; INTENTS.len()]);

/// The places of memory types, best first. Types that every request refuses are left out.
#[derive(Debug, Clone, Copy, Default)]
struct Order {
    places: [u8; MAX_MEMORY_TYPES],
    /// How many of `places` count: at most 32.
    count: u8,
}

impl Orders {
    /// Works out the orders of the types that `facts` are about, in the order of places.
    pub(crate) fn new(facts: &[TypeFacts]) -> Self {
        Self(INTENTS.map(|intent| {
            let (scores, count) = sorted_scores(&Plan::of_intent(intent), facts);
            let mut order = Order::default();
            for (slot, score) in order.places.iter_mut().zip(&scores[..count]) {
                *slot = score.place();
                order.count += 1;
            }
            order
        }))
    }

    /// The places of the types for one intent, best first.
    #[inline]
    pub(crate) fn of(&self, intent: &Intent) -> &[u8] {
        let Order { places, count } = &self.0[intent.index()];
        &places[..usize::from(*count)]
    }
}
