//! Devices with memory of their own beside the system's.

use rstest::rstest;

use crate::expected::{Expected, check};
use crate::tables::{self, Table};

// Discrete GPUs with a small BAR. What only the device touches goes to VRAM, then to system
// memory by index, and to the BAR last; the host's own memory is system memory, cached if it may
// read; the BAR is first for what the host writes and the device is fast at, unless it is too
// large for it. Reading back never needs the BAR.
#[rstest]
#[case::gtx_950(&tables::GTX_950_BAR, &Expected {
    device: &[7, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10],
    host: &[9, 8, 10],
    upload: &[8, 9, 10],
    download: &[9, 8, 10],
    host_fast: &[10, 9, 8],
    upload_fast: &[10, 8, 9],
    download_fast: &[9, 8, 10],
    transient: &[7, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10],
    upload_fast_large: &[8, 9],
    mappable_device: &[10],
})]
#[case::gtx_1650(&tables::GTX_1650, &Expected {
    device: &[1, 0, 2, 3, 4],
    host: &[3, 2, 4],
    upload: &[2, 3, 4],
    download: &[3, 2, 4],
    host_fast: &[4, 3, 2],
    upload_fast: &[4, 2, 3],
    download_fast: &[3, 2, 4],
    transient: &[1, 0, 2, 3, 4],
    upload_fast_large: &[2, 3],
    mappable_device: &[4],
})]
#[case::rx_6800(&tables::RX_6800, &RADV_SMALL_BAR)]
#[case::rx_470(&tables::RX_470, &RADV_SMALL_BAR)]
// An APU whose carve-out is large enough to have a BAR of its own beside it: as the above.
#[case::amd_apu_1792_mib(&tables::AMD_APU_1792_MIB, &Expected {
    device: &[0, 1, 3, 2],
    host: &[3, 1, 2],
    upload: &[1, 3, 2],
    download: &[3, 1, 2],
    host_fast: &[2, 3, 1],
    upload_fast: &[2, 1, 3],
    download_fast: &[3, 1, 2],
    transient: &[0, 1, 3, 2],
    upload_fast_large: &[1, 3],
    mappable_device: &[2],
})]
fn small_bar_is_kept_for_those_who_need_it(#[case] table: &Table, #[case] expected: &Expected) {
    check(table, expected);
}

/// RADV lists some types twice, and those with opt-in flags (7 to 10) are never chosen.
const RADV_SMALL_BAR: Expected = Expected {
    device: &[0, 1, 2, 5, 6, 3, 4],
    host: &[5, 6, 2, 3, 4],
    upload: &[2, 5, 6, 3, 4],
    download: &[5, 6, 2, 3, 4],
    host_fast: &[3, 4, 5, 6, 2],
    upload_fast: &[3, 4, 2, 5, 6],
    download_fast: &[5, 6, 2, 3, 4],
    transient: &[0, 1, 2, 5, 6, 3, 4],
    upload_fast_large: &[2, 5, 6],
    mappable_device: &[3, 4],
};

// The host sees all of the device's memory: nothing is scarce, so device-only resources may use
// every device-local type before system memory, and large uploads fit too. Staging still goes to
// system memory, cached if need be, as it would only use up VRAM. RADV shows its integrated GPUs
// in the same way, with the larger part of the one memory as device-local.
#[rstest]
#[case::nvk_ad102(&tables::NVK_AD102, &Expected {
    device: &[0, 1, 2],
    host: &[2, 1],
    upload: &[2, 1],
    download: &[2, 1],
    host_fast: &[1, 2],
    upload_fast: &[1, 2],
    download_fast: &[2, 1],
    transient: &[0, 1, 2],
    upload_fast_large: &[1, 2],
    mappable_device: &[1],
})]
#[case::nvidia(&tables::NVIDIA_RESIZABLE_BAR, &Expected {
    device: &[1, 4, 0, 2, 3],
    host: &[3, 2, 4],
    upload: &[2, 3, 4],
    download: &[3, 2, 4],
    host_fast: &[4, 3, 2],
    upload_fast: &[4, 2, 3],
    download_fast: &[3, 4, 2],
    transient: &[1, 4, 0, 2, 3],
    upload_fast_large: &[4, 2, 3],
    mappable_device: &[4],
})]
#[case::navi33(&tables::RADV_NAVI33, &RADV_ALL_VISIBLE)]
#[case::rembrandt(&tables::RADV_REMBRANDT, &RADV_ALL_VISIBLE)]
#[case::vega_8(&tables::VEGA_8, &Expected {
    device: &[0, 2, 1, 3],
    host: &[3, 1, 2],
    upload: &[1, 3, 2],
    download: &[3, 1, 2],
    host_fast: &[2, 3, 1],
    upload_fast: &[2, 1, 3],
    download_fast: &[3, 2, 1],
    transient: &[0, 2, 1, 3],
    upload_fast_large: &[2, 1, 3],
    mappable_device: &[2],
})]
// A carve-out of 256 MiB and a window of the same size: neither is scarce beside the other, and
// equal heaps go by index. What does not fit 256 MiB goes to the system's memory.
#[case::amd_apu_256_mib(&tables::AMD_APU_256_MIB, &Expected {
    device: &[0, 2, 8, 10, 1, 3, 9, 11],
    host: &[3, 11, 1, 9, 2, 10],
    upload: &[1, 9, 3, 11, 2, 10],
    download: &[3, 11, 1, 9, 2, 10],
    host_fast: &[2, 10, 3, 11, 1, 9],
    upload_fast: &[2, 10, 1, 9, 3, 11],
    download_fast: &[3, 11, 2, 10, 1, 9],
    transient: &[0, 2, 8, 10, 1, 3, 9, 11],
    upload_fast_large: &[1, 9, 3, 11],
    mappable_device: &[2, 10],
})]
fn visible_device_memory_is_not_scarce(#[case] table: &Table, #[case] expected: &Expected) {
    check(table, expected);
}

const RADV_ALL_VISIBLE: Expected = Expected {
    device: &[0, 1, 3, 4, 2, 5, 6],
    host: &[5, 6, 2, 3, 4],
    upload: &[2, 5, 6, 3, 4],
    download: &[5, 6, 2, 3, 4],
    host_fast: &[3, 4, 5, 6, 2],
    upload_fast: &[3, 4, 2, 5, 6],
    download_fast: &[5, 6, 3, 4, 2],
    transient: &[0, 1, 3, 4, 2, 5, 6],
    upload_fast_large: &[3, 4, 2, 5, 6],
    mappable_device: &[3, 4],
};

// No BAR at all: the host has system memory only, and nothing mappable is device-local.
#[rstest]
#[case::gtx_950(&tables::GTX_950_NO_BAR, &Expected {
    device: &[7, 8, 0, 1, 2, 3, 4, 5, 6, 9, 10],
    host: &[10, 9],
    upload: &[9, 10],
    download: &[10, 9],
    host_fast: &[10, 9],
    upload_fast: &[9, 10],
    download_fast: &[10, 9],
    transient: &[7, 8, 0, 1, 2, 3, 4, 5, 6, 9, 10],
    upload_fast_large: &[9, 10],
    mappable_device: &[],
})]
fn without_bar_the_host_has_system_memory(#[case] table: &Table, #[case] expected: &Expected) {
    check(table, expected);
}
