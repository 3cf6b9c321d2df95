//! Runs a wrong program on lavapipe, with a validation layer that holds back what is wrong.

use std::ffi::c_void;

use ash::{ext, vk};
use vk_boot::Message;

use super::program::{Program, Stage, without_repetitions};

/// Says that the call in question is not to reach the driver.
unsafe extern "system" fn hold_back(
    severity: vk::DebugUtilsMessageSeverityFlagsEXT,
    _types: vk::DebugUtilsMessageTypeFlagsEXT,
    _data: *const vk::DebugUtilsMessengerCallbackDataEXT<'_>,
    _user_data: *mut c_void,
) -> vk::Bool32 {
    vk::Bool32::from(severity.contains(vk::DebugUtilsMessageSeverityFlagsEXT::ERROR))
}

/// The rules that it breaks.
pub(super) fn run(program: &Program) -> Vec<String> {
    let boot = crate::stage::boot();
    let functions = ext::debug_utils::Instance::new(&boot.entry, &boot.instance);
    let info = vk::DebugUtilsMessengerCreateInfoEXT::default()
        .message_severity(vk::DebugUtilsMessageSeverityFlagsEXT::ERROR)
        .message_type(vk::DebugUtilsMessageTypeFlagsEXT::VALIDATION)
        .pfn_user_callback(Some(hold_back));
    // SAFETY: the boot has the extension on when it has validation, which it was made with.
    let messenger = unsafe { functions.create_debug_utils_messenger(&info, None) }.unwrap();
    let stage = Stage::new(&boot.device, boot.queue, boot.queue_family_index);
    (program.run)(&stage);
    let mut messages = boot.messages().take();
    stage.clear();
    assert_eq!(boot.messages().take(), [], "{}: while clearing up", program.name);
    drop(stage);
    // Without it the device is destroyed even if something was left behind.
    // SAFETY: made above.
    unsafe { functions.destroy_debug_utils_messenger(messenger, None) };
    messages.extend(boot.finish());
    without_repetitions(messages.into_iter().map(|Message { vuid, .. }| vuid.into()))
}
