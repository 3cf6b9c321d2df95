//! Long random programs against a shadow map that knows nothing of suballocators.

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use support::configs::{configs, fixed_configs};
use support::{Bench, KIB, MIB};
use vk_pool::{
    Algorithm, Answer, Dedicated, DeviceLimits, HeapLimits, Place, PoolConfig, PoolRequest,
    RequestError, ResourceKind,
};

/// What the shadow knows of one allocation.
struct Shadow {
    place: Place,
    request: PoolRequest,
}

/// Everything that lives, by (slot, offset).
#[derive(Default)]
struct ShadowMap {
    live: BTreeMap<(u32, u64), Shadow>,
}

impl ShadowMap {
    fn insert(&mut self, place: Place, request: PoolRequest, config: &PoolConfig) {
        let alignment = request.alignment.max(config.min_alignment);
        assert_eq!(place.offset() % alignment, 0, "aligned as asked");
        assert_eq!(place.size(), request.size);
        let granule = match request.kind {
            ResourceKind::Linear => 1,
            ResourceKind::NonLinear | ResourceKind::Unknown => config.buffer_image_granularity,
        };
        // What the allocation must own alone: its bytes, widened to granules and atoms.
        let unit = granule.max(config.atom_size);
        let owned = owned(&place, &request, unit);
        if !place.is_dedicated() {
            assert_eq!(place.offset() % unit, 0, "starts on a granule and on an atom");
        }
        for (&(slot, _), other) in &self.live {
            if slot != place.slot() {
                continue;
            }
            let others = (other.place.offset(), other.place.offset() + other.place.size());
            assert!(
                owned.1 <= others.0 || others.1 <= owned.0,
                "{owned:?} and {others:?} share bytes, granules or atoms"
            );
        }
        let key = (place.slot(), place.offset());
        assert!(self.live.insert(key, Shadow { place, request }).is_none());
    }

    /// Compares with the pool's own list and counts, and with the other's granules.
    fn check(&self, bench: &Bench) {
        bench.check_books();
        let listed: Vec<_> = bench.pool.live().map(|live| (live.slot, live.offset)).collect();
        assert_eq!(listed, self.live.keys().copied().collect::<Vec<_>>());
        let mut end_of_last: Option<(u32, u64)> = None;
        for live in bench.pool.live() {
            let shadow = &self.live[&(live.slot, live.offset)];
            assert!(live.size >= shadow.place.size());
            assert_eq!(live.dedicated, shadow.place.is_dedicated());
            if let Some((slot, end)) = end_of_last {
                assert!(
                    slot != live.slot || end <= live.offset,
                    "the pieces of a block do not overlap"
                );
            }
            end_of_last = Some((live.slot, live.offset + live.size));
        }
        let stats = bench.pool.stats();
        let carved = || self.live.values().filter(|shadow| !shadow.place.is_dedicated());
        assert_eq!(stats.allocation_count, carved().count() as u64);
        assert_eq!(stats.requested_size, carved().map(|shadow| shadow.request.size).sum::<u64>());
        let taken = bench.pool.live().filter(|live| !live.dedicated).map(|live| live.size);
        assert_eq!(stats.used_size, taken.sum::<u64>());
        for block in bench.pool.blocks() {
            let end = self.live.range((block.slot, 0)..=(block.slot, u64::MAX)).next_back();
            let end = end.map_or(0, |(_, shadow)| shadow.place.offset() + shadow.place.size());
            assert!(end <= block.size, "within its block");
        }
    }
}

fn owned(place: &Place, request: &PoolRequest, unit: u64) -> (u64, u64) {
    let start = place.offset() / unit * unit;
    (start, (place.offset() + request.size).next_multiple_of(unit))
}

