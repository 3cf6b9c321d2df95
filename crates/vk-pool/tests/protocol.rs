//! The protocol between a pool and its owner, driven by hand.

mod support;

use rstest::rstest;
use support::{Bench, MIB, NOTHING_KEPT, bytes};
use vk_pool::{
    AddBlockError, Answer, BlockId, CancelError, DeviceLimits, FreeError, HeapLimits, LimitError,
    PoolConfig, Ticket,
};

/// Two requests that do not fit into one block: 12 MiB each in blocks of 16 MiB.
fn two_needs(bench: &mut Bench) -> (vk_pool::BlockRequest, vk_pool::BlockRequest) {
    (bench.need(&bytes(12 * MIB)), bench.need(&bytes(12 * MIB)))
}

fn no_growth() -> PoolConfig {
    PoolConfig { growth_divisor: 0, ..PoolConfig::default() }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Fulfilled,
    Refused,
    Cancelled,
}

/// Runs two interleaved requests to their ends and checks the books after each step.
#[rstest]
fn two_interleaved_requests_leave_exact_books(
    #[values(End::Fulfilled, End::Refused, End::Cancelled)] first: End,
    #[values(End::Fulfilled, End::Refused, End::Cancelled)] second: End,
    #[values(false, true)] second_ends_first: bool,
) {
    let mut bench = Bench::new(no_growth());
    let (a, b) = two_needs(&mut bench);
    assert_ne!(a.ticket(), b.ticket());
    assert_eq!(bench.books.pending(), 32 * MIB);
    let tickets = [a.ticket(), b.ticket()];
    let ends =
        if second_ends_first { [(b, second), (a, first)] } else { [(a, first), (b, second)] };
    let mut places = Vec::new();
    let mut open = 2;
    for (request, end) in ends {
        let ticket = request.ticket();
        let held = places.len() as u64 * 16 * MIB;
        let reservation = bench.budgets.reserve(&request).expect("8 GiB are free");
        let usage = bench.budgets.usage(0).expect("heap 0 exists");
        assert_eq!((usage.reserved, usage.committed), (16 * MIB, held));
        assert!(bench.pool.is_pending(ticket));
        match end {
            End::Fulfilled => {
                let id = bench.id();
                places.push(bench.pool.add_block(request, reservation, id).expect("both are ours"));
            }
            End::Refused => {
                // The driver refused: the reservation goes first, then the request.
                drop(reservation);
                assert_eq!(bench.budgets.usage(0).expect("heap 0 exists").reserved, 0);
                bench.pool.cancel(request).expect("it is ours");
            }
            End::Cancelled => {
                bench.pool.cancel(request).expect("it is ours");
                drop(reservation);
            }
        }
        open -= 1;
        assert!(!bench.pool.is_pending(ticket));
        assert_eq!(bench.books.pending(), open * 16 * MIB);
        bench.check_books();
    }
    assert!(tickets.iter().all(|&ticket| !bench.pool.is_pending(ticket)));
    let fulfilled = [first, second].iter().filter(|&&end| end == End::Fulfilled).count();
    assert_eq!(places.len(), fulfilled);
    assert_eq!(bench.pool.stats().used_size, fulfilled as u64 * 12 * MIB);
    for place in places {
        bench.free(place);
        bench.check_books();
    }
    assert_eq!(bench.pool.stats().used_size, 0);
}

#[test]
fn a_request_that_a_pending_block_will_hold_waits_for_it() {
    let mut bench = Bench::new(no_growth());
    let need = bench.need(&bytes(4 * MIB));
    let ticket = need.ticket();
    for _ in 0..3 {
        assert!(
            matches!(bench.pool.allocate(&bytes(4 * MIB)), Ok(Answer::Pending(t)) if t == ticket)
        );
    }
    // All 16 MiB are promised now.
    let other = bench.need(&bytes(4 * MIB));
    assert_ne!(other.ticket(), ticket);
    let _live = bench.fulfil(need);
    assert!(matches!(bench.pool.allocate(&bytes(4 * MIB)), Ok(Answer::Placed(_))));
    bench.pool.cancel(other).expect("it is ours");
    bench.check_books();
}

