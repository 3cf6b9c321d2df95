//! Threads that allocate, touch, look, write and free in a pool that is always full, frame by frame.
//!
//! Each thing that is bound has a number, by which everybody puts down what he has seen: the last frame in
//! which somebody was told that it is there, and when it was lost. Frames begin while nobody is at work, so
//! both are exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gpu_alloc_ash::{
    Algorithm, AllocError, CustomPoolConfig, Evictable, EvictablePool, LinearKind,
    PoolAllocationRequest,
};
use rstest::rstest;

use super::fixture::{KEPT, begin_frame};
use crate::custom_pools::fixture::{MAPPED, bytes, fixed};
use crate::rng::Rng;
use crate::support::{KIB, MIB, Sim};

const THREADS: usize = 4;
const FRAMES: u64 = 200;
const STEPS: usize = 24;
/// A thread uses its newest ones, so that others get old.
const REACH: usize = 8;
/// And, but for a few, leaves them alone after so many frames.
const OLD: u64 = 3;
const MOST: usize = 60_000;

/// What is bound to an allocation.
#[derive(Debug)]
struct Token(usize);

/// What is known of every number.
struct Ledger {
    next: AtomicU64,
    /// The last frame in which somebody was told that it is there, or 0.
    seen_in: Box<[AtomicU64]>,
    /// The frame in which the callback got it, or 0.
    lost_in: Box<[AtomicU64]>,
    freed: Box<[AtomicU64]>,
    frame: AtomicU64,
}

impl Ledger {
    fn new() -> Self {
        let column = || (0..MOST).map(|_| AtomicU64::new(0)).collect();
        Self {
            next: AtomicU64::new(0),
            seen_in: column(),
            lost_in: column(),
            freed: column(),
            frame: AtomicU64::new(1),
        }
    }

    fn token(&self) -> Token {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Token(usize::try_from(number).expect("below MOST"))
    }

    /// Somebody was told in a frame that it is there.
    fn seen(&self, number: usize, frame: u64) {
        self.seen_in[number].fetch_max(frame, Ordering::Relaxed);
    }

    fn lose(&self, number: usize) {
        let frame = self.frame.load(Ordering::Relaxed);
        let before = self.lost_in[number].swap(frame, Ordering::Relaxed);
        assert_eq!(before, 0, "{number} was lost twice");
    }

    fn is_lost(&self, number: usize) -> bool {
        self.lost_in[number].load(Ordering::Relaxed) != 0
    }
}

/// A handle, and what should be found there.
struct Held {
    evictable: Evictable<Token>,
    number: usize,
    size: u64,
    made_in: u64,
}

/// One thread.
struct Worker<'a> {
    sim: &'a Sim,
    pool: &'a EvictablePool<Token>,
    ledger: &'a Ledger,
    rng: Rng,
    held: Vec<Held>,
    /// Handles that answered that they are lost.
    gone: Vec<Held>,
    refused: u64,
}

impl Worker<'_> {
    fn step(&mut self, frame: u64) {
        match self.rng.below(10) {
            0..=2 => self.allocate(frame),
            3..=4 => self.touch(frame),
            5..=6 => self.look(frame),
            7..=8 => self.write(frame),
            _ => self.free(),
        }
    }

    fn allocate(&mut self, frame: u64) {
        let size = 20 * KIB + self.rng.below(50) * KIB;
        let name = self.rng.chance(20).then_some("named");
        let token = self.ledger.token();
        let number = token.0;
        let request = PoolAllocationRequest { alignment: 256, name, ..bytes(size) };
        match self.sim.allocator.allocate_evictable(self.pool, &request, frame, token) {
            Ok(evictable) => {
                self.ledger.seen(number, frame);
                let mut held = Held { evictable, number, size, made_in: frame };
                assert!(self.fill(&mut held, frame), "{number} was lost in its own frame");
                self.held.push(held);
            }
            Err(refused) => {
                assert_eq!(refused.returned.0, number);
                assert!(matches!(refused.error, AllocError::PoolFull { .. }), "{}", refused.error);
                self.ledger.freed[number].store(1, Ordering::Relaxed);
                self.refused += 1;
            }
        }
    }

    fn fill(&self, held: &mut Held, frame: u64) -> bool {
        let bytes = pattern(held.number, held.size);
        let wrote = self.sim.allocator.with_mut(&mut held.evictable, frame, |mut view| {
            assert_eq!(view.value().0, held.number);
            view.write(0, &bytes).expect("it is mapped");
            assert!(!self.ledger.is_lost(held.number), "it was lost under its user");
        });
        wrote.is_some()
    }

    /// Whether a handle, taken out at random, is there; it goes to its list.
    fn use_one(&mut self, frame: u64, is_there: impl FnOnce(&Self, &mut Held) -> bool) {
        if self.held.is_empty() {
            return;
        }
        // Now and then an old one, which is lost or stays for a while, and keeps a ring from going on.
        let any = self.rng.below(300) == 0;
        let reach = if any { self.held.len() } else { REACH.min(self.held.len()) };
        let index = self.held.len() - 1 - self.rng.index(reach);
        if !any && self.held[index].made_in + OLD < frame {
            return;
        }
        let mut held = self.held.remove(index);
        let was_lost = self.ledger.is_lost(held.number);
        if is_there(self, &mut held) {
            assert!(!was_lost, "{} was lost, and used", held.number);
            self.ledger.seen(held.number, frame);
            self.held.insert(index, held);
        } else {
            self.gone.push(held);
        }
    }

    fn touch(&mut self, frame: u64) {
        self.use_one(frame, |worker, held| worker.sim.allocator.touch(&held.evictable, frame));
    }

    /// Looks, and finds the bytes that were written; others run meanwhile.
    fn look(&mut self, frame: u64) {
        self.use_one(frame, |worker, held| {
            let looked = worker.sim.allocator.with(&held.evictable, frame, |view| {
                assert_eq!((view.value().0, view.allocation().size()), (held.number, held.size));
                std::thread::yield_now();
                let mut found = vec![0; usize::try_from(held.size).expect("small")];
                view.read(0, &mut found).expect("it is mapped");
                assert!(found == pattern(held.number, held.size), "{} is damaged", held.number);
                assert!(!worker.ledger.is_lost(held.number), "it was lost under its user");
            });
            looked.is_some()
        });
    }

    fn write(&mut self, frame: u64) {
        self.use_one(frame, |worker, held| worker.fill(held, frame));
    }

    fn free(&mut self) {
        if self.held.len() < 3 {
            return;
        }
        let index = self.rng.index(self.held.len());
        let held = self.held.remove(index);
        match self.sim.free_evictable(held.evictable) {
            Some(token) => {
                assert_eq!(token.0, held.number);
                self.ledger.freed[held.number].store(1, Ordering::Relaxed);
            }
            // The callback has it, or gets it before its thread goes on.
            None => assert!(!self.is_kept(held.number), "{} was kept", held.number),
        }
    }

    /// Whether it was used within the frames kept.
    fn is_kept(&self, number: usize) -> bool {
        let seen_in = self.ledger.seen_in[number].load(Ordering::Relaxed);
        seen_in + KEPT >= self.ledger.frame.load(Ordering::Relaxed)
    }
}

