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
        let is_buddy = algorithm == Algorithm::Buddy;
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
                // Buddies are exact: not even all that may go would do.
                if is_buddy {
                    let stays = |(_, (frame, _)): (&(u32, u64), &mut (Option<u64>, Place))| frame.is_some();
                    let going: Vec<_> = live.iter_mut().filter_map(|(key, value)| {
                        stays((key, value)).then_some(*key)
                    }).collect();
                    for key in going {
                        let (_, place) = live.remove(&key).expect("it is live");
                        bench.free(place);
                    }
                    prop_assert!(try_allocate(&mut bench, &request).is_none());
                }
                break;
            };
            prop_assert!(!plan.offsets.is_empty(), "there was no room");
            let going: Vec<_> = plan.offsets.iter().map(|&offset| (plan.slot, offset)).collect();
            let frames: Option<Vec<u64>> = going.iter().map(|key| live[key].0).collect();
            prop_assert_eq!(frames.expect("only what may go").into_iter().max(), plan.youngest);
            for key in going {
                let (_, place) = live.remove(&key).expect("it is live");
                bench.free(place);
            }
            let place = try_allocate(&mut bench, &request).expect("the plan has made room");
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
