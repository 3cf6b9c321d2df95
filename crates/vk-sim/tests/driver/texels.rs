//! Copies between buffers and images put every texel in its place.

use ash::vk::{self, Handle};
use vk_sim::{Call, ObjectKind, Role, Rule};

use crate::recorder::{Bound, Recorder};
use crate::support::{COHERENT, Calls, VRAM, write_byte};
use crate::violations::check;

const LAYOUT: vk::ImageLayout = vk::ImageLayout::GENERAL;

struct Texture {
    image: vk::Image,
    staging: Bound,
}

fn image_info(
    format: vk::Format,
    extent: [u32; 3],
    levels: u32,
    layers: u32,
) -> vk::ImageCreateInfo<'static> {
    let [width, height, depth] = extent;
    vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_3D)
        .format(format)
        .extent(vk::Extent3D { width, height, depth })
        .mip_levels(levels)
        .array_layers(layers)
        .samples(vk::SampleCountFlags::TYPE_1)
        .usage(vk::ImageUsageFlags::TRANSFER_SRC | vk::ImageUsageFlags::TRANSFER_DST)
}

/// An image in VRAM, and a staging buffer of 4096 bytes, each byte with its index for a value.
fn texture(recorder: &Recorder, info: &vk::ImageCreateInfo<'_>) -> Texture {
    let driver = &recorder.driver;
    // SAFETY: the driver lives.
    let image = unsafe { driver.device().create_image(info, None) }.unwrap();
    let size = driver.image_requirements(image).size;
    let memory = driver.allocate(VRAM, size).unwrap();
    driver.bind_image(image, memory, 0).unwrap();
    let staging = recorder.buffer(COHERENT, 4096);
    let pointer = driver.map(staging.memory, 0, 4096).unwrap();
    for index in 0..4096 {
        write_byte(pointer, index, u8::try_from(index % 256).unwrap());
    }
    driver.unmap(staging.memory);
    Texture { image, staging }
}

fn region(level: u32, layer: u32, offset: [i32; 3], extent: [u32; 3]) -> vk::BufferImageCopy {
    let [x, y, z] = offset;
    let [width, height, depth] = extent;
    vk::BufferImageCopy::default()
        .image_subresource(vk::ImageSubresourceLayers {
            aspect_mask: vk::ImageAspectFlags::COLOR,
            mip_level: level,
            base_array_layer: layer,
            layer_count: 1,
        })
        .image_offset(vk::Offset3D { x, y, z })
        .image_extent(vk::Extent3D { width, height, depth })
}

fn upload(recorder: &Recorder, texture: &Texture, regions: &[vk::BufferImageCopy]) {
    let (buffer, image) = (texture.staging.buffer, texture.image);
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe { device.cmd_copy_buffer_to_image(commands, buffer, image, LAYOUT, regions) }
    });
}

/// The bytes that a region of the image has, tightly packed.
fn download(
    recorder: &Recorder,
    image: vk::Image,
    region: vk::BufferImageCopy,
    size: u64,
) -> Vec<u8> {
    let readback = recorder.buffer(COHERENT, size);
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe {
            device.cmd_copy_image_to_buffer(commands, image, LAYOUT, readback.buffer, &[region])
        }
    });
    recorder.host_bytes(readback.memory, size)
}

#[test]
fn a_region_with_longer_rows_in_the_buffer_arrives_row_by_row() {
    let recorder = Recorder::new();
    let texture = texture(&recorder, &image_info(vk::Format::R8_UNORM, [8, 8, 1], 1, 1));
    let copy = region(0, 0, [2, 3, 0], [4, 2, 1]).buffer_offset(10).buffer_row_length(100);
    upload(&recorder, &texture, &[copy]);
    let all = download(&recorder, texture.image, region(0, 0, [0; 3], [8, 8, 1]), 64);
    let mut expected = [0; 64];
    expected[3 * 8 + 2..3 * 8 + 6].copy_from_slice(&[10, 11, 12, 13]);
    expected[4 * 8 + 2..4 * 8 + 6].copy_from_slice(&[110, 111, 112, 113]);
    assert_eq!(all, expected);
    assert_eq!(recorder.driver.violations(), []);
}