#[test]
fn nobody_waits_for_dedicated_memory() {
    let mut bench = Bench::new(PoolConfig::default());
    let dedicated = bench.need(&bytes(100 * MIB));
    assert!(dedicated.is_dedicated());
    let block = bench.need(&bytes(MIB));
    assert!(!block.is_dedicated());
    let _live = bench.fulfil(block);
    let _live = bench.fulfil(dedicated);
    bench.check_books();
}

#[test]
fn a_cancelled_block_lets_a_waiter_ask_for_its_own() {
    let mut bench = Bench::new(PoolConfig::default());
    let need = bench.need(&bytes(MIB));
    let ticket = need.ticket();
    assert!(matches!(bench.pool.allocate(&bytes(MIB)), Ok(Answer::Pending(_))));
    bench.pool.cancel(need).expect("it is ours");
    assert!(!bench.pool.is_pending(ticket));
    let own = bench.need(&bytes(MIB));
    let _live = bench.fulfil(own);
    bench.check_books();
}

#[test]
fn shrinking_halves_down_to_the_floor_and_the_books_follow() {
    let mut bench = Bench::new(PoolConfig::default());
    let mut need = bench.need(&bytes(300_000));
    let mut sizes = vec![need.size()];
    while bench.pool.shrink(&mut need) {
        sizes.push(need.size());
        assert_eq!(bench.books.pending(), need.size());
    }
    assert_eq!(sizes, [16, 8, 4, 2, 1].map(|mib| mib * MIB));
    let place = bench.fulfil(need);
    bench.check_books();
    assert_eq!(bench.pool.stats().total_size, MIB);
    bench.free(place);
}

#[test]
fn shrinking_never_goes_below_the_request() {
    let mut bench = Bench::new(PoolConfig::default());
    let mut need = bench.need(&bytes(5 * MIB));
    assert!(bench.pool.shrink(&mut need));
    assert_eq!(need.size(), 8 * MIB);
    assert!(!bench.pool.shrink(&mut need));
    let _live = bench.fulfil(need);
    let mut dedicated = bench.need(&bytes(100 * MIB));
    assert!(!bench.pool.shrink(&mut dedicated));
    bench.pool.cancel(dedicated).expect("it is ours");
}

#[test]
fn a_waiter_on_a_block_that_shrank_asks_again_and_is_served() {
    let mut bench = Bench::new(PoolConfig::default());
    let mut need = bench.need(&bytes(MIB));
    assert!(matches!(bench.pool.allocate(&bytes(8 * MIB)), Ok(Answer::Pending(_))));
    while bench.pool.shrink(&mut need) {}
    let _live = bench.fulfil(need);
    let own = bench.need(&bytes(8 * MIB));
    let _live = bench.fulfil(own);
    bench.check_books();
}

#[test]
fn a_block_that_does_not_belong_here_comes_back_unchanged() {
    let mut bench = Bench::new(PoolConfig::default());
    let mut other = Bench::new(PoolConfig::default());
    let place = bench.allocate(&bytes(MIB));
    let foreign = other.need(&bytes(MIB));
    let reservation = other.budgets.reserve(&foreign).expect("8 GiB are free");
    let refused = bench
        .pool
        .add_block(foreign, reservation, BlockId(77))
        .expect_err("it is the other pool's");
    assert_eq!(refused.error, AddBlockError::UnknownRequest);
    let (foreign, reservation) = refused.returned;
    let refused = bench.pool.cancel(foreign).expect_err("it is the other pool's");
    assert_eq!(refused.error, CancelError::UnknownRequest);
    bench.check_books();

    // The right pool still takes it.
    let foreign_place =
        other.pool.add_block(refused.returned, reservation, BlockId(77)).expect("it is its own");
    other.check_books();
    bench.free(place);
    other.free(foreign_place);
}

#[test]
fn a_reservation_of_another_size_or_device_is_refused() {
    let mut bench = Bench::new(PoolConfig::default());
    let other = Bench::new(PoolConfig::default());
    let mut need = bench.need(&bytes(MIB));
    let large = bench.budgets.reserve(&need).expect("8 GiB are free");
    assert!(bench.pool.shrink(&mut need));
    let elsewhere = other.budgets.reserve(&need).expect("8 GiB are free");
    let expected = |reserved| AddBlockError::WrongReservation { reserved, requested: 8 * MIB };
    let refused = bench.pool.add_block(need, large, BlockId(1)).expect_err("the block shrank");
    assert_eq!(refused.error, expected(16 * MIB));
    let (need, large) = refused.returned;
    drop(large);
    let refused = bench.pool.add_block(need, elsewhere, BlockId(1)).expect_err("other budgets");
    assert_eq!(refused.error, expected(8 * MIB));
    let place = bench.fulfil(refused.returned.0);
    drop(refused.returned.1);
    bench.check_books();
    bench.free(place);
}

