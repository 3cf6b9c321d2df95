//! A buffer or an image, where the same is done with both.

use ash::vk;

use crate::AllocError;
use crate::driver::{DedicatedWish, Requirements};
use crate::place::Terms;

/// A handle that memory is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Buffer(vk::Buffer),
    Image(vk::Image),
}

impl Resource {
    /// What is known about a request for it of `size` bytes, raised to what the driver asks already.
    ///
    /// # Errors
    ///
    /// [`AllocError::DedicatedSize`]: the driver requires a memory object of its own for it, which would have
    /// to be larger than it is.
    pub(crate) fn terms(self, asked: &Requirements, size: u64) -> Result<Terms, AllocError> {
        let (required, wish) = (asked.memory.size, asked.dedicated);
        if wish == DedicatedWish::Requires && size != required {
            return Err(AllocError::DedicatedSize { size, required });
        }
        Ok(Terms { resource: Some(self), object_size: required, wish })
    }
}
