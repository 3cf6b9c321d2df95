//! Plans against every stretch that there is, over a map of what lives where: none is better, none is
//! missed, and none names a piece too many.

mod oracle;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use self::oracle::spans_of;
use super::{PoolEviction, Room, fit_carved};
use crate::block::Content;
use crate::two_tier::SMALL_LIMIT;
use crate::{
    Algorithm, Answer, BlockId, Dedicated, DeviceLimits, HeapBudgets, HeapLimits, MemoryPool,
    Place, PoolBooks, PoolConfig, PoolRequest, RequestError, ResourceKind, Suballocator,
};

const KIB: u64 = 1 << 10;
const BLOCK: u64 = 512 * KIB;
const UNIT: u64 = 256;

/// What an allocation may cost: the frame, if it may go.
type Frames = BTreeMap<(u32, u64), Option<u64>>;

struct Bench {
    pool: MemoryPool,
    budgets: Arc<HeapBudgets>,
    blocks_made: u64,
    live: BTreeMap<(u32, u64), Place>,
    frames: Frames,
}

impl Bench {
    fn new(config: PoolConfig) -> Self {
        let heap = HeapLimits { size: 1 << 30, ..HeapLimits::default() };
        let budgets = HeapBudgets::new(DeviceLimits::default(), &[heap]).expect("one heap");
        let budgets = Arc::new(budgets);
        let pool = MemoryPool::new(config, Arc::clone(&budgets), Arc::new(PoolBooks::new()));
        let pool = pool.expect("the configuration is valid");
        let (live, frames) = (BTreeMap::new(), Frames::new());
        Self { pool, budgets, blocks_made: 0, live, frames }
    }

    /// Allocates by the pool's own search; answers whether there was room.
    fn allocate(&mut self, request: &PoolRequest, frame: Option<u64>) -> bool {
        let place = match self.pool.allocate(request) {
            Ok(Answer::Placed(place)) => place,
            Ok(Answer::NeedBlock(need)) => {
                let reservation = self.budgets.reserve(&need).expect("the heap is large");
                self.blocks_made += 1;
                let id = BlockId(self.blocks_made);
                self.pool.add_block(need, reservation, id).expect("both are ours")
            }
            Ok(Answer::Pending(_)) => panic!("nothing is on its way"),
            Err(RequestError::PoolFull { .. }) => return false,
            Err(error) => panic!("{error}"),
        };
        self.enter(place, request, frame);
        true
    }

    fn enter(&mut self, place: Place, request: &PoolRequest, frame: Option<u64>) {
        assert_eq!(place.offset() & (request.alignment - 1), 0);
        let key = (place.slot(), place.offset());
        self.frames.insert(key, frame);
        assert!(self.live.insert(key, place).is_none(), "two have the same place");
    }

    fn free(&mut self, key: (u32, u64)) {
        let place = self.live.remove(&key).expect("it is live");
        self.frames.remove(&key);
        assert_eq!(self.pool.free_retaining(place), Ok(None));
    }

    fn shed(&mut self) {
        while let Some(block) = self.pool.shed() {
            self.budgets.released(block);
        }
    }

