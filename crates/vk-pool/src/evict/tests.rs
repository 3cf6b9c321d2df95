//! The word against a model, alone and under threads; plans against every stretch there is.

extern crate std;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proptest::prelude::*;

use super::{EvictablePiece, FrameState, FrameWord, Pinned, plan};

const KEPT: u64 = 2;

#[derive(Clone, Copy, Debug)]
enum Step {
    Touch(u64),
    Pin(u64),
    Unpin,
    TryLose(u64),
    Retire,
}

fn step() -> impl Strategy<Value = Step> {
    let frame = prop_oneof![10 => 0u64..30, 1 => Just(u64::MAX), 1 => Just((1 << 40) - 2)];
    prop_oneof![
        4 => frame.clone().prop_map(Step::Touch),
        3 => frame.clone().prop_map(Step::Pin),
        3 => Just(Step::Unpin),
        4 => frame.prop_map(Step::TryLose),
        1 => prop::bool::weighted(0.1).prop_map(|now| if now { Step::Retire } else { Step::Unpin }),
    ]
}

proptest! {
    #[test]
    fn a_word_agrees_with_its_three_numbers(steps in prop::collection::vec(step(), 1..60)) {
        const LAST: u64 = (1 << 40) - 1;
        let word = FrameWord::new(5);
        let (mut last_used, mut is_lost) = (5, false);
        let mut pinned: Vec<Pinned<'_>> = Vec::new();
        for step in steps {
            let free = !is_lost && pinned.is_empty();
            match step {
                Step::Touch(frame) => {
                    prop_assert_eq!(word.touch(frame), !is_lost);
                    if !is_lost {
                        last_used = last_used.max(frame.min(LAST));
                    }
                }
                Step::Pin(frame) => {
                    let pin = word.pin(frame);
                    prop_assert_eq!(pin.is_some(), !is_lost);
                    if let Some(pin) = pin {
                        last_used = last_used.max(frame.min(LAST));
                        pinned.push(pin);
                    }
                }
                Step::Unpin => drop(pinned.pop()),
                Step::TryLose(now) => {
                    let goes = free && last_used + KEPT < now.min(LAST);
                    prop_assert_eq!(word.evictable(now, KEPT), goes.then_some(last_used));
                    prop_assert_eq!(word.try_lose(now, KEPT), goes);
                    is_lost |= goes;
                }
                Step::Retire => {
                    prop_assert_eq!(word.retire(), free);
                    is_lost |= free;
                }
            }
            let pins = u32::try_from(pinned.len()).unwrap();
            let state = FrameState::Live { last_used, pins };
            prop_assert_eq!(word.state(), if is_lost { FrameState::Lost } else { state });
        }
    }

    #[test]
    fn a_plan_is_the_best_of_all_stretches(
        gaps_and_sizes in prop::collection::vec((0u64..6, 1u64..9, prop::option::of(0u64..5)), 0..12),
        (size, alignment_log, tail) in (1u64..30, 0u32..4, 0u64..6),
    ) {
        let mut end = 0;
        let pieces: Vec<EvictablePiece> = gaps_and_sizes
            .into_iter()
            .map(|(gap, size, last_used)| {
                let piece = EvictablePiece { offset: end + gap, size, last_used };
                end = piece.offset + size;
                piece
            })
            .collect();
        let (block_size, alignment) = (end + tail, 1 << alignment_log);
        // Every offset there is.
        let best = (0..block_size)
            .step_by(alignment)
            .filter(|offset| offset + size <= block_size)
            .filter_map(|offset| {
                let overlaps = |piece: &&EvictablePiece| {
                    piece.offset < offset + size && offset < piece.offset + piece.size
                };
                let going: Vec<_> = pieces.iter().filter(overlaps).collect();
                let youngest = going.iter().map(|piece| piece.last_used).collect::<Option<Vec<_>>>()?;
                let bytes: u64 = going.iter().map(|piece| piece.size).sum();
                Some((youngest.into_iter().max(), bytes, offset))
            })
            .min();
        let plan = plan(&pieces, block_size, size, alignment as u64);
        prop_assert_eq!(plan.as_ref().map(|plan| (plan.youngest, plan.bytes, plan.offset)), best);
        if let Some(plan) = plan {
            let going = &pieces[plan.pieces];
            prop_assert_eq!(going.iter().map(|piece| piece.size).sum::<u64>(), plan.bytes);
            prop_assert_eq!(going.iter().filter_map(|piece| piece.last_used).max(), plan.youngest);
        }
    }
}

