//! Images of other shapes than one flat level: mipmaps, layers, one and three dimensions; and
//! linear ones that the host writes itself.

use ash::vk;
use gpu_alloc_ash::AllocationRequest;

use crate::bytes::{pattern, usize_from};
use crate::formats::{FORMATS, RGBA8};
use crate::images::COPIED;
use crate::resources::{Image, Shape};
use crate::support::{Gpu, STRATEGIES, on_device, upload};
use crate::transfers::{assert_image, change_layout, fill_image, image_bytes, submit};

const OPTIMAL: vk::ImageTiling = vk::ImageTiling::OPTIMAL;

fn shapes() -> Vec<Shape> {
    let flat = |width, height| Shape::flat(&RGBA8, OPTIMAL, width, height);
    vec![
        flat(1, 1),
        flat(1024, 1024),
        Shape { mip_levels: 6, ..flat(61, 37) },
        Shape { mip_levels: 3, array_layers: 5, ..flat(33, 17) },
        Shape { image_type: vk::ImageType::TYPE_1D, ..flat(257, 1) },
        Shape {
            image_type: vk::ImageType::TYPE_3D,
            extent: vk::Extent3D { width: 20, height: 12, depth: 9 },
            mip_levels: 4,
            ..flat(1, 1)
        },
    ]
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn every_level_and_layer_keeps_its_bytes() {
    let gpu = Gpu::new();
    let mut filled = Vec::new();
    for strategy in STRATEGIES {
        for shape in shapes() {
            let image = Image::new(&gpu, shape, COPIED, &on_device(strategy));
            let bytes = image_bytes(&image, filled.len() as u64);
            fill_image(&gpu, &image, &bytes);
            filled.push((image, bytes));
        }
    }
    for (image, bytes) in filled {
        assert_image(&gpu, &format!("{:?}", image.shape), &image, &bytes);
        image.destroy(&gpu);
    }
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn layers_of_depth_and_stencil_keep_their_bytes() {
    let gpu = Gpu::new();
    let mut count = 0;
    for format in FORMATS.into_iter().filter(|format| format.aspects.len() == 2) {
        let shape = Shape { array_layers: 3, ..Shape::flat(format, OPTIMAL, 31, 19) };
        if !is_depth_attachment(&gpu, format.format) {
            continue;
        }
        for strategy in STRATEGIES {
            let usage = COPIED | vk::ImageUsageFlags::DEPTH_STENCIL_ATTACHMENT;
            let image = Image::new(&gpu, shape, usage, &on_device(strategy));
            let bytes = image_bytes(&image, 7);
            fill_image(&gpu, &image, &bytes);
            assert_image(&gpu, &format!("{:?}", format.format), &image, &bytes);
            image.destroy(&gpu);
            count += 1;
        }
    }
    assert!(count > 0, "one format of the two with 24 and 32 bits is required of every device");
    gpu.finish();
}

fn is_depth_attachment(gpu: &Gpu, format: vk::Format) -> bool {
    // SAFETY: the physical device is of this instance.
    let properties = unsafe {
        gpu.boot.instance.get_physical_device_format_properties(gpu.boot.physical_device, format)
    };
    let needed = vk::FormatFeatureFlags::DEPTH_STENCIL_ATTACHMENT
        | vk::FormatFeatureFlags::TRANSFER_SRC
        | vk::FormatFeatureFlags::TRANSFER_DST;
    properties.optimal_tiling_features.contains(needed)
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn rows_that_the_host_writes_are_what_the_device_reads() {
    let gpu = Gpu::new();
    let shape = Shape::flat(&RGBA8, vk::ImageTiling::LINEAR, 50, 20);
    for strategy in STRATEGIES {
        let request = AllocationRequest { strategy, ..upload() };
        let info = shape
            .info(vk::ImageUsageFlags::TRANSFER_SRC)
            .initial_layout(vk::ImageLayout::PREINITIALIZED);
        // SAFETY: copies from linear images of this format are supported everywhere.
        let created = unsafe { gpu.allocator.create_image(&info, &request) };
        let (handle, allocation) = created.unwrap();
        let mut image = Image { handle, shape, allocation };
        let rows: Vec<_> = (0..20).map(|row| pattern(row, 50 * 4)).collect();
        write_rows(&gpu, &mut image, &rows);
        let from = vk::ImageLayout::PREINITIALIZED;
        let to = vk::ImageLayout::TRANSFER_SRC_OPTIMAL;
        submit(&gpu, |commands| change_layout(&gpu, commands, &image, from, to));
        assert_image(&gpu, "rows", &image, &rows.concat());
        image.destroy(&gpu);
    }
    gpu.finish();
}

/// Writes the texels where the driver says that they lie.
fn write_rows(gpu: &Gpu, image: &mut Image, rows: &[Vec<u8>]) {
    let subresource = vk::ImageSubresource::default().aspect_mask(vk::ImageAspectFlags::COLOR);
    // SAFETY: the image lives and is linear.
    let layout = unsafe { gpu.device().get_image_subresource_layout(image.handle, subresource) };
    for (row, bytes) in (0u64..).zip(rows) {
        let offset = layout.offset + row * layout.row_pitch;
        assert!(usize_from(offset) + bytes.len() <= usize_from(image.allocation.size()));
        gpu.allocator.write(&mut image.allocation, offset, bytes).unwrap();
    }
}
