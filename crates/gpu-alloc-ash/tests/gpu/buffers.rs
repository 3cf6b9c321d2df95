//! Buffers of every Vulkan 1.0 usage and of device address: filled, copied and read back.

use ash::vk;
use gpu_alloc_ash::Strategy;

use crate::bytes::pattern;
use crate::resources::Buffer;
use crate::support::{Gpu, STRATEGIES, on_device};
use crate::transfers::{assert_buffer, fill_buffer};

type Usage = vk::BufferUsageFlags;

/// The usages of Vulkan 1.0.
const USAGES: [Usage; 9] = [
    Usage::TRANSFER_SRC,
    Usage::TRANSFER_DST,
    Usage::UNIFORM_TEXEL_BUFFER,
    Usage::STORAGE_TEXEL_BUFFER,
    Usage::UNIFORM_BUFFER,
    Usage::STORAGE_BUFFER,
    Usage::INDEX_BUFFER,
    Usage::VERTEX_BUFFER,
    Usage::INDIRECT_BUFFER,
];

/// Below, at and beside powers of two, in bytes.
const SIZES: [u64; 5] = [4, 1_000, 4_096, 65_540, (1 << 20) + 12];

/// What the copies of a test need of the buffer itself.
pub(crate) const COPIED: Usage =
    Usage::from_raw(Usage::TRANSFER_SRC.as_raw() | Usage::TRANSFER_DST.as_raw());

/// A buffer and the bytes that the GPU copied into it.
struct Filled {
    buffer: Buffer,
    usage: Usage,
    bytes: Vec<u8>,
}

/// Fills buffers of every usage, size and strategy, then reads them all back: a buffer that
/// another one overlaps has lost its bytes by then. Returns how many there were.
pub(crate) fn matrix(gpu: &Gpu, seed: u64) -> usize {
    let mut filled = Vec::new();
    for strategy in STRATEGIES {
        for usage in usages(gpu) {
            for size in SIZES {
                let bytes = pattern(seed.wrapping_add(filled.len() as u64), size);
                filled.push(fill(gpu, usage, strategy, bytes));
            }
        }
    }
    let count = filled.len();
    for Filled { buffer, usage, bytes } in filled {
        let what = format_args!("{usage:?} of {} bytes", buffer.size);
        assert_buffer(gpu, what, buffer.handle, &bytes);
        buffer.destroy(gpu);
    }
    count
}

fn fill(gpu: &Gpu, usage: Usage, strategy: Strategy, bytes: Vec<u8>) -> Filled {
    let buffer = Buffer::new(gpu, bytes.len() as u64, usage | COPIED, &on_device(strategy));
    let is_dedicated = strategy == Strategy::Dedicated;
    assert_eq!(buffer.allocation.is_dedicated(), is_dedicated, "{usage:?} {strategy:?}");
    assert!(!is_dedicated || buffer.allocation.offset() == 0);
    assert!(buffer.allocation.size() >= buffer.size);
    fill_buffer(gpu, buffer.handle, &bytes);
    Filled { buffer, usage, bytes }
}

fn usages(gpu: &Gpu) -> Vec<Usage> {
    let mut usages = USAGES.to_vec();
    if gpu.allocator.config().buffer_device_address {
        usages.push(Usage::SHADER_DEVICE_ADDRESS);
    }
    usages
}

/// The smallest matrix there can be: every usage of 1.0, size and strategy.
pub(crate) const MATRIX_FLOOR: usize = USAGES.len() * SIZES.len() * STRATEGIES.len();

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn buffers_of_every_usage_keep_their_bytes() {
    let gpu = Gpu::new();
    let count = matrix(&gpu, 1);
    println!("{count} buffers, device address: {}", gpu.boot.enabled.buffer_device_address);
    assert!(count >= MATRIX_FLOOR);
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_buffer_larger_than_the_first_block_keeps_its_bytes() {
    const SIZE: u64 = 40 << 20;
    let gpu = Gpu::new();
    let bytes = pattern(2, SIZE);
    let large = fill(&gpu, Usage::STORAGE_BUFFER, Strategy::Pooled, bytes);
    let larger = Buffer::new(&gpu, SIZE, COPIED, &on_device(Strategy::Auto));
    assert!(larger.allocation.is_dedicated(), "above a quarter of the largest block");
    assert_buffer(&gpu, "40 MiB", large.buffer.handle, &large.bytes);
    large.buffer.destroy(&gpu);
    larger.destroy(&gpu);
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn parts_of_a_mapped_buffer_are_written_and_read() {
    let gpu = Gpu::new();
    let usage = Usage::STORAGE_BUFFER | COPIED;
    let mut buffer = Buffer::new(&gpu, 4096, usage, &crate::support::upload());
    let mut bytes = pattern(3, 4096);
    gpu.allocator.write(&mut buffer.allocation, 0, &bytes).unwrap();
    let words = [0x0102_0304u32, 0x0506_0708, 0x090a_0b0c];
    gpu.allocator.write_slice(&mut buffer.allocation, 1001, &words).unwrap();
    for (at, word) in (1001..).step_by(4).zip(words) {
        bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
    }
    let mut got = [0u32; 3];
    gpu.allocator.read_slice(&buffer.allocation, 1001, &mut got).unwrap();
    assert_eq!(got, words);
    assert_buffer(&gpu, "seen by the device", buffer.handle, &bytes);
    buffer.destroy(&gpu);
    gpu.finish();
}
