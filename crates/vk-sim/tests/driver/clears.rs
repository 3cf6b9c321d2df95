//! Clears of colour images write the levels and layers they name, and nothing else.

use ash::vk::{self, Handle};
use vk_sim::{Call, ObjectKind, Role, Rule};

use crate::recorder::Recorder;
use crate::support::{Calls, VRAM};
use crate::violations::check;

const LAYOUT: vk::ImageLayout = vk::ImageLayout::GENERAL;
const COLOR: vk::ImageAspectFlags = vk::ImageAspectFlags::COLOR;
const USAGE: vk::ImageUsageFlags = vk::ImageUsageFlags::TRANSFER_DST;

/// The words of a colour, and its bytes.
const WORDS: [u32; 4] = [0x0403_0201, 0x0807_0605, 0x0c0b_0a09, 0x100f_0e0d];

fn image(format: vk::Format, levels: u32, layers: u32) -> vk::ImageCreateInfo<'static> {
    vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_2D)
        .format(format)
        .extent(vk::Extent3D { width: 8, height: 4, depth: 1 })
        .mip_levels(levels)
        .array_layers(layers)
        .samples(vk::SampleCountFlags::TYPE_1)
        .usage(USAGE)
}

/// An image, and a buffer over the same memory, all of whose bytes are 0xaa.
fn aliased(recorder: &Recorder, info: &vk::ImageCreateInfo<'_>) -> (vk::Image, vk::Buffer) {
    let driver = &recorder.driver;
    // SAFETY: the driver lives.
    let image = unsafe { driver.device().create_image(info, None) }.unwrap();
    let buffer = recorder.buffer(VRAM, driver.image_requirements(image).size);
    driver.bind_image(image, buffer.memory, 0).unwrap();
    recorder.run(|device, commands| {
        let size = vk::WHOLE_SIZE;
        // SAFETY: the driver lives.
        unsafe { device.cmd_fill_buffer(commands, buffer.buffer, 0, size, 0xaaaa_aaaa) }
    });
    (image, buffer.buffer)
}

fn range(levels: (u32, u32), layers: (u32, u32)) -> vk::ImageSubresourceRange {
    vk::ImageSubresourceRange {
        aspect_mask: COLOR,
        base_mip_level: levels.0,
        level_count: levels.1,
        base_array_layer: layers.0,
        layer_count: layers.1,
    }
}

fn clear(
    recorder: &Recorder,
    image: vk::Image,
    layout: vk::ImageLayout,
    words: [u32; 4],
    ranges: &[vk::ImageSubresourceRange],
) {
    let color = vk::ClearColorValue { uint32: words.map(u32::to_le) };
    recorder.run(|device, commands| {
        // SAFETY: the driver lives.
        unsafe { device.cmd_clear_color_image(commands, image, layout, &color, ranges) }
    });
}

#[test]
fn a_clear_writes_exactly_its_levels_and_layers() {
    let recorder = Recorder::new();
    // Levels of 32, 8 and 2 texels of a byte, two layers each.
    let (image, buffer) = aliased(&recorder, &image(vk::Format::R8_UNORM, 3, 2));
    clear(&recorder, image, LAYOUT, [0; 4], &[range((1, 1), (1, 1)), range((0, 1), (0, 1))]);
    let (old, zero) = ([0xaa; 32], [0; 32]);
    let levels = [&zero[..], &old, &old[..8], &zero[..8], &old[..4]].concat();
    assert_eq!(recorder.device_bytes(buffer, 0, 84), levels);
    let all = range((0, vk::REMAINING_MIP_LEVELS), (0, vk::REMAINING_ARRAY_LAYERS));
    clear(&recorder, image, LAYOUT, [0; 4], &[all]);
    assert_eq!(recorder.device_bytes(buffer, 0, 84), [0; 84]);
    assert_eq!(recorder.driver.violations(), []);
}

#[test]
fn every_sample_is_cleared_and_a_texel_is_the_bytes_of_the_colour() {
    let recorder = Recorder::new();
    let info = image(vk::Format::R32G32B32A32_UINT, 1, 1).samples(vk::SampleCountFlags::TYPE_4);
    let (sampled, buffer) = aliased(&recorder, &info);
    clear(&recorder, sampled, LAYOUT, WORDS, &[range((0, 1), (0, 1))]);
    let texel: Vec<u8> = (1..=16).collect();
    assert_eq!(recorder.device_bytes(buffer, 0, 4 * 32 * 16), texel.repeat(4 * 32));
    // Texels whose size does not divide the scratch memory, across its end.
    let large = image(vk::Format::R32G32B32_UINT, 1, 1);
    let large = large.extent(vk::Extent3D { width: 128, height: 64, depth: 1 });
    let (large, buffer) = aliased(&recorder, &large);
    clear(&recorder, large, LAYOUT, WORDS, &[range((0, 1), (0, 1))]);
    assert_eq!(recorder.device_bytes(buffer, 0, 98_304), texel[..12].repeat(8192));
    assert_eq!(recorder.driver.violations(), []);
}

