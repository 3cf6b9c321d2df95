//! The usual requests, and what is expected of them.

use memtype_select::{MemoryPropertyFlags as Flags, MemoryRequest, UsageFlags as Usage};

use crate::tables::Table;

/// The rankings of one device, best first, for each usual request.
pub(crate) struct Expected {
    pub(crate) device: &'static [u32],
    pub(crate) host: &'static [u32],
    pub(crate) upload: &'static [u32],
    pub(crate) download: &'static [u32],
    pub(crate) host_fast: &'static [u32],
    pub(crate) upload_fast: &'static [u32],
    pub(crate) download_fast: &'static [u32],
    pub(crate) transient: &'static [u32],
    /// Upload with fast device access, of 300 MiB.
    pub(crate) upload_fast_large: &'static [u32],
    /// Device-local and host-visible required, no usage.
    pub(crate) mappable_device: &'static [u32],
}

/// Asks the device for the usual requests and compares.
pub(crate) fn check(table: &Table, expected: &Expected) {
    let selector = table.selector();
    let usage = |usage| MemoryRequest { usage, ..Default::default() };
    let fast = Usage::FAST_DEVICE_ACCESS;
    let large = MemoryRequest { size: 300 << 20, ..usage(Usage::UPLOAD | fast) };
    let mappable =
        MemoryRequest { required: Flags::DEVICE_LOCAL | Flags::HOST_VISIBLE, ..Default::default() };
    let rows = [
        ("nothing", usage(Usage::empty()), expected.device),
        ("device", usage(fast), expected.device),
        ("host", usage(Usage::HOST_ACCESS), expected.host),
        ("upload", usage(Usage::UPLOAD), expected.upload),
        ("host upload", usage(Usage::HOST_ACCESS | Usage::UPLOAD), expected.upload),
        ("transient upload", usage(Usage::TRANSIENT | Usage::UPLOAD), expected.upload),
        ("download", usage(Usage::DOWNLOAD), expected.download),
        ("upload download", usage(Usage::UPLOAD | Usage::DOWNLOAD), expected.download),
        ("host fast", usage(Usage::HOST_ACCESS | fast), expected.host_fast),
        ("upload fast", usage(Usage::UPLOAD | fast), expected.upload_fast),
        ("download fast", usage(Usage::DOWNLOAD | fast), expected.download_fast),
        ("transient", usage(Usage::TRANSIENT), expected.transient),
        ("transient fast", usage(Usage::TRANSIENT | fast), expected.transient),
        ("upload fast large", large, expected.upload_fast_large),
        ("mappable device", mappable, expected.mappable_device),
    ];
    for (name, request, ranking) in rows {
        assert_eq!(*selector.rank(&request), *ranking, "rank for {name}");
        assert_eq!(selector.select(&request), ranking.first().copied(), "select for {name}");
    }
}
