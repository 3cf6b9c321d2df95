//! What a program knows to be true: which bytes are whose, and what is in them.

use std::collections::BTreeMap;

use ash::vk::Handle;
use gpu_alloc_ash::{AccessError, Allocation, ResourceKind};

use super::Made;
use crate::held::Held;
use crate::queue::Queue;
use crate::rng::Rng;
use crate::support::Sim;

/// Bytes of each allocation that are written and compared.
const WINDOW: u64 = 2048;

/// Everything that lives.
#[derive(Default)]
pub(super) struct Shadow {
    entries: Vec<Entry>,
    /// Memory object and offset of each, with the offset of its end: none overlaps the next.
    ranges: BTreeMap<(u64, u64), u64>,
}

struct Entry {
    held: Held,
    /// Bytes of the buffer, if it is one.
    buffer_size: u64,
    /// Whether it is not known to be linear.
    owns_granules: bool,
    /// Where the window of known bytes begins.
    start: u64,
    /// Nothing if it is not mapped.
    bytes: Vec<u8>,
}

impl Entry {
    fn allocation(&self) -> &Allocation {
        self.held.allocation().expect("a program holds nothing without memory")
    }
}

impl Shadow {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes in what was allocated, after looking at where it is, and fills it.
    pub(super) fn insert(&mut self, sim: &Sim, rng: &mut Rng, made: Made) {
        let Made { held, kind, buffer_size } = made;
        let allocation = held.allocation().expect("a program holds nothing without memory");
        let (memory, start) = (allocation.memory().as_raw(), allocation.offset());
        let end = start + allocation.size();
        let record = sim
            .driver
            .memories()
            .into_iter()
            .find(|record| record.memory == allocation.memory())
            .expect("its memory object lives");
        // The margin behind it is nobody's.
        let margin =
            allocation.mapped_ptr().map_or(0, |_| sim.allocator.config().corruption_margin);
        let end = if allocation.is_dedicated() { end } else { end + margin };
        assert!(end <= record.size, "it lies in its memory object");
        let before = self.ranges.range(..(memory, end)).next_back();
        if let Some((&(other, offset), &other_end)) = before {
            assert!(other != memory || other_end <= start, "{offset}..{other_end} overlaps");
        }
        self.ranges.insert((memory, start), end);
        let mapped = allocation.mapped_ptr().is_some();
        let window = if mapped { allocation.size().min(WINDOW) } else { 0 };
        // At the beginning of some, and at the end of others.
        let start = if rng.chance(50) { 0 } else { allocation.size() - window };
        let bytes = vec![0; usize::try_from(window).expect("a window is small")];
        let owns_granules = kind != ResourceKind::Linear;
        self.entries.push(Entry { held, buffer_size, owns_granules, start, bytes });
        let index = self.entries.len() - 1;
        sim.driver.clear_failures();
        self.write_window(sim, rng, index, 0, window).expect("nothing is planted");
    }

    /// Overwrites a part of the window.
    pub(super) fn write(&mut self, sim: &Sim, rng: &mut Rng, index: usize) {
        let window = self.entries[index].bytes.len() as u64;
        let from = rng.below(window + 1);
        let size = rng.below(window - from + 1);
        if let Err(error) = self.write_window(sim, rng, index, from, size) {
            assert!(matches!(error, AccessError::Driver { .. }), "{error}");
            // What a failed flush leaves is not known to the device: written once more.
            sim.driver.clear_failures();
            self.write_window(sim, rng, index, 0, window).expect("nothing is planted");
        }
    }

    fn write_window(
        &mut self,
        sim: &Sim,
        rng: &mut Rng,
        index: usize,
        from: u64,
        size: u64,
    ) -> Result<(), AccessError> {
        if size == 0 {
            return Ok(());
        }
        let Entry { held, start, bytes, .. } = &mut self.entries[index];
        let fresh = rng.bytes(usize::try_from(size).expect("a window is small"));
        let allocation = held.allocation_mut().expect("a program holds nothing without memory");
        sim.allocator.write(allocation, *start + from, &fresh)?;
        let from = usize::try_from(from).expect("a window is small");
        bytes[from..from + fresh.len()].copy_from_slice(&fresh);
        Ok(())
    }

