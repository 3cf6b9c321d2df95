//! Custom pools: made out of bytes, allocated from, ended.

use std::sync::{Arc, Mutex};

use ash::vk;
use gpu_alloc_ash::{
    AllocationRequest, CustomPool, DestroyPoolError, EvictablePool, PoolAllocationRequest,
    ResourceKind,
};

use super::Session;
use super::held::Resource;
use super::places::Made;
use super::requests;
use crate::input::Input;

/// Custom pools of one program at once, at most.
const MAX_POOLS: usize = 4;

/// A pool, and what the program knows of it.
pub(super) struct Pool {
    pub(super) handle: Handle,
    /// Which one it is.
    pub(super) number: u64,
    min_alignment: u64,
    min_block_count: u32,
    /// Of blocks of one size; others may have dedicated memory.
    pub(super) block_size: Option<u64>,
    device_address: bool,
}

pub(super) enum Handle {
    Plain(CustomPool),
    Losing(Losing),
}

/// A pool whose allocations may be lost.
pub(super) struct Losing {
    pub(super) pool: EvictablePool<u64>,
    pub(super) frame: u64,
    /// The numbers of what was lost and has not been looked at.
    pub(super) lost: Arc<Mutex<Vec<u64>>>,
}

impl Pool {
    pub(super) fn custom(&self) -> &CustomPool {
        match &self.handle {
            Handle::Plain(pool) => pool,
            Handle::Losing(losing) => losing.pool.pool(),
        }
    }

    /// Bytes of empty blocks that it is to have at least.
    pub(super) fn kept(&self) -> u64 {
        let stats = self.custom().stats();
        assert!(self.min_block_count > 0 || stats.retained_size == 0, "{stats:?}");
        stats.retained_size
    }

    /// What a request to it comes down to.
    pub(super) fn made(&self, request: &PoolAllocationRequest<'static>) -> Made {
        let request = AllocationRequest {
            size: request.size,
            alignment: request.alignment.max(self.min_alignment),
            kind: request.kind,
            memory_type_bits: request.memory_type_bits & self.custom().memory_type_bits(),
            strategy: request.strategy,
            zeroed: request.zeroed,
            name: request.name,
            device_address: self.device_address,
            ..AllocationRequest::default()
        };
        Made { pool: Some(self.block_size.is_none()), ..Made::plain(request) }
    }

    /// The same for a resource.
    fn made_for(
        &self,
        request: &PoolAllocationRequest<'static>,
        kind: ResourceKind,
        needs: &vk::MemoryRequirements,
    ) -> Made {
        let plain = AllocationRequest { kind, ..self.made(request).request };
        Made { pool: Some(self.block_size.is_none()), ..Made::raised(plain, needs) }
    }
}

