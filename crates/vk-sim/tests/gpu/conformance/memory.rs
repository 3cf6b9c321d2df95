//! Wrong allocations, mappings and ranges, and things left behind.

use ash::vk;

use super::program::{ADDRESS, IMAGE, Program, Stage, TRANSFER};
use crate::support::{Calls, allocate_info};

pub(super) const PROGRAMS: &[Program] = &[
    Program { name: "allocate nothing", run: |stage| refused(stage.allocate(0, 0)) },
    Program { name: "allocate of no type", run: |stage| refused(stage.allocate(7, 64)) },
    Program {
        name: "allocate more than the heap",
        run: |stage| refused(stage.allocate(0, 1 << 40)),
    },
    Program { name: "dedicate to two", run: dedicate_to_two },
    Program { name: "dedicate too much to a buffer", run: dedicate_to_buffer },
    Program { name: "dedicate too much to an image", run: dedicate_to_image },
    Program { name: "a priority above one", run: priority },
    Program {
        name: "free twice",
        run: |stage| {
            let memory = stage.memory(4096);
            stage.free_early(memory);
            stage.free(memory);
        },
    },
    Program {
        name: "map twice",
        run: |stage| {
            let memory = stage.memory(4096);
            stage.map(memory, 0, 4096).unwrap();
            refused(stage.map(memory, 0, 4096));
        },
    },
    Program {
        name: "map from the end",
        run: |stage| refused(stage.map(stage.memory(4096), 4096, vk::WHOLE_SIZE)),
    },
    Program { name: "map nothing", run: |stage| refused(stage.map(stage.memory(4096), 0, 0)) },
    Program {
        name: "map past the end",
        run: |stage| refused(stage.map(stage.memory(4096), 4000, 97)),
    },
    Program {
        name: "map freed memory",
        run: |stage| {
            let memory = stage.memory(4096);
            stage.free_early(memory);
            refused(stage.map(memory, 0, 4096));
        },
    },
    Program { name: "unmap what is not mapped", run: |stage| stage.unmap(stage.memory(4096)) },
    Program {
        name: "flush what is not mapped",
        run: |stage| refused(stage.flush(stage.memory(4096), 0, 64)),
    },
    Program {
        name: "flush outside the mapping",
        run: |stage| refused(stage.flush(mapped(stage), 0, 64)),
    },
    Program {
        name: "invalidate past the mapping",
        run: |stage| refused(stage.invalidate(mapped(stage), 1024, 2048)),
    },
    Program {
        name: "flush all from outside the mapping",
        run: |stage| refused(stage.flush(mapped(stage), 0, vk::WHOLE_SIZE)),
    },
    Program {
        name: "flush from within an atom",
        run: |stage| refused(stage.flush(mapped(stage), 1040, 64)),
    },
    Program {
        name: "flush up to within an atom",
        run: |stage| refused(stage.flush(mapped(stage), 1024, 100)),
    },
    Program {
        name: "flush a mapping that ends within an atom",
        run: |stage| {
            let memory = stage.memory(4096);
            stage.map(memory, 0, 100).unwrap();
            refused(stage.flush(memory, 0, vk::WHOLE_SIZE));
        },
    },
    Program {
        name: "leave memory behind",
        run: |stage| {
            stage.allocate(0, 4096).unwrap();
        },
    },
    Program {
        name: "leave a buffer behind",
        run: |stage| {
            stage.buffer(64, TRANSFER).unwrap();
        },
    },
    Program {
        name: "free memory in use",
        run: |stage| {
            let (_, memory) = stage.pending(vk::Fence::null());
            stage.free(memory);
        },
    },
];

/// Both sides say so by the same result.
pub(super) fn refused<T: std::fmt::Debug>(result: ash::prelude::VkResult<T>) {
    // A limit has the error that a driver has there; the layer does not tell the two apart.
    let error = result.unwrap_err();
    let of_limit = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
    assert!(error == vk::Result::ERROR_VALIDATION_FAILED_EXT || error == of_limit, "{error}");
}

/// Memory of 4096 bytes, of which 1024 from offset 1024 on are mapped.
fn mapped(stage: &Stage<'_>) -> vk::DeviceMemory {
    let memory = stage.memory(4096);
    stage.map(memory, 1024, 1024).unwrap();
    memory
}

fn dedicate_to_two(stage: &Stage<'_>) {
    let (buffer, image) = (stage.new_buffer(TRANSFER), stage.new_image(IMAGE));
    let size = stage.image_requirements(image).size;
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().buffer(buffer).image(image);
    refused(stage.allocate_with(&allocate_info(0, size).push_next(&mut dedicated)));
}

fn dedicate_to_buffer(stage: &Stage<'_>) {
    let buffer = stage.new_buffer(ADDRESS);
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().buffer(buffer);
    refused(stage.allocate_with(&allocate_info(0, 1 << 20).push_next(&mut dedicated)));
}

fn dedicate_to_image(stage: &Stage<'_>) {
    let image = stage.new_image(IMAGE);
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(image);
    refused(stage.allocate_with(&allocate_info(0, 1 << 20).push_next(&mut dedicated)));
}

fn priority(stage: &Stage<'_>) {
    let mut priority = vk::MemoryPriorityAllocateInfoEXT::default().priority(1.5);
    refused(stage.allocate_with(&allocate_info(0, 4096).push_next(&mut priority)));
}
