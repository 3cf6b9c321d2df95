//! What a request amounts to: the flag sets that its usage implies, joined with the caller's.
//!
//! Basic design: of the usages, one decides. When the host reads (`DOWNLOAD`), uncached memory
//! costs more than anything else can win, so that goes before `UPLOAD`; both state a direction
//! and so go before `HOST_ACCESS`, which states none. `FAST_DEVICE_ACCESS` then says where
//! `DEVICE_LOCAL` stands: among the preferred flags, or among the avoided ones, since memory of
//! the device that only the host is in a hurry about is wasted. `TRANSIENT` speaks only where
//! the host does not: lazily allocated memory cannot be mapped (Vulkan spec, section "Device
//! Memory"), and staging does not become the device's business by being short-lived. On unified
//! memory every host-visible type is device-local, so all of this is neutral there.

use crate::flags::{MemoryPropertyFlags as Flags, UsageFlags};
use crate::request::MemoryRequest;

/// The flags that a usage implies.
#[derive(Debug)]
pub(crate) struct Intent {
    required: Flags,
    /// Which preferred flags a set of scored flags lacks, for each such set: the first of the
    /// list in the highest of three bits.
    lacked: [u8; SETS],
    /// Which avoided flags it has: the first of the list in the higher of two bits.
    suffered: [u8; SETS],
}

/// The sets of scored flags, which are Vulkan's lowest five bits.
const SETS: usize = 1 << Flags::SCORED.bits().count_ones();

impl Intent {
    /// Writes out the lists, which are in order of importance, for every set of scored flags.
    const fn new(required: Flags, preferred: [Flags; 3], avoided: [Flags; 2]) -> Self {
        let mut lacked = [0; SETS];
        let mut suffered = [0; SETS];
        let mut set = 0;
        let mut flags = Flags::empty();
        while set < SETS {
            lacked[set] = !flags.contains(preferred[0]) as u8 * 4
                + !flags.contains(preferred[1]) as u8 * 2
                + !flags.contains(preferred[2]) as u8;
            suffered[set] =
                flags.intersects(avoided[0]) as u8 * 2 + flags.intersects(avoided[1]) as u8;
            set += 1;
            flags = Flags::from_bits_retain(flags.bits() + 1);
        }
        Self { required, lacked, suffered }
    }

    /// Weighs what of the preferred flags `flags` lacks: below 8, less is better.
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
    (flags.bits() & Flags::SCORED.bits()) as usize
}

const NOTHING: Flags = Flags::empty();

/// Only the device touches it.
static DEVICE: Intent =
    Intent::new(NOTHING, [Flags::DEVICE_LOCAL, NOTHING, NOTHING], [NOTHING, NOTHING]);

/// Attachments that need not outlive a pass.
static DEVICE_TRANSIENT: Intent = Intent::new(
    NOTHING,
    [Flags::LAZILY_ALLOCATED, Flags::DEVICE_LOCAL, NOTHING],
    [NOTHING, NOTHING],
);

/// The host reads what the device wrote, or reads and writes at random: cached memory first.
static HOST_READS: Intent = Intent::new(
    Flags::HOST_VISIBLE,
    [Flags::HOST_CACHED, Flags::HOST_COHERENT, NOTHING],
    [Flags::DEVICE_LOCAL, NOTHING],
);

/// The host reads what the device wrote, and the device should be fast at writing it.
static HOST_READS_FAST: Intent = Intent::new(
    Flags::HOST_VISIBLE,
    [Flags::HOST_CACHED, Flags::HOST_COHERENT, Flags::DEVICE_LOCAL],
    [NOTHING, NOTHING],
);

/// The host writes, and never reads back: staging. Host caches would be filled for nothing and
/// snooped when the device reads; memory of the device is the dearer of the two to waste.
static HOST_WRITES: Intent = Intent::new(
    Flags::HOST_VISIBLE,
    [Flags::HOST_COHERENT, NOTHING, NOTHING],
    [Flags::DEVICE_LOCAL, Flags::HOST_CACHED],
);

