//! Pools whose blocks are linear: which block is asked, both ends, and wrapping at every granularity.

mod support;

use std::collections::VecDeque;

use rstest::rstest;
use support::{Bench, MIB, bytes, fixed, linear, refusal};
use vk_pool::linear::LinearKind;
use vk_pool::{Algorithm, Answer, Place, PoolConfig, PoolRequest, RequestError, ResourceKind};

/// VMA's LinearAllocatorMultiBlock: buffers of 1 MiB until there are two blocks.
#[rstest]
fn linear_blocks_come_and_go(
    #[values(LinearKind::Auto, LinearKind::Stack, LinearKind::FreeAtOnce)] kind: LinearKind,
) {
    let mut bench = Bench::new(fixed(Algorithm::Linear(kind), 8 * MIB));
    let fill = |bench: &mut Bench| {
        let mut live = Vec::new();
        while bench.pool.stats().block_count < 2 {
            live.push(bench.allocate(&bytes(MIB)));
        }
        live
    };
    let mut live = fill(&mut bench);
    assert_eq!(live.len(), 9);
    let mut at = 5;
    while !live.is_empty() {
        at = (at * 7 + 3) % live.len();
        bench.free(live.swap_remove(at));
    }
    assert!(bench.pool.stats().block_count <= 1);
    let mut live = fill(&mut bench);
    for _ in 0..=live.len() / 2 {
        bench.free(live.pop().expect("more than half are left"));
    }
    assert_eq!(bench.pool.stats().block_count, 1);
    // On several blocks none wraps: what the oldest leave waits.
    bench.free(live.remove(0));
    let end = live.last().map_or(0, |place| place.offset() + MIB);
    let next = bench.allocate(&bytes(MIB));
    if kind == LinearKind::FreeAtOnce {
        // It was full once, and is not empty.
        assert_ne!(next.slot(), live[0].slot());
    } else {
        assert_eq!((next.slot(), next.offset()), (live[0].slot(), end));
    }
    bench.check_books();
}

#[test]
fn the_linear_block_taken_into_use_last_is_asked_first() {
    let mut bench = Bench::new(fixed(Algorithm::Linear(LinearKind::Stack), 4 * MIB));
    let older: Vec<Place> = (0..3).map(|_| bench.allocate(&bytes(MIB))).collect();
    let newer = bench.allocate(&bytes(2 * MIB));
    assert_ne!(newer.slot(), older[0].slot());
    // Both have room.
    let small = bench.allocate(&bytes(MIB));
    assert_eq!(small.slot(), newer.slot());
    bench.free(small);
    bench.free(newer);
    assert_eq!(bench.allocate(&bytes(MIB)).slot(), older[0].slot());
    bench.check_books();
}

#[test]
fn a_double_stack_pool_serves_both_ends_until_they_meet() {
    let upper = PoolRequest { upper: true, ..bytes(MIB) };
    for kind in [LinearKind::Auto, LinearKind::DoubleStack] {
        let mut bench = Bench::new(linear(kind, 10 * MIB));
        // The first of all may be an upper one.
        let high: Vec<Place> = (0..5).map(|_| bench.allocate(&upper)).collect();
        let low: Vec<Place> = (0..5).map(|_| bench.allocate(&bytes(MIB))).collect();
        let offsets =
            |places: &[Place]| places.iter().map(|p| p.offset() / MIB).collect::<Vec<_>>();
        assert_eq!((offsets(&high), offsets(&low)), (vec![9, 8, 7, 6, 5], vec![0, 1, 2, 3, 4]));
        let full = RequestError::PoolFull { max_block_count: 1 };
        assert_eq!(refusal(&mut bench, &bytes(1)), full);
        assert_eq!(refusal(&mut bench, &upper), full);
        for place in high.into_iter().chain(low) {
            bench.free(place);
        }
        bench.check_books();
    }
}

/// Four kinds of request in turn through a ring: none shares a granule or an atom with another, at
/// either side of the wrap, whatever both are.
#[rstest]
fn a_ring_pool_wraps_at_every_granularity_and_atom(
    #[values(1, 64, 1024, 4096, 65_536)] granularity: u64,
    #[values(1, 64, 256, 4096)] atom: u64,
    #[values(0, 100)] odd: u64,
) {
    let base = linear(LinearKind::Ring, 40 * granularity.max(atom).max(256) + odd);
    let config = PoolConfig {
        buffer_image_granularity: granularity,
        atom_size: atom,
        min_allocation_size: 16,
        ..base
    };
    let mut bench = Bench::new(config);
    let mut live: VecDeque<(Place, u64)> = Default::default();
    let (mut wraps, mut before) = (0, 0);
    for turn in 0..200u64 {
        let kind = [ResourceKind::Linear, ResourceKind::NonLinear, ResourceKind::Unknown]
            [usize::try_from(turn % 3).expect("below 3")];
        let unit = if kind == ResourceKind::Linear { atom } else { granularity.max(atom) };
        let request =
            PoolRequest { alignment: 1 << (turn % 7), kind, ..bytes(1 + turn * 97 % 1500) };
        let place = loop {
            match bench.pool.allocate(&request) {
                Ok(Answer::Placed(place)) => break place,
                Ok(Answer::NeedBlock(need)) => break bench.fulfil(need),
                Ok(Answer::Pending(_)) => panic!("nothing is on its way"),
                Err(error) => {
                    assert_eq!(error, RequestError::PoolFull { max_block_count: 1 });
                    let (oldest, _) = live.pop_front().expect("an empty ring has room");
                    bench.free(oldest);
                }
            }
        };
        assert_eq!(place.offset() % unit.max(request.alignment), 0);
        wraps += u32::from(place.offset() < before);
        before = place.offset();
        live.push_back((place, unit));
        let mut owned: Vec<(u64, u64)> = live
            .iter()
            .map(|(p, unit)| (p.offset(), (p.offset() + p.size()).next_multiple_of(*unit)))
            .collect();
        owned.sort_unstable();
        assert!(owned.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{owned:?}");
    }
    assert!(wraps >= 2, "{wraps}");
    bench.check_books();
}
