//! Custom pools coming and going.

use std::sync::Arc;

use vk_pool::{Algorithm, PoolConfig, PoolRequest, Retention};

use super::{CreatePoolError, CustomPool, CustomPoolConfig, DestroyPoolError, Member, Parts};
use crate::attempts::Attempt;
use crate::driver::BlockInfo;
use crate::pools::CustomPools;
use crate::{AllocError, AllocationRequest, GpuAllocator, Leak, Refused};

impl GpuAllocator {
    /// Makes a custom pool, with the blocks that it is to have from the start.
    ///
    /// # Errors
    ///
    /// [`CreatePoolError`] names the rule that `config` breaks, or says why the first blocks could not be
    /// made. Nothing of the pool is left then.
    pub fn create_pool(
        &self,
        config: &CustomPoolConfig<'_>,
    ) -> Result<CustomPool, CreatePoolError> {
        self.make_pool(config, BlockInfo::default())
    }

    /// The memory types that a request would be served from, best first; a size of 0 asks for any size.
    ///
    /// # Errors
    ///
    /// [`AllocError::NoSuitableMemoryType`], or [`AllocError::TooLarge`] if that is for the size.
    pub fn memory_types(&self, request: &AllocationRequest<'_>) -> Result<Vec<u32>, AllocError> {
        let ranking: Vec<u32> = self.selector.rank(&request.type_question()).into_iter().collect();
        if ranking.is_empty() { Err(self.no_memory_type(request)) } else { Ok(ranking) }
    }

    /// Gives all memory of a pool back to the driver and ends it.
    ///
    /// # Errors
    ///
    /// The pool comes back, and goes on as before, if allocations of it are alive, which are listed, or if
    /// another allocator made it.
    pub fn destroy_pool(
        &self,
        pool: CustomPool,
    ) -> Result<(), Refused<CustomPool, DestroyPoolError>> {
        let (owner, asked) = (pool.owner(), self.id.get());
        if owner != asked {
            let error = DestroyPoolError::ForeignPool { owner, asked };
            return Err(Refused { returned: pool, error });
        }
        // Nobody else has the handle, so what is not alive now never will be.
        let live = self.live_of(&pool);
        if !live.is_empty() {
            let error = DestroyPoolError::InUse { live };
            return Err(Refused { returned: pool, error });
        }
        self.end_pool(pool.members());
        Ok(())
    }

    /// Every live allocation of a pool.
    fn live_of(&self, pool: &CustomPool) -> Vec<Leak> {
        let members = pool.members().iter();
        members
            .flat_map(|member| {
                self.live_in(&member.seat().shard, member.memory_type_index, pool.name())
            })
            .collect()
    }

    /// [`create_pool`](Self::create_pool) with something chained to what the driver is told.
    pub(super) fn make_pool(
        &self,
        config: &CustomPoolConfig<'_>,
        block_info: BlockInfo,
    ) -> Result<CustomPool, CreatePoolError> {
        self.check_pool(config)?;
        let shapes = config.memory_types.iter().map(|&index| self.shape(config, index));
        let shapes = shapes.collect::<Result<Vec<_>, _>>()?;
        let block_info = BlockInfo {
            priority: config.priority,
            device_address: config.device_address,
            ..block_info
        };
        let name: Option<Arc<str>> = config.name.map(Arc::from);
        let mut pool = CustomPool {
            parts: Box::new(Parts {
                owner: self.id.get(),
                name: name.clone(),
                members: Vec::with_capacity(shapes.len()),
                allows_dedicated: config.block_size.is_none(),
                block_info,
            }),
        };
        for shape in &shapes {
            let pools = &self.types[shape.memory_type_index as usize];
            let class = pools.add_custom(shape, name.clone());
            pool.parts.members.push(Member {
                memory_type_index: shape.memory_type_index,
                class,
                seats: Arc::clone(pools.custom()),
            });
        }
        match self.first_blocks(&mut pool, &shapes, config.min_block_count) {
            Ok(()) => Ok(pool),
            Err(error) => {
                self.end_pool(pool.members());
                let min_block_count = config.min_block_count;
                Err(CreatePoolError::FirstBlocks { min_block_count, error })
            }
        }
    }

