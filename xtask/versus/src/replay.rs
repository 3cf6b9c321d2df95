//! Runs a program on a peer: for its time, and for the time of each operation.
//!
//! # Basic design
//!
//! Each allocation and each release is a call that the compiler may not inline, of the same two
//! functions for all peers, and what a peer hands out is kept in a table by slot, as a program
//! would keep it. A slot is fetched into the cache a few operations before it is needed: with a million
//! of them a miss on the harness's own table would cost more than most allocators do, and a program
//! that frees something has just had it in its hands. The clock is read once in a few thousand operations, to stop a peer that would
//! take too long; its figure is then that of the operations it has done.

use std::time::{Duration, Instant};

use crate::clock;
use crate::peers::{Core, Region};
use crate::program::{Case, Operation, UNIT};

/// How many operations lie between two looks at the clock.
const STRETCH: usize = 4096;

/// How many operations ahead of its use a slot is fetched.
const AHEAD: usize = 16;

/// Time and work of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timing {
    /// Time that the thread has computed.
    pub(crate) elapsed: Duration,
    /// How many of the measured operations were done.
    pub(crate) operation_count: usize,
    /// Whether that is fewer than the program has.
    pub(crate) is_cut: bool,
}

impl Timing {
    /// Nanoseconds for an allocation and its release, the calls and the table included.
    pub(crate) fn pair_ns(&self) -> f64 {
        // Measured parts allocate as often as they free.
        self.elapsed.as_nanos() as f64 / (self.operation_count as f64 / 2.0)
    }
}

#[inline(never)]
fn allocate<C: Core>(core: &mut C, size: u64, alignment: u64) -> Option<C::Handle> {
    core.allocate(size, alignment)
}

#[inline(never)]
fn free<C: Core>(core: &mut C, handle: C::Handle) {
    core.free(handle);
}

/// One operation, as every run does it.
#[inline(always)]
pub(crate) fn step<C: Core>(core: &mut C, slots: &mut [Option<C::Handle>], operation: &Operation) {
    let slot = &mut slots[operation.slot as usize];
    if operation.is_allocation() {
        *slot = allocate(core, u64::from(operation.size), u64::from(operation.alignment));
    } else if let Some(handle) = slot.take() {
        free(core, handle);
    }
}

/// Has the first and the last cache line of a slot fetched, where the processor can be told to.
#[inline(always)]
pub(crate) fn fetch<T>(slot: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let first = std::ptr::from_ref(slot).cast::<i8>();
        let last = first.wrapping_add(size_of::<T>().saturating_sub(1));
        // SAFETY: A hint reads and writes nothing; any address will do.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(first) };
        // SAFETY: As above.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(last) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slot;
}

/// An empty table with a slot for each block that may live at once.
pub(crate) fn empty_slots<T>(count: usize) -> Vec<Option<T>> {
    std::iter::repeat_with(|| None).take(count).collect()
}

/// The time of the measured part of a case, of which the first `end` operations are done at most.
pub(crate) fn time<C: Core>(case: &Case, end: usize, limit: Duration) -> Timing {
    let mut core = C::new(Region::of(case));
    let mut slots = empty_slots(case.slot_count);
    for operation in &case.operations[..case.prelude] {
        step(&mut core, &mut slots, operation);
    }
    let mut operation_count = 0;
    let start = clock::now();
    let mut elapsed = Duration::ZERO;
    let measured = &case.operations[case.prelude..end];
    let last = measured.len().saturating_sub(1);
    for (index, stretch) in measured.chunks(STRETCH).enumerate() {
        for (at, operation) in (index * STRETCH..).zip(stretch) {
            fetch(&slots[measured[(at + AHEAD).min(last)].slot as usize]);
            step(&mut core, &mut slots, operation);
        }
        operation_count += stretch.len();
        elapsed = clock::since(start);
        if elapsed > limit {
            break;
        }
    }
    core.abandon(slots);
    let is_cut = case.prelude + operation_count < case.operations.len();
    Timing { elapsed, operation_count, is_cut }
}

