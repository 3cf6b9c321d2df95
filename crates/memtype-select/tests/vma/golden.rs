//! What VMA chooses: seven typical layouts, thirty ways to ask.
//!
//! From the Vulkan Memory Allocator, commit e386068 (3.4.0-development of 2026-06-01), on a fake
//! driver with these layouts: the answers of `vmaFindMemoryTypeIndexForBufferInfo`, each chosen
//! type being taken out of the mask before the next call. Types that are never chosen are not
//! listed. The sizes of heaps had no influence; they are what such devices have.

/// The layouts: name, flags and heap of each type, and MiB and flags of each heap.
pub(crate) type Layout = (&'static str, &'static [(u32, u32)], &'static [(u64, u32)]);

/// Flags are Vulkan's numbers: 1 device-local, 2 host-visible, 4 coherent, 8 cached, 16 lazily
/// allocated.
pub(crate) const LAYOUTS: [Layout; 7] = [
    ("nvidia", &[(0, 1), (1, 0), (6, 1), (14, 1), (7, 2)], &[(8192, 1), (16384, 0), (256, 1)]),
    ("amd", &[(1, 0), (6, 1), (7, 2), (14, 1)], &[(8192, 1), (16384, 0), (256, 1)]),
    ("intel", &[(7, 0), (15, 0)], &[(16384, 1)]),
    ("apu", &[(1, 0), (6, 1), (7, 0), (14, 1)], &[(512, 1), (16384, 0)]),
    ("raspberry", &[(7, 0)], &[(4096, 1)]),
    ("mali", &[(7, 0), (11, 0), (17, 0)], &[(4096, 1)]),
    ("lavapipe", &[(15, 0)], &[(16384, 1)]),
];

/// One way to ask, and what VMA answers for each layout, best first.
pub(crate) struct Row {
    /// `auto`, `device` or `host`: `VMA_MEMORY_USAGE_AUTO`, `_PREFER_DEVICE` or `_PREFER_HOST`.
    pub(crate) placement: &'static str,
    /// `never`, `writes` or `random`; `-staged` behind it stands for
    /// `HOST_ACCESS_ALLOW_TRANSFER_INSTEAD`.
    pub(crate) access: &'static str,
    /// `shaders` or `copies`: whether the buffer has a usage beside transfers.
    pub(crate) used_for: &'static str,
    /// The types in the order of the layouts.
    pub(crate) answers: [&'static str; 7],
}

const fn row(
    placement: &'static str,
    access: &'static str,
    used_for: &'static str,
    answers: [&'static str; 7],
) -> Row {
    Row { placement, access, used_for, answers }
}

#[rustfmt::skip]
pub(crate) const ROWS: [Row; 30] = [
    row("auto", "never", "shaders", ["1 4 0 2 3", "0 2 1 3", "0 1", "0 2 1 3", "0", "0 1 2", "0"]),
    row("auto", "never", "copies", ["1 4 0 2 3", "0 2 1 3", "0 1", "0 2 1 3", "0", "0 1 2", "0"]),
    row("auto", "writes", "shaders", ["4 2 3", "2 1 3", "0 1", "2 1 3", "0", "0 1", "0"]),
    row("auto", "writes", "copies", ["2 3 4", "1 2 3", "0 1", "1 2 3", "0", "0 1", "0"]),
    row("auto", "random", "shaders", ["3 2 4", "3 1 2", "1 0", "3 1 2", "0", "1 0", "0"]),
    row("auto", "random", "copies", ["3 2 4", "3 1 2", "1 0", "3 1 2", "0", "1 0", "0"]),
    row("auto", "writes-staged", "shaders", ["4 1 2 0 3", "2 0 1 3", "0 1", "2 0 1 3", "0", "0 1 2", "0"]),
    row("auto", "writes-staged", "copies", ["2 0 3 4 1", "1 2 3 0", "0 1", "1 2 3 0", "0", "0 1 2", "0"]),
    row("auto", "random-staged", "shaders", ["1 3 4 0 2", "0 2 3 1", "1 0", "3 1 2 0", "0", "1 0 2", "0"]),
    row("auto", "random-staged", "copies", ["3 2 4 0 1", "3 1 2 0", "1 0", "3 1 2 0", "0", "1 0 2", "0"]),
    row("device", "never", "shaders", ["1 4 0 2 3", "0 2 1 3", "0 1", "0 2 1 3", "0", "0 1 2", "0"]),
    row("device", "never", "copies", ["1 4 0 2 3", "0 2 1 3", "0 1", "0 2 1 3", "0", "0 1 2", "0"]),
    row("device", "writes", "shaders", ["4 2 3", "2 1 3", "0 1", "2 1 3", "0", "0 1", "0"]),
    row("device", "writes", "copies", ["4 2 3", "2 1 3", "0 1", "2 1 3", "0", "0 1", "0"]),
    row("device", "random", "shaders", ["3 2 4", "3 1 2", "1 0", "3 1 2", "0", "1 0", "0"]),
    row("device", "random", "copies", ["3 2 4", "3 1 2", "1 0", "3 1 2", "0", "1 0", "0"]),
    row("device", "writes-staged", "shaders", ["4 1 2 0 3", "2 0 1 3", "0 1", "2 0 1 3", "0", "0 1 2", "0"]),
    row("device", "writes-staged", "copies", ["4 1 2 0 3", "2 0 1 3", "0 1", "2 0 1 3", "0", "0 1 2", "0"]),
    row("device", "random-staged", "shaders", ["1 3 4 0 2", "0 2 3 1", "1 0", "3 1 2 0", "0", "1 0 2", "0"]),
    row("device", "random-staged", "copies", ["3 2 4 0 1", "3 1 2 0", "1 0", "3 1 2 0", "0", "1 0 2", "0"]),
    row("host", "never", "shaders", ["0 2 3 1 4", "1 3 0 2", "0 1", "1 3 0 2", "0", "0 1 2", "0"]),
    row("host", "never", "copies", ["0 2 3 1 4", "1 3 0 2", "0 1", "1 3 0 2", "0", "0 1 2", "0"]),
    row("host", "writes", "shaders", ["2 3 4", "1 2 3", "0 1", "1 2 3", "0", "0 1", "0"]),
    row("host", "writes", "copies", ["2 3 4", "1 2 3", "0 1", "1 2 3", "0", "0 1", "0"]),
    row("host", "random", "shaders", ["3 2 4", "3 1 2", "1 0", "3 1 2", "0", "1 0", "0"]),
    row("host", "random", "copies", ["3 2 4", "3 1 2", "1 0", "3 1 2", "0", "1 0", "0"]),
    row("host", "writes-staged", "shaders", ["2 0 3 4 1", "1 2 3 0", "0 1", "1 2 3 0", "0", "0 1 2", "0"]),
    row("host", "writes-staged", "copies", ["2 0 3 4 1", "1 2 3 0", "0 1", "1 2 3 0", "0", "0 1 2", "0"]),
    row("host", "random-staged", "shaders", ["3 2 4 0 1", "3 1 2 0", "1 0", "3 1 2 0", "0", "1 0 2", "0"]),
    row("host", "random-staged", "copies", ["3 2 4 0 1", "3 1 2 0", "1 0", "3 1 2 0", "0", "1 0 2", "0"]),
];
