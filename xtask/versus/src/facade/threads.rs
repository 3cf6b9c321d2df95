//! Several threads on one facade.
//!
//! # Basic design
//!
//! Threads are kept on cores, in turn. They fill up, wait for each other (spinning, so that all run
//! when the clock starts), and then allocate and free for a short time. What counts is the time of the
//! wall, from the first that starts to the last that ends, for each pair that any of them has done. That
//! is repeated a few times, and the least is kept: on a machine that others use, too, some slices have a
//! core taken away.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::peers::Facade;
use super::program::{Program, Request};
use super::replay::{empty_slots, steps};
use crate::pin;

/// How often is measured, and where.
#[derive(Debug, Clone)]
pub(crate) struct Slices {
    pub(crate) count: usize,
    /// Where threads are kept, in turn; none to leave it to the system.
    pub(crate) cores: Vec<usize>,
}

/// Operations between two looks at the clock.
const STRETCH: usize = 128;

/// Allocations that are handed over together, so that handing over costs little.
const BATCH: usize = 256;

/// Batches on their way at most.
const BATCHES: usize = 8;

/// A slice of threads that each have a core: shorter than what a system lets others run in between.
const SHORT: Duration = Duration::from_millis(1);

/// A slice of threads that share cores: long enough that each runs several times.
const LONG: Duration = Duration::from_millis(8);

impl Slices {
    /// How long so many threads are measured at a time.
    fn length(&self, thread_count: usize) -> Duration {
        if thread_count <= self.cores.len() { SHORT } else { LONG }
    }

    /// Keeps this thread, the `index`-th, on its core.
    fn pin(&self, index: usize) {
        if let Some(&core) = self.cores.get(index % self.cores.len().max(1)) {
            pin::to_core(core);
        }
    }
}

/// Where threads wait for each other, awake.
struct Meeting {
    arrived: AtomicUsize,
    count: usize,
}

impl Meeting {
    fn new(count: usize) -> Self {
        Self { arrived: AtomicUsize::new(0), count }
    }

    /// Waits until all have come to their next meeting.
    fn wait(&self) {
        let arrived = self.arrived.fetch_add(1, Ordering::AcqRel) + 1;
        let all = arrived.next_multiple_of(self.count);
        wait_until(|| self.arrived.load(Ordering::Acquire) >= all);
    }
}

/// Spins for a moment, then lets others run: there may be more threads than cores.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let mut spins = 0;
    while !is_so() {
        spins += 1;
        if spins < 1_000 { std::hint::spin_loop() } else { std::thread::yield_now() }
    }
}

/// When a thread worked in a slice, and how many pairs it did.
struct Work {
    start: Instant,
    end: Instant,
    pairs: usize,
}

/// Nanoseconds of the wall for each pair of any thread; a program for each thread.
pub(crate) fn pair_ns<F: Facade>(facade: &F, programs: &[Program], slices: &Slices) -> f64 {
    let meeting = Meeting::new(programs.len());
    let works: Vec<Vec<Work>> = std::thread::scope(|scope| {
        let threads: Vec<_> = programs
            .iter()
            .enumerate()
            .map(|(index, program)| {
                let meeting = &meeting;
                scope.spawn(move || {
                    slices.pin(index);
                    work(facade, program, slices, meeting)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no facade panics")).collect()
    });
    let slice_ns = |slice: usize| {
        let of_threads = works.iter().map(|slices| &slices[slice]);
        let start = of_threads.clone().map(|work| work.start).min();
        let end = of_threads.clone().map(|work| work.end).max();
        let elapsed = end.zip(start).map_or(Duration::ZERO, |(end, start)| end - start);
        let pairs: usize = of_threads.map(|work| work.pairs).sum();
        elapsed.as_nanos() as f64 / pairs as f64
    };
    (0..slices.count).map(slice_ns).fold(f64::INFINITY, f64::min)
}

/// What one thread does.
fn work<F: Facade>(facade: &F, program: &Program, slices: &Slices, meeting: &Meeting) -> Vec<Work> {
    let length = slices.length(meeting.count);
    let mut slots = empty_slots(program.slot_count);
    let (prelude, measured) = program.operations.split_at(program.prelude);
    steps(facade, &mut slots, prelude);
    // A churn replaces what lives pair by pair, so it can start over after any of its pairs.
    let mut stretches = measured.chunks_exact(STRETCH).cycle();
    let works = (0..slices.count).map(|_| {
        meeting.wait();
        let start = Instant::now();
        let (mut pairs, mut end) = (0, start);
        while end - start < length {
            let stretch = stretches.next().expect("a program has a stretch at least");
            steps(facade, &mut slots, stretch);
            pairs += STRETCH / 2;
            end = Instant::now();
        }
        Work { start, end, pairs }
    });
    let works = works.collect();
    meeting.wait();
    slots.into_iter().flatten().for_each(|handle| facade.free(handle));
    works
}

/// Nanoseconds of the wall for each allocation that one thread makes and another gives back.
pub(crate) fn handed_over_ns<F: Facade>(facade: &F, program: &Program, slices: &Slices) -> f64 {
    let requests: Vec<_> = program.operations.iter().filter_map(|o| o.request).collect();
    let slice = |_| hand_over(facade, &requests, slices);
    (0..slices.count).map(slice).fold(f64::INFINITY, f64::min)
}

fn hand_over<F: Facade>(facade: &F, requests: &[Request], slices: &Slices) -> f64 {
    let (meeting, length) = (Meeting::new(2), slices.length(2));
    let on_their_way = Mutex::new(VecDeque::with_capacity(BATCHES));
    let is_done = AtomicBool::new(false);
    let queue = || on_their_way.lock().expect("no holder of the lock panics");
    std::thread::scope(|scope| {
        let producer = scope.spawn(|| {
            slices.pin(0);
            meeting.wait();
            let start = Instant::now();
            let mut batches = requests.chunks_exact(BATCH).cycle();
            let mut count = 0;
            while start.elapsed() < length {
                let batch = batches.next().expect("a program has a batch at least");
                let made: Vec<_> = batch.iter().filter_map(|r| facade.allocate(r)).collect();
                count += made.len();
                wait_until(|| queue().len() < BATCHES);
                queue().push_back(made);
            }
            is_done.store(true, Ordering::Release);
            (start, count)
        });
        let consumer = scope.spawn(|| {
            slices.pin(1);
            meeting.wait();
            loop {
                wait_until(|| is_done.load(Ordering::Acquire) || !queue().is_empty());
                let batch = queue().pop_front();
                // Nothing is there, so it was the end that ended the waiting, and nothing follows.
                let Some(batch) = batch else { return Instant::now() };
                batch.into_iter().for_each(|handle| facade.free(handle));
            }
        });
        let (start, count) = producer.join().expect("no facade panics");
        let end = consumer.join().expect("no facade panics");
        (end - start).as_nanos() as f64 / count as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_leaves_a_meeting_before_all_have_come() {
        let (meeting, inside) = (Meeting::new(3), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 1..=50 {
                        inside.fetch_add(1, Ordering::SeqCst);
                        meeting.wait();
                        assert!(inside.load(Ordering::SeqCst) >= 3 * round);
                        meeting.wait();
                    }
                });
            }
        });
        assert_eq!(inside.load(Ordering::SeqCst), 150);
    }
}
