//! The rules one by one: stated flags, opt-ins, sizes, masks, and tables that make no sense.

use memtype_select::{
    BudgetSnapshot, DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags,
    MemoryPropertyFlags as Flags, MemoryRequest, MemoryType, MemoryTypeSelector,
    UsageFlags as Usage,
};
use rstest::rstest;

const DL: u32 = 1;
const HV: u32 = 2;
const HC: u32 = 4;
const CA: u32 = 8;
const LZ: u32 = 16;
const PROTECTED: u32 = 32;
const COHERENT_AMD: u32 = 64;
const UNCACHED_AMD: u32 = 128;
const RDMA: u32 = 256;
const UNKNOWN: u32 = 1 << 30;

fn flags(bits: u32) -> Flags {
    Flags::from_bits_retain(bits)
}

/// Makes a selector from (flags, heap) of each type and (MiB, flags) of each heap.
fn selector(types: &[(u32, u32)], heaps: &[(u64, u32)]) -> MemoryTypeSelector {
    let types: Vec<MemoryType> = types
        .iter()
        .map(|&(bits, heap_index)| MemoryType { property_flags: flags(bits), heap_index })
        .collect();
    let heaps: Vec<MemoryHeap> = heaps
        .iter()
        .map(|&(mib, bits)| MemoryHeap {
            size: mib << 20,
            flags: MemoryHeapFlags::from_bits_retain(bits),
        })
        .collect();
    MemoryTypeSelector::new(DeviceMemoryProperties::new(&types, &heaps))
}

/// VRAM, write-combined and cached system memory, and a BAR of 256 MiB.
fn small_bar() -> MemoryTypeSelector {
    selector(
        &[(DL, 0), (HV | HC, 1), (HV | HC | CA, 1), (DL | HV | HC, 2)],
        &[(8192, 1), (16384, 0), (256, 1)],
    )
}

fn request(usage: Usage, required: u32, preferred: u32, avoided: u32) -> MemoryRequest {
    MemoryRequest {
        usage,
        required: flags(required),
        preferred: flags(preferred),
        avoided: flags(avoided),
        ..Default::default()
    }
}

// What the caller states goes before what the usage implies, and one flag before the next in the
// order of the bits. Stating a host flag and DEVICE_LOCAL is a need for BAR, either alone is not.
#[rstest]
#[case::preferred_before_implied(request(Usage::UPLOAD, 0, CA, 0), &[2, 1, 3])]
#[case::preferred_local_staging_may_use_bar(request(Usage::UPLOAD, 0, DL, 0), &[3, 1, 2])]
#[case::required_local_staging_is_bar(request(Usage::UPLOAD, DL, 0, 0), &[3])]
#[case::local_readback_may_use_bar(request(Usage::DOWNLOAD, 0, DL, 0), &[3, 2, 1])]
#[case::fast_with_a_host_flag(request(Usage::FAST_DEVICE_ACCESS, 0, HV, 0), &[3, 1, 2, 0])]
#[case::mapped_vram_if_there_is(request(Usage::empty(), 0, DL | HV, 0), &[3, 0, 1, 2])]
#[case::local_alone_is_no_need(request(Usage::empty(), 0, DL, 0), &[0, 1, 2, 3])]
#[case::host_visible_alone_is_no_need(request(Usage::empty(), HV, 0, 0), &[1, 2, 3])]
#[case::avoided_overrules_implied_preferred(
    request(Usage::UPLOAD | Usage::FAST_DEVICE_ACCESS, 0, 0, DL), &[1, 2, 3])]
#[case::avoided_cached_readback(request(Usage::DOWNLOAD, 0, 0, CA), &[1, 2, 3])]
#[case::wanted_overrules_implied_avoided(request(Usage::UPLOAD, CA, 0, 0), &[2])]
#[case::preferred_before_avoided(request(Usage::empty(), HV, CA, HC | CA), &[2, 1, 3])]
#[case::preferred_that_no_type_has(request(Usage::UPLOAD, 0, RDMA | UNKNOWN, 0), &[1, 2, 3])]
#[case::avoided_that_no_type_has(request(Usage::UPLOAD, 0, 0, RDMA | UNKNOWN), &[1, 2, 3])]
fn stated_flags_go_first(#[case] request: MemoryRequest, #[case] expected: &[u32]) {
    assert_eq!(*small_bar().rank(&request), *expected);
}

