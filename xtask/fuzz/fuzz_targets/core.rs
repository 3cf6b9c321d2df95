//! libFuzzer target: one input is one program on the buddy allocator.
#![no_main]
#![allow(missing_docs, reason = "the macro defines functions of its own")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = fuzz_programs::core(data, fuzz_programs::Trace::Off);
});
