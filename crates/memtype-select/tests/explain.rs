//! What an explanation says: the rule that decided, as data and in print.

use memtype_select::{
    BudgetSnapshot, Comparison, DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags,
    MemoryPropertyFlags as Flags, MemoryRequest, MemoryType, MemoryTypeSelector, Refusal, Rule,
    UsageFlags as Usage, Verdict,
};
use rstest::rstest;

/// VRAM twice, write-combined and cached system memory, a BAR, protected VRAM, and VRAM with a
/// flag that nobody knows.
fn selector() -> MemoryTypeSelector {
    let types = [(1, 0), (6, 1), (14, 1), (7, 2), (33, 0), (1, 0), (1 << 12 | 1, 0)].map(
        |(bits, heap_index)| MemoryType {
            property_flags: Flags::from_bits_retain(bits),
            heap_index,
        },
    );
    let heaps = [(8 << 30, 1), (16 << 30, 0), (256 << 20, 1)]
        .map(|(size, bits)| MemoryHeap { size, flags: MemoryHeapFlags::from_bits_retain(bits) });
    MemoryTypeSelector::new(DeviceMemoryProperties::new(&types, &heaps))
}

fn request(usage: Usage, required: Flags, preferred: Flags, avoided: Flags) -> MemoryRequest {
    MemoryRequest { usage, required, preferred, avoided, ..Default::default() }
}

const NONE: Flags = Flags::empty();

// Between two types that are next to each other in the ranking, the first rule in which they
// differ is named.
#[rstest]
#[case::bar(request(Usage::empty(), NONE, NONE, NONE), 2, 3, Rule::SparesScarceBar)]
#[case::caller_prefers(
    request(Usage::UPLOAD, NONE, Flags::HOST_CACHED, NONE),
    2,
    1,
    Rule::CallerPrefers(Flags::HOST_CACHED)
)]
#[case::caller_prefers_local(
    request(Usage::UPLOAD, NONE, Flags::DEVICE_LOCAL, NONE),
    3,
    1,
    Rule::CallerPrefers(Flags::DEVICE_LOCAL)
)]
#[case::usage_prefers(
    request(Usage::empty(), NONE, NONE, NONE),
    5,
    1,
    Rule::PurposePrefers(Flags::DEVICE_LOCAL)
)]
#[case::usage_prefers_cached(
    request(Usage::DOWNLOAD, NONE, NONE, NONE),
    2,
    1,
    Rule::PurposePrefers(Flags::HOST_CACHED)
)]
#[case::caller_avoids(
    request(Usage::empty(), NONE, NONE, Flags::HOST_CACHED),
    1,
    2,
    Rule::CallerAvoids(Flags::HOST_CACHED)
)]
#[case::usage_avoids(
    request(Usage::UPLOAD, NONE, NONE, NONE),
    1,
    2,
    Rule::PurposeAvoids(Flags::HOST_CACHED)
)]
#[case::index(request(Usage::empty(), NONE, NONE, NONE), 0, 5, Rule::LowerIndex)]
#[case::opted_in(
    MemoryRequest { opt_in: Flags::PROTECTED, ..request(Usage::empty(), NONE, NONE, NONE) }, 2, 4,
    Rule::Ordinary)]
fn the_first_rule_in_which_two_differ_is_named(
    #[case] request: MemoryRequest,
    #[case] better: usize,
    #[case] worse: usize,
    #[case] rule: Rule,
) {
    let bits = request.memory_type_bits & (1 << better | 1 << worse);
    let explanation = selector().explain(&MemoryRequest { memory_type_bits: bits, ..request });
    let comparison = |other: usize| Comparison { other: u32::try_from(other).unwrap(), rule };
    let chosen = Verdict::Chosen { runner_up: Some(comparison(worse)) };
    assert_eq!(explanation[better].verdict, chosen);
    let second = Verdict::Ranked { rank: 2, better: comparison(better) };
    assert_eq!(explanation[worse].verdict, second);
}

