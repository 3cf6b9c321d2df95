//! Leases: what one pool lends and another carves up.

use std::sync::Arc;

use proptest::prelude::*;
use rstest::rstest;
use vk_pool::{
    AddBlockError, Answer, BlockId, BlockRequest, ClassId, DeviceLimits, FreeError, HeapBudgets,
    HeapLimits, Lease, MemoryPool, Place, PoolConfig, PoolRequest, ResourceKind, Retention,
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A pool with blocks of its own, and pools that lease of it.
struct Family {
    budgets: Arc<HeapBudgets>,
    trunk: MemoryPool,
    branches: Vec<MemoryPool>,
    next_id: u64,
}

fn branch_config(config: &PoolConfig) -> PoolConfig {
    PoolConfig {
        smallest_block_size: 64 * KIB,
        first_block_size: 256 * KIB,
        largest_block_size: 4 * MIB,
        dedicated_above: MIB,
        room_taken_up_to: MIB,
        retention: Retention { floor_bytes: 256 * KIB, live_divisor: 8 },
        ..config.clone()
    }
}

impl Family {
    fn new(config: PoolConfig, branch_count: usize) -> Self {
        let heap = HeapLimits { size: 8 << 30, ..HeapLimits::default() };
        let budgets = Arc::new(HeapBudgets::new(DeviceLimits::default(), &[heap]).unwrap());
        let pool = |config| MemoryPool::new(config, Arc::clone(&budgets), Arc::default()).unwrap();
        let branches = (0..branch_count).map(|_| pool(branch_config(&config))).collect();
        let trunk = pool(config);
        Self { trunk, branches, budgets, next_id: 0 }
    }

    fn trunk_allocate(&mut self, request: &PoolRequest) -> Place {
        match self.trunk.allocate(request).unwrap() {
            Answer::Placed(place) => place,
            Answer::NeedBlock(need) => {
                let reservation = self.budgets.reserve(&need).unwrap();
                self.next_id += 1;
                self.trunk.add_block(need, reservation, BlockId(self.next_id)).unwrap()
            }
            Answer::Pending(_) => panic!("nothing is on its way"),
        }
    }

    /// By a branch's blocks, or a lease of the trunk's; `None` if the trunk has no room to let.
    fn branch_allocate(&mut self, branch: usize, request: &PoolRequest) -> Option<Place> {
        let pool = &mut self.branches[branch];
        match pool.allocate(request).unwrap() {
            Answer::Placed(place) => Some(place),
            Answer::NeedBlock(mut need) => loop {
                if let Some(lease) = self.trunk.lease(&need) {
                    return Some(pool.add_lease(need, lease).unwrap());
                }
                if !pool.shrink(&mut need) {
                    pool.cancel(need).unwrap();
                    return None;
                }
            },
            Answer::Pending(_) => panic!("nothing is on its way"),
        }
    }

    fn branch_free(&mut self, branch: usize, place: Place) {
        if let Some(spent) = self.branches[branch].free(place).unwrap() {
            let lease = spent.into_lease().expect("a branch has nothing but leases");
            self.end(lease);
        }
    }

    fn end(&mut self, lease: Lease) {
        self.trunk.end_lease(lease).unwrap();
        if let Some(block) = self.trunk.shed() {
            self.budgets.released(block);
        }
    }

    fn trim(&mut self) {
        for branch in 0..self.branches.len() {
            while let Some(spent) = self.branches[branch].trim() {
                self.end(spent.into_lease().unwrap());
            }
        }
        while let Some(block) = self.trunk.trim() {
            self.budgets.released(block);
        }
    }

    fn check_books(&self) {
        let trunk = self.trunk.stats();
        let borrowed: u64 = self.branches.iter().map(|pool| pool.stats().borrowed_size).sum();
        assert_eq!(trunk.lent_size, borrowed, "what is lent is borrowed");
        assert_eq!(trunk.borrowed_size, 0);
        let free_in = |pool: &MemoryPool| -> u64 {
            pool.blocks()
                .filter(|block| !block.dedicated)
                .map(|block| block.size - block.used)
                .sum()
        };
        assert_eq!(trunk.used_size + trunk.lent_size + free_in(&self.trunk), trunk.total_size);
        for pool in &self.branches {
            let stats = pool.stats();
            assert_eq!(stats.used_size + free_in(pool), stats.borrowed_size);
            assert_eq!((stats.block_count, stats.total_size, stats.retained_size), (0, 0, 0));
        }
        let usage = self.budgets.usage(0).unwrap();
        assert_eq!(usage.committed, trunk.total_size + trunk.dedicated_size);
    }
}

fn small(size: u64) -> PoolRequest {
    PoolRequest { size, alignment: 256, ..PoolRequest::default() }
}

fn request_for_a_block(pool: &mut MemoryPool, size: u64) -> BlockRequest {
    match pool.allocate(&small(size)).unwrap() {
        Answer::NeedBlock(need) => need,
        answer => panic!("{answer:?}"),
    }
}

#[test]
fn a_lease_is_carved_without_the_lender_and_goes_back_when_trimmed() {
    let mut family = Family::new(PoolConfig::default(), 1);
    let first = family.trunk_allocate(&small(MIB));
    let before = family.trunk.stats();
    let places: Vec<Place> =
        (0..100).map(|_| family.branch_allocate(0, &small(1000)).unwrap()).collect();
    assert_eq!(family.trunk.stats().lent_size, 256 * KIB);
    assert_eq!(family.trunk.stats().used_size, before.used_size);
    assert_eq!(family.trunk.stats().allocation_count, 1);
    assert_eq!(family.branches[0].stats().allocation_count, 100);
    assert_eq!(family.trunk.live().count(), 1, "what is lent is no allocation");
    assert!(places.iter().all(|place| place.offset() >= MIB), "they lie behind the first MiB");
    family.check_books();
    for place in places {
        family.branch_free(0, place);
    }
    family.check_books();
    assert_eq!(family.trunk.stats().lent_size, 256 * KIB, "one empty lease is kept");
    family.trim();
    assert_eq!(family.trunk.stats(), before);
    assert!(family.trunk.free(first).unwrap().is_none());
    family.trim();
    assert_eq!(family.budgets.usage(0).unwrap().committed, 0);
}

#[test]
fn nothing_is_lent_that_is_not_there() {
    let mut family = Family::new(PoolConfig::default(), 1);
    assert_eq!(family.branch_allocate(0, &small(1000)), None);
    assert_eq!(family.trunk.stats(), Default::default());
    assert_eq!(family.branches[0].stats(), Default::default());
}

#[test]
fn a_spare_block_is_there_to_be_lent() {
    let mut family = Family::new(PoolConfig::default(), 1);
    let full = family.trunk_allocate(&small(16 * MIB));
    assert_eq!(family.branch_allocate(0, &small(1000)), None);
    let need = family.trunk.spare_block(256 * KIB).expect("none is on its way");
    assert!(need.size() >= 256 * KIB);
    assert!(family.trunk.spare_block(256 * KIB).is_none(), "one is");
    let reservation = family.budgets.reserve(&need).unwrap();
    family.next_id += 1;
    let id = BlockId(family.next_id);
    let slot = family.trunk.add_empty_block(need, reservation, id).expect("both are ours");
    assert_eq!(family.trunk.blocks().find(|block| block.id == id).unwrap().slot, slot);
    assert!(family.trunk.spare_block(256 * KIB).is_none(), "that has room");
    assert!(family.branch_allocate(0, &small(1000)).is_some());
    assert_eq!(family.branches[0].stats().borrowed_size, 256 * KIB);
    family.check_books();
    assert!(family.trunk.free(full).unwrap().is_none());
}

#[rstest]
#[case::larger_than_blocks(PoolConfig::default(), u64::MAX)]
#[case::larger_than_blocks_by_a_byte(PoolConfig::default(), (256 << 20) + 1)]
#[case::full(PoolConfig { max_block_count: Some(1), ..PoolConfig::default() }, 1)]
fn no_spare_block_is_asked_for_in_vain(#[case] config: PoolConfig, #[case] size: u64) {
    let mut family = Family::new(config, 0);
    let _first = family.trunk_allocate(&small(1000));
    let before = family.trunk.stats();
    assert!(family.trunk.spare_block(size).is_none());
    assert_eq!(family.trunk.stats(), before);
}

#[test]
fn a_request_beyond_what_a_lease_is_aligned_to_gets_one_of_its_own() {
    let mut family = Family::new(PoolConfig::default(), 1);
    let _first = family.trunk_allocate(&small(1000));
    let _small = family.branch_allocate(0, &small(1000)).unwrap();
    let request = PoolRequest { alignment: 128 * KIB, ..small(1000) };
    let place = family.branch_allocate(0, &request).unwrap();
    assert!(place.offset().is_multiple_of(128 * KIB));
    assert_eq!(family.branches[0].stats().borrowed_size, 2 * 256 * KIB);
    family.check_books();
}

#[test]
fn a_lease_of_another_size_or_for_another_pool_comes_back() {
    let mut family = Family::new(PoolConfig::default(), 2);
    let _first = family.trunk_allocate(&small(1000));
    let need = request_for_a_block(&mut family.branches[0], 1000);
    let larger = request_for_a_block(&mut family.branches[1], 500 * KIB);
    let lease = family.trunk.lease(&larger).unwrap();
    let refused = family.branches[0].add_lease(need, lease).unwrap_err();
    let (leased, requested) = (512 * KIB, 256 * KIB);
    assert_eq!(refused.error, AddBlockError::WrongLease { leased, requested });
    let (need, lease) = refused.returned;
    let refused = family.branches[1].add_lease(need, lease).unwrap_err();
    assert_eq!(refused.error, AddBlockError::UnknownRequest);
    let (need, lease) = refused.returned;
    assert!(family.branches[0].cancel(need).is_ok());
    let place = family.branches[1].add_lease(larger, lease).unwrap();
    family.branch_free(1, place);
    family.trim();
    family.check_books();
}

#[test]
fn a_lease_ends_at_its_lender_alone_and_once() {
    let mut family = Family::new(PoolConfig::default(), 1);
    let mut other = Family::new(PoolConfig::default(), 0);
    let _first = family.trunk_allocate(&small(1000));
    let _others = other.trunk_allocate(&small(1000));
    let need = request_for_a_block(&mut family.branches[0], 1000);
    let lease = family.trunk.lease(&need).unwrap();
    let (slot, offset) = (lease.slot(), lease.offset());
    let refused = other.trunk.end_lease(lease).unwrap_err();
    assert_eq!(refused.error, FreeError::NotAllocated { slot, offset });
    assert_eq!(family.trunk.end_lease(refused.returned), Ok(()));
    assert_eq!(family.trunk.stats().lent_size, 0);
    assert!(family.branches[0].cancel(need).is_ok());
}

#[rstest]
#[case::another_type(PoolConfig { memory_type_index: 1, ..PoolConfig::default() })]
#[case::another_class(PoolConfig { class: vk_pool::ClassId(1), ..PoolConfig::default() })]
fn a_lease_stays_within_its_memory_type_and_class(#[case] config: PoolConfig) {
    let mut family = Family::new(PoolConfig::default(), 0);
    let mut other = Family::new(config, 0);
    let _first = family.trunk_allocate(&small(1000));
    let need = request_for_a_block(&mut other.trunk, 1000);
    assert_eq!(family.trunk.lease(&need), None);
    assert!(other.trunk.cancel(need).is_ok());
}

/// A step of a random program: which pool, and what it does.
#[derive(Clone, Debug)]
enum Step {
    Allocate { pool: usize, size: u64, alignment: u64, kind: ResourceKind },
    Free { pick: usize },
    Trim,
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = prop::sample::select(vec![ResourceKind::Linear, ResourceKind::NonLinear]);
    let allocate = (0usize..3, 0u32..19, 1u64..256, 0u32..18, kinds).prop_map(
        |(pool, log, fraction, alignment, kind)| Step::Allocate {
            pool,
            size: ((fraction << log) / 256).max(1),
            alignment: 1 << alignment,
            kind,
        },
    );
    prop_oneof![
        6 => allocate,
        5 => (0usize..1000).prop_map(|pick| Step::Free { pick }),
        1 => Just(Step::Trim),
    ]
}

/// One live allocation: pool, block, its bytes rounded as they have to be, and the place.
struct Live {
    pool: usize,
    block: BlockId,
    start: u64,
    end: u64,
    place: Place,
}

fn block_of(pool: &MemoryPool, place: &Place) -> BlockId {
    pool.blocks().find(|block| block.slot == place.slot()).unwrap().id
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pools_that_lease_of_each_other_never_overlap(
        steps in prop::collection::vec(step(), 1..400),
        granularity in prop::sample::select(vec![1u64, 1024, 64 * KIB]),
        atom_size in prop::sample::select(vec![1u64, 64, 256]),
    ) {
        let config = PoolConfig { buffer_image_granularity: granularity, atom_size, ..PoolConfig::default() };
        let mut family = Family::new(config, 2);
        let mut live: Vec<Live> = Vec::new();
        for step in steps {
            match step {
                Step::Allocate { pool, size, alignment, kind } => {
                    let request = PoolRequest { size, alignment, kind, ..PoolRequest::default() };
                    let place = match pool.checked_sub(1) {
                        None => Some(family.trunk_allocate(&request)),
                        Some(branch) => family.branch_allocate(branch, &request),
                    };
                    let Some(place) = place else { continue };
                    let owner = if pool == 0 { &family.trunk } else { &family.branches[pool - 1] };
                    let unit = if kind == ResourceKind::Linear { atom_size } else { granularity.max(atom_size) };
                    let (start, end) = (place.offset(), (place.offset() + size).next_multiple_of(unit));
                    prop_assert!(start.is_multiple_of(alignment.max(unit)));
                    let block = block_of(owner, &place);
                    for other in live.iter().filter(|other| other.block == block) {
                        prop_assert!(end <= other.start || other.end <= start, "{start}..{end} overlaps {}..{}", other.start, other.end);
                    }
                    live.push(Live { pool, block, start, end, place });
                }
                Step::Free { pick } if !live.is_empty() => {
                    let Live { pool, place, .. } = live.swap_remove(pick % live.len());
                    match pool.checked_sub(1) {
                        None => if let Some(block) = family.trunk.free(place).unwrap() {
                            family.budgets.released(block);
                        },
                        Some(branch) => family.branch_free(branch, place),
                    }
                }
                Step::Free { .. } => {}
                Step::Trim => family.trim(),
            }
            family.check_books();
        }
        let reported = family.trunk.live().count() + family.branches.iter().map(|pool| pool.live().count()).sum::<usize>();
        prop_assert_eq!(reported, live.len());
        for Live { pool, place, .. } in live {
            match pool.checked_sub(1) {
                None => if let Some(block) = family.trunk.free(place).unwrap() {
                    family.budgets.released(block);
                },
                Some(branch) => family.branch_free(branch, place),
            }
        }
        family.trim();
        family.check_books();
        prop_assert_eq!(family.budgets.usage(0).unwrap().committed, 0);
    }
}

#[test]
fn a_lease_of_another_class_comes_back() {
    let mut family = Family::new(PoolConfig::default(), 1);
    let config = PoolConfig { class: ClassId(1), ..branch_config(&PoolConfig::default()) };
    let mut other = MemoryPool::new(config, Arc::clone(&family.budgets), Arc::default()).unwrap();
    let _first = family.trunk_allocate(&small(1000));
    let need = request_for_a_block(&mut family.branches[0], 1000);
    let lease = family.trunk.lease(&need).unwrap();
    let others = request_for_a_block(&mut other, 1000);
    let refused = other.add_lease(others, lease).unwrap_err();
    assert!(matches!(refused.error, AddBlockError::WrongLease { .. }), "{:?}", refused.error);
    let (others, lease) = refused.returned;
    assert!(other.cancel(others).is_ok());
    assert!(family.branches[0].add_lease(need, lease).is_ok());
}

#[rstest]
#[case::a_power_of_two(8 * KIB, true)]
#[case::rounded_in_a_span(12 * KIB, false)]
#[case::the_largest_of_a_span(16 * KIB, true)]
#[case::too_large_for_a_span(20 * KIB, true)]
fn a_lease_is_not_rounded(#[case] size: u64, #[case] is_lent: bool) {
    let mut family = Family::new(PoolConfig::default(), 0);
    let config = PoolConfig {
        smallest_block_size: 4 * KIB,
        first_block_size: 4 * KIB,
        largest_block_size: 64 * KIB,
        dedicated_above: 64 * KIB,
        ..PoolConfig::default()
    };
    let mut branch = MemoryPool::new(config, Arc::clone(&family.budgets), Arc::default()).unwrap();
    let _first = family.trunk_allocate(&small(1000));
    let need = request_for_a_block(&mut branch, size);
    assert_eq!(need.size(), size);
    let lease = family.trunk.lease(&need);
    assert_eq!(lease.is_some(), is_lent);
    if let Some(lease) = lease {
        assert!(branch.add_lease(need, lease).is_ok());
    }
    let live: u64 = family.trunk.live().map(|piece| piece.size).sum();
    assert_eq!(family.trunk.stats().used_size, live);
}
