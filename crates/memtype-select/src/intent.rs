//! What memory for a purpose has to be like: the flag sets that a usage, or a resource and its
//! host access, imply.
//!
//! Basic design: of the usages, one decides. When the host reads (`DOWNLOAD`), uncached memory
//! costs more than anything else can win, so that goes before `UPLOAD`; both state a direction
//! and so go before `HOST_ACCESS`, which states none. `FAST_DEVICE_ACCESS` then says where
//! `DEVICE_LOCAL` stands: among the preferred flags, or among the avoided ones, since memory of
//! the device that only the host is in a hurry about is wasted. `TRANSIENT` speaks only where
//! the host does not: lazily allocated memory cannot be mapped (Vulkan spec, section "Device
//! Memory"), and staging does not become the device's business by being short-lived.
//!
//! A resource amounts to the same intents, and to some more where the program can do without a
//! mapping: then `HOST_VISIBLE` is preferred instead of required, and its place in the list says
//! how much a mapping is worth beside the device's own memory.

use crate::flags::{MemoryPropertyFlags as Flags, UsageFlags};
use crate::request::MemoryRequest;
use crate::resource::{HostAccess, Placement, ResourceUse};

/// The flags that a purpose implies.
#[derive(Debug)]
pub(crate) struct Intent {
    /// Its index in [`INTENTS`].
    number: u8,
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
static DEVICE: Intent = Intent::new(0, NONE, [LOCAL, NONE, NONE, NONE], [NONE, NONE]);

/// Attachments that need not outlive a pass.
static DEVICE_TRANSIENT: Intent = Intent::new(1, NONE, [LAZY, LOCAL, NONE, NONE], [NONE, NONE]);

/// Only the device touches it, and its memory is wanted for other things.
static DEVICE_ASIDE: Intent = Intent::new(2, NONE, [NONE; 4], [LOCAL, NONE]);

/// The host reads what the device wrote, or reads and writes at random: cached memory first.
static HOST_READS: Intent = Intent::new(3, VISIBLE, [CACHED, COHERENT, NONE, NONE], [LOCAL, NONE]);

/// The host reads what the device wrote, and the device should be fast at writing it.
static HOST_READS_FAST: Intent =
    Intent::new(4, VISIBLE, [CACHED, COHERENT, LOCAL, NONE], [NONE, NONE]);

/// The host writes, and never reads back: staging. Host caches would be filled for nothing and
/// snooped when the device reads; memory of the device is the dearer of the two to waste.
static HOST_WRITES: Intent = Intent::new(5, VISIBLE, [COHERENT, NONE, NONE, NONE], [LOCAL, CACHED]);

/// The host writes what the device reads often: uniforms and vertices of each frame.
static HOST_WRITES_FAST: Intent =
    Intent::new(6, VISIBLE, [LOCAL, COHERENT, NONE, NONE], [CACHED, NONE]).needing_bar();

/// The host reads and writes at random what the device should be fast at.
static HOST_RANDOM_FAST: Intent =
    Intent::new(7, VISIBLE, [LOCAL, CACHED, COHERENT, NONE], [NONE, NONE]).needing_bar();

/// As [`HOST_WRITES`], and unmapped memory is better than none.
static MAYBE_WRITES: Intent =
    Intent::new(8, NONE, [VISIBLE, COHERENT, NONE, NONE], [LOCAL, CACHED]);

/// The same, with the device's memory first among what can be mapped.
static MAYBE_WRITES_LOCAL: Intent =
    Intent::new(9, NONE, [VISIBLE, LOCAL, COHERENT, NONE], [CACHED, NONE]).needing_bar();

/// The device reads often, so its memory goes first, mapped if possible: a copy from the host
/// into it costs less than the device's reads from the host's memory.
static MAYBE_WRITES_FAST: Intent =
    Intent::new(10, NONE, [LOCAL, VISIBLE, COHERENT, NONE], [CACHED, NONE]).needing_bar();

/// As [`HOST_READS`], and unmapped memory is better than none.
static MAYBE_READS: Intent =
    Intent::new(11, NONE, [VISIBLE, CACHED, COHERENT, NONE], [LOCAL, NONE]);

/// The same, with the device's memory first among equals.
static MAYBE_READS_LOCAL: Intent =
    Intent::new(12, NONE, [VISIBLE, CACHED, COHERENT, LOCAL], [NONE, NONE]);

/// The device uses it, and the host would rather copy than read uncached memory: the device's
/// memory, which a mapping makes better only if it is cached.
static MAYBE_RANDOM_FAST: Intent = Intent::new(13, NONE, [LOCAL, CACHED, NONE, NONE], [NONE, NONE]);

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

/// What a request is about, before the flags that the caller states.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purpose {
    pub(crate) intent: &'static Intent,
    /// Whether lazily allocated memory will do.
    pub(crate) is_transient: bool,
    /// Whether the host touches the memory.
    pub(crate) host_touches: bool,
    /// Whether being fast on the device is a reason to do so through scarce BAR.
    pub(crate) is_fast: bool,
}

