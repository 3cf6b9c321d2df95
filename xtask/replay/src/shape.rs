//! What image to create where the recorded program had one of a certain size.
//!
//! Basic design: a trace knows the bytes of an image's memory, not its extent. Texels of four bytes
//! (of one byte where the size is no multiple of four) are laid out in a rectangle whose width is a
//! power of two near the square root, since most drivers round rows and tiles up to powers of two;
//! of the widths down to a quarter of that, the first that divides the texels exactly wins. What is
//! too large for one layer goes on in more layers. The driver's memory requirements may still be
//! larger than the texels.

use gpu_alloc_ash::ash::vk;

/// What the device allows, for the resources of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Largest width of a two-dimensional image in texels.
    pub max_image_width: u32,
    /// Largest height of a two-dimensional image in texels.
    pub max_image_height: u32,
    /// Most layers of a two-dimensional image.
    pub max_image_layers: u32,
    /// Largest size of a buffer in bytes.
    pub max_buffer_size: u64,
}

/// The texels of the images that a replay creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texel {
    /// Four bytes.
    Rgba8,
    /// One byte.
    R8,
}

impl Texel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rgba8, Self::R8];

    /// The Vulkan format.
    #[must_use]
    pub fn format(self) -> vk::Format {
        match self {
            Self::Rgba8 => vk::Format::R8G8B8A8_UNORM,
            Self::R8 => vk::Format::R8_UNORM,
        }
    }

    /// Bytes of one.
    #[must_use]
    pub fn size(self) -> u64 {
        match self {
            Self::Rgba8 => 4,
            Self::R8 => 1,
        }
    }
}

/// The usage of the images that a replay creates.
pub const IMAGE_USAGE: vk::ImageUsageFlags = vk::ImageUsageFlags::from_raw(
    vk::ImageUsageFlags::SAMPLED.as_raw()
        | vk::ImageUsageFlags::TRANSFER_SRC.as_raw()
        | vk::ImageUsageFlags::TRANSFER_DST.as_raw(),
);

/// A two-dimensional image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// What it consists of.
    pub texel: Texel,
    /// Texels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Layers.
    pub layers: u32,
}

impl ImageShape {
    /// The image with at most, and about, `size` bytes of texels; at least one texel.
    ///
    /// It is smaller only where the device's limits do not allow that many texels.
    ///
    /// ```
    /// use replay::{ImageShape, ResourceLimits};
    ///
    /// let limits = ResourceLimits {
    ///     max_image_width: 4096,
    ///     max_image_height: 4096,
    ///     max_image_layers: 256,
    ///     max_buffer_size: 1 << 30,
    /// };
    /// let shape = ImageShape::of_size(1_187_840, &limits);
    /// assert_eq!((shape.width, shape.height, shape.layers), (1024, 290, 1));
    /// ```
    #[must_use]
    pub fn of_size(size: u64, limits: &ResourceLimits) -> Self {
        let texel = if size >= 4 && size.is_multiple_of(4) { Texel::Rgba8 } else { Texel::R8 };
        let texels = (size / texel.size()).max(1);
        let max_width = u64::from(limits.max_image_width.max(1));
        let max_height = u64::from(limits.max_image_height.max(1));
        let layers = texels
            .div_ceil(max_width.saturating_mul(max_height))
            .min(u64::from(limits.max_image_layers.max(1)));
        // At least 1: either one layer was enough, or there are more texels than one layer holds.
        let texels = texels / layers;
        let width = width(texels, max_width, max_height);
        let height = (texels / width).clamp(1, max_height);
        let small = |value: u64| u32::try_from(value).expect("it is at most a limit of 32 bits");
        Self { texel, width: small(width), height: small(height), layers: small(layers) }
    }
}

fn width(texels: u64, max_width: u64, max_height: u64) -> u64 {
    let square = texels
        .isqrt()
        .checked_next_power_of_two()
        .expect("the square root of 64 bits has at most 32");
    let square = square.min(max_width);
    // Narrower images would be higher than the device allows.
    let narrowest = texels.div_ceil(max_height).min(max_width).max(square / 4);
    (0..3)
        .map(|halvings| square >> halvings)
        .find(|&width| width >= narrowest && width > 0 && texels.is_multiple_of(width))
        .unwrap_or_else(|| square.max(narrowest))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LIMITS: ResourceLimits = ResourceLimits {
        max_image_width: 4096,
        max_image_height: 4096,
        max_image_layers: 256,
        max_buffer_size: 1 << 30,
    };

    #[rstest]
    #[case::one_byte(1, Texel::R8, (1, 1, 1))]
    #[case::three_bytes_make_three_texels(3, Texel::R8, (1, 3, 1))]
    #[case::one_texel(4, Texel::Rgba8, (1, 1, 1))]
    #[case::a_square(4 << 20, Texel::Rgba8, (1024, 1024, 1))]
    #[case::twice_a_square(8 << 20, Texel::Rgba8, (2048, 1024, 1))]
    #[case::a_narrower_one_fits_exactly(4 * 129 * 512, Texel::Rgba8, (256, 258, 1))]
    #[case::a_prime_loses_less_than_a_row(4 * 65_537, Texel::Rgba8, (256, 256, 1))]
    #[case::the_largest_layer(64 << 20, Texel::Rgba8, (4096, 4096, 1))]
    #[case::two_layers(128 << 20, Texel::Rgba8, (4096, 4096, 2))]
    #[case::more_than_the_device_allows(u64::MAX - 3, Texel::Rgba8, (4096, 4096, 256))]
    fn an_image_has_about_the_bytes_asked_for(
        #[case] size: u64,
        #[case] texel: Texel,
        #[case] (width, height, layers): (u32, u32, u32),
    ) {
        let expected = ImageShape { texel, width, height, layers };
        assert_eq!(ImageShape::of_size(size, &LIMITS), expected);
    }

    #[test]
    fn shapes_keep_the_limits_and_lose_less_than_a_row_and_a_layer_of_texels() {
        let mut size = 1_u64;
        while size < 4 << 30 {
            for limits in [
                LIMITS,
                ResourceLimits {
                    max_image_width: 3000,
                    max_image_height: 700,
                    max_image_layers: 2048,
                    ..LIMITS
                },
            ] {
                let shape = ImageShape::of_size(size, &limits);
                assert!(shape.width <= limits.max_image_width, "{size}: {shape:?}");
                assert!(shape.height <= limits.max_image_height, "{size}: {shape:?}");
                assert!(shape.layers <= limits.max_image_layers, "{size}: {shape:?}");
                let texel = shape.texel.size();
                let (width, layers) = (u64::from(shape.width), u64::from(shape.layers));
                let bytes = texel * width * u64::from(shape.height) * layers;
                let lost = size.checked_sub(bytes).expect("not more than asked for");
                assert!(lost < texel * (width * layers + layers), "{size}: {shape:?}");
            }
            size = size * 17 / 13 + 1;
        }
    }
}