#[test]
fn levels_layers_and_slices_are_apart() {
    let recorder = Recorder::new();
    let info = image_info(vk::Format::R8G8_UNORM, [4, 4, 2], 2, 3);
    let texture = texture(&recorder, &info);
    let copies: Vec<_> = (0..2_u32)
        .flat_map(|level| (0..3_u32).map(move |layer| (level, layer)))
        .map(|(level, layer)| {
            let extent = if level == 0 { [4, 4, 2] } else { [2, 2, 1] };
            region(level, layer, [0; 3], extent).buffer_offset(u64::from(64 * (level * 3 + layer)))
        })
        .collect();
    upload(&recorder, &texture, &copies);
    for (index, copy) in copies.iter().enumerate() {
        let size = if index < 3 { 64 } else { 8 };
        let bytes = download(&recorder, texture.image, copy.buffer_offset(0), size);
        let first = 64 * u64::try_from(index).unwrap();
        let expected: Vec<_> =
            (first..first + size).map(|byte| u8::try_from(byte % 256).unwrap()).collect();
        assert_eq!(bytes, expected, "copy {index}");
    }
    // Two layers at once, from slices that are 8 rows apart in the buffer.
    let mut both = region(0, 1, [0; 3], [4, 1, 2]).buffer_image_height(8);
    both.image_subresource.layer_count = 2;
    upload(&recorder, &texture, &[both]);
    let bytes = download(&recorder, texture.image, region(0, 2, [0, 0, 1], [4, 1, 1]), 8);
    assert_eq!(bytes, [192, 193, 194, 195, 196, 197, 198, 199]);
    assert_eq!(recorder.driver.violations(), []);
}

#[test]
fn compressed_texels_are_copied_block_by_block() {
    let recorder = Recorder::new();
    let texture =
        texture(&recorder, &image_info(vk::Format::BC1_RGB_UNORM_BLOCK, [16, 8, 1], 1, 1));
    assert_eq!(recorder.driver.image_requirements(texture.image).size, 4096);
    let lower = region(0, 0, [4, 4, 0], [8, 4, 1]).buffer_offset(16);
    upload(&recorder, &texture, &[lower]);
    let all = download(&recorder, texture.image, region(0, 0, [0; 3], [16, 8, 1]), 64);
    let mut expected = vec![0; 64];
    expected[40..56].copy_from_slice(&(16..32).collect::<Vec<u8>>());
    assert_eq!(all, expected);
}

fn outside(axis: &'static str, offset: i32, extent: u32, level_extent: u32) -> Rule {
    Rule::TexelsOutside { axis, offset, extent, level_extent }
}