#[test]
fn a_word_holds_no_more_pins_than_it_can_count() {
    let word = FrameWord::with_pins(FrameWord::MAX_PINS - 1);
    let last = word.pin(3).expect("one more can be counted");
    assert!(word.pin(4).is_none());
    assert_eq!(word.state(), FrameState::Live { last_used: 3, pins: FrameWord::MAX_PINS });
    assert!(word.touch(9) && !word.try_lose(100, 0) && !word.retire());
    drop(last);
    assert_eq!(word.state(), FrameState::Live { last_used: 9, pins: FrameWord::MAX_PINS - 1 });
}

#[test]
fn nonsense_has_no_plan() {
    assert_eq!(plan(&[], 100, 0, 1), None);
    assert_eq!(plan(&[], 100, 1, 3), None);
    assert_eq!(plan(&[], 100, 101, 1), None);
    assert_eq!(plan(&[], u64::MAX, u64::MAX, 1 << 63).map(|plan| plan.offset), Some(0));
}

const WORDS: usize = 64;
const TURNS: usize = 40_000;

/// What the threads of the next test share.
struct Scene {
    words: [FrameWord; WORDS],
    /// 1 while the user of the word has it pinned.
    held: [AtomicU64; WORDS],
    lost_at: [AtomicU64; WORDS],
    now: AtomicU64,
    is_over: AtomicBool,
    /// A frame ends when both users have ended it.
    frame_end: std::sync::Barrier,
}

impl Scene {
    fn evict(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            for index in 0..WORDS {
                let frame = self.now.load(Ordering::Relaxed);
                if self.words[index].try_lose(frame, KEPT) {
                    assert_eq!(self.held[index].load(Ordering::Relaxed), 0, "it was pinned");
                    assert_eq!(self.lost_at[index].swap(frame, Ordering::Relaxed), 0, "lost twice");
                }
            }
            std::thread::yield_now();
        }
    }

    /// Uses every second word; answers for each the last frame in which that was granted.
    fn use_words(&self, user: usize) -> [u64; WORDS] {
        let mut granted = [0; WORDS];
        for turn in 0..TURNS {
            if turn % 200 == 199 && self.frame_end.wait().is_leader() {
                self.now.fetch_add(1, Ordering::Relaxed);
            }
            let index = (turn * 7 % (WORDS / 2)) * 2 + user;
            // The higher the index, the earlier it is left alone.
            if turn > TURNS - 500 * index {
                continue;
            }
            let frame = self.now.load(Ordering::Relaxed);
            if turn % 3 == 0 {
                if self.words[index].touch(frame) {
                    granted[index] = frame;
                }
            } else if let Some(pinned) = self.words[index].pin(frame) {
                granted[index] = frame;
                self.held[index].store(1, Ordering::Relaxed);
                assert_ne!(self.words[index].state(), FrameState::Lost);
                self.held[index].store(0, Ordering::Relaxed);
                drop(pinned);
            }
        }
        granted
    }
}

/// Users touch and pin, evictors give up what is old, frames go by: whoever was promised frames has got
/// them, nobody loses what is pinned, and of several who want to lose it one does.
#[test]
fn under_threads_nothing_touched_within_its_frames_is_lost() {
    let scene = &Scene {
        words: core::array::from_fn(|_| FrameWord::new(0)),
        held: core::array::from_fn(|_| AtomicU64::new(0)),
        lost_at: core::array::from_fn(|_| AtomicU64::new(0)),
        now: AtomicU64::new(1),
        is_over: AtomicBool::new(false),
        frame_end: std::sync::Barrier::new(2),
    };
    let granted: Vec<[u64; WORDS]> = std::thread::scope(|scope| {
        let evictors = [0, 1].map(|_| scope.spawn(|| scene.evict()));
        let users = [0, 1].map(|user| scope.spawn(move || scene.use_words(user)));
        let granted =
            users.into_iter().map(|user| user.join().expect("no assertion failed")).collect();
        scene.now.fetch_add(KEPT + 1, Ordering::Relaxed);
        let is_lost = |word: &FrameWord| word.state() == FrameState::Lost;
        while !scene.words.iter().all(is_lost) && !evictors.iter().any(|e| e.is_finished()) {
            std::thread::yield_now();
        }
        scene.is_over.store(true, Ordering::Relaxed);
        granted
    });
    for index in 0..WORDS {
        let granted = granted[0][index].max(granted[1][index]);
        let lost = scene.lost_at[index].load(Ordering::Relaxed);
        assert!(granted > 30, "{index} was in use for a while: {granted}");
        assert!(granted + KEPT < lost, "{index} was used in {granted} and lost in {lost}");
    }
}
