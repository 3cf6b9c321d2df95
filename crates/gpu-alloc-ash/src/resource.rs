//! A buffer or an image, where the same is done with both.

use ash::vk;

/// A handle that memory is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Buffer(vk::Buffer),
    Image(vk::Image),
}