// Type 0 is what everybody may have; each other type has one flag more, and only the two AMD flags
// together fit type 4. Lazily allocated memory is for TRANSIENT, or by name.
#[rstest]
#[case::nobody_asks(request(Usage::empty(), 0, 0, 0), &[0])]
#[case::preferring_is_not_asking(request(Usage::empty(), 0, PROTECTED | RDMA | LZ, 0), &[0])]
#[case::protected(request(Usage::empty(), PROTECTED, 0, 0), &[1])]
#[case::rdma(request(Usage::empty(), RDMA, 0, 0), &[2])]
#[case::unknown(request(Usage::empty(), UNKNOWN, 0, 0), &[3])]
#[case::half_of_amd(request(Usage::empty(), COHERENT_AMD, 0, 0), &[])]
#[case::all_of_amd(request(Usage::empty(), COHERENT_AMD | UNCACHED_AMD, 0, 0), &[4])]
#[case::lazily_required(request(Usage::empty(), LZ, 0, 0), &[5])]
#[case::transient(request(Usage::TRANSIENT, 0, 0, 0), &[5, 0])]
#[case::transient_avoiding_lazily(request(Usage::TRANSIENT, 0, 0, LZ), &[0, 5])]
#[case::transient_protected(request(Usage::TRANSIENT, PROTECTED, 0, 0), &[1])]
#[case::unnamed_usage_bits_are_ignored(request(Usage::from_bits_retain(1 << 20), 0, 0, 0), &[0])]
fn opt_in_types_are_for_those_who_ask(#[case] request: MemoryRequest, #[case] expected: &[u32]) {
    let selector = selector(
        &[
            (DL, 0),
            (DL | PROTECTED, 0),
            (DL | RDMA, 0),
            (DL | UNKNOWN, 0),
            (DL | COHERENT_AMD | UNCACHED_AMD, 0),
            (DL | LZ, 0),
        ],
        &[(1024, 1)],
    );
    assert_eq!(*selector.rank(&request), *expected);
}

// Opting in permits, and leaves the types with such flags behind those without, even where those
// lack what the purpose prefers. Preferring as well lifts that.
#[rstest]
#[case::nobody_opts_in(0, 0, &[0, 1])]
#[case::protected(PROTECTED, 0, &[0, 1, 2])]
#[case::half_of_amd(COHERENT_AMD, 0, &[0, 1])]
#[case::all_of_amd(COHERENT_AMD | UNCACHED_AMD, 0, &[0, 1, 3])]
#[case::lazily_allocated(LZ, 0, &[0, 1, 5])]
#[case::rdma_and_unknown(RDMA | UNKNOWN, 0, &[0, 1, 4, 6])]
#[case::preferred_too(RDMA | PROTECTED, RDMA, &[4, 0, 1, 2])]
#[case::everything(u32::MAX, 0, &[0, 1, 2, 3, 4, 5, 6])]
#[case::unknown_cannot_be_preferred(UNKNOWN, UNKNOWN, &[0, 6, 1])]
fn opting_in_permits(#[case] opt_in: u32, #[case] preferred: u32, #[case] expected: &[u32]) {
    let selector = selector(
        &[
            (DL, 0),
            (HV | HC, 1),
            (DL | PROTECTED, 0),
            (DL | COHERENT_AMD | UNCACHED_AMD, 0),
            (DL | RDMA, 0),
            (DL | LZ, 0),
            (DL | UNKNOWN, 0),
        ],
        &[(1024, 1), (4096, 0)],
    );
    let request =
        MemoryRequest { opt_in: flags(opt_in), ..request(Usage::empty(), 0, preferred, 0) };
    assert_eq!(*selector.rank(&request), *expected);
}

