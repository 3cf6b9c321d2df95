//! Devices whose memory is all of one kind, and the mock driver.

use rstest::rstest;

use crate::expected::{Expected, check};
use crate::tables::{self, Table};

// Unified memory with one type: it is all there is.
#[rstest]
#[case::intel(&tables::INTEL_HD_5500)]
#[case::lavapipe(&tables::LAVAPIPE)]
#[case::swiftshader(&tables::SWIFTSHADER)]
#[case::powervr(&tables::POWERVR)]
#[case::raspberry_pi(&tables::RASPBERRY_PI)]
fn a_single_type_serves_every_request(#[case] table: &Table) {
    check(
        table,
        &Expected {
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
        },
    );
}

// Unified memory with several types, all device-local and in one heap: only host properties
// decide. Readback takes cached memory even when it is not coherent (Adreno 2, Mali 1); uploads
// take coherent memory that is not cached, if there is some; lazily allocated memory is for
// transient attachments alone.
#[rstest]
#[case::mali_g52(&tables::MALI_G52, &Expected {
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
})]
#[case::mali_cached(&tables::MALI_CACHED, &Expected {
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
})]
#[case::apple_m1(&tables::APPLE_M1, &Expected {
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
})]
#[case::apple_m2(&tables::APPLE_M2, &Expected {
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
})]
#[case::adreno_740(&tables::ADRENO_740, &Expected {
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
})]
// Two heaps of one size, the only device-local one with a protected type, which nobody gets
// unasked. Its cached type is coherent, so it beats the host heap's cached type for reading.
#[case::mock(&tables::MOCK, &Expected {
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
})]
fn unified_memory_is_told_apart_by_host_flags(#[case] table: &Table, #[case] expected: &Expected) {
    check(table, expected);
}
