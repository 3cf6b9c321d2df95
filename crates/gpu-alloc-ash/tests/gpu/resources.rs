//! Buffers and images with their memory, as the tests hold them.

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest};

use crate::bytes::usize_from;
use crate::formats::{Format, Values};
use crate::support::Gpu;

/// A bound buffer.
pub(crate) struct Buffer {
    pub(crate) handle: vk::Buffer,
    pub(crate) size: u64,
    pub(crate) allocation: Allocation,
}

impl Buffer {
    /// Creates, allocates and binds through the facade.
    pub(crate) fn new(
        gpu: &Gpu,
        size: u64,
        usage: vk::BufferUsageFlags,
        request: &AllocationRequest<'_>,
    ) -> Self {
        // SAFETY: the info is valid usage for the sizes and flags of these tests; the validation
        // layer checks each call.
        let created = unsafe { gpu.allocator.create_buffer(&buffer_info(size, usage), request) };
        let (handle, allocation) = created.unwrap_or_else(|error| panic!("{usage:?}: {error}"));
        Self { handle, size, allocation }
    }

    pub(crate) fn destroy(self, gpu: &Gpu) {
        // SAFETY: the pair came from `create_buffer`, and the tests wait for each submission.
        let answer = unsafe { gpu.allocator.destroy_buffer(self.handle, self.allocation) };
        answer.unwrap_or_else(|refused| panic!("{}", refused.error));
    }
}

/// The create info of a buffer for one queue.
pub(crate) fn buffer_info(size: u64, usage: vk::BufferUsageFlags) -> vk::BufferCreateInfo<'static> {
    vk::BufferCreateInfo::default().size(size).usage(usage)
}

/// A bound image.
pub(crate) struct Image {
    pub(crate) handle: vk::Image,
    pub(crate) shape: Shape,
    pub(crate) allocation: Allocation,
}

impl Image {
    /// Creates, allocates and binds through the facade.
    pub(crate) fn new(
        gpu: &Gpu,
        shape: Shape,
        usage: vk::ImageUsageFlags,
        request: &AllocationRequest<'_>,
    ) -> Self {
        // SAFETY: the tests create what the device says it supports; the validation layer checks
        // each call.
        let created = unsafe { gpu.allocator.create_image(&shape.info(usage), request) };
        let (handle, allocation) =
            created.unwrap_or_else(|error| panic!("{shape:?} {usage:?}: {error}"));
        Self { handle, shape, allocation }
    }

    pub(crate) fn destroy(self, gpu: &Gpu) {
        // SAFETY: the pair came from `create_image`, and the tests wait for each submission.
        let answer = unsafe { gpu.allocator.destroy_image(self.handle, self.allocation) };
        answer.unwrap_or_else(|refused| panic!("{}", refused.error));
    }
}

/// What an image is, but for its usage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) format: &'static Format,
    pub(crate) tiling: vk::ImageTiling,
    pub(crate) image_type: vk::ImageType,
    pub(crate) extent: vk::Extent3D,
    pub(crate) mip_levels: u32,
    pub(crate) array_layers: u32,
    pub(crate) samples: vk::SampleCountFlags,
}

/// One copy between an image and a buffer, and which values its texels may have.
pub(crate) struct Region {
    pub(crate) copy: vk::BufferImageCopy,
    pub(crate) size: u64,
    pub(crate) values: Values,
}

impl Region {
    /// Where the region is in the buffer.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        usize_from(self.copy.buffer_offset)..usize_from(self.copy.buffer_offset + self.size)
    }
}

impl Shape {
    /// One level and one layer in two dimensions.
    pub(crate) fn flat(
        format: &'static Format,
        tiling: vk::ImageTiling,
        width: u32,
        height: u32,
    ) -> Self {
        Self {
            format,
            tiling,
            image_type: vk::ImageType::TYPE_2D,
            extent: vk::Extent3D { width, height, depth: 1 },
            mip_levels: 1,
            array_layers: 1,
            samples: vk::SampleCountFlags::TYPE_1,
        }
    }

    pub(crate) fn info(&self, usage: vk::ImageUsageFlags) -> vk::ImageCreateInfo<'static> {
        vk::ImageCreateInfo::default()
            .format(self.format.format)
            .tiling(self.tiling)
            .image_type(self.image_type)
            .extent(self.extent)
            .mip_levels(self.mip_levels)
            .array_layers(self.array_layers)
            .samples(self.samples)
            .usage(usage)
    }

    /// All levels, layers and aspects.
    pub(crate) fn whole(&self) -> vk::ImageSubresourceRange {
        vk::ImageSubresourceRange::default()
            .aspect_mask(self.format.aspect_mask())
            .level_count(self.mip_levels)
            .layer_count(self.array_layers)
    }

    /// One copy for each aspect and level, tightly packed in a buffer one after the other.
    pub(crate) fn regions(&self) -> Vec<Region> {
        let mut regions = Vec::new();
        let mut end = 0u64;
        for aspect in self.format.aspects {
            for mip_level in 0..self.mip_levels {
                let extent = self.extent_of_level(mip_level);
                let blocks = |texels: u32| u64::from(texels.div_ceil(self.format.block_texels));
                let block_count = blocks(extent.width)
                    * blocks(extent.height)
                    * u64::from(extent.depth)
                    * u64::from(self.array_layers);
                // 16 is a multiple of every block's size here, and of the 4 that the
                // specification asks for with depth and stencil.
                let buffer_offset = end.next_multiple_of(16);
                let size = block_count * aspect.block_bytes;
                end = buffer_offset + size;
                let subresource = vk::ImageSubresourceLayers::default()
                    .aspect_mask(aspect.mask)
                    .mip_level(mip_level)
                    .layer_count(self.array_layers);
                let copy = vk::BufferImageCopy::default()
                    .buffer_offset(buffer_offset)
                    .image_subresource(subresource)
                    .image_extent(extent);
                regions.push(Region { copy, size, values: aspect.values });
            }
        }
        regions
    }

    fn extent_of_level(&self, mip_level: u32) -> vk::Extent3D {
        let halved = |texels: u32| (texels >> mip_level).max(1);
        vk::Extent3D {
            width: halved(self.extent.width),
            height: halved(self.extent.height),
            depth: halved(self.extent.depth),
        }
    }
}
