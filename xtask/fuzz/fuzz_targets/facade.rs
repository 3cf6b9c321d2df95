//! libFuzzer target: one input is one program on the whole allocator, over the simulated driver.
#![no_main]
#![allow(missing_docs, reason = "the macro defines functions of its own")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = fuzz_programs::facade(data, fuzz_programs::Trace::Off);
});