    /// Compares the window.
    pub(super) fn read(&self, sim: &Sim, index: usize) -> Result<(), AccessError> {
        let entry = &self.entries[index];
        if entry.bytes.is_empty() {
            return Ok(());
        }
        let mut found = vec![0; entry.bytes.len()];
        sim.allocator.read(entry.allocation(), entry.start, &mut found)?;
        let first = found.iter().zip(&entry.bytes).position(|(found, wanted)| found != wanted);
        assert_eq!(first, None, "somebody else wrote here: {:?}", entry.held);
        Ok(())
    }

    /// Lets the device copy the first half of the window over the second, if it is a buffer's; what
    /// the host then reads is right only if each has seen the other's bytes.
    ///
    /// The host has to look before it writes again: the atoms that a later flush carries over are
    /// whole ones.
    pub(super) fn copy_on_device(&mut self, sim: &Sim, queue: &Queue, index: usize) -> bool {
        let Entry { held, buffer_size, start, bytes, .. } = &mut self.entries[index];
        let Held::Buffer(buffer, _) = *held else { return false };
        // Behind the buffer's end there may be more memory, of which the device knows nothing.
        let in_buffer = buffer_size.saturating_sub(*start).min(bytes.len() as u64);
        let half = in_buffer / 2;
        if half == 0 {
            return false;
        }
        queue.copy((buffer, *start), (buffer, *start + half), half);
        let half = usize::try_from(half).expect("a window is small");
        bytes.copy_within(..half, half);
        self.read(sim, index).expect("nothing is planted");
        true
    }

    /// Hands out what is to be freed, after a last look at its bytes.
    pub(super) fn remove(&mut self, sim: &Sim, index: usize) -> Held {
        self.read(sim, index).expect("nothing is planted");
        let Entry { held, .. } = self.entries.swap_remove(index);
        let allocation = held.allocation().expect("a program holds nothing without memory");
        let key = (allocation.memory().as_raw(), allocation.offset());
        self.ranges.remove(&key).expect("it was inserted");
        held
    }

    /// Compares the numbers that the allocator reports with what the program knows.
    pub(super) fn check(&self, sim: &Sim) {
        let stats = sim.allocator.stats();
        let sizes = self.entries.iter().map(|entry| entry.allocation().size());
        assert_eq!(stats.total_requested, sizes.sum::<u64>());
        let dedicated = self.entries.iter().filter(|entry| entry.allocation().is_dedicated());
        assert_eq!(stats.dedicated, dedicated.count() as u64);
        assert_eq!(stats.allocation_count, self.entries.len() as u64);
        let count =
            |held: fn(&Held) -> bool| self.entries.iter().filter(|entry| held(&entry.held)).count();
        let live = sim.driver.live();
        assert_eq!(live.buffers, count(|held| matches!(held, Held::Buffer(..))));
        assert_eq!(live.images, count(|held| matches!(held, Held::Image(..))));
        self.check_granules(sim);
    }

    /// What is not linear begins on a granule, and nothing else begins before the end of its last.
    fn check_granules(&self, sim: &Sim) {
        let granularity = sim.driver.config().buffer_image_granularity;
        for entry in self.entries.iter().filter(|entry| entry.owns_granules) {
            let allocation = entry.allocation();
            let (memory, start) = (allocation.memory().as_raw(), allocation.offset());
            assert!(start.is_multiple_of(granularity), "{allocation:?}");
            let end = (start + allocation.size()).next_multiple_of(granularity);
            let next = self.ranges.range((memory, start + 1)..).next();
            if let Some((&(other, offset), _)) = next {
                assert!(other != memory || offset >= end, "{allocation:?} shares a granule");
            }
        }
    }
}
