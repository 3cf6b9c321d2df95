//! loom's locks with the shape of parking_lot's: what `gpu-alloc-ash` finds at `crate::sync`.

use std::ops::{Deref, DerefMut};
use std::sync::TryLockError;

use loom::sync;

const UNPOISONED: &str = "a model ends at the first panic";

/// A lock that loom lets every thread win in turn.
#[derive(Debug)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

/// The lock, held.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    /// `None` only inside of [`Condvar::wait`].
    guard: Option<sync::MutexGuard<'a, T>>,
}

/// A condition to wait for. It never wakes anybody without being notified.
#[derive(Debug)]
pub(crate) struct Condvar(sync::Condvar);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { guard: Some(self.0.lock().expect(UNPOISONED)) }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard { guard: Some(guard) }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(_)) => panic!("{UNPOISONED}"),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().expect("nobody looks at it while it waits")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect("nobody looks at it while it waits")
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(sync::Condvar::new())
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.guard.take().expect("it waits only here");
        guard.guard = Some(self.0.wait(held).expect(UNPOISONED));
    }
}