/// What is cleared of an image of two levels and three layers breaks one rule.
#[track_caller]
fn check_clear(
    change: impl FnOnce(&mut vk::ImageCreateInfo<'_>),
    layout: vk::ImageLayout,
    ranges: &[vk::ImageSubresourceRange],
    (rule, clause): (impl FnOnce(vk::Image) -> Rule, &str),
) {
    let recorder = Recorder::new();
    let mut info = image(vk::Format::R8G8B8A8_UNORM, 2, 3);
    change(&mut info);
    let (image, buffer) = aliased(&recorder, &info);
    clear(&recorder, image, layout, [0; 4], ranges);
    check(&recorder.driver, Call::CmdClearColorImage, rule(image), &format!("VUID-{clause}"));
    assert_eq!(recorder.device_bytes(buffer, 0, 4), [0xaa; 4], "not in the command buffer");
}

#[test]
fn ranges_that_the_image_has_not() {
    let missing = |member, value, count| Rule::NoSubresource { member, value, count };
    let of = |clause| format!("vkCmdClearColorImage-{clause}");
    for (levels, layers, rule, clause) in [
        ((2, 1), (0, 1), missing("baseMipLevel", 2, 2), of("baseMipLevel-01470")),
        ((1, 2), (0, 1), missing("levelCount", 2, 1), of("pRanges-01692")),
        ((0, 1), (3, 1), missing("baseArrayLayer", 3, 3), of("baseArrayLayer-01472")),
        ((0, 1), (2, 2), missing("layerCount", 2, 1), of("pRanges-01693")),
        (
            (0, 0),
            (0, 1),
            Rule::ZeroExtent { member: "levelCount" },
            "VkImageSubresourceRange-levelCount-01720".to_owned(),
        ),
        (
            (0, 1),
            (0, 0),
            Rule::ZeroExtent { member: "layerCount" },
            "VkImageSubresourceRange-layerCount-01721".to_owned(),
        ),
    ] {
        check_clear(|_| {}, LAYOUT, &[range(levels, layers)], (|_| rule, &clause));
    }
    let no_range = (|_| Rule::ZeroSize, "vkCmdClearColorImage-rangeCount-arraylength");
    check_clear(|_| {}, LAYOUT, &[], no_range);
}

#[test]
fn images_and_layouts_that_cannot_be_cleared() {
    let whole = [range((0, 1), (0, 1))];
    let usage = |image: vk::Image| Rule::TransferUsage {
        role: Role::Destination,
        kind: ObjectKind::Image,
        handle: image.as_raw(),
    };
    check_clear(
        |info| info.usage = vk::ImageUsageFlags::TRANSFER_SRC,
        LAYOUT,
        &whole,
        (usage, "vkCmdClearColorImage-image-00002"),
    );
    let layout = vk::ImageLayout::TRANSFER_SRC_OPTIMAL;
    let in_layout = |_| Rule::ClearLayout { layout: layout.as_raw() };
    let clause = "vkCmdClearColorImage-imageLayout-00005";
    check_clear(|_| {}, layout, &whole, (in_layout, clause));
    let depth = vk::ImageAspectFlags::DEPTH;
    let of_depth = [vk::ImageSubresourceRange { aspect_mask: depth, ..whole[0] }];
    let aspect = |_| Rule::ClearAspect { aspect: depth.as_raw() };
    let clause = "vkCmdClearColorImage-aspectMask-02498";
    check_clear(|_| {}, LAYOUT, &of_depth, (aspect, clause));
    let format = |image: vk::Image| Rule::ClearFormat { image: image.as_raw() };
    for wrong in [vk::Format::D16_UNORM, vk::Format::BC1_RGB_UNORM_BLOCK] {
        let clause = "vkCmdClearColorImage-image-00007";
        check_clear(|info| info.format = wrong, LAYOUT, &whole, (format, clause));
    }
}

#[test]
fn images_without_memory_and_those_that_are_gone() {
    let recorder = Recorder::new();
    let driver = &recorder.driver;
    let unbound = driver.image(8, USAGE).unwrap();
    let gone = driver.image(8, USAGE).unwrap();
    driver.destroy_image(gone);
    for image in [unbound, gone] {
        clear(&recorder, image, LAYOUT, [0; 4], &[range((0, 1), (0, 1))]);
    }
    let found: Vec<_> = driver.violations().iter().map(|found| found.vuid().unwrap()).collect();
    let expected =
        ["VUID-vkCmdClearColorImage-image-00003", "VUID-vkCmdClearColorImage-image-parameter"];
    assert_eq!(found, expected);
    assert!(driver.violations().iter().all(|found| !found.to_string().contains('{')));
}
