//! What a request is about: which intent a usage, or a resource and its host access, amounts to.
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

use crate::flags::UsageFlags;
use crate::intent::{
    DEVICE, DEVICE_ASIDE, DEVICE_TRANSIENT, HOST_RANDOM_FAST, HOST_READS, HOST_READS_FAST,
    HOST_WRITES, HOST_WRITES_FAST, Intent, MAYBE_RANDOM_FAST, MAYBE_READS, MAYBE_READS_LOCAL,
    MAYBE_WRITES, MAYBE_WRITES_FAST, MAYBE_WRITES_LOCAL,
};
use crate::request::MemoryRequest;
use crate::resource::{HostAccess, Placement, ResourceUse};

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
    use crate::intent::INTENTS;
    use crate::resource::{BufferUsageFlags, ImageTiling, ImageUsageFlags};

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
