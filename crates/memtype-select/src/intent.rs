//! What memory for a purpose has to be like: the flag sets that each of fourteen purposes implies.
//!
//! Basic design: an intent holds its lists of flags in order of importance, and beside them what
//! they amount to for each set of flags, so that weighing a memory type is a look into a table.

use crate::flags::MemoryPropertyFlags as Flags;

/// The flags that a purpose implies.
#[derive(Debug)]
pub(crate) struct Intent {
    /// Its index in [`INTENTS`].
    pub(crate) number: u8,
    /// Whether host and device both want the memory, whatever the caller states.
    pub(crate) needs_bar: bool,
    /// Without all of these a type is refused.
    pub(crate) required: Flags,
    /// What is preferred, most important first; unused places are empty.
    pub(crate) preferred: [Flags; 4],
    /// What is avoided, most important first; unused places are empty.
    pub(crate) avoided: [Flags; 2],
    /// Which preferred flags a set lacks, for each set of weighed flags: the first of the list in
    /// the highest of four bits.
    lacked: [u8; SETS],
    /// Which avoided flags it has: the first of the list in the higher of two bits.
    suffered: [u8; SETS],
}

/// The sets of weighed flags, which are Vulkan's lowest five bits.
const SETS: usize = 1 << Flags::WEIGHED.bits().count_ones();

impl Intent {
    /// Bits that [`weigh_preferred`](Self::weigh_preferred) fills.
    pub(crate) const PREFERRED_BITS: u32 = 4;
    /// Bits that [`weigh_avoided`](Self::weigh_avoided) fills.
    pub(crate) const AVOIDED_BITS: u32 = 2;

    /// Writes out the lists, which are in order of importance, for every set of weighed flags.
    const fn new(number: u8, required: Flags, preferred: [Flags; 4], avoided: [Flags; 2]) -> Self {
        let mut lacked = [0; SETS];
        let mut suffered = [0; SETS];
        let mut set = 0;
        let mut flags = Flags::empty();
        while set < SETS {
            lacked[set] = !flags.contains(preferred[0]) as u8 * 8
                + !flags.contains(preferred[1]) as u8 * 4
                + !flags.contains(preferred[2]) as u8 * 2
                + !flags.contains(preferred[3]) as u8;
            suffered[set] =
                flags.intersects(avoided[0]) as u8 * 2 + flags.intersects(avoided[1]) as u8;
            set += 1;
            flags = Flags::from_bits_retain(flags.bits() + 1);
        }
        Self { number, needs_bar: false, required, preferred, avoided, lacked, suffered }
    }

    /// The same, for memory that both sides want.
    const fn needing_bar(self) -> Self {
        Self { needs_bar: true, ..self }
    }

    /// Its index in [`INTENTS`].
    #[inline]
    pub(crate) fn index(&self) -> usize {
        usize::from(self.number)
    }

    /// Weighs what of the preferred flags `flags` lacks: below 16, less is better.
    #[inline]
    pub(crate) fn weigh_preferred(&self, flags: Flags) -> u32 {
        u32::from(self.lacked[index_of(flags)])
    }

    /// Weighs what of the avoided flags `flags` has: below 4, less is better.
    #[inline]
    pub(crate) fn weigh_avoided(&self, flags: Flags) -> u32 {
        u32::from(self.suffered[index_of(flags)])
    }
}

/// The place of a set in the tables: below 32, so the cast loses nothing.
#[inline]
fn index_of(flags: Flags) -> usize {
    (flags.bits() & Flags::WEIGHED.bits()) as usize
}

const NONE: Flags = Flags::empty();
const LOCAL: Flags = Flags::DEVICE_LOCAL;
const VISIBLE: Flags = Flags::HOST_VISIBLE;
const COHERENT: Flags = Flags::HOST_COHERENT;
const CACHED: Flags = Flags::HOST_CACHED;
const LAZY: Flags = Flags::LAZILY_ALLOCATED;

/// Only the device touches it.
pub(crate) static DEVICE: Intent = Intent::new(0, NONE, [LOCAL, NONE, NONE, NONE], [NONE, NONE]);

