//! How many nodes and blocks an operation visits: counted where the only ways to them are, in tests
//! alone, so that "bounded" is a number that is compared and not a word.

/// A node of a segregated fit is looked at, or one that stands for a bin.
#[inline(always)]
pub(crate) fn node() {
    #[cfg(test)]
    counted::NODES.set(counted::NODES.get() + 1);
}

/// A block of a pool is looked at.
#[inline(always)]
pub(crate) fn block() {
    #[cfg(test)]
    counted::BLOCKS.set(counted::BLOCKS.get() + 1);
}

#[cfg(test)]
pub(crate) use self::counted::{Visits, during};

#[cfg(test)]
mod counted {
    extern crate std;

    use core::cell::Cell;

    std::thread_local! {
        pub(super) static NODES: Cell<u64> = const { Cell::new(0) };
        pub(super) static BLOCKS: Cell<u64> = const { Cell::new(0) };
    }

    /// What was visited.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Visits {
        pub(crate) nodes: u64,
        pub(crate) blocks: u64,
    }

    impl Visits {
        /// The larger of each.
        pub(crate) fn max(self, other: Self) -> Self {
            Self { nodes: self.nodes.max(other.nodes), blocks: self.blocks.max(other.blocks) }
        }
    }

    /// What an operation of this thread answers and visits.
    pub(crate) fn during<T>(operation: impl FnOnce() -> T) -> (T, Visits) {
        NODES.set(0);
        BLOCKS.set(0);
        let answer = operation();
        (answer, Visits { nodes: NODES.get(), blocks: BLOCKS.get() })
    }
}