// A heap without room goes last: full VRAM behind system memory, but before scarce BAR that nobody
// needs; full BAR behind system memory for those who do need it. A request of unknown size needs
// one byte. What nobody knows of has room.
#[rstest]
#[case::all_have_room(Usage::empty(), 100, &[100, 100, 100], &[0, 1, 2, 3])]
#[case::vram_is_full(Usage::empty(), 100, &[99, 100, 100], &[1, 2, 0, 3])]
#[case::vram_and_system_are_full(Usage::empty(), 100, &[0, 0, 100], &[0, 1, 2, 3])]
#[case::bar_is_full(Usage::UPLOAD | Usage::FAST_DEVICE_ACCESS, 100, &[0, 100, 99], &[1, 2, 3])]
#[case::bar_has_room(Usage::UPLOAD | Usage::FAST_DEVICE_ACCESS, 100, &[0, 100, 100], &[3, 1, 2])]
#[case::size_unknown(Usage::empty(), 0, &[0], &[1, 2, 0, 3])]
#[case::size_unknown_and_a_byte_left(Usage::empty(), 0, &[1], &[0, 1, 2, 3])]
#[case::nothing_known(Usage::empty(), 100, &[], &[0, 1, 2, 3])]
#[case::more_heaps_than_there_are(Usage::empty(), 100, &[0; 40], &[0, 1, 2, 3])]
fn full_heaps_go_last(
    #[case] usage: Usage,
    #[case] size: u64,
    #[case] room: &[u64],
    #[case] expected: &[u32],
) {
    let request = MemoryRequest { usage, size, ..Default::default() };
    let budget = BudgetSnapshot::from_room(room);
    assert_eq!(*small_bar().rank_within(&request, &budget), *expected);
    assert_eq!(small_bar().select_within(&request, &budget), Some(expected[0]));
}

// A heap that has a type for the device alone, ordinary ones counted, is not BAR; nor is one
// without a larger device-local heap beside it, or one that is not device-local.
#[rstest]
#[case::bar(&[(DL, 0), (HV, 1), (DL | HV, 2)], &[(900, 1), (900, 0), (200, 1)], &[0, 1, 2])]
#[case::opt_in_type_hides_nothing(
    &[(DL, 0), (HV, 1), (DL | HV, 2), (DL | COHERENT_AMD, 2), (DL | LZ, 2)],
    &[(900, 1), (900, 0), (200, 1)], &[0, 1, 2])]
#[case::device_only_type_in_the_heap(
    &[(DL, 0), (HV, 1), (DL | HV, 2), (DL, 2)], &[(900, 1), (900, 0), (200, 1)], &[0, 2, 3, 1])]
#[case::equal_heaps(
    &[(DL, 0), (HV, 1), (DL | HV, 2)], &[(200, 1), (900, 0), (200, 1)], &[0, 2, 1])]
#[case::larger_heap_is_not_local(
    &[(HV, 1), (DL | HV, 0)], &[(200, 1), (900, 0)], &[1, 0])]
#[case::two_of_a_size_go_by_index(&[(DL, 1), (DL, 0)], &[(900, 1), (900, 1)], &[0, 1])]
#[case::larger_heap_first(&[(DL, 1), (DL, 0)], &[(901, 1), (900, 1)], &[1, 0])]
fn scarcity_is_seen_from_heaps_and_types(
    #[case] types: &[(u32, u32)],
    #[case] heaps: &[(u64, u32)],
    #[case] expected: &[u32],
) {
    let fast = request(Usage::FAST_DEVICE_ACCESS, 0, 0, 0);
    assert_eq!(*selector(types, heaps).rank(&fast), *expected);
}

#[rstest]
#[case::fits_everywhere(200, &[3, 1, 2])]
#[case::exactly_the_bar(256, &[3, 1, 2])]
#[case::larger_than_the_bar(257, &[1, 2])]
#[case::larger_than_every_heap(16385, &[])]
fn a_heap_must_hold_the_size(#[case] mib: u64, #[case] expected: &[u32]) {
    let usage = Usage::UPLOAD | Usage::FAST_DEVICE_ACCESS;
    let request = MemoryRequest { usage, size: mib << 20, ..Default::default() };
    assert_eq!(*small_bar().rank(&request), *expected);
}

#[rstest]
#[case::none(0, &[])]
#[case::one(0b100, &[2])]
#[case::only_beyond_the_table(!0b1111, &[])]
#[case::some_beyond_the_table(!0b0101, &[1, 3])]
#[case::all(u32::MAX, &[0, 1, 2, 3])]
fn bits_beyond_the_table_are_ignored(#[case] memory_type_bits: u32, #[case] expected: &[u32]) {
    let request = MemoryRequest { memory_type_bits, ..Default::default() };
    assert_eq!(*small_bar().rank(&request), *expected);
}

