//! A custom pool: one block of buddies, and never another.

use vk_pool::{Algorithm, MemoryPool, Place, PoolConfig, PoolRequest};

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

    #[inline]
    fn allocate(pool: &mut MemoryPool, request: &PoolRequest) -> Option<Place> {
        pool.allocate_in_row(request)
    }

    #[inline]
    fn free(pool: &mut MemoryPool, place: Place) -> Result<(), Place> {
        pool.free_in_row(place)
    }
}
