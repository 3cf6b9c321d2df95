//! What is done with custom pools.

use ash::vk;
use gpu_alloc_ash::{
    AllocationRequest, CreatePoolError, CustomPool, CustomPoolConfig, PoolAllocationRequest,
    Strategy,
};

use super::Failed;
use crate::held::Held;
use crate::support::{MIB, Sim, buffer_info, image_info};

/// Blocks of one size, of which there is one already, and full.
pub(super) fn full_pool(sim: &Sim) -> Vec<Held> {
    let pool = sim.pool(&CustomPoolConfig {
        memory_types: &[1],
        block_size: Some(MIB),
        ..Default::default()
    });
    let filler = sim.allocate_in(&pool, &PoolAllocationRequest { size: MIB, ..Default::default() });
    vec![Held::Pool(pool), Held::Memory(filler)]
}

/// Blocks that grow, in two memory types.
pub(super) fn adaptive_pool(sim: &Sim) -> Vec<Held> {
    vec![Held::Pool(sim.pool(&CustomPoolConfig { memory_types: &[3, 1], ..Default::default() }))]
}

fn pool_of(held: &[Held]) -> &CustomPool {
    held[0].pool().expect("prepared")
}

pub(super) fn first_blocks(
    sim: &Sim,
    held: &mut Vec<Held>,
    memory_types: &[u32],
) -> Result<(), Failed> {
    let config = CustomPoolConfig {
        memory_types,
        block_size: Some(MIB),
        min_block_count: 2,
        ..Default::default()
    };
    match sim.allocator.create_pool(&config) {
        Ok(pool) => held.push(Held::Pool(pool)),
        Err(CreatePoolError::FirstBlocks { error, .. }) => return Err(error.into()),
        Err(other) => panic!("not an error of the driver: {other}"),
    }
    Ok(())
}

pub(super) const IN_POOL: PoolAllocationRequest<'static> = PoolAllocationRequest {
    size: 1000,
    name: Some("the one that fails"),
    ..PoolAllocationRequest::DEFAULT
};
pub(super) const OWN_IN_POOL: PoolAllocationRequest<'static> =
    PoolAllocationRequest { strategy: Strategy::Dedicated, ..IN_POOL };

pub(super) fn in_pool(
    sim: &Sim,
    held: &mut Vec<Held>,
    request: &PoolAllocationRequest<'_>,
) -> Result<(), Failed> {
    let allocation = sim.allocator.allocate_in(pool_of(held), request)?;
    held.push(Held::Memory(allocation));
    Ok(())
}

pub(super) fn buffer_in(
    sim: &Sim,
    held: &mut Vec<Held>,
    request: &PoolAllocationRequest<'_>,
) -> Result<(), Failed> {
    let (buffer, memory) = sim.create_buffer_in(pool_of(held), &buffer_info(3000), request)?;
    held.push(Held::Buffer(buffer, memory));
    Ok(())
}

pub(super) fn image_in(
    sim: &Sim,
    held: &mut Vec<Held>,
    request: &PoolAllocationRequest<'_>,
) -> Result<(), Failed> {
    let info = image_info(32, vk::ImageTiling::OPTIMAL);
    let (image, memory) = sim.create_image_in(pool_of(held), &info, request)?;
    held.push(Held::Image(image, memory));
    Ok(())
}

pub(super) fn buffer_example(sim: &Sim) -> Result<(), Failed> {
    let types = sim.types_for_buffer(&buffer_info(3000), &AllocationRequest::DEFAULT)?;
    assert!(!types.is_empty());
    Ok(())
}

pub(super) fn image_example(sim: &Sim) -> Result<(), Failed> {
    let info = image_info(32, vk::ImageTiling::OPTIMAL);
    let types = sim.types_for_image(&info, &AllocationRequest::DEFAULT)?;
    assert!(!types.is_empty());
    Ok(())
}

pub(super) fn from_examples(sim: &Sim, held: &mut Vec<Held>) -> Result<(), Failed> {
    buffer_example(sim)?;
    image_example(sim)?;
    first_blocks(sim, held, &[0])
}