    /// What can be said without a look at a memory type.
    fn check_pool(&self, config: &CustomPoolConfig<'_>) -> Result<(), CreatePoolError> {
        if config.memory_types.is_empty() {
            return Err(CreatePoolError::NoMemoryType);
        }
        // At most 32 types, by VK_MAX_MEMORY_TYPES.
        let memory_type_count = u32::try_from(self.types.len()).unwrap_or(u32::MAX);
        let mut seen = 0u32;
        for &memory_type_index in config.memory_types {
            if memory_type_index >= memory_type_count {
                return Err(CreatePoolError::NoSuchMemoryType {
                    memory_type_index,
                    memory_type_count,
                });
            }
            let bit = 1 << memory_type_index;
            if seen & bit != 0 {
                return Err(CreatePoolError::RepeatedMemoryType { memory_type_index });
            }
            seen |= bit;
        }
        if let Some(priority) = config.priority {
            if !(0.0..=1.0).contains(&priority) {
                return Err(CreatePoolError::Priority { priority_bits: priority.to_bits() });
            }
            if !self.config.ext_memory_priority {
                return Err(CreatePoolError::FeatureNotEnabled { feature: "memoryPriority" });
            }
        }
        if config.device_address && !self.config.buffer_device_address {
            return Err(CreatePoolError::FeatureNotEnabled { feature: "bufferDeviceAddress" });
        }
        Ok(())
    }

    /// What vk-pool is told of the pool's part in a memory type: no block from the start as yet.
    fn shape(
        &self,
        config: &CustomPoolConfig<'_>,
        memory_type_index: u32,
    ) -> Result<PoolConfig, CreatePoolError> {
        let ordinary = self.types[memory_type_index as usize].config();
        let is_linear = matches!(config.algorithm, Algorithm::Linear(_));
        let unit = if is_linear { 1 } else { ordinary.min_allocation_size };
        let shape = PoolConfig {
            algorithm: config.algorithm.clone(),
            min_alignment: config.min_alignment.max(1),
            min_allocation_size: config.min_allocation_size.unwrap_or(unit),
            min_block_count: config.min_block_count,
            max_block_count: config.max_block_count,
            ..ordinary.clone()
        };
        let shape = match config.block_size {
            None => shape,
            Some(0) => return Err(CreatePoolError::ZeroBlockSize),
            Some(size) => {
                // One empty block stays, so that an allocation that comes and goes does not make and
                // free one each time; unless nothing is to be kept at all.
                let is_kept = self.config.retained_bytes != Some(0);
                let floor_bytes = if is_kept { size } else { 0 };
                let retention = Retention { floor_bytes, live_divisor: 0 };
                PoolConfig { retention, ..shape }.with_block_size(size)
            }
        };
        shape.check()?;
        if let Some(size) = config.block_size {
            let checked = self.budgets.check_block_size(shape.heap_index, size);
            checked.map_err(CreatePoolError::BlockSize)?;
        }
        Ok(PoolConfig { min_block_count: 0, ..shape })
    }

    /// Makes the blocks that are to be there from the start, in the first memory type that has room for
    /// all of them; else answers the best one's error.
    fn first_blocks(
        &self,
        pool: &mut CustomPool,
        shapes: &[PoolConfig],
        min_block_count: u32,
    ) -> Result<(), AllocError> {
        if min_block_count == 0 {
            return Ok(());
        }
        let mut best_error = None;
        for (index, shape) in shapes.iter().enumerate() {
            let pools = &self.types[shape.memory_type_index as usize];
            let Member { memory_type_index, class, .. } = pool.parts.members[index];
            pools.set_custom(class, &PoolConfig { min_block_count, ..shape.clone() });
            let attempt = Attempt {
                memory_type_index,
                class,
                pool: Some(pool),
                request: PoolRequest::default(),
                resource: None,
                // They have to be there, and the driver's budget is soft.
                over_budget: true,
                never_allocate: false,
            };
            let made = core::iter::from_fn(|| pools.missing_block(class))
                .try_for_each(|wanted| self.grow_empty(&attempt, wanted));
            let Err(error) = made else { return Ok(()) };
            self.dissolve(&pool.parts.members[index]);
            pools.set_custom(class, shape);
            if !error.may_fall_back() {
                return Err(error);
            }
            best_error.get_or_insert(error);
        }
        best_error.map_or(Ok(()), Err)
    }

    /// Gives a pool's blocks back, and leaves its seats. Nothing of it is alive.
    fn end_pool(&self, members: &[Member]) {
        for member in members {
            self.dissolve(member);
            CustomPools::leave_seat(&member.seats, member.class);
        }
    }

    fn dissolve(&self, member: &Member) {
        while let Some((block, object)) = member.seat().dissolve() {
            self.give_back(block, object);
        }
    }
}
