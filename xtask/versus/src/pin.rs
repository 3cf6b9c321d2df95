//! Keeps the process on one core, where the system can do that.

/// Stays on the last of the cores that the process may use; tells which, or `None` if it cannot.
#[cfg(target_os = "linux")]
pub(crate) fn to_one_core() -> Option<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None).ok()?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|&core| allowed.is_set(core))?;
    let mut one = CpuSet::new();
    one.set(last);
    sched_setaffinity(None, &one).ok()?;
    Some(last)
}

/// Not on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn to_one_core() -> Option<usize> {
    None
}
