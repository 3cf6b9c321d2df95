//! A custom pool: one block of buddies, and never another.

use vk_pool::{Algorithm, PoolConfig};

use super::Shape;

/// One block of the whole region.
pub(in crate::peers) struct Buddies;

impl Shape for Buddies {
    fn config(region_size: u64) -> PoolConfig {
        PoolConfig {
            algorithm: Algorithm::Buddy,
            max_block_count: Some(1),
            ..PoolConfig::default()
        }
        .with_block_size(region_size)
    }
}
