//! Keeps threads on cores, where the system can do that.

/// The cores that this thread may use, in ascending order; none where that is not to be known.
#[cfg(target_os = "linux")]
pub(crate) fn cores() -> Vec<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let allowed = sched_getaffinity(None);
    allowed.map_or_else(
        |_| Vec::new(),
        |allowed| (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect(),
    )
}

/// Keeps this thread, and those that it starts, on these cores; answers whether it could.
#[cfg(target_os = "linux")]
pub(crate) fn to_cores(cores: &[usize]) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    sched_setaffinity(None, &set).is_ok()
}

/// Not on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn cores() -> Vec<usize> {
    Vec::new()
}

/// Not on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn to_cores(_: &[usize]) -> bool {
    false
}

/// Keeps this thread on `core`; answers whether it could.
pub(crate) fn to_core(core: usize) -> bool {
    to_cores(&[core])
}

/// Stays on the last of the cores that the process may use; tells which, or `None` if it cannot.
pub(crate) fn to_one_core() -> Option<usize> {
    let last = *cores().last()?;
    to_core(last).then_some(last)
}
