//! Devices whose own memory is all visible to the host, beside the system's.

use rstest::rstest;

use crate::expected::{Expected, check};
use crate::tables::selector;

// The host sees all of the device's memory: nothing is scarce, so device-only resources may use
// every device-local type before system memory, and large uploads fit too. Staging still goes to
// system memory, cached if need be, as it would only use up VRAM. RADV shows its integrated GPUs
// in the same way, with the larger part of the one memory as device-local; so they are not taken
// for unified, and storage read at random goes to the device's part, where a copy may be made,
// rather than to memory that it shares the bus for. When the device's heap is full, all of its
// types are. Types that were opted in to come after all others, the device's first.
#[rstest]
#[case::nvk_ad102("NVK Ada AD102 (chipset 0x192)", &Expected {
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
    aside: &[2, 0, 1],
    uniform_or_staged: &[1, 0, 2],
    source_or_staged: &[2, 1, 0],
    storage_or_staged: &[0, 1, 2],
    target_or_staged: &[2, 1, 0],
    device_full: &[2, 0, 1],
    everything: &[0, 1, 2],
})]
#[case::nvidia("NVIDIA with resizable BAR", &Expected {
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
    aside: &[0, 2, 3, 1, 4],
    uniform_or_staged: &[4, 1, 2, 3, 0],
    source_or_staged: &[2, 3, 4, 0, 1],
    storage_or_staged: &[1, 4, 3, 0, 2],
    target_or_staged: &[3, 2, 4, 0, 1],
    device_full: &[0, 2, 3, 1, 4],
    everything: &[1, 4, 0, 2, 3],
})]
#[case::rembrandt("AMD EPYC (RADV REMBRANDT)", &RADV_ALL_VISIBLE)]
#[case::strix1("AMD EPYC (RADV STRIX1)", &RADV_ALL_VISIBLE)]
#[case::gfx1150("AMD Radeon Graphics (RADV GFX1150)", &RADV_ALL_VISIBLE)]
#[case::phoenix("AMD EPYC (RADV PHOENIX)", &Expected {
    // Its protected types lie before those of AMD.
    everything: &[0, 1, 3, 4, 2, 5, 6, 7, 8, 9, 10, 13, 15, 11, 12, 14, 16],
    ..RADV_ALL_VISIBLE
})]
#[case::navi31("AMD Radeon Graphics (RADV NAVI31)", &RADV_ALL_VISIBLE)]
#[case::navi33("AMD Radeon Graphics (RADV NAVI33)", &RADV_ALL_VISIBLE)]
#[case::raven2("AMD Radeon Graphics (RADV RAVEN2)", &RADV_ALL_VISIBLE)]
#[case::vega20("AMD Radeon Pro VII (RADV VEGA20)", &RADV_ALL_VISIBLE)]
#[case::raven("AMD Radeon Vega 10 Graphics (RADV RAVEN)", &RADV_ALL_VISIBLE)]
#[case::vega_8("AMD Radeon Vega 8 Graphics (RADV RAVEN)", &Expected {
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
    aside: &[1, 3, 0, 2],
    uniform_or_staged: &[2, 0, 1, 3],
    source_or_staged: &[1, 3, 2, 0],
    storage_or_staged: &[0, 2, 3, 1],
    target_or_staged: &[3, 1, 2, 0],
    device_full: &[1, 3, 0, 2],
    everything: &[0, 2, 1, 3, 4, 6, 5, 7],
})]
// A carve-out of 256 MiB and a window of the same size: neither is scarce beside the other, and
// equal heaps go by index. What does not fit 256 MiB goes to the system's memory. When the first
// of the two is full, the other is still the device's memory.
#[case::amd_apu_256_mib("AMD Radeon(TM) Graphics (23.19.10.11)", &Expected {
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
    aside: &[1, 3, 9, 11, 0, 2, 8, 10],
    uniform_or_staged: &[2, 10, 0, 8, 1, 9, 3, 11],
    source_or_staged: &[1, 9, 3, 11, 2, 10, 0, 8],
    storage_or_staged: &[0, 2, 8, 10, 3, 11, 1, 9],
    target_or_staged: &[3, 11, 1, 9, 2, 10, 0, 8],
    device_full: &[2, 10, 1, 3, 9, 11, 0, 8],
    everything: &[0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15],
})]
fn visible_device_memory_is_not_scarce(#[case] device: &str, #[case] expected: &Expected) {
    check(&selector(device), expected);
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
    aside: &[2, 5, 6, 0, 1, 3, 4],
    uniform_or_staged: &[3, 4, 0, 1, 2, 5, 6],
    source_or_staged: &[2, 5, 6, 3, 4, 0, 1],
    storage_or_staged: &[0, 1, 3, 4, 5, 6, 2],
    target_or_staged: &[5, 6, 2, 3, 4, 0, 1],
    device_full: &[2, 5, 6, 0, 1, 3, 4],
    everything: &[0, 1, 3, 4, 2, 5, 6, 7, 9, 8, 10],
};