/// Regions of an image of 8 by 8 texels and two levels that cannot be uploaded.
fn wrong_regions() -> Vec<(vk::BufferImageCopy, Rule, &'static str)> {
    let short =
        |offset, size| Rule::TransferSize { role: Role::Source, offset, size, buffer_size: 4096 };
    let full = region(0, 0, [0; 3], [8, 8, 1]);
    let mut no_layers = full;
    no_layers.image_subresource.layer_count = 2;
    vec![
        (
            region(0, 0, [0; 3], [0, 8, 1]),
            Rule::ZeroExtent { member: "width" },
            "VkBufferImageCopy-imageExtent-06659",
        ),
        (
            region(0, 0, [1, 0, 0], [8, 8, 1]),
            outside("x", 1, 8, 8),
            "vkCmdCopyBufferToImage-pRegions-06218",
        ),
        (
            region(1, 0, [0, -1, 0], [4, 4, 1]),
            outside("y", -1, 4, 4),
            "vkCmdCopyBufferToImage-pRegions-06219",
        ),
        (
            region(0, 0, [0, 0, 1], [8, 8, 1]),
            outside("z", 1, 1, 1),
            "vkCmdCopyBufferToImage-imageOffset-00200",
        ),
        (
            region(2, 0, [0; 3], [1, 1, 1]),
            Rule::NoSubresource { member: "mipLevel", value: 2, count: 2 },
            "vkCmdCopyBufferToImage-imageSubresource-01701",
        ),
        (
            no_layers,
            Rule::NoSubresource { member: "layers", value: 0, count: 1 },
            "vkCmdCopyBufferToImage-imageSubresource-01702",
        ),
        (
            full.buffer_row_length(7),
            Rule::ShortRows { member: "bufferRowLength", value: 7, extent: 8 },
            "VkBufferImageCopy-bufferRowLength-00195",
        ),
        (
            full.buffer_image_height(7),
            Rule::ShortRows { member: "bufferImageHeight", value: 7, extent: 8 },
            "VkBufferImageCopy-bufferImageHeight-00196",
        ),
        (
            full.buffer_offset(2),
            Rule::TexelOffset { offset: 2, texel_bytes: 4 },
            "vkCmdCopyBufferToImage-bufferOffset-01558",
        ),
        (full.buffer_offset(3844), short(3844, 256), "vkCmdCopyBufferToImage-pRegions-00171"),
        (
            full.buffer_offset(u64::MAX - 3),
            short(u64::MAX - 3, u64::MAX),
            "vkCmdCopyBufferToImage-pRegions-00171",
        ),
    ]
}

#[test]
fn regions_that_leave_image_or_buffer() {
    let full = region(0, 0, [0; 3], [8, 8, 1]);
    for (region, rule, vuid) in wrong_regions() {
        let recorder = Recorder::new();
        let texture = texture(&recorder, &image_info(vk::Format::R8G8B8A8_UNORM, [8, 8, 1], 2, 1));
        upload(&recorder, &texture, &[region]);
        check(&recorder.driver, Call::CmdCopyBufferToImage, rule, &format!("VUID-{vuid}"));
        let bytes = download(&recorder, texture.image, full, 256);
        assert_eq!(bytes, [0; 256], "a refused command is not in the command buffer");
    }
}

#[test]
fn images_without_usage_or_memory() {
    let recorder = Recorder::new();
    let staging = recorder.buffer(VRAM, 4096);
    let driver = &recorder.driver;
    let sampled = driver.image(8, vk::ImageUsageFlags::SAMPLED).unwrap();
    let unbound = driver.image(8, vk::ImageUsageFlags::TRANSFER_SRC).unwrap();
    let memory = driver.allocate(VRAM, 4096).unwrap();
    driver.bind_image(sampled, memory, 0).unwrap();
    recorder.run(|device, commands| {
        let regions = [region(0, 0, [0; 3], [8, 8, 1])];
        // SAFETY: the driver lives.
        unsafe {
            device.cmd_copy_buffer_to_image(commands, staging.buffer, sampled, LAYOUT, &regions)
        };
        // SAFETY: the driver lives.
        unsafe {
            device.cmd_copy_image_to_buffer(commands, unbound, LAYOUT, staging.buffer, &regions)
        };
    });
    let kind = ObjectKind::Image;
    let vuids: Vec<_> = driver
        .violations()
        .iter()
        .map(|violation| (violation.rule, violation.vuid().unwrap()))
        .collect();
    let expected = [
        (
            Rule::TransferUsage { role: Role::Destination, kind, handle: sampled.as_raw() },
            "VUID-vkCmdCopyBufferToImage-dstImage-00177".to_owned(),
        ),
        (
            Rule::TransferMemory { role: Role::Source, kind, handle: unbound.as_raw() },
            "VUID-vkCmdCopyImageToBuffer-srcImage-00187".to_owned(),
        ),
    ];
    assert_eq!(vuids, expected);
}
