//! Each error is one line that says what is wrong and what to do.

use ash::vk;
use vk_boot::BootError;

#[test]
fn each_error_is_one_line_with_the_way_out() {
    let errors = [
        (BootError::NoLoader, "cargo xtask setup"),
        (BootError::LoaderTooOld, "install a newer one"),
        (BootError::NoDriver, "cargo xtask setup"),
        (BootError::LayerMissing, "cargo xtask setup"),
        (BootError::DebugUtilsMissing, "install newer ones"),
        (BootError::NoUsableDevice { device_count: 2 }, "none of the 2"),
        (BootError::NoMatchingDevice { wanted: "RTX".into(), device_count: 1 }, "`RTX`"),
        (BootError::DeviceLost { call: "vkQueueSubmit" }, "vkQueueSubmit"),
        (
            BootError::OutOfMemory {
                call: "vkCreateDevice",
                result: vk::Result::ERROR_OUT_OF_HOST_MEMORY,
            },
            "ERROR_OUT_OF_HOST_MEMORY",
        ),
        (
            BootError::Call {
                call: "vkCreateDevice",
                result: vk::Result::ERROR_INITIALIZATION_FAILED,
            },
            "VK_BOOT_DEVICE",
        ),
    ];
    for (error, part) in errors {
        let line = error.to_string();
        assert!(line.contains(part), "{line}");
        assert!(!line.contains('\n') && !line.ends_with('.'), "{line}");
        assert!(line.contains(';'), "no way out in: {line}");
    }
}