#[test]
fn a_larger_heap_is_named_where_only_that_differs() {
    let local = |heap_index| MemoryType { property_flags: Flags::DEVICE_LOCAL, heap_index };
    let heap = |size| MemoryHeap { size, flags: MemoryHeapFlags::DEVICE_LOCAL };
    let properties = DeviceMemoryProperties::new(&[local(0), local(1)], &[heap(1), heap(2)]);
    let explanation = MemoryTypeSelector::new(properties).explain(&MemoryRequest::default());
    let runner_up = Some(Comparison { other: 0, rule: Rule::LargerHeap });
    assert_eq!(explanation[1].verdict, Verdict::Chosen { runner_up });
}

#[test]
fn a_full_heap_is_named() {
    let request = MemoryRequest { memory_type_bits: 0b11, size: 5, ..Default::default() };
    let budget = BudgetSnapshot::from_room(&[4, 5]);
    let explanation = selector().explain_within(&request, &budget);
    let runner_up = Some(Comparison { other: 0, rule: Rule::WithinBudget });
    assert_eq!(explanation[1].verdict, Verdict::Chosen { runner_up });
    assert_eq!(selector().explain(&request).chosen(), Some(0));
}

#[rstest]
#[case::zero_bits(MemoryRequest { memory_type_bits: 0, ..Default::default() },
    Refusal::NotAllowed)]
#[case::contradiction(request(Usage::UPLOAD, NONE, NONE, Flags::HOST_VISIBLE),
    Refusal::Contradiction { flags: Flags::HOST_VISIBLE })]
#[case::too_large(MemoryRequest { size: u64::MAX, ..Default::default() },
    Refusal::HeapTooSmall { heap_size: 8 << 30 })]
#[case::unknown_flag(request(Usage::empty(), Flags::from_bits_retain(1 << 30), NONE, NONE),
    Refusal::LacksRequired { flags: Flags::from_bits_retain(1 << 30) })]
fn an_empty_ranking_is_explained(#[case] request: MemoryRequest, #[case] refusal: Refusal) {
    let explanation = selector().explain(&request);
    assert_eq!(explanation.chosen(), None);
    assert_eq!(explanation[0].verdict, Verdict::Refused(refusal));
    assert!(explanation.iter().all(|it| matches!(it.verdict, Verdict::Refused(_))));
    assert!(explanation.to_string().ends_with("\nno type will do"));
}

#[test]
fn a_table_without_types_is_explained() {
    let explanation = MemoryTypeSelector::new(DeviceMemoryProperties::default())
        .explain(&MemoryRequest::default());
    assert_eq!((explanation.chosen(), explanation.len()), (None, 0));
    assert_eq!(explanation.to_string(), "the device has no memory types");
}

#[test]
fn a_type_without_a_heap_is_explained() {
    let lost = MemoryType { property_flags: Flags::all(), heap_index: u32::MAX };
    let properties = DeviceMemoryProperties::new(&[lost], &[]);
    let request = MemoryRequest { opt_in: Flags::all(), ..Default::default() };
    let explanation = MemoryTypeSelector::new(properties).explain(&request);
    let refusal = Refusal::NoHeap { heap_index: u32::MAX };
    assert_eq!(explanation[0].verdict, Verdict::Refused(refusal));
    assert_eq!(explanation[0].heap, None);
    assert!(explanation.to_string().contains("there is no heap 4294967295"));
}

#[test]
fn an_explanation_prints_as_a_table() {
    let request = MemoryRequest {
        size: 300 << 20,
        ..request(Usage::UPLOAD | Usage::FAST_DEVICE_ACCESS, NONE, NONE, NONE)
    };
    let expected = "\
type  heap  bytes       flags                    verdict
   0     0  8192 MiB    local                    refused  lacks visible
   1     1  16384 MiB   visible coherent         chosen   before 2: purpose avoids cached
   2     1  16384 MiB   visible coherent cached  rank 2   after 1: purpose avoids cached
   3     2  256 MiB     local visible coherent   refused  the heap holds 256 MiB only
   4     0  8192 MiB    local protected          refused  lacks visible
   5     0  8192 MiB    local                    refused  lacks visible
   6     0  8192 MiB    local 0x1000             refused  lacks visible
best first: 1 2";
    assert_eq!(selector().explain(&request).to_string(), expected);
}
