//! How many bytes the texels of a format take.
//!
//! As in the specification, section "Compatible Formats of Planes and Texel Blocks": a texel block
//! is one texel, or the rectangle that a compressed format stores at once. Combined depth and
//! stencil take what they take interleaved. Formats of extensions count as four bytes a texel.

use ash::vk;

/// The smallest piece of an image that can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TexelBlock {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bytes: u32,
}

/// The last of a run of formats, in Vulkan's order, that have the same number of bytes a texel.
const PLAIN: [(i32, u32); 26] = [
    (0, 4), // undefined
    (1, 1), // two components of 4 bits
    (8, 2), // packed in 16 bits
    (15, 1),
    (22, 2),
    (36, 3),
    (69, 4),
    (76, 2),
    (83, 4),
    (90, 6),
    (97, 8),
    (100, 4),
    (103, 8),
    (106, 12),
    (109, 16),
    (112, 8),
    (115, 16),
    (118, 24),
    (121, 32),
    (123, 4), // packed floats
    (124, 2), // 16 bits of depth
    (126, 4),
    (127, 1), // stencil
    (128, 4), // depth and stencil
    (129, 4),
    (130, 8),
];

/// The same for blocks of four by four texels: BC, ETC2 and EAC.
const COMPRESSED: [(i32, u32); 8] = [
    (134, 8),  // BC1
    (138, 16), // BC2, BC3
    (140, 8),  // BC4
    (146, 16), // BC5 to BC7
    (150, 8),  // ETC2 without alpha, or with one bit of it
    (152, 16), // ETC2 with alpha
    (154, 8),  // EAC of one component
    (156, 16), // EAC of two components
];

/// The blocks of ASTC, each for two formats and of 16 bytes.
const ASTC: [(u32, u32); 14] = [
    (4, 4),
    (5, 4),
    (5, 5),
    (6, 5),
    (6, 6),
    (8, 5),
    (8, 6),
    (8, 8),
    (10, 5),
    (10, 6),
    (10, 8),
    (10, 10),
    (12, 10),
    (12, 12),
];

const FIRST_COMPRESSED: i32 = 131;
const FIRST_ASTC: i32 = 157;

/// Formats of depth, stencil, or both.
const DEPTH_STENCIL: std::ops::RangeInclusive<i32> = 124..=130;

/// Whether `vkCmdClearColorImage` takes the format: neither compressed nor of depth or stencil
/// (VUID-vkCmdClearColorImage-image-00007).
pub(crate) fn is_clearable(format: vk::Format) -> bool {
    let block = TexelBlock::of(format);
    (block.width, block.height) == (1, 1) && !DEPTH_STENCIL.contains(&format.as_raw())
}

impl TexelBlock {
    pub(crate) fn of(format: vk::Format) -> Self {
        let raw = format.as_raw();
        let bytes_in = |runs: &[(i32, u32)]| {
            runs.iter().find(|&&(last, _)| raw <= last).map(|&(_, bytes)| bytes)
        };
        let astc = raw.checked_sub(FIRST_ASTC).and_then(|index| usize::try_from(index / 2).ok());
        if let Some(&(width, height)) = astc.and_then(|index| ASTC.get(index)) {
            return Self { width, height, bytes: 16 };
        }
        let block = if raw >= FIRST_COMPRESSED { bytes_in(&COMPRESSED) } else { None };
        match block {
            Some(bytes) => Self { width: 4, height: 4, bytes },
            None => Self { width: 1, height: 1, bytes: bytes_in(&PLAIN).unwrap_or(4) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_no_depth_and_not_compressed() {
        use vk::Format as F;
        for format in [F::R8_UNORM, F::R32G32B32A32_UINT, F::E5B9G9R9_UFLOAT_PACK32] {
            assert!(is_clearable(format), "{format:?}");
        }
        for format in [F::D16_UNORM, F::S8_UINT, F::D32_SFLOAT_S8_UINT, F::BC1_RGB_UNORM_BLOCK] {
            assert!(!is_clearable(format), "{format:?}");
        }
    }

    #[test]
    fn formats_have_the_bytes_that_the_specification_lists() {
        use vk::Format as F;
        let cases = [
            (F::UNDEFINED, 1, 1, 4),
            (F::R4G4_UNORM_PACK8, 1, 1, 1),
            (F::R5G6B5_UNORM_PACK16, 1, 1, 2),
            (F::R8_UNORM, 1, 1, 1),
            (F::R8_SRGB, 1, 1, 1),
            (F::R8G8_UNORM, 1, 1, 2),
            (F::B8G8R8_SRGB, 1, 1, 3),
            (F::R8G8B8A8_UNORM, 1, 1, 4),
            (F::A2B10G10R10_SINT_PACK32, 1, 1, 4),
            (F::R16_UNORM, 1, 1, 2),
            (F::R16G16B16_SFLOAT, 1, 1, 6),
            (F::R16G16B16A16_SFLOAT, 1, 1, 8),
            (F::R32_SFLOAT, 1, 1, 4),
            (F::R32G32B32A32_SFLOAT, 1, 1, 16),
            (F::R64_UINT, 1, 1, 8),
            (F::R64G64B64A64_SFLOAT, 1, 1, 32),
            (F::E5B9G9R9_UFLOAT_PACK32, 1, 1, 4),
            (F::D16_UNORM, 1, 1, 2),
            (F::D32_SFLOAT, 1, 1, 4),
            (F::S8_UINT, 1, 1, 1),
            (F::D24_UNORM_S8_UINT, 1, 1, 4),
            (F::D32_SFLOAT_S8_UINT, 1, 1, 8),
            (F::BC1_RGB_UNORM_BLOCK, 4, 4, 8),
            (F::BC3_SRGB_BLOCK, 4, 4, 16),
            (F::BC4_SNORM_BLOCK, 4, 4, 8),
            (F::BC7_SRGB_BLOCK, 4, 4, 16),
            (F::ETC2_R8G8B8A1_SRGB_BLOCK, 4, 4, 8),
            (F::ETC2_R8G8B8A8_UNORM_BLOCK, 4, 4, 16),
            (F::EAC_R11_SNORM_BLOCK, 4, 4, 8),
            (F::EAC_R11G11_SNORM_BLOCK, 4, 4, 16),
            (F::ASTC_4X4_UNORM_BLOCK, 4, 4, 16),
            (F::ASTC_8X5_SRGB_BLOCK, 8, 5, 16),
            (F::ASTC_12X12_SRGB_BLOCK, 12, 12, 16),
            (F::G8B8G8R8_422_UNORM, 1, 1, 4),
        ];
        for (format, width, height, bytes) in cases {
            assert_eq!(TexelBlock::of(format), TexelBlock { width, height, bytes }, "{format:?}");
        }
    }
}
