//! Pools as they come, but for the size of their blocks.

use vk_pool::PoolConfig;

use super::Shape;
use crate::workloads::holes::BLOCK;

/// Blocks of 4 MiB.
pub(in crate::peers) struct Many;

impl Shape for Many {
    fn config(_: u64) -> PoolConfig {
        PoolConfig::default().with_block_size(u64::from(BLOCK))
    }
}

/// One block of the whole region.
pub(in crate::peers) struct One;

impl Shape for One {
    fn config(region_size: u64) -> PoolConfig {
        PoolConfig::default().with_block_size(region_size)
    }
}
