//! Images of every Vulkan 1.0 usage, in every format of the list that supports it.
//!
//! Basic design: a combination of format, tiling and usage is taken if the format's features say
//! that it can be used so and be copied in both directions. Everything else is printed, and must
//! be what the device itself refuses; what is left is counted against a floor, so that a test
//! which skips everything fails.

use ash::vk;
use gpu_alloc_ash::Strategy;

use crate::formats::FORMATS;
use crate::resources::{Image, Shape};
use crate::support::{Gpu, STRATEGIES, on_device};
use crate::transfers::{assert_image, fill_image, image_bytes};

type Usage = vk::ImageUsageFlags;
type Feature = vk::FormatFeatureFlags;

/// The usages of Vulkan 1.0 but for `TRANSIENT_ATTACHMENT`, which cannot be copied, and the two
/// transfers, which every image here has.
const USAGES: [Usage; 6] = [
    COPIED,
    Usage::SAMPLED,
    Usage::STORAGE,
    Usage::COLOR_ATTACHMENT,
    Usage::DEPTH_STENCIL_ATTACHMENT,
    Usage::INPUT_ATTACHMENT,
];

const TILINGS: [vk::ImageTiling; 2] = [vk::ImageTiling::OPTIMAL, vk::ImageTiling::LINEAR];

/// What the copies of a test need of the image itself.
pub(crate) const COPIED: Usage =
    Usage::from_raw(Usage::TRANSFER_SRC.as_raw() | Usage::TRANSFER_DST.as_raw());

/// One combination that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tried {
    tiling: vk::ImageTiling,
    usage: Usage,
}

/// The round trips with both strategies.
pub(crate) fn matrix(gpu: &Gpu, seed: u64) -> Vec<Tried> {
    round_trips(gpu, seed, &STRATEGIES)
}

/// Fills images of every supported combination with each strategy, then reads them all back: an
/// image that another one overlaps has lost its bytes by then.
pub(crate) fn round_trips(gpu: &Gpu, seed: u64, strategies: &[Strategy]) -> Vec<Tried> {
    let mut tried = Vec::new();
    let mut filled = Vec::new();
    for format in FORMATS {
        for tiling in TILINGS {
            let shape = Shape::flat(format, tiling, 60, 36);
            let (supported, refused): (Vec<_>, Vec<_>) =
                USAGES.into_iter().partition(|&usage| is_supported(gpu, &shape, usage));
            if !refused.is_empty() {
                println!("{:?} {tiling:?} cannot be {refused:?}", format.format);
            }
            for usage in supported {
                for &strategy in strategies {
                    let image = Image::new(gpu, shape, usage | COPIED, &on_device(strategy));
                    let is_dedicated = strategy == Strategy::Dedicated;
                    assert_eq!(image.allocation.is_dedicated(), is_dedicated);
                    let bytes = image_bytes(&image, seed.wrapping_add(tried.len() as u64));
                    fill_image(gpu, &image, &bytes);
                    filled.push((image, bytes));
                    tried.push(Tried { tiling, usage });
                }
            }
        }
    }
    for ((image, bytes), tried) in filled.into_iter().zip(&tried) {
        let what = format!("{:?} {tried:?}", image.shape.format.format);
        assert_image(gpu, &what, &image, &bytes);
        image.destroy(gpu);
    }
    tried
}

/// Whether the format can be used so and be copied both ways; if not, the device says so too.
fn is_supported(gpu: &Gpu, shape: &Shape, usage: Usage) -> bool {
    let format = shape.format.format;
    // SAFETY: the physical device is of this instance.
    let properties = unsafe {
        gpu.boot.instance.get_physical_device_format_properties(gpu.boot.physical_device, format)
    };
    let features = if shape.tiling == vk::ImageTiling::LINEAR {
        properties.linear_tiling_features
    } else {
        properties.optimal_tiling_features
    };
    let attachment = Feature::COLOR_ATTACHMENT | Feature::DEPTH_STENCIL_ATTACHMENT;
    let one_of = match usage {
        Usage::SAMPLED => Feature::SAMPLED_IMAGE,
        Usage::STORAGE => Feature::STORAGE_IMAGE,
        Usage::COLOR_ATTACHMENT => Feature::COLOR_ATTACHMENT,
        Usage::DEPTH_STENCIL_ATTACHMENT => Feature::DEPTH_STENCIL_ATTACHMENT,
        Usage::INPUT_ATTACHMENT => attachment,
        _ => Feature::TRANSFER_SRC,
    };
    let has_features = features.contains(Feature::TRANSFER_SRC | Feature::TRANSFER_DST)
        && features.intersects(one_of);
    // SAFETY: as above.
    let answer = unsafe {
        gpu.boot.instance.get_physical_device_image_format_properties(
            gpu.boot.physical_device,
            format,
            shape.image_type,
            shape.tiling,
            usage | COPIED,
            vk::ImageCreateFlags::empty(),
        )
    };
    match answer {
        Ok(limits) if has_features => {
            assert!(limits.max_extent.width >= shape.extent.width, "{format:?}");
            assert!(limits.max_extent.height >= shape.extent.height, "{format:?}");
            true
        }
        // It has a few features for each format, and all images.
        Ok(_) if gpu.is_mock() => false,
        answer => {
            let refusal = answer.err();
            assert_eq!(
                refusal,
                Some(vk::Result::ERROR_FORMAT_NOT_SUPPORTED),
                "{shape:?} {usage:?}"
            );
            false
        }
    }
}

/// What every conformant device can do (Vulkan spec, "Required Format Support") was done: each
/// usage with optimal tiling, copies with linear tiling, and many formats.
#[track_caller]
pub(crate) fn assert_covered(tried: &[Tried]) {
    for usage in USAGES {
        let optimal = Tried { tiling: vk::ImageTiling::OPTIMAL, usage };
        assert!(tried.contains(&optimal), "no image with {usage:?}");
    }
    let linear = tried.iter().filter(|tried| tried.tiling == vk::ImageTiling::LINEAR).count();
    assert!(linear >= STRATEGIES.len(), "no image with linear tiling");
    assert!(tried.len() >= 100, "only {} images", tried.len());
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn images_of_every_usage_keep_their_bytes() {
    let gpu = Gpu::new();
    let tried = matrix(&gpu, 1);
    println!("{} images", tried.len());
    assert_covered(&tried);
    gpu.finish();
}
