//! Buffers and images: making them, what they require, destroying them.
//!
//! Basic design: a buffer requires its size, rounded up to the configured alignment. An image
//! requires four bytes a texel, whatever its format, for each level, layer and sample, rounded up
//! likewise: real sizes differ by GPU, and nothing here reads a texel.

use ash::vk;

use crate::config::DriverConfig;
use crate::objects::Resource;
use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Rule};

const BYTES_PER_TEXEL: u64 = 4;

/// What `vkCreateBuffer` is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferRequest {
    pub(crate) flags: vk::BufferCreateFlags,
    pub(crate) size: u64,
    pub(crate) usage: vk::BufferUsageFlags,
}

/// What `vkCreateImage` is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageRequest {
    pub(crate) flags: vk::ImageCreateFlags,
    pub(crate) extent: vk::Extent3D,
    pub(crate) mip_levels: u32,
    pub(crate) array_layers: u32,
    pub(crate) samples: vk::SampleCountFlags,
    pub(crate) usage: vk::ImageUsageFlags,
}

impl Entered<'_> {
    /// Makes a buffer; its raw handle.
    pub(crate) fn create_buffer(&mut self, request: &BufferRequest) -> CallResult<u64> {
        if request.size == 0 {
            return Err(self.refuse(Rule::ZeroSize));
        }
        let is_protected = request.flags.contains(vk::BufferCreateFlags::PROTECTED);
        let resource = Resource {
            memory_type_bits: self.config.allowed_types(false, is_protected),
            has_device_address: request.usage.contains(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS),
            ..self.new_resource(Some(request.size), self.config.buffer_alignment)?
        };
        self.insert_resource(ObjectKind::Buffer, resource)
    }

    /// Makes an image; its raw handle.
    pub(crate) fn create_image(&mut self, request: &ImageRequest) -> CallResult<u64> {
        let vk::Extent3D { width, height, depth } = request.extent;
        for (member, value) in [
            ("width", width),
            ("height", height),
            ("depth", depth),
            ("mipLevels", request.mip_levels),
            ("arrayLayers", request.array_layers),
        ] {
            if value == 0 {
                return Err(self.refuse(Rule::ZeroExtent { member }));
            }
        }
        let is_transient = request.usage.contains(vk::ImageUsageFlags::TRANSIENT_ATTACHMENT);
        let is_protected = request.flags.contains(vk::ImageCreateFlags::PROTECTED);
        let resource = Resource {
            memory_type_bits: self.config.allowed_types(is_transient, is_protected),
            ..self.new_resource(image_bytes(request), self.config.image_alignment)?
        };
        self.insert_resource(ObjectKind::Image, resource)
    }

    /// Destroys a buffer or an image; null is ignored.
    pub(crate) fn destroy_resource(&mut self, kind: ObjectKind, handle: u64) -> CallResult<()> {
        if handle == 0 {
            return Ok(());
        }
        let Some(resource) = self.books.resources(kind).remove(&handle) else {
            return Err(self.unknown(kind, handle));
        };
        let memory = resource.bound.and_then(|(memory, _)| self.books.memories.get_mut(&memory));
        if let Some(memory) = memory {
            // Counted up when the resource was bound to this very memory: handles are not reused.
            memory.bound_count -= 1;
        }
        Ok(())
    }

    /// A resource of `bytes` (`None`: more than 2^64) with the rest at its default.
    fn new_resource(&self, bytes: Option<u64>, alignment: u64) -> CallResult<Resource> {
        let size = bytes
            .and_then(|bytes| bytes.checked_next_multiple_of(alignment))
            .ok_or(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY)?;
        Ok(Resource {
            size,
            alignment,
            memory_type_bits: 0,
            prefers_dedicated: self.config.prefers_dedicated || self.config.requires_dedicated,
            requires_dedicated: self.config.requires_dedicated,
            has_device_address: false,
            bound: None,
        })
    }

    fn insert_resource(&mut self, kind: ObjectKind, resource: Resource) -> CallResult<u64> {
        self.fail_if_planted()?;
        let handle = self.new_handle();
        self.books.resources(kind).insert(handle, resource);
        Ok(handle)
    }
}

/// The bytes of all levels, layers and samples; `None` if they pass 2^64.
fn image_bytes(request: &ImageRequest) -> Option<u64> {
    let vk::Extent3D { width, height, depth } = request.extent;
    let mut texels = 0_u64;
    for level in 0..request.mip_levels {
        // A shift by 32 or more leaves nothing of an extent, and so 1.
        let at_level = |extent: u32| u64::from(extent.checked_shr(level).unwrap_or(0).max(1));
        // Vulkan has at most 2^32 levels, and each but the first 32 is one texel.
        let level_texels =
            at_level(width).checked_mul(at_level(height))?.checked_mul(at_level(depth))?;
        texels = texels.checked_add(level_texels)?;
        if level >= u32::BITS {
            texels = texels.checked_add(u64::from(request.mip_levels - 1 - level))?;
            break;
        }
    }
    let samples = u64::from(request.samples.as_raw().max(1));
    texels
        .checked_mul(u64::from(request.array_layers))?
        .checked_mul(samples)?
        .checked_mul(BYTES_PER_TEXEL)
}

impl DriverConfig {
    /// The number of memory types, at most 32.
    pub(crate) fn memory_type_count(&self) -> u32 {
        u32::try_from(self.memory_types.len()).expect("checked when the driver was made")
    }

    /// The flags of a memory type that is in the table.
    pub(crate) fn memory_flags(&self, memory_type_index: u32) -> vk::MemoryPropertyFlags {
        let index = usize::try_from(memory_type_index).expect("in the table, so below 32");
        self.memory_types[index].0
    }

    /// The memory types a resource may have: lazily allocated ones are for transient attachments,
    /// protected ones for protected resources, which have no others.
    fn allowed_types(&self, is_transient: bool, is_protected: bool) -> u32 {
        (0..self.memory_type_count())
            .filter(|&index| {
                let flags = self.memory_flags(index);
                let is_lazy = flags.contains(vk::MemoryPropertyFlags::LAZILY_ALLOCATED);
                (is_transient || !is_lazy)
                    && is_protected == flags.contains(vk::MemoryPropertyFlags::PROTECTED)
            })
            .fold(0, |bits, index| bits | (1 << index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(extent: [u32; 3], mip_levels: u32, array_layers: u32) -> Option<u64> {
        let [width, height, depth] = extent;
        image_bytes(&ImageRequest {
            flags: vk::ImageCreateFlags::empty(),
            extent: vk::Extent3D { width, height, depth },
            mip_levels,
            array_layers,
            samples: vk::SampleCountFlags::TYPE_1,
            usage: vk::ImageUsageFlags::SAMPLED,
        })
    }

    #[test]
    fn an_image_counts_levels_and_layers() {
        assert_eq!(bytes([16, 16, 1], 1, 1), Some(1024));
        assert_eq!(bytes([16, 16, 1], 5, 1), Some(4 * (256 + 64 + 16 + 4 + 1)));
        assert_eq!(bytes([16, 16, 1], 1, 6), Some(6 * 1024));
        assert_eq!(bytes([1, 1, 1], 100, 1), Some(400));
        assert_eq!(bytes([1, 1, 1], u32::MAX, 1), Some(4 * u64::from(u32::MAX)));
        assert_eq!(bytes([u32::MAX; 3], 1, 1), None);
    }
}
