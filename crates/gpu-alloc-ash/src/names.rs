//! Names of allocations, beside the allocations, so that nameless ones pay nothing.

use std::collections::HashMap;

use ash::vk::Handle;

use crate::Allocation;
use crate::allocation::Home;
use crate::sync::Mutex;

/// What a live allocation is told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NameKey {
    /// Memory object and offset: no two live allocations share them.
    Pool { memory: u64, offset: u64 },
    /// Index in the list of external objects, since one object may be adopted twice.
    External { index: u32 },
}

/// The side table.
pub(crate) struct Names {
    names: Mutex<HashMap<NameKey, Box<str>>>,
}

impl NameKey {
    fn of(allocation: &Allocation) -> Self {
        match &allocation.home {
            Home::Pool(place) => {
                Self::Pool { memory: allocation.memory.as_raw(), offset: place.offset() }
            }
            Home::External { index, .. } => Self::External { index: *index },
        }
    }
}

impl Names {
    pub(crate) fn new() -> Self {
        Self { names: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn insert(&self, allocation: &Allocation, name: &str) {
        let name = Box::from(name);
        self.names.lock().insert(NameKey::of(allocation), name);
    }

    pub(crate) fn remove(&self, allocation: &Allocation) {
        let name = self.names.lock().remove(&NameKey::of(allocation));
        // The lock is free again before the string is.
        drop(name);
    }

    pub(crate) fn get(&self, key: NameKey) -> Option<String> {
        self.names.lock().get(&key).map(|name| name.to_string())
    }
}
