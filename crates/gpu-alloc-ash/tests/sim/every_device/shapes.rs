//! Images of random extents, levels and layers, and where their texels lie in a buffer.

use ash::vk;

use crate::rng::Rng;

pub(super) const TILINGS: [vk::ImageTiling; 2] =
    [vk::ImageTiling::OPTIMAL, vk::ImageTiling::LINEAR];

/// Bytes of a texel of both formats in use.
const TEXEL: u64 = 4;

pub(super) struct Shape {
    usage: vk::ImageUsageFlags,
    tiling: vk::ImageTiling,
    width: u32,
    height: u32,
    mip_levels: u32,
    array_layers: u32,
}

impl Shape {
    pub(super) fn random(
        rng: &mut Rng,
        usage: vk::ImageUsageFlags,
        tiling: vk::ImageTiling,
    ) -> Self {
        let mut number = |bits| u32::try_from(rng.magnitude(bits)).expect("a few bits");
        let (width, height) = (number(5), number(5));
        // Of linear images, one level and one layer are all that a driver has to support.
        let is_linear = tiling == vk::ImageTiling::LINEAR;
        let mip_levels = if is_linear { 1 } else { width.max(height).ilog2() + 1 };
        let array_layers = if is_linear { 1 } else { number(1) };
        Self { usage, tiling, width, height, mip_levels, array_layers }
    }

    pub(super) fn info(&self) -> vk::ImageCreateInfo<'static> {
        let is_depth = self.usage.contains(vk::ImageUsageFlags::DEPTH_STENCIL_ATTACHMENT);
        let format = if is_depth { vk::Format::D32_SFLOAT } else { vk::Format::R8G8B8A8_UNORM };
        vk::ImageCreateInfo::default()
            .image_type(vk::ImageType::TYPE_2D)
            .format(format)
            .extent(vk::Extent3D { width: self.width, height: self.height, depth: 1 })
            .mip_levels(self.mip_levels)
            .array_layers(self.array_layers)
            .samples(vk::SampleCountFlags::TYPE_1)
            .tiling(self.tiling)
            .usage(self.usage)
    }

    /// All levels one after the other in a buffer, and how many bytes they are.
    pub(super) fn regions(&self) -> (Vec<vk::BufferImageCopy>, u64) {
        let is_depth = self.usage.contains(vk::ImageUsageFlags::DEPTH_STENCIL_ATTACHMENT);
        let aspect_mask =
            if is_depth { vk::ImageAspectFlags::DEPTH } else { vk::ImageAspectFlags::COLOR };
        let mut end = 0;
        let region = |mip_level: u32| {
            let (width, height) =
                ((self.width >> mip_level).max(1), (self.height >> mip_level).max(1));
            let buffer_offset = end;
            end += u64::from(width * height * self.array_layers) * TEXEL;
            vk::BufferImageCopy {
                buffer_offset,
                image_subresource: vk::ImageSubresourceLayers {
                    aspect_mask,
                    mip_level,
                    base_array_layer: 0,
                    layer_count: self.array_layers,
                },
                image_extent: vk::Extent3D { width, height, depth: 1 },
                ..Default::default()
            }
        };
        let regions = (0..self.mip_levels).map(region).collect();
        (regions, end)
    }
}
