//! One thing that may be lost, and the word that says who may get at it.
//!
//! Basic design: who has pinned the word may look at the content, as nobody can lose it meanwhile. Of all
//! who try to lose it, or to end it for its owner, one is told that it did; nobody has it pinned then, and
//! nobody ever will, so the content is that one's to take. The word's operations acquire and release, so who
//! takes the content has seen the end of every use of it.
#![allow(unsafe_code)]

use vk_pool::evict::{FrameState, FrameWord};

use super::cell::UnsafeCell;

/// A content that is there until its word is lost.
pub(crate) struct Entry<C> {
    word: FrameWord,
    /// `None` once it was taken.
    content: UnsafeCell<Option<C>>,
}

// SAFETY: Shared, it hands out `&C` to several threads, and `C` to any one of them.
unsafe impl<C: Send + Sync> Sync for Entry<C> {}

impl<C> Entry<C> {
    /// Made, and used, in a frame.
    pub(crate) fn new(frame: u64, content: C) -> Self {
        Self { word: FrameWord::new(frame), content: UnsafeCell::new(Some(content)) }
    }

    pub(crate) fn word(&self) -> &FrameWord {
        &self.word
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.word.state() == FrameState::Lost
    }

    /// Looks at the content in a frame, and holds it as long. `None` if it is lost.
    #[inline]
    pub(crate) fn with<R>(&self, frame: u64, look: impl FnOnce(&C) -> R) -> Option<R> {
        // Let go when this function is left, by a panic too, and not before `look` is through.
        let _pinned = self.word.pin(frame)?;
        self.content.with(|content| {
            // SAFETY: It is written by who has lost it, which nobody has nor can while it is pinned, and
            // in `with_mut`, whose caller keeps others away.
            let content = unsafe { &*content };
            content.as_ref().map(look)
        })
    }

    /// The same, to change it.
    ///
    /// # Safety
    ///
    /// 1. Nobody is in [`with`](Self::with) or in here meanwhile.
    #[inline]
    pub(crate) unsafe fn with_mut<R>(
        &self,
        frame: u64,
        change: impl FnOnce(&mut C) -> R,
    ) -> Option<R> {
        let _pinned = self.word.pin(frame)?;
        self.content.with_mut(|content| {
            // SAFETY: Nobody else who has it pinned gets at it, by clause 1, and nobody can lose it.
            let content = unsafe { &mut *content };
            content.as_mut().map(change)
        })
    }

    /// Gives it up if it was used more than `kept` frames before `now` and nobody holds it; answers the
    /// content, once.
    pub(crate) fn try_lose(&self, now: u64, kept: u64) -> Option<C> {
        // SAFETY: 1. The word has told us, and nobody else, that we have lost it.
        if self.word.try_lose(now, kept) { unsafe { self.take() } } else { None }
    }

    /// Ends it, unless it is lost or somebody holds it; answers the content, once.
    pub(crate) fn retire(&self) -> Option<C> {
        // SAFETY: 1. As above.
        if self.word.retire() { unsafe { self.take() } } else { None }
    }

    /// # Safety
    ///
    /// 1. The word was lost by who calls this, just now.
    unsafe fn take(&self) -> Option<C> {
        self.content.with_mut(|content| {
            // SAFETY: Only who has it pinned, or has lost it, gets at it: nobody has it pinned, as it was
            // lost, and nobody else has lost it, by clause 1.
            let content = unsafe { &mut *content };
            content.take()
        })
    }
}
