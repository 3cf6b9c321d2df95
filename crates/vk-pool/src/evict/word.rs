//! The one word by which use and eviction are decided.

use core::sync::atomic::{AtomicU64, Ordering};

/// Bits of the frame: 2^40 frames are 34 years at a thousand a second.
const FRAME_BITS: u32 = 40;
const FRAME: u64 = (1 << FRAME_BITS) - 1;
/// Bit 63.
const LOST: u64 = 1 << 63;
/// The bits between are the pins.
const ONE_PIN: u64 = 1 << FRAME_BITS;
const PINS: u64 = LOST - ONE_PIN;

/// When an allocation was used last, how often it is pinned, and whether it is lost: one atomic word.
///
/// Frames are numbered upwards by the program. Numbers from 2^40 on count as 2^40 - 1.
///
/// ```
/// use vk_pool::evict::FrameWord;
///
/// let word = FrameWord::new(7);
/// assert!(word.touch(8));
/// assert!(!word.try_lose(10, 2)); // used in frame 8, kept for two more
/// let pinned = word.pin(8).expect("it is not lost");
/// assert!(!word.try_lose(100, 2)); // somebody is at it
/// drop(pinned);
/// assert!(word.try_lose(11, 2));
/// assert!(!word.touch(11) && word.pin(11).is_none()); // for good
/// ```
#[derive(Debug)]
pub struct FrameWord(AtomicU64);

/// What a [`FrameWord`] says at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameState {
    /// It was given up, or freed by its owner.
    Lost,
    /// It is there.
    Live {
        /// The frame it was used in last.
        last_used: u64,
        /// How many hold it at the moment.
        pins: u32,
    },
}

/// Holds an allocation: it is not lost before this is dropped.
#[derive(Debug)]
#[must_use = "it is let go when this is dropped"]
pub struct Pinned<'a>(&'a FrameWord);

impl FrameWord {
    /// The most that may pin one allocation at once.
    pub const MAX_PINS: u32 = (PINS >> FRAME_BITS) as u32;

    /// Of an allocation that is made, and used, in a frame.
    #[must_use]
    pub const fn new(frame: u64) -> Self {
        Self(AtomicU64::new(clamp(frame)))
    }

    /// Of what has so many pins already.
    #[cfg(test)]
    pub(super) fn with_pins(pins: u32) -> Self {
        Self(AtomicU64::new(u64::from(pins) << FRAME_BITS))
    }

    /// Says that it is used in a frame. `false` if it is lost, and then it stays so; else it is not lost
    /// in that frame, nor in as many after it as are kept.
    ///
    /// A frame before the last one does nothing.
    #[inline]
    pub fn touch(&self, frame: u64) -> bool {
        self.change(|word| Some(raised(word, frame))).is_some()
    }

    /// Touches it, and holds it until what is answered is dropped. `None` if it is lost, or if
    /// [`MAX_PINS`](Self::MAX_PINS) hold it.
    #[inline]
    pub fn pin(&self, frame: u64) -> Option<Pinned<'_>> {
        self.change(|word| (word & PINS != PINS).then(|| raised(word, frame) + ONE_PIN))?;
        Some(Pinned(self))
    }

    /// Gives it up, if nobody holds it and it was used more than `kept` frames before `now`. Of all calls,
    /// this one's and [`retire`](Self::retire)'s, at most one is answered `true`: it frees the memory.
    pub fn try_lose(&self, now: u64, kept: u64) -> bool {
        let is_old = |word: u64| (word & FRAME).saturating_add(kept) < clamp(now);
        self.change(|word| (word & PINS == 0 && is_old(word)).then_some(word | LOST)).is_some()
    }

    /// Ends it for its owner, who wants to free it, whenever it was used last. `false` if it is lost
    /// already, or if somebody holds it.
    pub fn retire(&self) -> bool {
        self.change(|word| (word & PINS == 0).then_some(word | LOST)).is_some()
    }

    /// What it says now. Unless it is lost, that may be over in the next moment.
    #[must_use]
    pub fn state(&self) -> FrameState {
        let word = self.0.load(Ordering::Acquire);
        if word & LOST != 0 {
            return FrameState::Lost;
        }
        let pins = u32::try_from(word >> FRAME_BITS).unwrap_or(u32::MAX);
        FrameState::Live { last_used: word & FRAME, pins }
    }

    /// The frame it was used in last, if it could be given up now: neither lost nor pinned, and used more
    /// than `kept` frames before `now`.
    #[must_use]
    pub fn evictable(&self, now: u64, kept: u64) -> Option<u64> {
        match self.state() {
            FrameState::Live { last_used, pins: 0 } => {
                Some(last_used).filter(|last| last.saturating_add(kept) < clamp(now))
            }
            _ => None,
        }
    }

    /// Replaces the word of what is not lost; `None` if it is, or if `next` does not want to.
    ///
    /// Acquire and release, both ways: who loses it has seen all that was done while it was pinned, and
    /// who pins it all that was written before.
    #[inline]
    fn change(&self, next: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        let next = |word: u64| if word & LOST != 0 { None } else { next(word) };
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).ok()
    }
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        // No underflow: each of these has added one, and what is pinned is not lost.
        self.0.0.fetch_sub(ONE_PIN, Ordering::Release);
    }
}

const fn clamp(frame: u64) -> u64 {
    if frame < FRAME { frame } else { FRAME }
}

/// The word with its frame raised, if that is later.
fn raised(word: u64, frame: u64) -> u64 {
    (word & !FRAME) | (word & FRAME).max(clamp(frame))
}
