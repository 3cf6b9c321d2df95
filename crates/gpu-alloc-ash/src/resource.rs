//! A buffer or an image, where the same is done with both, or by ordinary pools and custom ones.

use ash::vk;
use vk_pool::ResourceKind;

use crate::driver::{DedicatedWish, Requirements};
use crate::place::Terms;
use crate::{AllocError, CreateError};

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

/// What the image will be to `bufferImageGranularity`.
pub(crate) fn kind_of_image(info: &vk::ImageCreateInfo<'_>) -> ResourceKind {
    match info.tiling {
        vk::ImageTiling::LINEAR => ResourceKind::Linear,
        _ => ResourceKind::NonLinear,
    }
}

/// Refuses a buffer that is bound in parts.
pub(crate) fn refuse_sparse_buffer(info: &vk::BufferCreateInfo<'_>) -> Result<(), CreateError> {
    refuse_parts(info.flags.contains(vk::BufferCreateFlags::SPARSE_BINDING), "SPARSE_BINDING")
}

/// Refuses an image that is bound in parts.
pub(crate) fn refuse_image_in_parts(info: &vk::ImageCreateInfo<'_>) -> Result<(), CreateError> {
    refuse_parts(info.flags.contains(vk::ImageCreateFlags::SPARSE_BINDING), "SPARSE_BINDING")?;
    refuse_disjoint(info)
}

/// What a disjoint image needs is asked plane by plane.
pub(crate) fn refuse_disjoint(info: &vk::ImageCreateInfo<'_>) -> Result<(), CreateError> {
    refuse_parts(info.flags.contains(vk::ImageCreateFlags::DISJOINT), "DISJOINT")
}

fn refuse_parts(is_set: bool, flag: &'static str) -> Result<(), CreateError> {
    if is_set { Err(CreateError::BoundInParts { flag }) } else { Ok(()) }
}