/// Bytes that tell where they belong.
fn pattern(number: usize, size: u64) -> Vec<u8> {
    let word = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    word.repeat(usize::try_from(size / 8).expect("small"))
}

#[rstest]
#[case::two_tier(Algorithm::TwoTier, 2)]
#[case::tlsf(Algorithm::Tlsf, 2)]
#[case::buddy(Algorithm::Buddy, 2)]
#[case::ring(Algorithm::Linear(LinearKind::Ring), 1)]
fn under_pressure_nothing_used_within_its_frames_is_lost(
    #[case] algorithm: Algorithm,
    #[case] max_block_count: u32,
    #[values(1, 2)] seed: u64,
) {
    let sim = Sim::default();
    let ledger = Arc::new(Ledger::new());
    let config = CustomPoolConfig {
        algorithm,
        max_block_count: Some(max_block_count),
        ..fixed(MAPPED, 4 * MIB / u64::from(max_block_count))
    };
    let listed = Arc::clone(&ledger);
    let on_lost = move |token: Token| listed.lose(token.0);
    let pool = EvictablePool::new(sim.pool(&config), KEPT, on_lost);
    let mut workers: Vec<_> = (0..THREADS)
        .map(|thread| Worker {
            sim: &sim,
            pool: &pool,
            ledger: &ledger,
            rng: Rng::new(seed * 1000 + thread as u64),
            held: Vec::new(),
            gone: Vec::new(),
            refused: 0,
        })
        .collect();
    for frame in 1..=FRAMES {
        // Threads of their own for each frame: one that fails ends the test.
        std::thread::scope(|scope| {
            for worker in &mut workers {
                scope.spawn(move || (0..STEPS).for_each(|_| worker.step(frame)));
            }
        });
        assert_eq!(pool.pool().check(), Ok(()));
        begin_frame(&pool, frame + 1);
        ledger.frame.store(frame + 1, Ordering::Relaxed);
    }
    let mut refused = 0;
    for Worker { held, gone, refused: refusals, .. } in workers {
        refused += refusals;
        for one in held {
            let number = one.number;
            assert_eq!(one.evictable.is_lost(), ledger.is_lost(number));
        }
        for one in gone {
            assert!(ledger.is_lost(one.number), "{} is lost, and nobody was told", one.number);
            assert!(sim.free_evictable(one.evictable).is_none());
        }
    }
    let lost_under_pressure = pool.eviction_stats().lost_count;
    check(&ledger, lost_under_pressure, refused);
    // The rest goes at the end, and then every number has had exactly one end.
    sim.end_evictable(pool);
    let made = usize::try_from(ledger.next.load(Ordering::Relaxed)).expect("below MOST");
    for number in 0..made {
        let is_freed = ledger.freed[number].load(Ordering::Relaxed) != 0;
        assert_ne!(is_freed, ledger.is_lost(number), "{number} has one end");
    }
    sim.finish();
}

/// Nothing was lost that somebody was told was there within the frames kept, and there was pressure.
fn check(ledger: &Ledger, lost_count: u64, refused: u64) {
    let mut lost = 0;
    for (number, lost_in) in ledger.lost_in.iter().enumerate() {
        let lost_in = lost_in.load(Ordering::Relaxed);
        if lost_in == 0 {
            continue;
        }
        lost += 1;
        let seen_in = ledger.seen_in[number].load(Ordering::Relaxed);
        assert!(seen_in + KEPT < lost_in, "{number}: used in {seen_in}, lost in {lost_in}");
    }
    assert_eq!(lost, lost_count, "each loss is counted, and told");
    assert!(lost > 1000 && refused > 300, "{lost} lost, {refused} refused");
}
