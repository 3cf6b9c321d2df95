//! Plans for full pools: carried out, they make room; without one, nothing would have.

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use support::{Bench, KIB, MIB, bytes};
use vk_pool::linear::LinearKind;
use vk_pool::{
    Algorithm, Answer, Place, PoolConfig, PoolRequest, RequestError, ResourceKind, Retention,
};

fn pool(algorithm: Algorithm, max_block_count: u32) -> Bench {
    let retention = Retention { floor_bytes: 64 * MIB, live_divisor: 0 };
    let config = PoolConfig { algorithm, retention, ..PoolConfig::default() };
    let config = PoolConfig { buffer_image_granularity: 4096, ..config.with_block_size(3 * MIB) };
    Bench::new(PoolConfig { max_block_count: Some(max_block_count), ..config })
}

fn try_allocate(bench: &mut Bench, request: &PoolRequest) -> Option<Place> {
    match bench.pool.allocate(request) {
        Ok(Answer::Placed(place)) => Some(place),
        Ok(Answer::NeedBlock(need)) => Some(bench.fulfil(need)),
        Ok(Answer::Pending(_)) => panic!("nothing is on its way"),
        Err(RequestError::PoolFull { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn request(size: u64, alignment_log: u32, is_linear: bool) -> PoolRequest {
    let kind = if is_linear { ResourceKind::Linear } else { ResourceKind::NonLinear };
    PoolRequest { alignment: 1 << alignment_log, kind, ..bytes(size) }
}

/// A full pool: the frame of each allocation that may go, and what it is.
type Live = BTreeMap<(u32, u64), (Option<u64>, Place)>;

fn fill(bench: &mut Bench, sizes: &[(u64, u32, Option<u64>)]) -> Live {
    let mut live = Live::new();
    for &(size, alignment_log, frame) in sizes.iter().cycle().take(4000) {
        let Some(place) = try_allocate(bench, &request(size, alignment_log, true)) else { break };
        live.insert((place.slot(), place.offset()), (frame, place));
    }
    live
}

/// Frees what a plan names, or what may go.
fn give_up(bench: &mut Bench, live: &mut Live, key: (u32, u64)) {
    let (_, place) = live.remove(&key).expect("it is live");
    assert_eq!(bench.pool.free_retaining(place), Ok(None));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_makes_room_and_without_one_there_is_none(
        algorithm in prop_oneof![
            Just(Algorithm::Tlsf),
            Just(Algorithm::TwoTier),
            Just(Algorithm::Buddy),
            Just(Algorithm::Linear(LinearKind::Ring)),
        ],
        max_block_count in 1u32..3,
        sizes in prop::collection::vec(
            (20 * KIB..400 * KIB, 0u32..14, prop::option::weighted(0.8, 0u64..20)), 1..40),
        asked in prop::collection::vec((20 * KIB..900 * KIB, 0u32..17, any::<bool>()), 1..10),
    ) {
        let is_ring = matches!(algorithm, Algorithm::Linear(_));
        let max_block_count = if is_ring { 1 } else { max_block_count };
        let mut bench = pool(algorithm, max_block_count);
        let mut live = fill(&mut bench, &sizes);
        for (size, alignment_log, is_linear) in asked {
            let request = request(size, alignment_log, is_linear);
            if let Some(place) = try_allocate(&mut bench, &request) {
                live.insert((place.slot(), place.offset()), (Some(20), place));
                continue;
            }
            let frame_of = |slot, offset| live[&(slot, offset)].0;
            let Some(plan) = bench.pool.plan_eviction(&request, frame_of) else {
                // Not even all that may go would do. A ring's order may ask for less than all.
                if !is_ring {
                    let may_go = |(key, (frame, _)): (&(u32, u64), &(Option<u64>, Place))| frame.map(|_| *key);
                    let going: Vec<_> = live.iter().filter_map(may_go).collect();
                    for key in going {
                        give_up(&mut bench, &mut live, key);
                    }
                    prop_assert!(try_allocate(&mut bench, &request).is_none());
                }
                break;
            };
            let going: Vec<_> = plan.offsets.iter().map(|&offset| (plan.slot, offset)).collect();
            let frames: Option<Vec<u64>> = going.iter().map(|key| live[key].0).collect();
            prop_assert_eq!(frames.expect("only what may go").into_iter().max(), plan.youngest);
            for key in going {
                give_up(&mut bench, &mut live, key);
            }
            let place = bench.pool.allocate_planned(&request, &plan).expect("the plan has made room");
            prop_assert_eq!(place.slot(), plan.slot);
            live.insert((place.slot(), place.offset()), (Some(20), place));
            bench.check_books();
        }
    }
}

#[test]
fn the_oldest_go_first_and_no_more_than_needed() {
    for algorithm in [Algorithm::Tlsf, Algorithm::Buddy] {
        let mut bench = pool(algorithm, 2);
        let sizes: Vec<_> = (0..48).map(|n| (128 * KIB, 0, Some(100 - n))).collect();
        let live = fill(&mut bench, &sizes);
        assert_eq!(live.len(), 48);
        let frame_of = |slot, offset| live[&(slot, offset)].0;
        // The last of all were used longest ago.
        let plan = bench.pool.plan_eviction(&bytes(128 * KIB), frame_of).expect("all may go");
        assert_eq!((plan.offsets.len(), plan.youngest, plan.bytes), (1, Some(53), 128 * KIB));
        let plan = bench.pool.plan_eviction(&bytes(256 * KIB), frame_of).expect("all may go");
        assert_eq!((plan.offsets.len(), plan.youngest), (2, Some(54)));
        // Where one has to stay nothing goes for what needs the whole block.
        let whole = bytes(2 * MIB + 512 * KIB);
        let frame_of = |slot, offset| frame_of(slot, offset).filter(|_| offset != MIB);
        assert_eq!(bench.pool.plan_eviction(&whole, frame_of), None);
    }
}

#[test]
fn room_that_the_search_passes_over_is_planned_for_and_nothing_goes() {
    for algorithm in [Algorithm::Tlsf, Algorithm::TwoTier] {
        let mut bench = pool(algorithm, 1);
        let size = 64 * KIB;
        let at_alignment = bench.allocate(&bytes(size));
        let mut holes = Vec::new();
        for _ in 0..4 {
            let _stays = bench.allocate(&bytes(20 * KIB));
            holes.push(bench.allocate(&bytes(size)));
            let _stays = bench.allocate(&bytes(44 * KIB));
        }
        while let Some(_stays) = try_allocate(&mut bench, &bytes(size)) {}
        // What was freed last is looked at first.
        for place in [at_alignment].into_iter().chain(holes) {
            bench.free(place);
        }
        let request = request(size, 16, true);
        assert!(try_allocate(&mut bench, &request).is_none(), "a few holes are looked at");
        let plan = bench.pool.plan_eviction(&request, |_, _| None).expect("there is room");
        assert_eq!((&plan.offsets[..], plan.youngest, plan.bytes), (&[][..], None, 0));
        let place = bench.pool.allocate_planned(&request, &plan).expect("nobody took it");
        assert_eq!((place.offset(), place.size()), (0, size));
        // Once it is taken the plan is out of date, and does no harm.
        assert_eq!(bench.pool.allocate_planned(&request, &plan), None);
        bench.check_books();
    }
}

#[test]
fn a_block_that_empties_for_a_plan_stays_for_it_and_then_goes_if_nothing_came() {
    for algorithm in [Algorithm::Tlsf, Algorithm::TwoTier] {
        let config = PoolConfig { max_block_count: Some(1), ..support::fixed(algorithm, 3 * MIB) };
        let mut bench = Bench::new(config);
        let mut live = fill(&mut bench, &[(100 * KIB, 8, Some(1))]);
        assert_eq!(live.len(), 30);
        // All of it, at an alignment, and small pieces as well.
        while let Some(place) = try_allocate(&mut bench, &bytes(8 * KIB)) {
            live.insert((place.slot(), place.offset()), (Some(2), place));
        }
        let whole = request(3 * MIB, 16, false);
        let frame_of = |slot, offset| live[&(slot, offset)].0;
        let plan = bench.pool.plan_eviction(&whole, frame_of).expect("all may go");
        assert_eq!((plan.offsets.len(), plan.youngest), (live.len(), Some(2)));
        for offset in plan.offsets.clone() {
            give_up(&mut bench, &mut live, (plan.slot, offset));
        }
        assert_eq!(bench.pool.stats().retained_count, 1);
        // A plan says nothing about another request.
        let shifted = PoolRequest { alignment: 4 * MIB, ..whole };
        assert_eq!(bench.pool.allocate_planned(&shifted, &plan), None);
        let place = bench.pool.allocate_planned(&whole, &plan).expect("all has gone");
        assert_eq!(place.size(), 3 * MIB);
        assert_eq!(bench.pool.shed(), None);
        bench.check_books();
        assert_eq!(bench.pool.free_retaining(place), Ok(None));
        let block = bench.pool.shed().expect("nothing is to be kept");
        assert_eq!(bench.release(block), 3 * MIB);
        assert_eq!(bench.pool.allocate_planned(&whole, &plan), None, "its block has gone");
        bench.check_books();
    }
}