// The usage's requirement counts as the caller's: avoiding it contradicts it too.
#[rstest]
#[case::stated(request(Usage::empty(), HV, 0, HV))]
#[case::implied(request(Usage::UPLOAD, 0, 0, HV))]
#[case::opt_in(request(Usage::empty(), PROTECTED, 0, PROTECTED))]
#[case::impossible(request(Usage::empty(), LZ | HV, 0, 0))]
#[case::unknown(request(Usage::empty(), 1 << 31, 0, 0))]
fn contradictions_leave_no_type(#[case] request: MemoryRequest) {
    assert_eq!(*small_bar().rank(&request), []);
    assert_eq!(small_bar().select(&request), None);
}

#[rstest]
#[case::no_types(&[], &[(1, 1)], &[])]
#[case::no_heaps(&[(DL, 0)], &[], &[])]
#[case::nothing(&[], &[], &[])]
#[case::heap_out_of_range(&[(DL, 1), (DL, 0), (DL, u32::MAX)], &[(1, 1)], &[1])]
#[case::empty_heap(&[(DL, 0), (0, 1)], &[(0, 1), (1, 0)], &[1])]
#[case::all_flags(&[(u32::MAX, 0), (DL, 0)], &[(1, 1)], &[1])]
#[case::no_flags(&[(0, 0)], &[(1, 0)], &[0])]
#[case::sizes_at_the_limit(&[(DL, 0), (DL, 1)], &[(1, 1), (u64::MAX >> 20, 1)], &[1, 0])]
fn odd_tables_are_survived(
    #[case] types: &[(u32, u32)],
    #[case] heaps: &[(u64, u32)],
    #[case] expected: &[u32],
) {
    assert_eq!(*selector(types, heaps).rank(&MemoryRequest::default()), *expected);
}

#[test]
fn what_lies_past_the_maxima_is_dropped() {
    let mut properties = DeviceMemoryProperties::default();
    for index in 0..40 {
        properties.memory_types.push(MemoryType { property_flags: flags(DL), heap_index: index });
        properties.memory_heaps.push(MemoryHeap { size: 1, flags: MemoryHeapFlags::empty() });
    }
    let selector = MemoryTypeSelector::new(properties.clone());
    let ranking = selector.rank(&MemoryRequest::default());
    assert!(ranking.iter().copied().eq(0..16), "types 16 to 31 have no heap: {ranking:?}");
    assert_eq!((selector.heap_size(15), selector.heap_size(16)), (Some(1), None));
    assert!(selector.is_device_local(31) && !selector.is_device_local(32));

    let cut = DeviceMemoryProperties::new(&properties.memory_types, &properties.memory_heaps);
    assert_eq!((cut.memory_types.len(), cut.memory_heaps.len()), (32, 16));
    assert!(!cut.memory_types.spilled() && !cut.memory_heaps.spilled());
}

// Heap `i` has the types `i` and `i + 16`, whose flags are the lowest four bits of `i`, and the
// later the heap the larger. Host-visible heaps are all scarce but the last, the largest. So:
// device-local and not scarce, then neither, then both, then scarce alone.
#[test]
fn all_types_of_a_full_table_are_ranked() {
    let types: Vec<(u32, u32)> = (0..32).map(|index| (index & 0xf, index % 16)).collect();
    let heaps: Vec<(u64, u32)> = (1..=16).map(|mib| (mib, 1)).collect();
    let ranking = selector(&types, &heaps).rank(&MemoryRequest::default());
    let expected = [
        15, 31, 13, 29, 9, 25, 5, 21, 1, 17, 12, 28, 8, 24, 4, 20, 0, 16, 11, 27, 7, 23, 3, 19, 14,
        30, 10, 26, 6, 22, 2, 18,
    ];
    assert_eq!(*ranking, expected);
    assert!(ranking.into_iter().eq(expected));
}

#[test]
fn the_table_can_be_asked() {
    let selector = small_bar();
    assert_eq!(selector.heap_size(2), Some(256 << 20));
    assert_eq!(selector.heap_size(3), None);
    assert_eq!(
        selector.memory_type(1),
        Some(MemoryType { property_flags: flags(HV | HC), heap_index: 1 })
    );
    assert_eq!(selector.memory_type(4), None);
    let ask = |index| {
        (
            selector.is_device_local(index),
            selector.is_host_visible(index),
            selector.is_host_coherent(index),
        )
    };
    assert_eq!(ask(0), (true, false, false));
    assert_eq!(ask(1), (false, true, true));
    assert_eq!(ask(3), (true, true, true));
    assert_eq!(ask(4), (false, false, false));
    assert_eq!(ask(u32::MAX), (false, false, false));
    assert_eq!(selector.properties().memory_types.len(), 4);
}
