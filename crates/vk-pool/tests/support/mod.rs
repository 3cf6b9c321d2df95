//! What the tests share: a pool, its books, and a driver played by a counter.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

pub(crate) mod configs;

use std::sync::Arc;

use vk_pool::linear::LinearKind;
use vk_pool::tlsf::Tlsf;
use vk_pool::{
    Algorithm, Answer, BlockId, BlockRequest, CustomAlgorithm, CustomSuballocator, DeviceLimits,
    HeapBudgets, HeapLimits, MemoryPool, Piece, PieceRequest, Place, PoolBooks, PoolConfig,
    PoolRequest, RequestError, Retention, ReturnedBlock,
};

pub(crate) const KIB: u64 = 1 << 10;
pub(crate) const MIB: u64 = 1 << 20;

/// Every block goes back as soon as it is empty.
pub(crate) const NOTHING_KEPT: Retention = Retention { floor_bytes: 0, live_divisor: 0 };

/// A pool of blocks of one size.
pub(crate) fn fixed(algorithm: Algorithm, size: u64) -> PoolConfig {
    PoolConfig { algorithm, retention: NOTHING_KEPT, ..PoolConfig::default() }.with_block_size(size)
}

/// A pool of one linear block.
pub(crate) fn linear(kind: LinearKind, size: u64) -> PoolConfig {
    PoolConfig { max_block_count: Some(1), ..fixed(Algorithm::Linear(kind), size) }
}

/// The error of a request that must be refused.
pub(crate) fn refusal(bench: &mut Bench, request: &PoolRequest) -> RequestError {
    bench.pool.allocate(request).expect_err("the pool refuses it")
}

/// A pool and everything around it.
pub(crate) struct Bench {
    pub(crate) pool: MemoryPool,
    pub(crate) budgets: Arc<HeapBudgets>,
    pub(crate) books: Arc<PoolBooks>,
    pub(crate) next_id: u64,
}

impl Bench {
    pub(crate) fn new(config: PoolConfig) -> Self {
        Self::with_limits(
            config,
            DeviceLimits::default(),
            HeapLimits { size: 8 << 30, ..HeapLimits::default() },
        )
    }

    pub(crate) fn with_limits(config: PoolConfig, device: DeviceLimits, heap: HeapLimits) -> Self {
        let budgets = Arc::new(HeapBudgets::new(device, &[heap]).expect("one heap is allowed"));
        let books = Arc::new(PoolBooks::new());
        let pool = MemoryPool::new(config, Arc::clone(&budgets), Arc::clone(&books))
            .expect("the configuration is valid");
        Self { pool, budgets, books, next_id: 1 }
    }

    pub(crate) fn id(&mut self) -> BlockId {
        self.next_id += 1;
        BlockId(self.next_id)
    }

    /// Asks for a block that must be needed.
    pub(crate) fn need(&mut self, request: &PoolRequest) -> BlockRequest {
        match self.pool.allocate(request).expect("the request is valid") {
            Answer::NeedBlock(need) => need,
            other => panic!("a block should be needed, not {other:?}"),
        }
    }

    /// Fulfils a block request.
    pub(crate) fn fulfil(&mut self, need: BlockRequest) -> Place {
        let reservation = self.budgets.reserve(&need).expect("the limits allow it");
        let id = self.id();
        self.pool.add_block(need, reservation, id).expect("request and reservation are ours")
    }

    /// Allocates, making a block where one is needed.
    pub(crate) fn allocate(&mut self, request: &PoolRequest) -> Place {
        match self.pool.allocate(request).expect("the request is valid") {
            Answer::Placed(place) => place,
            Answer::NeedBlock(need) => self.fulfil(need),
            Answer::Pending(ticket) => panic!("nothing is on its way, but {ticket:?}"),
        }
    }

    /// Frees, and plays the driver for the block that comes back.
    pub(crate) fn free(&mut self, place: Place) -> Option<u64> {
        let returned = self.pool.free(place).expect("the place is live");
        returned.map(|block| self.release(block))
    }

    pub(crate) fn release(&self, block: ReturnedBlock) -> u64 {
        let size = block.size();
        self.budgets.released(block);
        size
    }

    /// The equations between pool, budgets and policy books that hold at every quiet instant.
    pub(crate) fn check_books(&self) {
        let stats = self.pool.stats();
        let usage = self.budgets.usage(0).expect("heap 0 exists");
        assert_eq!(usage.committed, stats.total_size + stats.dedicated_size);
        assert_eq!(usage.block_count, stats.block_count);
        assert_eq!((usage.reserved, usage.returning), (0, 0));
        assert_eq!(self.budgets.object_count(), stats.block_count + stats.dedicated_count);
        assert_eq!(self.books.committed(), stats.total_size);
        assert_eq!(self.books.retained(), stats.retained_size);
        let reports: Vec<_> = self.pool.blocks().collect();
        let carved = || reports.iter().filter(|report| !report.dedicated);
        assert_eq!(carved().map(|report| report.size).sum::<u64>(), stats.total_size);
        assert_eq!(carved().map(|report| report.used).sum::<u64>(), stats.used_size);
        assert_eq!(
            carved().map(|report| report.allocation_count).sum::<u64>(),
            stats.allocation_count
        );
        let empty = carved().filter(|report| report.allocation_count == 0);
        assert_eq!(empty.map(|report| report.size).sum::<u64>(), stats.retained_size);
    }
}

/// A custom algorithm that answers rightly: the segregated fit, as a user would have it.
#[derive(Debug)]
pub(crate) struct Honest(Tlsf);

impl Honest {
    pub(crate) fn algorithm() -> Algorithm {
        Algorithm::Custom(CustomAlgorithm::new("honest", |shape| {
            let region = Tlsf::new(shape.size, shape.min_allocation_size);
            Box::new(Self(region.expect("the pool has checked it")))
        }))
    }
}

impl CustomSuballocator for Honest {
    fn allocate(&mut self, request: &PieceRequest) -> Option<Piece> {
        let block = self.0.allocate(request.size, request.alignment)?;
        Some(Piece { offset: block.offset, size: block.size, node: block.node })
    }

    fn free(&mut self, piece: Piece) {
        assert_eq!(
            self.0.free(piece.offset, piece.node),
            Some(piece.size),
            "told once, and rightly"
        );
    }

    fn largest_free(&self) -> u64 {
        self.0.free_ranges().map(|(_, size)| size).max().unwrap_or(0)
    }
}

/// A linear request.
pub(crate) fn bytes(size: u64) -> PoolRequest {
    PoolRequest {
        size,
        alignment: 1,
        kind: vk_pool::ResourceKind::Linear,
        ..PoolRequest::default()
    }
}
