//! Allocations that may be lost: made under pressure, used, freed, and lost when they are old and not
//! before.

use std::sync::Mutex;

use gpu_alloc_ash::{AllocError, Evictable, FreeError, PoolAllocationRequest};

use super::Session;
use super::contents::{Access, Contents};
use super::held::Place;
use super::places::check_zeroing;
use super::pools::{Handle, Losing, Pool};
use super::requests;
use crate::input::Input;

/// Live allocations of one program that may be lost, at most.
const MAX_LOSABLES: usize = 64;

/// An allocation that may be lost, and is not.
pub(super) struct Losable {
    /// `None` once its handle was dropped: it stays until its memory is needed.
    evictable: Option<Evictable<u64>>,
    /// What is bound there.
    number: u64,
    /// The number of its pool.
    pool: u64,
    pub(super) place: Place,
    pub(super) name: Option<&'static str>,
    contents: Contents,
    /// The latest frame that it was used in.
    used_in: u64,
}

impl Session<'_> {
    /// A pool whose allocations may be lost: its index.
    fn some_losing(&self, input: &mut Input<'_>) -> Option<usize> {
        let is_losing = |&index: &usize| matches!(self.pools[index].handle, Handle::Losing(_));
        let losing: Vec<usize> = (0..self.pools.len()).filter(is_losing).collect();
        (!losing.is_empty()).then(|| input.pick(&losing))
    }

    fn losing(&self, index: usize) -> &Losing {
        match &self.pools[index].handle {
            Handle::Losing(losing) => losing,
            Handle::Plain(_) => panic!("nothing may be lost there"),
        }
    }

    /// Asks for some of a size, mostly one that its blocks have room for.
    pub(super) fn allocate_evictables(&mut self, input: &mut Input<'_>) {
        let Some(index) = self.some_losing(input) else { return };
        let mut request = requests::pool_request(input, self.device.scale);
        if let Some(block_size) = self.pools[index].block_size.filter(|_| !input.one_in(8)) {
            request.size = 1 + request.size % block_size.div_ceil(1 << input.below(4)).max(1);
        }
        for _ in 0..=input.below(6) {
            if self.losables.len() < MAX_LOSABLES {
                self.allocate_evictable(index, request);
            }
        }
    }

    fn allocate_evictable(&mut self, index: usize, request: PoolAllocationRequest<'static>) {
        self.stamp += 1;
        let (pool, number) = (self.pools[index].number, self.stamp);
        self.trace.say(|| format!("evictable {number} in {pool} {request:x?}"));
        let before = self.snapshot();
        let losing = self.losing(index);
        let frame = losing.frame;
        let made = self.allocator.allocate_evictable(&losing.pool, &request, frame, number);
        let lost_count = self.hear_losses(index);
        let evictable = match made {
            Ok(evictable) => evictable,
            Err(refused) => {
                assert_eq!(refused.returned, number);
                if lost_count == 0 {
                    return self.refused(&before, &refused.error);
                }
                // There was room, and what was to be written there could not be.
                let is_drivers = matches!(refused.error, AllocError::Driver { .. });
                assert!(is_drivers, "{lost_count} were lost for nothing: {}", refused.error);
                self.tally.refusals += 1;
                return;
            }
        };
        let shown = self.allocator.with(&evictable, frame, |view| {
            assert_eq!(*view.value(), number);
            let allocation = view.allocation();
            assert!(self.pools[index].custom().contains(allocation));
            (Place::of(allocation, request.kind), allocation.needs_zeroing())
        });
        let (place, needs_zeroing) = shown.expect("nobody else gives anything up");
        self.trace.say(|| format!("  {place:x?}"));
        let mut made = self.pools[index].made(&request);
        made.request.strategy = gpu_alloc_ash::Strategy::Pooled;
        self.check_place(&place, &made);
        let mut contents = Contents::new(place.size);
        check_zeroing(&mut contents, needs_zeroing, place.is_mapped, &made.request);
        self.tally.evictables += 1;
        let (name, used_in, evictable) = (request.name, frame, Some(evictable));
        self.losables.push(Losable { evictable, number, pool, place, name, contents, used_in });
    }

    /// Takes what was lost in a pool off the books: it was old, and is out of reach. Answers how many.
    fn hear_losses(&mut self, index: usize) -> usize {
        let Losing { pool, frame, lost } = self.losing(index);
        let (frame, kept) = (*frame, pool.frames_kept());
        let lost = std::mem::take(&mut *lost.lock().expect("nobody panics"));
        for &number in &lost {
            self.trace.say(|| format!("  lost: {number}"));
            let gone = self.forget(number);
            assert!(gone.used_in + kept < frame, "{number}: {} + {kept}, {frame}", gone.used_in);
            assert_eq!(gone.pool, self.pools[index].number);
        }
        self.tally.losses += lost.len() as u64;
        lost.len()
    }

    /// Takes what went with its pool off the books: all that was left of it.
    pub(super) fn hear_the_last(&mut self, pool: u64, lost: &Mutex<Vec<u64>>) {
        for number in std::mem::take(&mut *lost.lock().expect("nobody panics")) {
            assert_eq!(self.forget(number).pool, pool);
        }
        assert!(self.losables.iter().all(|losable| losable.pool != pool), "some were not told");
    }

    /// What is lost cannot be used any more.
    fn forget(&mut self, number: u64) -> Losable {
        let index = self.losables.iter().position(|losable| losable.number == number);
        let gone = self.losables.swap_remove(index.expect("each is lost once"));
        if let Some(evictable) = &gone.evictable {
            assert!(evictable.is_lost());
            assert!(!self.allocator.touch(evictable, u64::MAX));
            assert!(self.allocator.with(evictable, u64::MAX, |_| ()).is_none());
        }
        gone
    }

    /// Uses one in its pool's frame or one before: touches it, writes to it or reads it.
    pub(super) fn use_evictable(&mut self, input: &mut Input<'_>) {
        if self.losables.is_empty() {
            return;
        }
        self.stamp += 1;
        let index = input.index(self.losables.len());
        let (way, back) = (input.byte(), u64::from(input.below(4)));
        let losable = &mut self.losables[index];
        let is_its = |pool: &&Pool| pool.number == losable.pool;
        let pool = self.pools.iter().find(is_its).expect("a pool goes after what is in it");
        let Handle::Losing(Losing { frame, .. }) = &pool.handle else {
            panic!("nothing may be lost there")
        };
        let frame = frame.saturating_sub(back);
        let Some(evictable) = &mut losable.evictable else { return };
        self.trace.say(|| format!("use {way:#x} of {} in frame {frame}", losable.number));
        let contents = &mut losable.contents;
        match way % 3 {
            0 => assert!(self.allocator.touch(evictable, frame)),
            1 => {
                let stamp = self.stamp;
                let access = self.allocator.with_mut(evictable, frame, |mut view| {
                    contents.fill_by(stamp, |offset, bytes| view.write(offset, bytes))
                });
                let access = access.expect("it is there");
                assert_eq!(access == Access::NotMapped, !losable.place.is_mapped);
            }
            _ => {
                let compared = self.allocator.with(evictable, frame, |view| {
                    contents.compare(&self.allocator, view.allocation())
                });
                self.tally.comparisons += u64::from(compared.expect("it is there"));
            }
        }
        losable.used_in = losable.used_in.max(frame);
    }

    /// Each has what was written to it, and what is bound to it.
    pub(super) fn check_losables(&mut self) {
        for losable in &self.losables {
            let Some(evictable) = &losable.evictable else { continue };
            // In the first frame of all, which does not keep it.
            let compared = self.allocator.with(evictable, 0, |view| {
                assert_eq!(*view.value(), losable.number);
                losable.contents.compare(&self.allocator, view.allocation())
            });
            self.tally.comparisons += u64::from(compared.expect("it is there"));
        }
    }

    pub(super) fn begin_frame(&mut self, input: &mut Input<'_>) {
        let Some(index) = self.some_losing(input) else { return };
        let frames = u64::from(input.below(8));
        let Handle::Losing(Losing { pool, frame, .. }) = &mut self.pools[index].handle else {
            return;
        };
        *frame += frames;
        // SAFETY: 1. to 3. The device has no commands, and no address is kept.
        unsafe { pool.begin_frame(*frame) };
        let frame = *frame;
        self.trace.say(|| format!("frame {frame} of pool {}", self.pools[index].number));
    }

    /// Frees one, or drops its handle.
    pub(super) fn free_evictable(&mut self, input: &mut Input<'_>) {
        if self.losables.is_empty() {
            return;
        }
        let index = input.index(self.losables.len());
        let is_dropped = input.one_in(8);
        let losable = &mut self.losables[index];
        let Some(evictable) = losable.evictable.take() else { return };
        let number = losable.number;
        self.trace.say(|| format!("free evictable {number}, dropped {is_dropped}"));
        if is_dropped {
            return;
        }
        // SAFETY: 1. and 2. It is refused before anything is done.
        let foreign = unsafe { self.stranger.free_evictable(evictable, |number| number) };
        let refused = foreign.expect_err("it is another allocator's");
        assert!(matches!(refused.error, FreeError::ForeignAllocation { .. }), "{refused:?}");
        // SAFETY: 1. and 2. The device has no commands, and nothing is bound.
        let freed = unsafe { self.allocator.free_evictable(refused.returned, |number| number) };
        assert_eq!(freed.expect("it is its own"), Some(number));
        self.losables.swap_remove(index);
    }
}
