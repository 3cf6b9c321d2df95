//! Uploads vertices through a staging buffer, copies them back, and checks the bytes. Headless:
//! `cargo run -p examples --bin upload`.

use std::error::Error;

use gpu_alloc_ash::{Allocation, AllocationRequest, GpuAllocator, UsageFlags, ash::vk};
use vk_boot::{Boot, BootOptions};

const VERTEX_COUNT: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let boot = Boot::new(&BootOptions::default())?;
    println!("{} ({})", boot.device_name, boot.driver_name);
    let allocator = examples::allocator(&boot)?;

    let transfer = vk::BufferUsageFlags::TRANSFER_SRC | vk::BufferUsageFlags::TRANSFER_DST;
    let vertex = transfer | vk::BufferUsageFlags::VERTEX_BUFFER;
    let (staging, mut staging_memory) =
        buffer(&allocator, "staging", UsageFlags::UPLOAD, transfer)?;
    let (vertices, vertex_memory) =
        buffer(&allocator, "vertices", UsageFlags::FAST_DEVICE_ACCESS, vertex)?;
    let (readback, readback_memory) =
        buffer(&allocator, "readback", UsageFlags::DOWNLOAD, transfer)?;

    let sent: Vec<[f32; 2]> = (0..VERTEX_COUNT).map(|i| [i as f32, (i as f32).sqrt()]).collect();
    allocator.write_slice(&mut staging_memory, 0, &sent)?;
    // SAFETY: The three buffers live until the copies have finished, which `submit` waits for.
    unsafe { boot.submit(|commands| record(&boot.device, commands, staging, vertices, readback)) }?;
    let mut received = vec![[0.0f32; 2]; VERTEX_COUNT];
    allocator.read_slice(&readback_memory, 0, &mut received)?;
    assert_eq!(sent, received);

    println!("{VERTEX_COUNT} vertices went up and came back; {:?}", allocator.stats());
    for (buffer, memory) in
        [(staging, staging_memory), (vertices, vertex_memory), (readback, readback_memory)]
    {
        // SAFETY: The device has finished, as above, and each buffer goes with its own memory.
        unsafe { allocator.destroy_buffer(buffer, memory) }?;
    }
    allocator.destroy()?;
    let messages = boot.finish();
    messages.iter().for_each(|message| eprintln!("{message}"));
    if messages.is_empty() {
        Ok(())
    } else {
        Err("the validation layer had something to say".into())
    }
}

fn buffer(
    allocator: &GpuAllocator,
    name: &str,
    usage: UsageFlags,
    buffer_usage: vk::BufferUsageFlags,
) -> Result<(vk::Buffer, Allocation), Box<dyn Error>> {
    let size = (VERTEX_COUNT * size_of::<[f32; 2]>()) as u64;
    let info = vk::BufferCreateInfo::default().size(size).usage(buffer_usage);
    let request = AllocationRequest { usage, name: Some(name), ..Default::default() };
    // SAFETY: The create info is valid usage: a size above zero, and flags of Vulkan 1.0.
    let made = unsafe { allocator.create_buffer(&info, &request) }?;
    let memory_type_index = made.1.memory_type_index();
    println!(
        "{name}: {size} bytes of memory type {memory_type_index} at offset {}",
        made.1.offset()
    );
    Ok(made)
}

/// Records staging → vertices → readback, each copy waiting for the one before.
fn record(
    device: &ash::Device,
    commands: vk::CommandBuffer,
    staging: vk::Buffer,
    vertices: vk::Buffer,
    readback: vk::Buffer,
) {
    let region = vk::BufferCopy::default().size((VERTEX_COUNT * size_of::<[f32; 2]>()) as u64);
    let written = vk::MemoryBarrier::default()
        .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
        .dst_access_mask(vk::AccessFlags::TRANSFER_READ | vk::AccessFlags::HOST_READ);
    for (source, target, next) in [
        (staging, vertices, vk::PipelineStageFlags::TRANSFER),
        (vertices, readback, vk::PipelineStageFlags::HOST),
    ] {
        // SAFETY: The command buffer is being recorded, and the region is the whole of both buffers.
        unsafe { device.cmd_copy_buffer(commands, source, target, &[region]) };
        let none = vk::DependencyFlags::empty();
        // SAFETY: As above; the stages exist on every queue that transfers.
        unsafe {
            device.cmd_pipeline_barrier(
                commands,
                vk::PipelineStageFlags::TRANSFER,
                next,
                none,
                &[written],
                &[],
                &[],
            )
        };
    }
}
