//! Wrong clears of colour images.

use ash::vk;

use super::program::{IMAGE, Program, Stage};
use crate::support::Calls;

pub(super) const PROGRAMS: &[Program] = &[
    Program {
        name: "clear a level that is not there",
        run: |stage| clear(stage, IMAGE, GENERAL, |range| range.base_mip_level = 1),
    },
    Program {
        name: "clear more levels than there are",
        run: |stage| clear(stage, IMAGE, GENERAL, |range| range.level_count = 2),
    },
    Program {
        name: "clear a layer that is not there",
        run: |stage| clear(stage, IMAGE, GENERAL, |range| range.base_array_layer = 1),
    },
    Program {
        name: "clear more layers than there are",
        run: |stage| clear(stage, IMAGE, GENERAL, |range| range.layer_count = 2),
    },
    Program {
        name: "clear the depth of a colour image",
        run: |stage| {
            clear(stage, IMAGE, GENERAL, |range| range.aspect_mask = vk::ImageAspectFlags::DEPTH)
        },
    },
    Program {
        name: "clear without the usage",
        run: |stage| clear(stage, vk::ImageUsageFlags::TRANSFER_SRC, GENERAL, |_| {}),
    },
    Program {
        name: "clear in a layout to read from",
        run: |stage| clear(stage, IMAGE, vk::ImageLayout::TRANSFER_SRC_OPTIMAL, |_| {}),
    },
    Program {
        name: "clear an image without memory",
        run: |stage| record(stage, stage.new_image(IMAGE), GENERAL, whole()),
    },
];

const GENERAL: vk::ImageLayout = vk::ImageLayout::GENERAL;

fn whole() -> vk::ImageSubresourceRange {
    vk::ImageSubresourceRange::default()
        .aspect_mask(vk::ImageAspectFlags::COLOR)
        .level_count(1)
        .layer_count(1)
}

/// Clears an image with memory, but for the change.
fn clear(
    stage: &Stage<'_>,
    usage: vk::ImageUsageFlags,
    layout: vk::ImageLayout,
    change: impl FnOnce(&mut vk::ImageSubresourceRange),
) {
    let image = stage.new_image(usage);
    let memory = stage.memory(stage.image_requirements(image).size);
    stage.bind_image(image, memory, 0).unwrap();
    let mut range = whole();
    change(&mut range);
    record(stage, image, layout, range);
}

fn record(
    stage: &Stage<'_>,
    image: vk::Image,
    layout: vk::ImageLayout,
    range: vk::ImageSubresourceRange,
) {
    let color = vk::ClearColorValue::default();
    // SAFETY: invalid usage, on purpose, and held back.
    stage.recorded(|device, commands| unsafe {
        device.cmd_clear_color_image(commands, image, layout, &color, &[range]);
    });
}
