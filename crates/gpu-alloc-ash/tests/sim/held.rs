//! What a test holds: memory, and the resources that it is bound to.

use ash::vk;
use gpu_alloc_ash::{Allocation, CustomPool};

use crate::support::Sim;

/// One thing to give back.
#[derive(Debug)]
pub(crate) enum Held {
    Memory(Allocation),
    Buffer(vk::Buffer, Allocation),
    Image(vk::Image, Allocation),
    /// A buffer without memory, which the allocator does not know.
    RawBuffer(vk::Buffer),
    /// An image without memory, which the allocator does not know.
    RawImage(vk::Image),
    /// A command buffer that is being recorded, with its pool.
    Recording(vk::CommandPool, vk::CommandBuffer),
    /// A custom pool, which goes after its allocations.
    Pool(CustomPool),
}

impl Held {
    /// The memory, if there is any.
    pub(crate) fn allocation(&self) -> Option<&Allocation> {
        match self {
            Self::Memory(allocation) | Self::Buffer(_, allocation) | Self::Image(_, allocation) => {
                Some(allocation)
            }
            Self::RawBuffer(_) | Self::RawImage(_) | Self::Recording(..) | Self::Pool(_) => None,
        }
    }

    /// The memory, for writing.
    pub(crate) fn allocation_mut(&mut self) -> Option<&mut Allocation> {
        match self {
            Self::Memory(allocation) | Self::Buffer(_, allocation) | Self::Image(_, allocation) => {
                Some(allocation)
            }
            Self::RawBuffer(_) | Self::RawImage(_) | Self::Recording(..) | Self::Pool(_) => None,
        }
    }

    /// The pool, if it is one.
    pub(crate) fn pool(&self) -> Option<&CustomPool> {
        match self {
            Self::Pool(pool) => Some(pool),
            _ => None,
        }
    }

    /// Gives it back.
    #[track_caller]
    pub(crate) fn release(self, sim: &Sim) {
        match self {
            Self::Memory(allocation) => sim.free(allocation),
            Self::Buffer(buffer, allocation) => sim.destroy_buffer(buffer, allocation),
            Self::Image(image, allocation) => sim.destroy_image(image, allocation),
            Self::RawBuffer(buffer) => sim.destroy_raw_buffer(buffer),
            Self::RawImage(image) => sim.destroy_raw_image(image),
            // SAFETY: The driver lives, and nothing was submitted.
            Self::Recording(pool, _) => unsafe {
                sim.driver.device().destroy_command_pool(pool, None);
            },
            Self::Pool(pool) => sim.end_pool(pool),
        }
    }
}
