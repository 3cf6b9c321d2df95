//! Devices whose memory the host reaches through a small window, or not at all.

use rstest::rstest;

use crate::expected::{Expected, check};
use crate::tables::selector;

// Discrete GPUs with a small BAR. What only the device touches goes to VRAM, then to system
// memory by index, and to the BAR last; the host's own memory is system memory, cached if it may
// read; the BAR is first for what the host writes and the device is fast at, unless it is too
// large for it. Reading back never needs the BAR.
//
// What may be staged: uniforms go to the BAR, then to VRAM, as a copy costs less than reading
// over the bus in each draw, then to system memory that is mapped. Storage read at random is
// better off in VRAM than in the BAR, next in cached memory. A staging buffer that need not be
// mapped would be no staging buffer, so mapped memory goes first; VRAM beside the BAR, which is
// spared to the last. When VRAM is full, textures go to system memory, and even then not to the
// BAR. Types that were opted in to come after their like, and the BAR's after everything.
#[rstest]
#[case::gtx_950("GeForce GTX 950 (NVIDIA 440.66.14)", &Expected {
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
    aside: &[0, 1, 2, 3, 4, 5, 6, 8, 9, 7, 10],
    uniform_or_staged: &[10, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6],
    source_or_staged: &[8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 10],
    storage_or_staged: &[7, 9, 0, 1, 2, 3, 4, 5, 6, 8, 10],
    target_or_staged: &[9, 8, 0, 1, 2, 3, 4, 5, 6, 7, 10],
    device_full: &[0, 1, 2, 3, 4, 5, 6, 8, 9, 7, 10],
    everything: &[7, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10],
})]
#[case::gtx_1650("NVIDIA GeForce GTX 1650", &Expected {
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
    aside: &[0, 2, 3, 1, 4],
    uniform_or_staged: &[4, 1, 2, 3, 0],
    source_or_staged: &[2, 3, 0, 1, 4],
    storage_or_staged: &[1, 3, 0, 2, 4],
    target_or_staged: &[3, 2, 0, 1, 4],
    device_full: &[0, 2, 3, 1, 4],
    everything: &[1, 0, 2, 3, 4],
})]
#[case::rx_5700_xt("AMD Radeon RX 5700 XT (RADV NAVI10)", &RADV_SMALL_BAR)]
#[case::rx_6800("AMD Radeon RX 6800 (RADV NAVI21)", &RADV_SMALL_BAR)]
#[case::vega_56("AMD Radeon RX Vega (RADV VEGA10)", &RADV_SMALL_BAR)]
#[case::rx_470("AMD Radeon RX 470 Graphics (RADV POLARIS10)", &RADV_NO_OPT_INS)]
#[case::rx_580("AMD Radeon RX 580 Series (RADV POLARIS10)", &RADV_NO_OPT_INS)]
// An APU whose carve-out is large enough to have a BAR of its own beside it: as the above.
#[case::amd_apu_1792_mib("AMD Radeon(TM) Graphics (22.20.28)", &Expected {
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
    aside: &[1, 3, 0, 2],
    uniform_or_staged: &[2, 0, 1, 3],
    source_or_staged: &[1, 3, 0, 2],
    storage_or_staged: &[0, 3, 1, 2],
    target_or_staged: &[3, 1, 0, 2],
    device_full: &[1, 3, 0, 2],
    everything: &[0, 1, 3, 4, 5, 7, 2, 6],
})]
fn small_bar_is_kept_for_those_who_need_it(#[case] device: &str, #[case] expected: &Expected) {
    check(&selector(device), expected);
}

/// RADV lists some types twice; those with opt-in flags (7 to 10) are chosen only by opting in.
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
    aside: &[2, 5, 6, 0, 1, 3, 4],
    uniform_or_staged: &[3, 4, 0, 1, 2, 5, 6],
    source_or_staged: &[2, 5, 6, 0, 1, 3, 4],
    storage_or_staged: &[0, 1, 5, 6, 2, 3, 4],
    target_or_staged: &[5, 6, 2, 0, 1, 3, 4],
    device_full: &[2, 5, 6, 0, 1, 3, 4],
    everything: &[0, 1, 2, 5, 6, 7, 8, 10, 3, 4, 9],
};

/// The same on GPUs without such types.
const RADV_NO_OPT_INS: Expected = Expected { everything: RADV_SMALL_BAR.device, ..RADV_SMALL_BAR };

// No BAR at all: the host has system memory only, and nothing mappable is device-local. What may
// be staged and is used by the device goes to VRAM.
#[rstest]
#[case::driver_440_58("GeForce GTX 950 (NVIDIA 440.58.02)", &Expected {
    device: &[7, 0, 1, 2, 3, 4, 5, 6, 8, 9],
    host: &[9, 8],
    upload: &[8, 9],
    download: &[9, 8],
    host_fast: &[9, 8],
    upload_fast: &[8, 9],
    download_fast: &[9, 8],
    transient: &[7, 0, 1, 2, 3, 4, 5, 6, 8, 9],
    upload_fast_large: &[8, 9],
    mappable_device: &[],
    aside: &[0, 1, 2, 3, 4, 5, 6, 8, 9, 7],
    uniform_or_staged: &[7, 8, 9, 0, 1, 2, 3, 4, 5, 6],
    source_or_staged: &[8, 9, 0, 1, 2, 3, 4, 5, 6, 7],
    storage_or_staged: &[7, 9, 0, 1, 2, 3, 4, 5, 6, 8],
    target_or_staged: &[9, 8, 0, 1, 2, 3, 4, 5, 6, 7],
    device_full: &[0, 1, 2, 3, 4, 5, 6, 8, 9, 7],
    everything: &[7, 0, 1, 2, 3, 4, 5, 6, 8, 9],
})]
#[case::driver_440_48("GeForce GTX 950 (NVIDIA 440.48.02)", &GTX_950_TWO_LOCAL)]
#[case::driver_375_66("GeForce GTX 950 (Linux, 375.66)", &GTX_950_TWO_LOCAL)]
#[case::nvk_gk110("NVK Kepler GK110 (chipset 0xf0)", &Expected {
    device: &[0, 1],
    host: &[1],
    upload: &[1],
    download: &[1],
    host_fast: &[1],
    upload_fast: &[1],
    download_fast: &[1],
    transient: &[0, 1],
    upload_fast_large: &[1],
    mappable_device: &[],
    aside: &[1, 0],
    uniform_or_staged: &[0, 1],
    source_or_staged: &[1, 0],
    storage_or_staged: &[0, 1],
    target_or_staged: &[1, 0],
    device_full: &[1, 0],
    everything: &[0, 1],
})]
fn without_bar_the_host_has_system_memory(#[case] device: &str, #[case] expected: &Expected) {
    check(&selector(device), expected);
}

/// These drivers list the type of VRAM twice.
const GTX_950_TWO_LOCAL: Expected = Expected {
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
    aside: &[0, 1, 2, 3, 4, 5, 6, 9, 10, 7, 8],
    uniform_or_staged: &[7, 8, 9, 10, 0, 1, 2, 3, 4, 5, 6],
    source_or_staged: &[9, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8],
    storage_or_staged: &[7, 8, 10, 0, 1, 2, 3, 4, 5, 6, 9],
    target_or_staged: &[10, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8],
    device_full: &[0, 1, 2, 3, 4, 5, 6, 9, 10, 7, 8],
    everything: &[7, 8, 0, 1, 2, 3, 4, 5, 6, 9, 10],
};
