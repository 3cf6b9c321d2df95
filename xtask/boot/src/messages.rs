//! Collects what the validation layer says.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ash::vk;

/// How bad a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Legal, and probably not what was meant.
    Warning,
    /// Invalid usage.
    Error,
}

/// One message of the validation layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the rule, such as `VUID-vkBindBufferMemory-memoryOffset-01036`; empty when the
    /// layer gives none.
    pub vuid: Box<str>,
    /// The layer's text.
    pub text: Box<str>,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "validation {severity} {}: {}", self.vuid, self.text)
    }
}

/// Every message of type "validation" and severity warning or error, in the order they came.
///
/// Messages of type "general" are left out: the loader sends them for each driver file whose GPU is
/// not in the machine. The layer itself stops repeating one message after ten times.
#[derive(Debug, Default)]
pub struct MessageSink {
    messages: Mutex<Vec<Message>>,
}

impl MessageSink {
    /// How many messages came since the last [`take`](Self::take).
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Whether no message came since the last [`take`](Self::take).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Hands over the messages and starts anew.
    #[must_use]
    pub fn take(&self) -> Vec<Message> {
        mem::take(&mut *self.lock())
    }

    /// A panic while the lock is held cannot leave the list half changed, so poison is ignored.
    fn lock(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, message: Message) {
        self.lock().push(message);
    }
}

/// What the messenger is told: which messages, and where to.
///
/// The pointer in it is `sink`'s address, so `sink` has to outlive whatever is made from it.
pub(crate) fn messenger_create_info(
    sink: &MessageSink,
) -> vk::DebugUtilsMessengerCreateInfoEXT<'static> {
    vk::DebugUtilsMessengerCreateInfoEXT::default()
        .message_severity(
            vk::DebugUtilsMessageSeverityFlagsEXT::WARNING
                | vk::DebugUtilsMessageSeverityFlagsEXT::ERROR,
        )
        .message_type(vk::DebugUtilsMessageTypeFlagsEXT::VALIDATION)
        .pfn_user_callback(Some(on_message))
        .user_data(std::ptr::from_ref(sink).cast_mut().cast())
}

/// The callback that the layer calls, from whatever thread broke the rule.
///
/// # Safety
///
/// 1. `data` is null or valid for the call, with strings that end in a zero byte or are null.
/// 2. `user_data` is the address of a living [`MessageSink`].
unsafe extern "system" fn on_message(
    severity: vk::DebugUtilsMessageSeverityFlagsEXT,
    _types: vk::DebugUtilsMessageTypeFlagsEXT,
    data: *const vk::DebugUtilsMessengerCallbackDataEXT<'_>,
    user_data: *mut c_void,
) -> vk::Bool32 {
    // SAFETY: clause 2; the sink is only ever shared.
    let sink = unsafe { user_data.cast::<MessageSink>().as_ref() };
    // SAFETY: clause 1.
    let data = unsafe { data.as_ref() };
    if let (Some(sink), Some(data)) = (sink, data) {
        sink.push(Message {
            severity: if severity.contains(vk::DebugUtilsMessageSeverityFlagsEXT::ERROR) {
                Severity::Error
            } else {
                Severity::Warning
            },
            // SAFETY: clause 1.
            vuid: unsafe { text(data.p_message_id_name) }.into(),
            // SAFETY: clause 1.
            text: unsafe { text(data.p_message) }.into(),
        });
    }
    // The specification asks for FALSE: TRUE makes the call fail that broke the rule.
    vk::FALSE
}

/// The string at `pointer`, empty for null.
///
/// # Safety
///
/// 1. `pointer` is null or points to a string that ends in a zero byte and lives as long as `'a`.
unsafe fn text<'a>(pointer: *const c_char) -> Cow<'a, str> {
    if pointer.is_null() {
        Cow::Borrowed("")
    } else {
        // SAFETY: clause 1, and not null.
        unsafe { CStr::from_ptr(pointer) }.to_string_lossy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_as_severity_rule_and_text() {
        let sink = MessageSink::default();
        let data = vk::DebugUtilsMessengerCallbackDataEXT::default()
            .message_id_name(c"VUID-a-b-00001")
            .message(c"the text");
        let info = messenger_create_info(&sink);
        let callback = info.pfn_user_callback.expect("the create info names the callback");
        // SAFETY: 1. `data` lives, its strings are literals. 2. `sink` lives.
        let answer = unsafe {
            callback(
                vk::DebugUtilsMessageSeverityFlagsEXT::ERROR,
                vk::DebugUtilsMessageTypeFlagsEXT::VALIDATION,
                &data,
                info.p_user_data,
            )
        };
        assert_eq!(answer, vk::FALSE);
        assert_eq!(sink.count(), 1);
        let messages = sink.take();
        assert_eq!(messages[0].to_string(), "validation error VUID-a-b-00001: the text");
        assert!(sink.is_empty());
    }
}
