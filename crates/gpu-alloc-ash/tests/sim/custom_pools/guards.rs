//! Margins, fill bytes and zeroes in custom pools, whatever carves them up.

use gpu_alloc_ash::{Algorithm, CustomPoolConfig, FillBytes, LinearKind, PoolAllocationRequest};
use rstest::rstest;

use super::fixture::{MAPPED, bytes, fixed};
use super::own_algorithm::row;
use crate::guards::{guarded, poke};
use crate::support::{KIB, MIB, Sim};

const MARGIN: u64 = 32;
const WRONG: u8 = 0x77;

#[rstest]
#[case::two_tier(Algorithm::TwoTier)]
#[case::tlsf(Algorithm::Tlsf)]
#[case::buddy(Algorithm::Buddy)]
#[case::stack(Algorithm::Linear(LinearKind::Stack))]
#[case::ring(Algorithm::Linear(LinearKind::Ring))]
#[case::double_stack(Algorithm::Linear(LinearKind::DoubleStack))]
#[case::own(row())]
fn who_writes_past_an_allocation_of_a_pool_is_found(
    #[case] algorithm: Algorithm,
    #[values(&[1], &[2])] memory_types: &[u32],
) {
    let sim = Sim::with_config(guarded(MARGIN));
    let has_upper = algorithm == Algorithm::Linear(LinearKind::DoubleStack);
    let config =
        CustomPoolConfig { algorithm, max_block_count: Some(1), ..fixed(memory_types, MIB) };
    let pool = sim.pool(&config);
    let other = sim.pool(&config);
    let elsewhere = sim.allocate_in(&other, &bytes(100));
    let mut live: Vec<_> = (0..30u64)
        .map(|n| {
            let upper_end = has_upper && n % 2 == 1;
            let request =
                PoolAllocationRequest { upper_end, name: Some("in a row"), ..bytes(1 + 77 * n) };
            sim.allocate_in(&pool, &request)
        })
        .collect();
    // Every byte of its own may be written.
    for (byte, allocation) in (0u8..).zip(&mut live) {
        let filled = vec![byte; usize::try_from(allocation.size()).expect("small")];
        sim.allocator.write(allocation, 0, &filled).expect("it is mapped");
    }
    assert_eq!(sim.allocator.check_corruption(), []);
    for (byte, allocation) in (0u8..).zip(&live) {
        let mut found = vec![0; usize::try_from(allocation.size()).expect("small")];
        sim.allocator.read(allocation, 0, &mut found).expect("it is mapped");
        assert!(found.iter().all(|&one| one == byte), "a margin is nobody's");
    }
    // And not one more.
    let victims = [(4, 0), (11, MARGIN - 1), (29, 7)];
    for (index, beyond) in victims {
        let allocation: &gpu_alloc_ash::Allocation = &live[index];
        poke(allocation, allocation.size() + beyond, WRONG);
    }
    assert_eq!(sim.allocator.check_corruption().len(), 3);
    assert_eq!(sim.allocator.check_corruption_in(&pool).len(), 3);
    assert_eq!(sim.allocator.check_corruption_in(&other), []);
    let mut wanted: Vec<_> =
        victims.map(|(index, beyond)| (live[index].offset(), live[index].size() + beyond)).to_vec();
    sim.free_many(live);
    sim.free(elsewhere);
    sim.end_pool(other);
    let overruns = sim.allocator.take_overruns();
    assert!(overruns.iter().all(|overrun| overrun.name.as_deref() == Some("in a row")));
    let mut found: Vec<_> =
        overruns.iter().map(|overrun| (overrun.offset, overrun.first_wrong)).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    sim.end_pool(pool);
    sim.finish();
}

#[test]
fn memory_of_a_pool_is_filled_and_zeroed() {
    let mut config = guarded(MARGIN);
    config.fill = Some(FillBytes { created: 0xdc, destroyed: 0xef });
    let sim = Sim::with_config(config);
    let pool = sim.pool(&fixed(MAPPED, 64 * KIB));
    let read = |allocation| {
        let mut found = vec![0x11; 1000];
        sim.allocator.read(allocation, 0, &mut found).expect("it is mapped");
        assert!(found.iter().all(|&byte| byte == found[0]));
        found[0]
    };
    let plain = sim.allocate_in(&pool, &bytes(1000));
    let zeroed = PoolAllocationRequest { zeroed: true, ..bytes(1000) };
    let many = sim.allocator.allocate_many_in(&pool, &zeroed, 5).expect("there is room");
    assert_eq!(read(&plain), 0xdc);
    assert!(many.iter().all(|allocation| read(allocation) == 0));
    sim.free(plain);
    sim.free_many(many);
    sim.end_pool(pool);
    // Where the host cannot, the device is told.
    let pool = sim.pool(&fixed(&[0], 64 * KIB));
    let allocation = sim.allocate_in(&pool, &zeroed);
    assert!(allocation.needs_zeroing());
    sim.free(allocation);
    sim.end_pool(pool);
    sim.finish();
}