/// Attachments that need not outlive a pass.
pub(crate) static DEVICE_TRANSIENT: Intent =
    Intent::new(1, NONE, [LAZY, LOCAL, NONE, NONE], [NONE, NONE]);

/// Only the device touches it, and its memory is wanted for other things.
pub(crate) static DEVICE_ASIDE: Intent = Intent::new(2, NONE, [NONE; 4], [LOCAL, NONE]);

/// The host reads what the device wrote, or reads and writes at random: cached memory first.
pub(crate) static HOST_READS: Intent =
    Intent::new(3, VISIBLE, [CACHED, COHERENT, NONE, NONE], [LOCAL, NONE]);

/// The host reads what the device wrote, and the device should be fast at writing it.
pub(crate) static HOST_READS_FAST: Intent =
    Intent::new(4, VISIBLE, [CACHED, COHERENT, LOCAL, NONE], [NONE, NONE]);

/// The host writes, and never reads back: staging. Host caches would be filled for nothing and
/// snooped when the device reads; memory of the device is the dearer of the two to waste.
pub(crate) static HOST_WRITES: Intent =
    Intent::new(5, VISIBLE, [COHERENT, NONE, NONE, NONE], [LOCAL, CACHED]);

/// The host writes what the device reads often: uniforms and vertices of each frame.
pub(crate) static HOST_WRITES_FAST: Intent =
    Intent::new(6, VISIBLE, [LOCAL, COHERENT, NONE, NONE], [CACHED, NONE]).needing_bar();

/// The host reads and writes at random what the device should be fast at.
pub(crate) static HOST_RANDOM_FAST: Intent =
    Intent::new(7, VISIBLE, [LOCAL, CACHED, COHERENT, NONE], [NONE, NONE]).needing_bar();

/// As [`HOST_WRITES`], and unmapped memory is better than none.
pub(crate) static MAYBE_WRITES: Intent =
    Intent::new(8, NONE, [VISIBLE, COHERENT, NONE, NONE], [LOCAL, CACHED]);

/// The same, with the device's memory first among what can be mapped.
pub(crate) static MAYBE_WRITES_LOCAL: Intent =
    Intent::new(9, NONE, [VISIBLE, LOCAL, COHERENT, NONE], [CACHED, NONE]).needing_bar();

/// The device reads often, so its memory goes first, mapped if possible: a copy from the host
/// into it costs less than the device's reads from the host's memory.
pub(crate) static MAYBE_WRITES_FAST: Intent =
    Intent::new(10, NONE, [LOCAL, VISIBLE, COHERENT, NONE], [CACHED, NONE]).needing_bar();

/// As [`HOST_READS`], and unmapped memory is better than none.
pub(crate) static MAYBE_READS: Intent =
    Intent::new(11, NONE, [VISIBLE, CACHED, COHERENT, NONE], [LOCAL, NONE]);

/// The same, with the device's memory first among equals.
pub(crate) static MAYBE_READS_LOCAL: Intent =
    Intent::new(12, NONE, [VISIBLE, CACHED, COHERENT, LOCAL], [NONE, NONE]);

/// The device uses it, and the host would rather copy than read uncached memory: the device's
/// memory, which a mapping makes better only if it is cached.
pub(crate) static MAYBE_RANDOM_FAST: Intent =
    Intent::new(13, NONE, [LOCAL, CACHED, NONE, NONE], [NONE, NONE]);

/// All of them.
pub(crate) static INTENTS: [&Intent; 14] = [
    &DEVICE,
    &DEVICE_TRANSIENT,
    &DEVICE_ASIDE,
    &HOST_READS,
    &HOST_READS_FAST,
    &HOST_WRITES,
    &HOST_WRITES_FAST,
    &HOST_RANDOM_FAST,
    &MAYBE_WRITES,
    &MAYBE_WRITES_LOCAL,
    &MAYBE_WRITES_FAST,
    &MAYBE_READS,
    &MAYBE_READS_LOCAL,
    &MAYBE_RANDOM_FAST,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intents_know_their_index() {
        for (index, intent) in INTENTS.iter().enumerate() {
            assert_eq!(intent.index(), index);
        }
    }
}
