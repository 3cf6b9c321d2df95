//! The time that this thread has computed.
//!
//! On a machine that others use, too, the time of the wall counts their work as ours. What the
//! thread itself has computed does not, and no peer sleeps or waits. Reading it is a call into the
//! kernel, so it is read around thousands of operations and never around one.

use std::time::Duration;

/// Time computed by this thread so far.
#[cfg(target_os = "linux")]
pub(crate) fn now() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Both parts count up from zero, the second below 10^9.
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Time of the wall since the first call, where a thread's own is not to be had.
#[cfg(not(target_os = "linux"))]
pub(crate) fn now() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Time computed since `start` was read.
pub(crate) fn since(start: Duration) -> Duration {
    now().saturating_sub(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_does_not_count_and_work_does() {
        let start = now();
        let mut number = 1_u64;
        while since(start) < Duration::from_millis(2) {
            number = std::hint::black_box(number.wrapping_mul(3));
        }
        if cfg!(target_os = "linux") {
            let start = now();
            std::thread::sleep(Duration::from_millis(50));
            assert!(since(start) < Duration::from_millis(50));
        }
    }
}