#[derive(Clone, Debug)]
enum Step {
    Allocate {
        size: u64,
        alignment_log: u32,
        kind: ResourceKind,
        dedicated: Dedicated,
        upper: bool,
    },
    /// Frees the n-th live allocation, modulo their number.
    Free(usize),
    Trim,
    /// The next driver call fails after this many shrinks.
    DriverFails(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![
        Just(ResourceKind::Linear),
        Just(ResourceKind::NonLinear),
        Just(ResourceKind::Unknown)
    ];
    let dedicated = prop_oneof![8 => Just(Dedicated::BySize), 1 => Just(Dedicated::Always), 2 => Just(Dedicated::Never)];
    let size = prop_oneof![4 => 1..4 * KIB, 3 => 1..256 * KIB, 1 => 1..3 * MIB];
    let allocate = (size, 0u32..18, kind, dedicated, prop::bool::weighted(0.2)).prop_map(
        |(size, alignment_log, kind, dedicated, upper)| Step::Allocate {
            size,
            alignment_log,
            kind,
            dedicated,
            upper,
        },
    );
    let step = prop_oneof![
        10 => allocate,
        8 => any::<usize>().prop_map(Step::Free),
        1 => Just(Step::Trim),
        1 => (0u32..3).prop_map(Step::DriverFails),
    ];
    prop::collection::vec(step, 1..400)
}

/// Plays one request to its end; `None` if a limit or the driver refused it.
fn allocate(bench: &mut Bench, request: &PoolRequest, failures: &mut u32) -> Option<Place> {
    let mut need = match bench.pool.allocate(request) {
        Ok(Answer::Placed(place)) => return Some(place),
        Ok(Answer::NeedBlock(need)) => need,
        Ok(Answer::Pending(ticket)) => panic!("nothing is on its way, but {ticket:?}"),
        Err(error) => {
            check_refusal(bench, request, &error);
            return None;
        }
    };
    loop {
        match bench.budgets.reserve(&need) {
            Ok(reservation) if *failures == 0 => {
                let id = bench.id();
                return Some(bench.pool.add_block(need, reservation, id).expect("both are ours"));
            }
            _ => *failures = failures.saturating_sub(1),
        }
        if !bench.pool.shrink(&mut need) {
            bench.pool.cancel(need).expect("it is ours");
            return None;
        }
    }
}

/// A request is refused only for what its pool was made without.
fn check_refusal(bench: &Bench, request: &PoolRequest, error: &RequestError) {
    let config = bench.pool.config();
    match *error {
        RequestError::PoolFull { max_block_count } => {
            assert_eq!(bench.pool.stats().block_count, max_block_count);
            assert_eq!(config.max_block_count, Some(max_block_count));
            let holds_nothing = bench.pool.stats().allocation_count == 0;
            assert!(!holds_nothing, "{request:?} was refused by empty blocks");
        }
        RequestError::DedicatedNotAllowed { .. } => {
            assert!(!config.allows_dedicated && request.dedicated == Dedicated::Always);
        }
        RequestError::LargerThanBlock { .. } => assert!(!config.allows_dedicated),
        RequestError::NoUpperEnd => assert!(request.upper),
        ref other => panic!("{other} for {request:?}"),
    }
}

fn run(config: PoolConfig, steps: Vec<Step>) {
    let heap = HeapLimits { size: 64 * MIB, limit: Some(24 * MIB), max_block_count: None };
    let mut bench = Bench::with_limits(config.clone(), DeviceLimits::default(), heap);
    let mut shadow = ShadowMap::default();
    let mut failures = 0;
    for step in steps {
        match step {
            Step::Allocate { size, alignment_log, kind, dedicated, upper } => {
                // Pools without an upper end refuse it, most of them always: asked seldom.
                let upper = upper && (config.max_block_count == Some(1) || size % 16 == 0);
                let request =
                    PoolRequest { size, alignment: 1 << alignment_log, kind, dedicated, upper };
                if let Some(place) = allocate(&mut bench, &request, &mut failures) {
                    shadow.insert(place, request, &config);
                }
            }
            Step::Free(n) => {
                let keys = shadow.live.len().max(1);
                let key = shadow.live.keys().nth(n % keys).copied();
                if let Some(entry) = key.and_then(|key| shadow.live.remove(&key)) {
                    bench.free(entry.place);
                }
            }
            Step::Trim => {
                while let Some(block) = bench.pool.trim() {
                    bench.release(block);
                }
                assert_eq!(bench.pool.stats().retained_size, 0);
            }
            Step::DriverFails(n) => failures = n,
        }
        shadow.check(&bench);
    }
    end(bench, shadow);
}

/// Frees everything; what is retained is one whole region again, and goes when it is trimmed.
fn end(mut bench: Bench, mut shadow: ShadowMap) {
    while let Some((_, entry)) = shadow.live.pop_last() {
        bench.free(entry.place);
    }
    shadow.check(&bench);
    let mut retained: Vec<_> = bench.pool.blocks().collect();
    // The largest first, as a smaller request may have the room of a larger one.
    retained.sort_by_key(|block| std::cmp::Reverse(block.size));
    let mut whole = Vec::new();
    for block in &retained {
        // A buddy is a power of two; the others hand out whatever is whole granules and units.
        let size = match bench.pool.config().algorithm {
            Algorithm::Buddy => 1 << block.size.ilog2(),
            _ => block.size / (64 * KIB) * (64 * KIB),
        };
        let request = PoolRequest { size, dedicated: Dedicated::Never, ..PoolRequest::default() };
        let Ok(Answer::Placed(place)) = bench.pool.allocate(&request) else {
            panic!("{block:?} is not one region")
        };
        whole.push(place);
    }
    for place in whole {
        bench.free(place);
    }
    while let Some(block) = bench.pool.trim() {
        bench.release(block);
    }
    assert_eq!(bench.pool.stats(), vk_pool::PoolStats::default());
    bench.check_books();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_agree_with_the_shadow_map(config in configs(), steps in steps()) {
        run(config, steps);
    }

    #[test]
    fn random_programs_in_pools_of_a_fixed_shape_agree_with_the_shadow_map(
        config in fixed_configs(),
        steps in steps(),
    ) {
        run(config, steps);
    }
}

/// One program of many thousand steps, so that blocks come and go many times.
#[test]
fn a_long_program_agrees_with_the_shadow_map() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let long = prop::collection::vec(steps(), 40);
    let value = |runner: &mut _| {
        (
            configs().new_tree(runner).expect("no filter").current(),
            long.new_tree(runner).expect("no filter").current(),
        )
    };
    for _ in 0..2 {
        let (config, steps) = value(&mut runner);
        run(config, steps.into_iter().flatten().collect());
    }
}
