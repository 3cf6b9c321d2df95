//! The formats that images are tried with: sizes of their texel blocks, and which bits of them
//! survive a copy.

use ash::vk;

use crate::bytes::pattern;

/// A format whose images can be copied from and to buffers.
#[derive(Debug)]
pub(crate) struct Format {
    pub(crate) format: vk::Format,
    /// Width and height of a texel block, in texels.
    pub(crate) block_texels: u32,
    pub(crate) aspects: &'static [Aspect],
}

/// One aspect of a format, as it lies in a buffer.
#[derive(Debug)]
pub(crate) struct Aspect {
    pub(crate) mask: vk::ImageAspectFlags,
    pub(crate) block_bytes: u64,
    pub(crate) values: Values,
}

/// Which values the specification lets a buffer copy carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// All bits, kept to the bit.
    Bits,
    /// Floats that have to lie in `[0, 1]`: depth.
    UnitFloats,
    /// 24 bits in the lower end of 32: depth; the upper 8 are undefined on the way back.
    Low24,
}

impl Values {
    /// `size` bytes of such values.
    pub(crate) fn bytes(self, seed: u64, size: u64) -> Vec<u8> {
        let mut bytes = pattern(seed, size);
        if self == Self::Bits {
            return bytes;
        }
        for texel in bytes.chunks_exact_mut(4) {
            texel[3] = 0;
            if self == Self::UnitFloats {
                // The 16 lower bits are exact in a float, and 65535 the largest.
                let steps = u16::from_le_bytes([texel[0], texel[1]]);
                texel.copy_from_slice(&(f32::from(steps) / 65535.0).to_le_bytes());
            }
        }
        bytes
    }

    /// Clears what a copy need not keep.
    pub(crate) fn clear_undefined(self, bytes: &mut [u8]) {
        if self == Self::Low24 {
            bytes.chunks_exact_mut(4).for_each(|texel| texel[3] = 0);
        }
    }
}

impl Format {
    pub(crate) fn aspect_mask(&self) -> vk::ImageAspectFlags {
        self.aspects.iter().fold(vk::ImageAspectFlags::empty(), |all, aspect| all | aspect.mask)
    }
}

const COLOR: vk::ImageAspectFlags = vk::ImageAspectFlags::COLOR;
const DEPTH: vk::ImageAspectFlags = vk::ImageAspectFlags::DEPTH;
const STENCIL: vk::ImageAspectFlags = vk::ImageAspectFlags::STENCIL;

const fn aspect(mask: vk::ImageAspectFlags, block_bytes: u64, values: Values) -> Aspect {
    Aspect { mask, block_bytes, values }
}

const fn format(format: vk::Format, block_texels: u32, aspects: &'static [Aspect]) -> Format {
    Format { format, block_texels, aspects }
}

const COLOR_1: &[Aspect] = &[aspect(COLOR, 1, Values::Bits)];
const COLOR_2: &[Aspect] = &[aspect(COLOR, 2, Values::Bits)];
const COLOR_4: &[Aspect] = &[aspect(COLOR, 4, Values::Bits)];
const COLOR_8: &[Aspect] = &[aspect(COLOR, 8, Values::Bits)];
const COLOR_16: &[Aspect] = &[aspect(COLOR, 16, Values::Bits)];
const DEPTH_16: &[Aspect] = &[aspect(DEPTH, 2, Values::Bits)];
const DEPTH_24: &[Aspect] = &[aspect(DEPTH, 4, Values::Low24)];
const DEPTH_32: &[Aspect] = &[aspect(DEPTH, 4, Values::UnitFloats)];
const STENCIL_8: &[Aspect] = &[aspect(STENCIL, 1, Values::Bits)];
const DEPTH_16_STENCIL_8: &[Aspect] =
    &[aspect(DEPTH, 2, Values::Bits), aspect(STENCIL, 1, Values::Bits)];
const DEPTH_24_STENCIL_8: &[Aspect] =
    &[aspect(DEPTH, 4, Values::Low24), aspect(STENCIL, 1, Values::Bits)];
const DEPTH_32_STENCIL_8: &[Aspect] =
    &[aspect(DEPTH, 4, Values::UnitFloats), aspect(STENCIL, 1, Values::Bits)];

/// Every conformant device can sample, store to and render to it (Vulkan spec, "Required Format
/// Support").
pub(crate) static RGBA8: Format = format(vk::Format::R8G8B8A8_UNORM, 1, COLOR_4);

/// Every conformant device can render depth to it.
pub(crate) static D16: Format = format(vk::Format::D16_UNORM, 1, DEPTH_16);

/// All sizes of texels, all kinds of aspects, and compressed blocks.
pub(crate) static FORMATS: [&Format; 23] = [
    &RGBA8,
    &D16,
    &format(vk::Format::R8_UNORM, 1, COLOR_1),
    &format(vk::Format::R8_UINT, 1, COLOR_1),
    &format(vk::Format::R8G8_UNORM, 1, COLOR_2),
    &format(vk::Format::R5G6B5_UNORM_PACK16, 1, COLOR_2),
    &format(vk::Format::R8G8B8A8_SRGB, 1, COLOR_4),
    &format(vk::Format::B8G8R8A8_UNORM, 1, COLOR_4),
    &format(vk::Format::A2B10G10R10_UNORM_PACK32, 1, COLOR_4),
    &format(vk::Format::B10G11R11_UFLOAT_PACK32, 1, COLOR_4),
    &format(vk::Format::R32_UINT, 1, COLOR_4),
    &format(vk::Format::R16G16B16A16_SFLOAT, 1, COLOR_8),
    &format(vk::Format::R32G32_SINT, 1, COLOR_8),
    &format(vk::Format::R32G32B32A32_SFLOAT, 1, COLOR_16),
    &format(vk::Format::BC1_RGBA_UNORM_BLOCK, 4, COLOR_8),
    &format(vk::Format::BC7_SRGB_BLOCK, 4, COLOR_16),
    &format(vk::Format::ASTC_4X4_UNORM_BLOCK, 4, COLOR_16),
    &format(vk::Format::X8_D24_UNORM_PACK32, 1, DEPTH_24),
    &format(vk::Format::D32_SFLOAT, 1, DEPTH_32),
    &format(vk::Format::S8_UINT, 1, STENCIL_8),
    &format(vk::Format::D16_UNORM_S8_UINT, 1, DEPTH_16_STENCIL_8),
    &format(vk::Format::D24_UNORM_S8_UINT, 1, DEPTH_24_STENCIL_8),
    &format(vk::Format::D32_SFLOAT_S8_UINT, 1, DEPTH_32_STENCIL_8),
];