    fn validate(&self) {
        for (_, block) in self.pool.blocks.iter() {
            let Content::Carved(suballocator) = &block.content else {
                panic!("no block is dedicated")
            };
            let pieces: Vec<_> = suballocator.pieces().collect();
            assert!(pieces.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
            assert_eq!(suballocator.allocation_count(), pieces.len() as u64);
            assert_eq!(suballocator.used_size(), pieces.iter().map(|piece| piece.1).sum::<u64>());
            assert_eq!(block.rooms, suballocator.rooms());
            match suballocator {
                Suballocator::Tlsf(tlsf) => assert_eq!(tlsf.validate(), Ok(())),
                Suballocator::TwoTier(tiers) => assert_eq!(tiers.validate(), Ok(())),
                _ => panic!("neither of these"),
            }
        }
        let at = self.pool.live().map(|live| (live.slot, live.offset));
        assert!(at.eq(self.live.keys().copied()));
    }

    /// Carries a plan out, but for a piece that somebody touches; answers whether there was room.
    fn carry_out(
        &mut self,
        request: &PoolRequest,
        plan: &PoolEviction,
        touched: Option<usize>,
        frame: Option<u64>,
    ) -> bool {
        for (index, &offset) in plan.offsets.iter().enumerate() {
            if Some(index) != touched {
                self.free((plan.slot, offset));
            }
        }
        let place = self.pool.allocate_planned(request, plan);
        let is_placed = place.is_some();
        if let Some(place) = place {
            self.enter(place, request, frame);
        }
        self.shed();
        is_placed
    }
}

#[derive(Clone, Debug)]
enum Step {
    Allocate(PoolRequest, Option<u64>),
    Free(prop::sample::Index),
    Evict { request: PoolRequest, frame: Option<u64>, touched: Option<prop::sample::Index> },
}

fn mixed() -> BoxedStrategy<u64> {
    prop_oneof![
        2 => 1..SMALL_LIMIT,
        3 => SMALL_LIMIT..100 * KIB,
        1 => 1..300 * KIB,
        1 => Just(BLOCK),
        1 => (1u64..8).prop_map(|n| n * 64 * KIB),
    ]
    .boxed()
}

/// So that spans are full, too.
fn mostly_small() -> BoxedStrategy<u64> {
    prop_oneof![12 => 4 * KIB..=SMALL_LIMIT, 1 => 16 * KIB..200 * KIB].boxed()
}

fn steps_of(sizes: BoxedStrategy<u64>, longest: usize) -> impl Strategy<Value = Vec<Step>> {
    let kinds = prop_oneof![Just(ResourceKind::Linear), Just(ResourceKind::NonLinear)];
    let alignments = prop_oneof![Just(0), 0u32..17];
    let requests = (sizes, alignments, kinds).prop_map(|(size, alignment_log, kind)| PoolRequest {
        size,
        alignment: 1 << alignment_log,
        kind,
        dedicated: Dedicated::Never,
        upper: false,
    });
    let frames = || prop::option::weighted(0.8, 0u64..30);
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        6 => (requests.clone(), frames()).prop_map(|(request, frame)| Step::Allocate(request, frame)),
        2 => index().prop_map(Step::Free),
        3 => (requests, frames(), prop::option::weighted(0.1, index()))
            .prop_map(|(request, frame, touched)| Step::Evict { request, frame, touched }),
    ];
    prop::collection::vec(step, 1..longest)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![2 => steps_of(mixed(), 80), 1 => steps_of(mostly_small(), 200)]
}

fn configs() -> impl Strategy<Value = PoolConfig> {
    let algorithms = prop_oneof![Just(Algorithm::Tlsf), Just(Algorithm::TwoTier)];
    let granules = prop_oneof![Just(1u64), Just(4096)];
    let atoms = prop_oneof![Just(1u64), Just(64), Just(2048)];
    let margins = prop_oneof![3 => Just(0u64), 1 => Just(16)];
    (algorithms, 1u32..3, granules, atoms, margins).prop_map(
        |(algorithm, blocks, buffer_image_granularity, atom_size, margin)| {
            let config = PoolConfig {
                algorithm,
                max_block_count: Some(blocks),
                min_allocation_size: UNIT,
                buffer_image_granularity,
                atom_size,
                margin,
                ..PoolConfig::default()
            };
            config.with_block_size(BLOCK)
        },
    )
}

/// What the programs have met.
#[derive(Debug, Default)]
struct Tally {
    /// Plans that name nothing: room that the search has passed over.
    passed_over: u32,
    of_one: u32,
    of_several: u32,
    in_spans: u32,
    /// Those that name pieces of a span for room in the larger tier.
    of_spans: u32,
    touched: u32,
    impossible: u32,
}

impl Tally {
    fn count(&mut self, bench: &Bench, plan: &PoolEviction) {
        let (_, block) =
            bench.pool.blocks.iter().find(|(slot, _)| *slot == plan.slot).expect("it is there");
        let spans = spans_of(block.suballocator().expect("it is carved"));
        let is_in_span = |at: &u64| spans.iter().any(|span| (span.0..span.1).contains(at));
        match plan.offsets.len() {
            0 => self.passed_over += 1,
            1 => self.of_one += 1,
            _ => self.of_several += 1,
        }
        self.in_spans += u32::from(matches!(plan.room, Room::InSpan { .. }));
        self.of_spans +=
            u32::from(matches!(plan.room, Room::Stretch(_)) && plan.offsets.iter().any(is_in_span));
    }
}