/// Runs the first operations of a case, and lowers each one's time in `fastest` to what it took now.
///
/// The first run (`fastest` empty) sets how many operations there are: as many as `end` says, or as
/// the limit allows. Times are in nanoseconds of the wall, the reading of the clock included: what
/// interrupts an operation in one run does not do so in all of them.
pub(crate) fn time_each<C: Core>(case: &Case, end: usize, limit: Duration, fastest: &mut Vec<u32>) {
    let is_first = fastest.is_empty();
    let end = if is_first { end } else { fastest.len() };
    if is_first {
        // Touched now, so that no page of this table comes to be while the clock runs.
        fastest.resize(end, u32::MAX);
    }
    warm_up::<C>();
    let mut core = C::new(Region::of(case));
    let mut slots = empty_slots(case.slot_count);
    let start = clock::now();
    let mut done = 0;
    for (stretch, times) in
        case.operations[..end].chunks(STRETCH).zip(fastest[..end].chunks_mut(STRETCH))
    {
        for (operation, time) in stretch.iter().zip(times) {
            fetch(&slots[operation.slot as usize]);
            let before = Instant::now();
            step(&mut core, &mut slots, operation);
            let nanoseconds = before.elapsed().as_nanos();
            *time = (*time).min(u32::try_from(nanoseconds).unwrap_or(u32::MAX));
        }
        done += stretch.len();
        if is_first && clock::since(start) > limit {
            break;
        }
    }
    if is_first {
        fastest.truncate(done);
    }
    core.abandon(slots);
}

/// Brings the allocator's code into the caches, by a region of its own that is thrown away.
///
/// Otherwise the worst operation is the first call of `free`, in every replay and for nearly
/// everybody: the peer before it has used other code.
fn warm_up<C: Core>() {
    const SIZE: u32 = 4 << 20;
    let mut core = C::new(Region { size: u64::from(SIZE), max_live: 64 });
    let mut slots = empty_slots(64);
    for round in 1..=8 {
        for slot in 0..64 {
            step(&mut core, &mut slots, &Operation::allocate(slot, (1 + slot % 16) * UNIT * round));
        }
        for slot in 0..64 {
            // Every other one first, so that there is something to merge on both sides.
            step(&mut core, &mut slots, &Operation::free(slot * 2 % 64 + slot / 32));
        }
    }
}

/// The least that an empty interval between two readings of the clock takes, in nanoseconds.
pub(crate) fn clock_overhead() -> u32 {
    let empty = |_| {
        let before = Instant::now();
        before.elapsed().as_nanos()
    };
    let least = (0..100_000).map(empty).min().unwrap_or(0);
    u32::try_from(least).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::ours::Ours;
    use crate::workloads;

    #[test]
    fn a_run_that_is_not_cut_does_the_whole_measured_part() {
        let case = workloads::core("lifo", 1_024).unwrap();
        let timing = time::<Ours>(&case, case.operations.len(), Duration::from_secs(60));
        assert_eq!(timing.operation_count, case.operations.len() - case.prelude);
        assert!(!timing.is_cut && timing.pair_ns() > 0.0);
    }

    #[test]
    fn a_run_over_its_limit_is_cut_after_a_stretch() {
        let case = workloads::core("ping-pong", 10_000).unwrap();
        let timing = time::<Ours>(&case, case.operations.len(), Duration::ZERO);
        assert_eq!(timing.operation_count, STRETCH);
        assert!(timing.is_cut);
    }

    #[test]
    fn each_operation_keeps_its_least_time_over_the_runs() {
        let case = workloads::core("lifo", 1_024).unwrap();
        let mut fastest = Vec::new();
        time_each::<Ours>(&case, 1_000, Duration::from_secs(60), &mut fastest);
        assert_eq!(fastest.len(), 1_000);
        assert!(fastest.iter().all(|time| *time < u32::MAX));
        let first = fastest.clone();
        time_each::<Ours>(&case, 1_000, Duration::from_secs(60), &mut fastest);
        assert!(fastest.iter().zip(&first).all(|(now, before)| now <= before));
    }
}
