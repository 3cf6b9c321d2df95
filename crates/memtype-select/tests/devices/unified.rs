//! Devices whose memory is all of one kind, and the mock driver.

use rstest::rstest;

use crate::expected::{Expected, check};
use crate::tables::selector;

// Unified memory with one type: it is all there is, full or not.
#[rstest]
#[case::intel("Intel(R) HD Graphics 5500 (BDW GT2)", &SINGLE)]
#[case::llvmpipe_20("llvmpipe (LLVM 11.0.1, 128 bits)", &SINGLE)]
#[case::llvmpipe_22_2("llvmpipe (LLVM 14.0.5, 256 bits)", &SINGLE)]
#[case::llvmpipe_22_3("llvmpipe (LLVM 15.0.6) Mesa 22.3.6", &SINGLE)]
#[case::llvmpipe_25("llvmpipe (LLVM 15.0.6, 256 bits)", &SINGLE)]
#[case::llvmpipe_23("llvmpipe (LLVM 15.0.7, 256 bits)", &SINGLE)]
#[case::llvmpipe_26("llvmpipe (LLVM 22.1.8, 256 bits)", &SINGLE)]
#[case::swiftshader("SwiftShader Device (Subzero)", &SINGLE)]
#[case::powervr("PowerVR B-Series BXS-4-64 MC1", &SINGLE)]
#[case::raspberry_pi("Raspberry Pi", &SINGLE)]
fn a_single_type_serves_every_request(#[case] device: &str, #[case] expected: &Expected) {
    check(&selector(device), expected);
}

const SINGLE: Expected = Expected {
    device: &[0],
    host: &[0],
    upload: &[0],
    download: &[0],
    host_fast: &[0],
    upload_fast: &[0],
    download_fast: &[0],
    transient: &[0],
    upload_fast_large: &[0],
    mappable_device: &[0],
    aside: &[0],
    uniform_or_staged: &[0],
    source_or_staged: &[0],
    storage_or_staged: &[0],
    target_or_staged: &[0],
    device_full: &[0],
    everything: &[0],
};

// Unified memory with several types, all device-local and in one heap: only host properties
// decide. Readback takes cached memory even when it is not coherent (Adreno 2, Mali 1); uploads
// take coherent memory that is not cached, if there is some; lazily allocated memory is for
// transient attachments, and for those who opt in to it. What may be staged is mapped all the
// same, as a copy would go through the same memory twice; if read at random, cached.
#[rstest]
#[case::mali_g52("Mali-G52 MC4", &Expected {
    device: &[0, 1],
    host: &[1],
    upload: &[1],
    download: &[1],
    host_fast: &[1],
    upload_fast: &[1],
    download_fast: &[1],
    transient: &[0, 1],
    upload_fast_large: &[1],
    mappable_device: &[1],
    aside: &[0, 1],
    uniform_or_staged: &[1, 0],
    source_or_staged: &[1, 0],
    storage_or_staged: &[1, 0],
    target_or_staged: &[1, 0],
    device_full: &[0, 1],
    everything: &[0, 1],
})]
#[case::mali_cached("Mali with cached memory", &Expected {
    device: &[0, 1],
    host: &[1, 0],
    upload: &[0, 1],
    download: &[1, 0],
    host_fast: &[1, 0],
    upload_fast: &[0, 1],
    download_fast: &[1, 0],
    transient: &[2, 0, 1],
    upload_fast_large: &[0, 1],
    mappable_device: &[0, 1],
    aside: &[0, 1],
    uniform_or_staged: &[0, 1],
    source_or_staged: &[0, 1],
    storage_or_staged: &[1, 0],
    target_or_staged: &[1, 0],
    device_full: &[0, 1],
    everything: &[0, 1, 2],
})]
#[case::apple_m1("Apple M1 (G13G A0)", &Expected {
    device: &[0, 1],
    host: &[0, 1],
    upload: &[1, 0],
    download: &[0, 1],
    host_fast: &[0, 1],
    upload_fast: &[1, 0],
    download_fast: &[0, 1],
    transient: &[0, 1],
    upload_fast_large: &[1, 0],
    mappable_device: &[0, 1],
    aside: &[0, 1],
    uniform_or_staged: &[1, 0],
    source_or_staged: &[1, 0],
    storage_or_staged: &[0, 1],
    target_or_staged: &[0, 1],
    device_full: &[0, 1],
    everything: &[0, 1],
})]
#[case::apple_m2("Apple M2", &Expected {
    device: &[0, 1],
    host: &[1],
    upload: &[1],
    download: &[1],
    host_fast: &[1],
    upload_fast: &[1],
    download_fast: &[1],
    transient: &[2, 0, 1],
    upload_fast_large: &[1],
    mappable_device: &[1],
    aside: &[0, 1],
    uniform_or_staged: &[1, 0],
    source_or_staged: &[1, 0],
    storage_or_staged: &[1, 0],
    target_or_staged: &[1, 0],
    device_full: &[0, 1],
    everything: &[0, 1, 2],
})]
#[case::adreno_740("Turnip Adreno (TM) 740", &Expected {
    device: &[0, 1, 2],
    host: &[1, 2, 0],
    upload: &[0, 1, 2],
    download: &[1, 2, 0],
    host_fast: &[1, 2, 0],
    upload_fast: &[0, 1, 2],
    download_fast: &[1, 2, 0],
    transient: &[3, 0, 1, 2],
    upload_fast_large: &[0, 1, 2],
    mappable_device: &[0, 1, 2],
    aside: &[0, 1, 2],
    uniform_or_staged: &[0, 1, 2],
    source_or_staged: &[0, 1, 2],
    storage_or_staged: &[1, 2, 0],
    target_or_staged: &[1, 2, 0],
    device_full: &[0, 1, 2],
    everything: &[0, 1, 2, 3],
})]
// Two heaps of one size, the only device-local one with a protected type, which nobody gets
// unasked. Its cached type is coherent, so it beats the host heap's cached type for reading.
#[case::mock("Vulkan Mock Device", &Expected {
    device: &[2, 5, 0, 1],
    host: &[2, 1, 0],
    upload: &[0, 2, 1],
    download: &[2, 1, 0],
    host_fast: &[2, 1, 0],
    upload_fast: &[2, 0, 1],
    download_fast: &[2, 1, 0],
    transient: &[3, 2, 5, 0, 1],
    upload_fast_large: &[2, 0, 1],
    mappable_device: &[2],
    aside: &[0, 1, 2, 5],
    uniform_or_staged: &[2, 5, 0, 1],
    source_or_staged: &[0, 2, 1, 5],
    storage_or_staged: &[2, 5, 1, 0],
    target_or_staged: &[2, 1, 0, 5],
    device_full: &[0, 1, 2, 5],
    everything: &[2, 5, 0, 1, 3, 4],
})]
fn unified_memory_is_told_apart_by_host_flags(#[case] device: &str, #[case] expected: &Expected) {
    check(&selector(device), expected);
}
