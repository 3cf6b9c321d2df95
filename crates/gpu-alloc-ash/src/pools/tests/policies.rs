//! Branches of trunks with other block sizes and retention.

use vk_pool::{PoolConfig, Retention};

use super::{Fixture, LEASE, MIB, at_home};

/// All blocks have this size.
fn blocks_of(size: u64) -> PoolConfig {
    PoolConfig {
        first_block_size: size,
        largest_block_size: size,
        smallest_block_size: size,
        growth_divisor: 0,
        dedicated_above: size / 4,
        ..PoolConfig::default()
    }
}

/// Leases are whole units also where blocks are of an odd size.
#[test]
fn blocks_of_any_size_are_leased_of() {
    let fixture = Fixture::with(4, blocks_of(100_000_010));
    let _first = fixture.grown(1000, 1);
    at_home(1, || {
        for _ in 0..1000 {
            let placed = fixture.placed(1000);
            assert_eq!(placed.shard, 1);
            fixture.free(placed);
        }
    });
    assert_eq!(fixture.pools.stats().block_count, 1);
}

/// Where nothing is to be kept, no branch keeps anything.
#[test]
fn nothing_is_kept_in_branches_where_nothing_is_to_be_kept() {
    let retention = Retention { floor_bytes: 0, live_divisor: 0 };
    let fixture = Fixture::with(4, PoolConfig { retention, ..PoolConfig::default() });
    let first = fixture.grown(1000, 1);
    for branch in [1, 1, 2, 1] {
        fixture.come_and_go(branch);
        assert_eq!(fixture.pools.stats().borrowed_size, 0);
    }
    let last = at_home(1, || fixture.placed(1000));
    fixture.free(first);
    assert_eq!(fixture.pools.stats().used_size, 1024, "in a lease, which is all there is");
    fixture.free(last);
    assert_eq!(fixture.pools.stats().total_size, 0, "with the lease goes the block around it");
}

/// What the end of leases empties is kept as far as the pool keeps empty blocks, and no further.
#[test]
fn blocks_that_ended_leases_empty_go_back() {
    let retention = Retention { floor_bytes: 16 * MIB, live_divisor: 0 };
    let fixture = Fixture::with(4, PoolConfig { retention, ..blocks_of(16 * MIB) });
    // In each block there is room for one lease of a mebibyte.
    let filling: Vec<_> = (1..4).map(|id| fixture.grown(15 * MIB, id)).collect();
    for branch in [1, 1, 2, 2, 3, 3] {
        fixture.come_and_go(branch);
    }
    assert_eq!(fixture.pools.stats().borrowed_size, 3 * MIB);
    filling.into_iter().for_each(|placed| fixture.free(placed));
    assert!(fixture.pools.shed_surplus().is_none(), "no lease has ended");
    let blocks = fixture.pools.stats().block_count;
    assert!((1..4).all(|branch| fixture.pools.end_empty_leases(branch)));
    assert_eq!(fixture.pools.stats().retained_count, blocks);
    let mut gone = 0;
    while let Some((block, _)) = fixture.pools.shed_surplus() {
        fixture.budgets.released(block);
        gone += 1;
    }
    assert_eq!((fixture.pools.stats().retained_count, gone), (1, blocks - 1));
}

/// Before the trunk gets a block for a branch, the other branches give back what they keep empty.
#[test]
fn a_branch_gets_the_room_that_another_keeps_before_a_block_is_made() {
    let fixture = Fixture::new(4);
    // Beside one lease there is room for small requests, and for no other lease.
    let _rest = fixture.grown(16 * MIB - LEASE - MIB, 1);
    fixture.come_and_go(2);
    fixture.come_and_go(2);
    assert_eq!(fixture.pools.stats().borrowed_size, LEASE);
    at_home(1, || {
        let is_leased = (0..1000).any(|_| {
            let placed = fixture.placed(1000);
            let shard = placed.shard;
            fixture.free(placed);
            shard == 1
        });
        assert!(is_leased, "room comes without a block");
    });
    assert_eq!(fixture.pools.stats().block_count, 1);
}
