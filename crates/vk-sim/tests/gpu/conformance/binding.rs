//! Wrong resources and wrong bindings.

use ash::vk;

use super::memory::refused;
use super::program::{ADDRESS, IMAGE, Program, Stage, TRANSFER};
use crate::support::{Calls, allocate_info};

pub(super) const PROGRAMS: &[Program] = &[
    Program { name: "a buffer of nothing", run: |stage| refused(stage.buffer(0, TRANSFER)) },
    Program {
        name: "destroy a buffer twice",
        run: |stage| {
            let buffer = stage.new_buffer(TRANSFER);
            stage.destroy_buffer_early(buffer);
            stage.destroy_buffer(buffer);
        },
    },
    Program {
        name: "an image without width",
        run: |stage| image_without(stage, |info| info.extent.width = 0),
    },
    Program {
        name: "an image without height",
        run: |stage| image_without(stage, |info| info.extent.height = 0),
    },
    Program {
        name: "an image without depth",
        run: |stage| image_without(stage, |info| info.extent.depth = 0),
    },
    Program {
        name: "an image without levels",
        run: |stage| image_without(stage, |info| info.mip_levels = 0),
    },
    Program {
        name: "an image without layers",
        run: |stage| {
            image_without(stage, |info| {
                info.image_type = vk::ImageType::TYPE_2D;
                info.extent.depth = 1;
                info.array_layers = 0;
            })
        },
    },
    Program {
        name: "bind a buffer past the memory",
        run: |stage| {
            refused(stage.bind_buffer(stage.new_buffer(TRANSFER), stage.memory(4096), 4096))
        },
    },
    Program {
        name: "bind a buffer off its alignment",
        run: |stage| refused(stage.bind_buffer(stage.new_buffer(TRANSFER), stage.memory(4096), 8)),
    },
    Program {
        name: "bind a buffer that does not fit",
        run: |stage| {
            refused(stage.bind_buffer(stage.new_buffer(TRANSFER), stage.memory(4096), 3584))
        },
    },
    Program {
        name: "bind a buffer that does not fit, by the second function",
        run: |stage| {
            refused(stage.bind_buffer2(stage.new_buffer(TRANSFER), stage.memory(4096), 3584))
        },
    },
    Program {
        name: "bind a buffer twice",
        run: |stage| {
            refused(stage.bind_buffer(stage.bound_buffer(TRANSFER), stage.memory(4096), 0))
        },
    },
    Program {
        name: "bind freed memory to a buffer",
        run: |stage| {
            let memory = stage.memory(4096);
            stage.free_early(memory);
            refused(stage.bind_buffer(stage.new_buffer(TRANSFER), memory, 0));
        },
    },
    Program {
        name: "bind a destroyed buffer",
        run: |stage| {
            let buffer = stage.new_buffer(TRANSFER);
            stage.destroy_buffer_early(buffer);
            refused(stage.bind_buffer(buffer, stage.memory(4096), 0));
        },
    },
    Program {
        name: "bind an image past the memory",
        run: |stage| refused(stage.bind_image(stage.new_image(IMAGE), stage.memory(65536), 65536)),
    },
    Program {
        name: "bind an image off its alignment",
        run: |stage| refused(stage.bind_image(stage.new_image(IMAGE), stage.memory(65536), 8)),
    },
    Program {
        name: "bind an image that does not fit",
        run: |stage| {
            refused(stage.bind_image(stage.new_image(IMAGE), stage.memory(65536), 65536 - 512))
        },
    },
    Program {
        name: "bind an image that does not fit, by the second function",
        run: |stage| {
            refused(stage.bind_image2(stage.new_image(IMAGE), stage.memory(65536), 65536 - 512))
        },
    },
    Program {
        name: "bind an image twice",
        run: |stage| {
            let (image, memory) = (stage.new_image(IMAGE), stage.memory(65536));
            stage.bind_image(image, memory, 0).unwrap();
            refused(stage.bind_image(image, memory, 0));
        },
    },
    Program {
        name: "bind a buffer to another's dedicated memory",
        run: |stage| {
            let (owner, other) = (stage.new_buffer(TRANSFER), stage.new_buffer(TRANSFER));
            let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().buffer(owner);
            let size = stage.buffer_requirements(owner).size;
            let memory = stage.memory_with(&allocate_info(0, size).push_next(&mut dedicated));
            refused(stage.bind_buffer(other, memory, 0));
        },
    },
    Program {
        name: "bind an image to another's dedicated memory",
        run: |stage| {
            let (owner, other) = (stage.new_image(IMAGE), stage.new_image(IMAGE));
            let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(owner);
            let size = stage.image_requirements(owner).size;
            let memory = stage.memory_with(&allocate_info(0, size).push_next(&mut dedicated));
            refused(stage.bind_image(other, memory, 0));
        },
    },
    Program {
        name: "bind without the device-address flag",
        run: |stage| refused(stage.bind_buffer(stage.new_buffer(ADDRESS), stage.memory(4096), 0)),
    },
    Program {
        name: "the address of a buffer without memory",
        run: |stage| {
            stage.address(stage.new_buffer(ADDRESS));
        },
    },
    Program {
        name: "the address of a buffer without the usage",
        run: |stage| {
            stage.address(stage.bound_buffer(TRANSFER));
        },
    },
];

fn image_without(stage: &Stage<'_>, change: impl FnOnce(&mut vk::ImageCreateInfo<'_>)) {
    let mut info = vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_3D)
        .format(vk::Format::R8G8B8A8_UNORM)
        .extent(vk::Extent3D { width: 16, height: 16, depth: 4 })
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1)
        .usage(IMAGE);
    change(&mut info);
    // SAFETY: invalid usage, on purpose, and held back.
    refused(unsafe { stage.device.create_image(&info, None) });
}
