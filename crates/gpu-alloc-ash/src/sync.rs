//! The locks that pools are behind. In a module of their own, so that a model checker can take their
//! place.

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
