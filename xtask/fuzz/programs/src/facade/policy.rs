//! A configuration of the allocator out of bytes, most of them sensible.

use ash::vk;
use gpu_alloc_ash::{AllocatorConfig, FillBytes};

use super::device::{Device, EASY_SHIFT, Scale};
use crate::input::Input;

/// Minimum blocks of one block of memory, as a power of two: their bits take host memory.
const MAX_BLOCK_COUNT_SHIFT: u32 = 20;

/// As many minimum blocks as the bookkeeping of a block cannot have.
const IMPOSSIBLE_COUNT_SHIFT: u32 = 36;

/// What the allocator on `device` is told.
pub(super) fn policy(input: &mut Input<'_>, device: &Device) -> AllocatorConfig {
    let mut config =
        if input.one_in(16) { AllocatorConfig::classic() } else { AllocatorConfig::default() };
    config.api_version = device.api_version;
    config.khr_dedicated_allocation = device.khr_dedicated_allocation;
    config.buffer_device_address = device.api_version >= vk::API_VERSION_1_2;
    config.passthrough = input.one_in(16);
    match input.below(16) {
        0 => {}
        1 => any_blocks(input, &mut config),
        2 => large_blocks(input, &mut config),
        _ => ordered_blocks(input, &mut config),
    }
    if input.one_in(2) {
        config.growth_divisor = u64::from(input.byte());
        config.heap_divisor = u64::from(input.byte());
        config.retained_live_divisor = u64::from(input.byte());
        config.retained_bytes = input.maybe(2, |input| device.scale.bytes(input));
        config.dedicated_above = input.maybe(2, |input| input.number(16));
        config.dedicated_floor = input.number(20);
    }
    if input.one_in(4) {
        for limit in &mut config.heap_limits[..4] {
            *limit = input.maybe(2, |input| input.number(EASY_SHIFT));
        }
        config.max_blocks_per_heap = input.maybe(2, |input| u32::from(input.below(8)));
        config.allocation_count_head_room = u32::from(input.below(16));
    }
    // Some are larger than a margin may be.
    config.corruption_margin = input.maybe(4, |input| input.number(16)).unwrap_or(0);
    config.fill =
        input.maybe(16, |input| FillBytes { created: input.byte(), ..FillBytes::default() });
    bounded(config, device.scale)
}

/// Sizes that keep their order: minimum, smallest, first, largest.
fn ordered_blocks(input: &mut Input<'_>, config: &mut AllocatorConfig) {
    let min = input.below(11);
    let smallest = min + input.below(6);
    let first = (smallest + input.below(5)).min(EASY_SHIFT);
    let largest = (first + input.below(4)).min(EASY_SHIFT);
    config.min_allocation_size = 1 << min;
    config.smallest_block_size = 1 << smallest;
    config.first_block_size = 1 << first;
    config.host_first_block_size = 1 << first;
    config.largest_block_size = 1 << largest;
}

/// Blocks beyond any device, in order.
fn large_blocks(input: &mut Input<'_>, config: &mut AllocatorConfig) {
    let largest = 63 - input.below(24);
    let first = largest - input.below(24);
    config.min_allocation_size = input.power(first);
    config.smallest_block_size = 1 << first;
    config.first_block_size = 1 << first;
    config.host_first_block_size = 1 << first;
    config.largest_block_size = 1 << largest;
}

/// Sizes of which most combinations are refused.
fn any_blocks(input: &mut Input<'_>, config: &mut AllocatorConfig) {
    config.min_allocation_size = input.number(63);
    config.smallest_block_size = input.power(63);
    config.first_block_size = input.power(63);
    config.host_first_block_size = input.power(63);
    config.largest_block_size = input.power(63);
}

/// The configuration without what this machine cannot bear: blocks that are mapped and large, and
/// blocks of so many pieces that their bits fill its memory. So many that they cannot be are left.
fn bounded(mut config: AllocatorConfig, scale: Scale) -> AllocatorConfig {
    if scale == Scale::Gap {
        let easy = 1 << EASY_SHIFT;
        config.largest_block_size = config.largest_block_size.min(easy);
        config.first_block_size = config.first_block_size.min(easy);
        config.host_first_block_size = config.host_first_block_size.min(easy);
    }
    let count = config.largest_block_size / config.min_allocation_size.max(1);
    if count >> MAX_BLOCK_COUNT_SHIFT != 0 && count >> IMPOSSIBLE_COUNT_SHIFT == 0 {
        config.min_allocation_size = (config.largest_block_size >> MAX_BLOCK_COUNT_SHIFT).max(1);
    }
    config
}
