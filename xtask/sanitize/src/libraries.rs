//! Libraries that the driver has loaded, and would unload at its end.

use std::ffi::CString;
use std::fs;

/// Keeps every library loaded that is now: what they hold for the process's whole life would be a leak
/// if nobody had a pointer to it any more.
pub(crate) fn keep_loaded() {
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux tells what is mapped");
    let mut files: Vec<&str> = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]))
        .filter(|file| file.contains(".so"))
        .collect();
    files.dedup();
    for file in files {
        let name = CString::new(file).expect("a path has no zero byte");
        let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
        // SAFETY: the name ends with a zero byte. The library is loaded already, so no code of it runs.
        let _ = unsafe { libc::dlopen(name.as_ptr(), flags) };
    }
}
