//! Threads that are started and waited for by the C library alone, so that a sanitizer sees both.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::ptr;

/// What one thread runs.
struct Start<'a> {
    run: &'a (dyn Fn(usize) + Sync),
    index: usize,
}

/// Runs `run` with 0 to `count - 1` on a thread each, and waits for all of them.
pub(crate) fn run_all(count: usize, run: &(dyn Fn(usize) + Sync)) {
    let starts: Vec<Start<'_>> = (0..count).map(|index| Start { run, index }).collect();
    let threads: Vec<libc::pthread_t> = starts
        .iter()
        .map(|start| {
            let mut thread = 0;
            let start = ptr::from_ref(start).cast_mut().cast();
            // SAFETY: what `start` points to is neither moved nor changed until all threads are joined
            // below, and `entry` takes it for what it is.
            let code = unsafe { libc::pthread_create(&raw mut thread, ptr::null(), entry, start) };
            assert_eq!(code, 0, "a thread can be started");
            thread
        })
        .collect();
    for thread in threads {
        // SAFETY: it was started above, and is joined once.
        let code = unsafe { libc::pthread_join(thread, ptr::null_mut()) };
        assert_eq!(code, 0, "a thread can be joined");
    }
}

extern "C" fn entry(start: *mut c_void) -> *mut c_void {
    // SAFETY: `run_all` has given a `Start` that lives until this thread is joined.
    let start = unsafe { &*start.cast::<Start<'_>>() };
    // A panic must not pass into C; what it says is printed by then.
    if catch_unwind(AssertUnwindSafe(|| (start.run)(start.index))).is_err() {
        process::exit(3);
    }
    ptr::null_mut()
}
