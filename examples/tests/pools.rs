//! The examples of custom pools, on a real driver under validation.

use examples::{frame_ring, loading_stack, streaming_pool};
use vk_boot::{Boot, BootOptions};

fn under_validation<T>(example: impl FnOnce(&Boot) -> T) -> T {
    let boot = Boot::new(&BootOptions::for_gpu_tests()).unwrap();
    assert!(boot.validation);
    let answer = example(&boot);
    let messages = boot.finish();
    assert!(messages.is_empty(), "{messages:?}");
    answer
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn uniforms_of_three_frames_in_flight_keep_their_bytes() {
    let report = under_validation(|boot| frame_ring::run(boot).unwrap());
    assert_eq!(report.checked, 450, "three for each of 150 frames");
    assert!(report.wraps >= 15, "{report:?}");
    assert_eq!(report.device_allocations, 2, "one block is the ring, the other is read back from");
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn levels_loaded_with_two_stacks_keep_their_bytes() {
    let report = under_validation(|boot| loading_stack::run(boot).unwrap());
    assert_eq!(report.checked, 72, "24 meshes in each of three levels");
    assert!(report.peak > 1 << 20 && report.peak <= report.block_size, "{report:?}");
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn textures_streamed_under_a_budget_keep_their_bytes() {
    let report = under_validation(|boot| streaming_pool::run(boot).unwrap());
    assert_eq!(report.checked, 480, "four in each of 120 frames");
    assert!(report.loaded > 48 && report.lost >= 48, "each was loaded more than once: {report:?}");
    assert!(report.loaded - report.lost <= 16, "no more than fit are left: {report:?}");
    assert_eq!(report.peak, report.budget, "{report:?}");
}