/// Asks for a plan where the search finds nothing, checks it, and carries it out.
fn evict(
    bench: &mut Bench,
    request: &PoolRequest,
    frame: Option<u64>,
    touched: Option<prop::sample::Index>,
    tally: &mut Tally,
) -> Result<(), TestCaseError> {
    if bench.allocate(request, frame) {
        return Ok(());
    }
    let frame_of = |slot, offset| bench.frames[&(slot, offset)];
    let plan = bench.pool.plan_eviction(request, frame_of);
    let found = plan.as_ref().map(|plan| (plan.youngest, plan.bytes));
    prop_assert_eq!(found, bench.best(request, &bench.frames));
    let Some(plan) = plan else {
        tally.impossible += 1;
        return Ok(());
    };
    tally.count(bench, &plan);
    let going = plan.offsets.iter().map(|&offset| (plan.slot, offset));
    let named: Frames = going.map(|key| (key, bench.frames[&key])).collect();
    prop_assert_eq!(named.len(), plan.offsets.len());
    prop_assert_eq!(named.values().copied().max().flatten(), plan.youngest);
    for key in named.keys() {
        let mut fewer = named.clone();
        fewer.remove(key);
        prop_assert_eq!(bench.best(request, &fewer), None, "{:?} could stay", key);
    }
    let touched = touched.filter(|_| !named.is_empty()).map(|index| index.index(named.len()));
    tally.touched += u32::from(touched.is_some());
    let is_placed = bench.carry_out(request, &plan, touched, frame);
    prop_assert_eq!(is_placed, touched.is_none());
    Ok(())
}

#[test]
fn a_plan_is_the_best_there_is_and_names_nothing_too_much() {
    let tally = RefCell::new(Tally::default());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(300));
    let ran = runner.run(&(configs(), steps()), |(config, steps)| {
        let mut bench = Bench::new(config.clone());
        // What the pool never serves is refused before a plan is asked for.
        let is_served = |request: &PoolRequest| fit_carved(&config, request).is_some();
        for step in steps {
            match step {
                Step::Allocate(request, frame) if is_served(&request) => {
                    bench.allocate(&request, frame);
                }
                Step::Free(index) if !bench.live.is_empty() => {
                    let index = index.index(bench.live.len());
                    let key = *bench.live.keys().nth(index).expect("in range");
                    bench.free(key);
                    bench.shed();
                }
                Step::Evict { request, frame, touched } if is_served(&request) => {
                    evict(&mut bench, &request, frame, touched, &mut tally.borrow_mut())?;
                }
                _ => {}
            }
            bench.validate();
        }
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
    let tally = tally.into_inner();
    let Tally { of_one, of_several, in_spans, of_spans, touched, impossible, .. } = tally;
    assert!(of_one > 300 && of_several > 80 && impossible > 50, "{tally:?}");
    assert!(in_spans > 30 && of_spans > 8 && touched > 30, "{tally:?}");
}

/// The run that has the room is none of the few that a search looks at.
#[test]
fn room_in_a_run_that_was_opened_long_ago_is_found() {
    let config = PoolConfig { max_block_count: Some(1), ..PoolConfig::default() };
    let mut bench = Bench::new(config.with_block_size(BLOCK));
    let of = |size: u64| PoolRequest { size, alignment: 1, ..PoolRequest::default() };
    // Of the first sixteen, which are a run, one goes, and seven may.
    let all: Vec<u64> = (0..BLOCK / KIB).collect();
    for &nth in &all {
        assert!(bench.allocate(&of(KIB), (1..8).contains(&nth).then_some(0)), "{nth}");
    }
    let runs = all.iter().step_by(16);
    for &run in runs.take(20) {
        bench.free((0, run * KIB));
    }
    bench.validate();
    let plan = bench.pool.plan_eviction(&of(8 * KIB), |slot, at| bench.frames[&(slot, at)]);
    let plan = plan.expect("seven may go");
    assert_eq!(plan.offsets, (1..8).map(|nth| nth * KIB).collect::<Vec<_>>());
    assert!(bench.carry_out(&of(8 * KIB), &plan, None, None));
    assert!(bench.live.contains_key(&(0, 0)));
    bench.validate();
}

/// A piece that is large enough only because it is aligned is what a plan for an alignment relies on.
#[test]
fn a_piece_of_the_alignments_size_is_room() {
    let config = PoolConfig { max_block_count: Some(1), ..PoolConfig::default() };
    let mut bench = Bench::new(config.with_block_size(BLOCK));
    let of = |size, alignment| PoolRequest { size, alignment, ..PoolRequest::default() };
    for nth in 0..BLOCK / KIB {
        assert!(bench.allocate(&of(KIB, 1), (nth == 0).then_some(0)));
    }
    let request = of(256, KIB);
    let plan = bench.pool.plan_eviction(&request, |slot, at| bench.frames[&(slot, at)]);
    let plan = plan.expect("one may go");
    assert_eq!(plan.offsets, [0]);
    assert!(bench.carry_out(&request, &plan, None, None));
    bench.validate();
}
