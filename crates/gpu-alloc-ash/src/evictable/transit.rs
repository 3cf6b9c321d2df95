//! What is between being lost and being freed.
//!
//! Where names or margins have to be settled before a place may be freed, the pool's lock is let go in
//! between. Who finds nothing to give up meanwhile waits for that to be over, and looks again: else a
//! request would be refused that two threads in turn would have been granted.

use crate::sync::{Condvar, Mutex};

/// How many threads give something up at the moment, and how often that was done.
pub(crate) struct Transit {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Clone, Copy, Default)]
struct State {
    under_way: u32,
    done: u64,
}

/// Somebody is at it until this is dropped.
pub(crate) struct UnderWay<'a>(&'a Transit);

impl Transit {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::default()), ended: Condvar::new() }
    }

    pub(crate) fn begin(&self) -> UnderWay<'_> {
        self.state.lock().under_way += 1;
        UnderWay(self)
    }

    /// How often something was given up until now.
    pub(crate) fn done(&self) -> u64 {
        self.state.lock().done
    }

    /// Waits until something was given up since `seen`, or nobody is at it; answers the former. Who calls
    /// this is not at it.
    pub(crate) fn wait(&self, seen: u64) -> bool {
        let mut state = self.state.lock();
        while state.under_way > 0 && state.done == seen {
            self.ended.wait(&mut state);
        }
        state.done != seen
    }
}

impl UnderWay<'_> {
    /// Ends it, after something was given up.
    pub(crate) fn done(self) {
        self.0.state.lock().done += 1;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        // No underflow: each of these has added one.
        self.0.state.lock().under_way -= 1;
        self.0.ended.notify_all();
    }
}
