//! Where the texels of a simulated image are.
//!
//! Basic design: levels follow each other, in each the layers, in each the slices, rows and texel
//! blocks, with nothing between them; of optimal tiling too, since no program can see the order.
//! A sample is a layer of its own behind those of the first. Real sizes differ by GPU.

use ash::vk;

use crate::format::TexelBlock;

/// What of `VkImageCreateInfo` matters for memory; no number is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageForm {
    pub(crate) block: TexelBlock,
    pub(crate) extent: vk::Extent3D,
    pub(crate) mip_levels: u32,
    pub(crate) array_layers: u32,
    pub(crate) samples: u32,
    pub(crate) usage: vk::ImageUsageFlags,
    pub(crate) is_linear: bool,
    /// Whether a colour can be written to all of it at once.
    pub(crate) is_clearable: bool,
}

impl ImageForm {
    /// The bytes of all levels, layers and samples; `None` if they pass 2^64.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.level_offset(self.mip_levels)
    }

    /// The texels of a level.
    pub(crate) fn level_extent(&self, level: u32) -> vk::Extent3D {
        // A shift by 32 or more leaves nothing of an extent, and so 1.
        let at_level = |extent: u32| extent.checked_shr(level).unwrap_or(0).max(1);
        vk::Extent3D {
            width: at_level(self.extent.width),
            height: at_level(self.extent.height),
            depth: at_level(self.extent.depth),
        }
    }

    /// The texel blocks of a level, across and down.
    pub(crate) fn level_blocks(&self, level: u32) -> (u64, u64) {
        let extent = self.level_extent(level);
        (
            u64::from(extent.width.div_ceil(self.block.width)),
            u64::from(extent.height.div_ceil(self.block.height)),
        )
    }

    /// The bytes of one layer of a level; `None` if they pass 2^64.
    fn layer_bytes(&self, level: u32) -> Option<u64> {
        let (across, down) = self.level_blocks(level);
        across
            .checked_mul(down)?
            .checked_mul(u64::from(self.level_extent(level).depth))?
            .checked_mul(u64::from(self.block.bytes))
    }

    /// Where the texels of a layer of a level are, and how many bytes: once for each sample.
    pub(crate) fn layer_spans(&self, level: u32, layer: u32) -> impl Iterator<Item = (u64, u64)> {
        let size = self.layer_bytes(level).expect("the whole image was measured when it was made");
        let first = self.layer_offset(level, layer);
        // All within the image, whose size fits.
        let of_sample = move |sample| first + size * u64::from(self.array_layers) * sample;
        (0..u64::from(self.samples)).map(move |sample| (of_sample(sample), size))
    }

    /// Where a level begins; `None` if that is past 2^64.
    fn level_offset(&self, level: u32) -> Option<u64> {
        // Vulkan has at most 2^32 levels, and each but the first 32 is one block.
        let large = level.min(u32::BITS);
        let mut layer_bytes = 0_u64;
        for level in 0..large {
            layer_bytes = layer_bytes.checked_add(self.layer_bytes(level)?)?;
        }
        let rest = u64::from(level - large).checked_mul(u64::from(self.block.bytes))?;
        layer_bytes
            .checked_add(rest)?
            .checked_mul(u64::from(self.array_layers))?
            .checked_mul(u64::from(self.samples))
    }

    /// Where a layer of a level begins, for a level and a layer that the image has.
    pub(crate) fn layer_offset(&self, level: u32, layer: u32) -> u64 {
        let in_level = self.layer_bytes(level).zip(self.level_offset(level));
        let (layer_bytes, level_offset) =
            in_level.expect("the whole image was measured when it was made");
        // Below the whole image's size, which fits.
        level_offset + layer_bytes * u64::from(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(extent: [u32; 3], mip_levels: u32, array_layers: u32) -> ImageForm {
        let [width, height, depth] = extent;
        ImageForm {
            block: TexelBlock { width: 1, height: 1, bytes: 4 },
            extent: vk::Extent3D { width, height, depth },
            mip_levels,
            array_layers,
            samples: 1,
            usage: vk::ImageUsageFlags::SAMPLED,
            is_linear: false,
            is_clearable: true,
        }
    }

    #[test]
    fn an_image_counts_levels_and_layers() {
        let bytes =
            |extent, levels, layers| -> Option<u64> { image(extent, levels, layers).bytes() };
        assert_eq!(bytes([16, 16, 1], 1, 1), Some(1024));
        assert_eq!(bytes([16, 16, 1], 5, 1), Some(4 * (256 + 64 + 16 + 4 + 1)));
        assert_eq!(bytes([16, 16, 1], 1, 6), Some(6 * 1024));
        assert_eq!(bytes([1, 1, 1], 100, 1), Some(400));
        assert_eq!(bytes([1, 1, 1], u32::MAX, 1), Some(4 * u64::from(u32::MAX)));
        assert_eq!(bytes([u32::MAX; 3], 1, 1), None);
    }

    #[test]
    fn a_compressed_image_counts_whole_blocks_and_a_sampled_one_its_samples() {
        let block = TexelBlock { width: 4, height: 4, bytes: 8 };
        let compressed = ImageForm { block, ..image([17, 5, 1], 3, 1) };
        // 5 by 2 blocks, then 8 by 2 texels: 2 by 1, then 4 by 1: 1 by 1.
        assert_eq!(compressed.bytes(), Some(8 * (10 + 2 + 1)));
        let sampled = ImageForm { samples: 4, ..image([16, 16, 1], 1, 1) };
        assert_eq!(sampled.bytes(), Some(4096));
    }

    #[test]
    fn the_layers_of_all_samples_tile_the_image() {
        let image = ImageForm { samples: 4, ..image([16, 8, 1], 2, 3) };
        let layers = (0..2).flat_map(|level| (0..3).map(move |layer| (level, layer)));
        let mut spans: Vec<_> =
            layers.flat_map(|(level, layer)| image.layer_spans(level, layer)).collect();
        spans.sort_unstable();
        let end = spans.into_iter().fold(0, |end, (offset, size)| {
            assert_eq!(offset, end);
            offset + size
        });
        assert_eq!(Some(end), image.bytes());
    }

    #[test]
    fn layers_and_levels_do_not_overlap() {
        let image = image([16, 16, 1], 2, 3);
        assert_eq!(image.layer_offset(0, 0), 0);
        assert_eq!(image.layer_offset(0, 2), 2048);
        assert_eq!(image.layer_offset(1, 0), 3072);
        assert_eq!(image.layer_offset(1, 2), 3072 + 512);
        assert_eq!(image.bytes(), Some(3072 + 768));
    }
}