#[test]
fn a_block_handed_in_twice_is_refused() {
    let mut bench = Bench::new(no_growth());
    let (a, b) = two_needs(&mut bench);
    let first = bench.budgets.reserve(&a).expect("8 GiB are free");
    let second = bench.budgets.reserve(&b).expect("8 GiB are free");
    let place = bench.pool.add_block(a, first, BlockId(5)).expect("both are ours");
    let refused = bench.pool.add_block(b, second, BlockId(5)).expect_err("5 is there");
    assert_eq!(refused.error, AddBlockError::DuplicateBlock { id: BlockId(5) });
    let (b, second) = refused.returned;
    let other = bench.pool.add_block(b, second, BlockId(6)).expect("6 is new");
    bench.check_books();
    bench.free(place);
    bench.free(other);
}

#[test]
fn a_place_of_another_pool_comes_back_even_where_this_pool_has_the_same_one() {
    let mut bench = Bench::new(PoolConfig::default());
    let mut other = Bench::new(PoolConfig::default());
    let (mine, foreign) = (bench.allocate(&bytes(MIB)), other.allocate(&bytes(MIB)));
    assert_eq!((mine.slot(), mine.offset()), (foreign.slot(), foreign.offset()));
    let refused = bench.pool.free(foreign).expect_err("the other pool made it");
    assert!(matches!(refused.error, FreeError::UnknownBlock { slot: 0, .. }));
    bench.check_books();
    bench.free(mine);
    other.free(refused.returned);
}

#[test]
fn a_place_of_a_returned_block_comes_back_even_after_its_slot_is_used_again() {
    let none_kept = PoolConfig { retention: NOTHING_KEPT, ..PoolConfig::default() };
    let mut bench = Bench::new(none_kept);
    let mut twin = Bench::new(PoolConfig::default());
    let first = bench.allocate(&bytes(2 * MIB));
    let stale = twin.allocate(&bytes(2 * MIB));
    assert_eq!(bench.free(first), Some(16 * MIB));
    let refused = bench.pool.free(stale).expect_err("no block is there");
    assert!(matches!(refused.error, FreeError::UnknownBlock { slot: 0, .. }));
    let again = bench.allocate(&bytes(2 * MIB));
    assert_eq!(again.slot(), 0);
    let refused = bench.pool.free(refused.returned).expect_err("another block is there");
    assert!(matches!(refused.error, FreeError::UnknownBlock { slot: 0, .. }));
    bench.check_books();
    bench.free(again);
    twin.free(refused.returned);
}

#[test]
fn a_refused_reservation_changes_nothing() {
    let heap = HeapLimits { size: 8 << 30, limit: Some(20 * MIB), max_block_count: None };
    let mut bench = Bench::with_limits(no_growth(), DeviceLimits::default(), heap);
    let (a, b) = two_needs(&mut bench);
    let first = bench.budgets.reserve(&a).expect("16 of 20 MiB");
    let before = bench.budgets.usage(0);
    let error = bench.budgets.reserve(&b).expect_err("32 of 20 MiB");
    assert_eq!(
        error,
        LimitError::HeapLimit { heap_index: 0, size: 16 * MIB, in_use: 16 * MIB, limit: 20 * MIB }
    );
    assert_eq!(bench.budgets.usage(0), before);
    assert_eq!(bench.budgets.object_count(), 1);
    bench.pool.cancel(b).expect("it is ours");
    let id = bench.id();
    let place = bench.pool.add_block(a, first, id).expect("both are ours");
    bench.check_books();
    bench.free(place);
}

#[test]
fn tickets_are_not_reused() {
    let mut bench = Bench::new(PoolConfig::default());
    let mut seen: Vec<Ticket> = Vec::new();
    for _ in 0..100 {
        let need = bench.need(&bytes(MIB));
        assert!(!seen.contains(&need.ticket()));
        seen.push(need.ticket());
        bench.pool.cancel(need).expect("it is ours");
    }
}