impl Purpose {
    /// What `request` is about, on a device with unified memory or not.
    #[inline]
    pub(crate) fn of(request: &MemoryRequest, is_unified: bool) -> Self {
        match request.resource {
            None => Self::of_usage(request.usage),
            Some(resource_use) => Self::of_resource(resource_use, is_unified),
        }
    }

    /// A number for it: different purposes have different numbers.
    #[inline]
    pub(crate) fn number(&self) -> u32 {
        u32::from(self.intent.number)
            | u32::from(self.is_transient) << 8
            | u32::from(self.host_touches) << 9
            | u32::from(self.is_fast) << 10
    }

    /// What a usage amounts to: the first row of the front page's table that fits.
    #[inline]
    pub(crate) fn of_usage(usage: UsageFlags) -> Self {
        let is_fast = usage.contains(UsageFlags::FAST_DEVICE_ACCESS);
        let is_download = usage.contains(UsageFlags::DOWNLOAD);
        let intent = if is_download {
            if is_fast { &HOST_READS_FAST } else { &HOST_READS }
        } else if usage.contains(UsageFlags::UPLOAD) {
            if is_fast { &HOST_WRITES_FAST } else { &HOST_WRITES }
        } else if usage.contains(UsageFlags::HOST_ACCESS) {
            if is_fast { &HOST_RANDOM_FAST } else { &HOST_READS }
        } else if usage.contains(UsageFlags::TRANSIENT) {
            &DEVICE_TRANSIENT
        } else {
            &DEVICE
        };
        Self {
            intent,
            is_transient: usage.contains(UsageFlags::TRANSIENT),
            host_touches: usage.intersects(UsageFlags::HOST),
            // Reading through the BAR is so slow that speed on the device is no reason for it.
            is_fast: is_fast && !is_download,
        }
    }

    /// What a resource and its host access amount to.
    ///
    /// What is there for transfers alone is there to be mapped, so the device's memory comes
    /// first for it only by the caller's word. Anything else the device is taken to use often.
    pub(crate) fn of_resource(resource_use: ResourceUse, is_unified: bool) -> Self {
        let ResourceUse { resource, may_stage, placement, .. } = resource_use;
        let access = resource_use.effective_access();
        let for_transfers = resource.is_for_transfers();
        let is_local = placement == Placement::PreferDevice
            || (placement == Placement::Auto && !for_transfers);
        let intent = match access {
            HostAccess::Never if resource.is_transient() => &DEVICE_TRANSIENT,
            HostAccess::Never if placement == Placement::PreferHost => &DEVICE_ASIDE,
            HostAccess::Never => &DEVICE,
            HostAccess::SequentialWrite => match (may_stage, is_local) {
                (false, false) => &HOST_WRITES,
                (false, true) => &HOST_WRITES_FAST,
                (true, false) => &MAYBE_WRITES,
                (true, true) if for_transfers => &MAYBE_WRITES_LOCAL,
                (true, true) => &MAYBE_WRITES_FAST,
            },
            HostAccess::Random => match (may_stage, placement) {
                (false, Placement::PreferDevice) => &HOST_READS_FAST,
                (false, _) => &HOST_READS,
                // On unified memory staging would go through the same memory twice.
                (true, _) if is_local && !for_transfers && !is_unified => &MAYBE_RANDOM_FAST,
                (true, Placement::PreferDevice) => &MAYBE_READS_LOCAL,
                (true, _) => &MAYBE_READS,
            },
        };
        Self {
            intent,
            is_transient: resource.is_transient(),
            host_touches: access != HostAccess::Never,
            is_fast: is_local && access != HostAccess::Random,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{BufferUsageFlags, ImageTiling, ImageUsageFlags};

    #[test]
    fn intents_know_their_index() {
        for (index, intent) in INTENTS.iter().enumerate() {
            assert_eq!(intent.index(), index);
        }
    }

    #[test]
    fn every_intent_is_reached_and_knows_whether_it_needs_bar() {
        let resources = [
            ResourceUse::buffer(BufferUsageFlags::TRANSFER_SRC),
            ResourceUse::buffer(BufferUsageFlags::STORAGE_BUFFER),
            ResourceUse::image(ImageUsageFlags::TRANSIENT_ATTACHMENT, ImageTiling::Optimal),
        ];
        let mut reached = [false; INTENTS.len()];
        let mut check = |Purpose { intent, host_touches, is_fast, .. }: Purpose| {
            reached[intent.index()] = true;
            assert_eq!(intent.needs_bar, host_touches && is_fast, "intent {}", intent.index());
        };
        (0..32).for_each(|bits| check(Purpose::of_usage(UsageFlags::from_bits_retain(bits))));
        for resource in resources {
            for access in [HostAccess::Never, HostAccess::SequentialWrite, HostAccess::Random] {
                for placement in [Placement::Auto, Placement::PreferDevice, Placement::PreferHost] {
                    let mapped = resource.host_access(access).placed(placement);
                    for resource_use in [mapped, mapped.or_staged()] {
                        check(Purpose::of_resource(resource_use, false));
                        check(Purpose::of_resource(resource_use, true));
                    }
                }
            }
        }
        assert_eq!(reached, [true; INTENTS.len()]);
    }
}