/// The host writes what the device reads often: uniforms and vertices of each frame.
static HOST_WRITES_FAST: Intent = Intent::new(
    Flags::HOST_VISIBLE,
    [Flags::DEVICE_LOCAL, Flags::HOST_COHERENT, NOTHING],
    [Flags::HOST_CACHED, NOTHING],
);

/// The host reads and writes at random what the device should be fast at.
static HOST_RANDOM_FAST: Intent = Intent::new(
    Flags::HOST_VISIBLE,
    [Flags::DEVICE_LOCAL, Flags::HOST_CACHED, Flags::HOST_COHERENT],
    [NOTHING, NOTHING],
);

/// Finds what `usage` implies.
fn intent_of(usage: UsageFlags) -> &'static Intent {
    let is_fast = usage.contains(UsageFlags::FAST_DEVICE_ACCESS);
    if usage.contains(UsageFlags::DOWNLOAD) {
        if is_fast { &HOST_READS_FAST } else { &HOST_READS }
    } else if usage.contains(UsageFlags::UPLOAD) {
        if is_fast { &HOST_WRITES_FAST } else { &HOST_WRITES }
    } else if usage.contains(UsageFlags::HOST_ACCESS) {
        if is_fast { &HOST_RANDOM_FAST } else { &HOST_READS }
    } else if usage.contains(UsageFlags::TRANSIENT) {
        &DEVICE_TRANSIENT
    } else {
        &DEVICE
    }
}

/// A request made ready to judge types by, the same for all types.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The allowed types.
    pub(crate) memory_type_bits: u32,
    /// Bytes the heap must hold; at least 1, so that an empty heap never does.
    pub(crate) size: u64,
    /// Is true when something is both required and avoided.
    pub(crate) is_contradictory: bool,
    /// Flags a type must have, by the caller's word or the usage's.
    pub(crate) required: Flags,
    /// Flags a type may have. All others are refused unless required.
    pub(crate) permitted: Flags,
    /// Is true when host and device both want this memory, so that scarce BAR is well spent.
    pub(crate) needs_bar: bool,
    /// Preferred by the caller, as [`Flags::in_bit_order`] weighs it.
    pub(crate) stated_preferred: u32,
    /// Avoided by the caller, weighed likewise.
    pub(crate) stated_avoided: u32,
    /// Avoided by the caller: the usage does not prefer it.
    pub(crate) unwanted: Flags,
    /// What the usage prefers and avoids.
    pub(crate) intent: &'static Intent,
}

impl Plan {
    /// Joins what `request` states with what its usage implies.
    pub(crate) fn of(request: &MemoryRequest) -> Self {
        let intent = intent_of(request.usage);
        let required = request.required | intent.required;
        let lazily_allocated = if request.usage.contains(UsageFlags::TRANSIENT) {
            Flags::LAZILY_ALLOCATED
        } else {
            NOTHING
        };
        Self {
            memory_type_bits: request.memory_type_bits,
            size: request.size.max(1),
            is_contradictory: required.intersects(request.avoided),
            required,
            permitted: Flags::UNREMARKABLE | lazily_allocated | required,
            needs_bar: needs_bar(request.usage, request.required | request.preferred),
            stated_preferred: request.preferred.in_bit_order(),
            stated_avoided: request.avoided.in_bit_order(),
            unwanted: request.avoided,
            intent,
        }
    }
}

/// Is true when the host touches the memory and device speed was asked for.
///
/// Reading through the BAR is so slow that `FAST_DEVICE_ACCESS` is no reason for it in a
/// readback; naming `DEVICE_LOCAL` is.
fn needs_bar(usage: UsageFlags, stated: Flags) -> bool {
    let host_touches = usage.intersects(UsageFlags::HOST) || stated.intersects(Flags::HOST);
    let fast =
        usage.contains(UsageFlags::FAST_DEVICE_ACCESS) && !usage.contains(UsageFlags::DOWNLOAD);
    host_touches && (fast || stated.contains(Flags::DEVICE_LOCAL))
}