impl Session<'_> {
    pub(super) fn create_pool(&mut self, input: &mut Input<'_>) {
        if self.pools.len() == MAX_POOLS {
            return;
        }
        let types = self.pool_types(input);
        let config = self.pool_config(input, &types);
        let frames_kept = input.maybe(2, |input| u64::from(input.below(4)));
        self.trace.say(|| format!("create pool {config:x?}, frames kept {frames_kept:?}"));
        let before = self.snapshot();
        let custom = match self.allocator.create_pool(&config) {
            Ok(custom) => custom,
            Err(error) => return self.refused(&before, &error),
        };
        assert!(custom.stats().block_count >= config.min_block_count);
        let handle = match frames_kept {
            None => Handle::Plain(custom),
            Some(frames_kept) => {
                let lost = Arc::new(Mutex::new(Vec::new()));
                let listed = Arc::clone(&lost);
                let on_lost = move |number| listed.lock().expect("nobody panics").push(number);
                let pool = EvictablePool::new(custom, frames_kept, on_lost);
                Handle::Losing(Losing { pool, frame: 0, lost })
            }
        };
        self.stamp += 1;
        self.tally.pools += 1;
        self.pools.push(Pool {
            handle,
            number: self.stamp,
            min_alignment: config.min_alignment,
            min_block_count: config.min_block_count,
            block_size: config.block_size,
            device_address: config.device_address,
        });
    }

    /// The index of some pool.
    pub(super) fn some_pool(&self, input: &mut Input<'_>) -> Option<usize> {
        (!self.pools.is_empty()).then(|| input.index(self.pools.len()))
    }

    pub(super) fn allocate_in(&mut self, input: &mut Input<'_>) {
        let Some(index) = self.some_pool(input) else { return };
        let request = requests::pool_request(input, self.device.scale);
        let pool = &self.pools[index];
        self.trace.say(|| format!("allocate in {} {request:x?}", pool.number));
        let before = self.snapshot();
        let foreign = self.stranger.allocate_in(pool.custom(), &request);
        assert!(foreign.is_err(), "the pool is another allocator's");
        match self.allocator.allocate_in(pool.custom(), &request) {
            Ok(allocation) => {
                assert!(pool.custom().contains(&allocation));
                let made = pool.made(&request);
                self.take_in(allocation, Resource::Nothing, &made);
            }
            Err(error) => self.refused(&before, &error),
        }
    }

    pub(super) fn create_buffer_in(&mut self, input: &mut Input<'_>) {
        let Some(index) = self.some_pool(input) else { return };
        let addresses = self.pools[index].device_address;
        let info = requests::buffer(input, self.device.scale, addresses);
        let request = raised(requests::pool_request(input, self.device.scale), input);
        let pool = &self.pools[index];
        self.trace.say(|| format!("buffer {:#x} in {} {request:x?}", info.size, pool.number));
        let before = self.snapshot();
        // SAFETY: 1. The create info is valid usage. 2. Nothing is chained to the pool's blocks.
        match unsafe { self.allocator.create_buffer_in(pool.custom(), &info, &request) } {
            Ok((buffer, allocation)) => {
                // SAFETY: The buffer lives.
                let needs = unsafe { self.driver.device().get_buffer_memory_requirements(buffer) };
                let made = pool.made_for(&request, ResourceKind::Linear, &needs);
                self.take_in(allocation, Resource::Buffer(buffer), &made);
            }
            Err(error) => self.refused(&before, &error),
        }
    }

    pub(super) fn create_image_in(&mut self, input: &mut Input<'_>) {
        let Some(index) = self.some_pool(input) else { return };
        let info = requests::image(input);
        let request = raised(requests::pool_request(input, self.device.scale), input);
        let pool = &self.pools[index];
        self.trace.say(|| format!("image {:?} in {} {request:x?}", info.extent, pool.number));
        let before = self.snapshot();
        // SAFETY: 1. and 2. As above.
        match unsafe { self.allocator.create_image_in(pool.custom(), &info, &request) } {
            Ok((image, allocation)) => {
                // SAFETY: The image lives.
                let needs = unsafe { self.driver.device().get_image_memory_requirements(image) };
                let is_linear = info.tiling == vk::ImageTiling::LINEAR;
                let kind = if is_linear { ResourceKind::Linear } else { ResourceKind::NonLinear };
                let made = pool.made_for(&request, kind, &needs);
                self.take_in(allocation, Resource::Image(image), &made);
            }
            Err(error) => self.refused(&before, &error),
        }
    }

    /// Ends a pool, which is refused while plain allocations of it are alive, or by another allocator.
    pub(super) fn destroy_pool(&mut self, input: &mut Input<'_>) {
        let Some(index) = self.some_pool(input) else { return };
        let pool = self.pools.swap_remove(index);
        self.trace.say(|| format!("destroy pool {}", pool.number));
        let live = self.held.iter().filter(|held| pool.custom().contains(&held.allocation));
        let live_count = live.count();
        self.tally.ends_of_pools += 1;
        let Pool { handle, number, .. } = pool;
        let refused = match handle {
            Handle::Plain(custom) => {
                let refused = self.stranger.destroy_pool(custom).expect_err("it is not its own");
                assert!(matches!(refused.error, DestroyPoolError::ForeignPool { .. }));
                let ended = self.allocator.destroy_pool(refused.returned);
                ended.err().map(|refused| (Handle::Plain(refused.returned), refused.error))
            }
            Handle::Losing(Losing { pool: losing, frame, lost }) => {
                // SAFETY: 1. and 2. The device has no commands, and nothing is bound.
                let ended = unsafe { self.allocator.destroy_evictable_pool(losing) };
                self.hear_the_last(number, &lost);
                ended.err().map(|refused| {
                    let losing = Losing { pool: refused.returned, frame, lost };
                    (Handle::Losing(losing), refused.error)
                })
            }
        };
        match refused {
            None => assert_eq!(live_count, 0, "they are alive"),
            Some((handle, DestroyPoolError::InUse { live })) => {
                assert!(live.len() == live_count && live_count > 0, "{live:?}");
                self.pools.push(Pool { handle, ..pool });
            }
            Some((_, error)) => panic!("{error}"),
        }
    }

    /// Ends a pool that is not in use.
    pub(super) fn end_pool(&mut self, pool: Pool) {
        self.pools.push(pool);
        let count = self.pools.len();
        self.destroy_pool(&mut Input::new(&[u8::try_from(count - 1).expect("a few")]));
        assert_eq!(self.pools.len(), count - 1, "it was not in use");
    }
}

/// A request for a resource: mostly of what that needs, and nothing that makes no sense.
fn raised(
    request: PoolAllocationRequest<'static>,
    input: &mut Input<'_>,
) -> PoolAllocationRequest<'static> {
    let size = if input.one_in(8) { request.size } else { 0 };
    let alignment = if request.alignment.is_power_of_two() { request.alignment } else { 0 };
    PoolAllocationRequest { size, alignment, ..request }
}
