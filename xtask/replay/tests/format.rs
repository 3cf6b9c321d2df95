//! The trace format and the import of logs: round trips, and the line that is to blame.

use replay::{
    Class, Kind, Location, Operation, Problem, Provenance, Trace, TraceError, decode, encode,
    import,
};
use rstest::rstest;

/// A log with all locations and kinds, a name with commas, and an id that is used twice.
const LOG: &str = "\
# device=\"Some GPU (SOME DRIVER)\" granularity=1024 atom=64 types=0x1@0 0x6@1 heaps=1000 2000 AllocationSizes { min: 1 }
op,id,size,alignment,memory_type_bits,location,linear,scheme,name,t_us
alloc,7,4096,16,0x3,GpuOnly,1,managed,vertices, first, and last,10
alloc,8,65536,4096,0x1,GpuOnly,0,dedicated,texture,11
free,7,,,,,,,,12
alloc,7,100,16,0x2,CpuToGpu,1,managed,staging,13
alloc,9,1,16,0x2,GpuToCpu,1,managed,,14
free,8,,,,,,,,15
";

/// The trace of [`LOG`].
const TRACE: &str = "\
gpu-alloc trace 1
program a game
recorder by hand
device Some GPU (SOME DRIVER)
granularity 1024
atom 64
types 0x1@0 0x6@1
heaps 1000 2000
class GpuOnly buffer 16 0x3 vertices, first, and last
class GpuOnly image 4096 0x1 texture
class CpuToGpu buffer 16 0x2 staging
class GpuToCpu buffer 16 0x2 \n\
operations 6
0 4096
1 65536
-1
2 100
3 1
-2
";

fn imported(log: &str) -> Result<Trace, TraceError> {
    let provenance = Provenance { program: "a game".into(), recorder: "by hand".into() };
    import(log, provenance)
}

#[test]
fn a_log_is_imported_field_by_field() {
    let trace = imported(LOG).unwrap();
    let device = trace.device();
    assert_eq!(&*device.name, "Some GPU (SOME DRIVER)");
    assert_eq!(device.memory_types, [(0x1, 0), (0x6, 1)]);
    assert_eq!(device.memory_heaps, [1000, 2000]);
    assert_eq!((device.buffer_image_granularity, device.non_coherent_atom_size), (1024, 64));
    assert_eq!(
        trace.classes()[1],
        Class {
            name: "texture".into(),
            location: Location::GpuOnly,
            kind: Kind::Image,
            alignment: 4096,
            memory_type_bits: 1,
        }
    );
    assert_eq!(
        trace.operations(),
        [
            Operation::Allocate { class: 0, size: 4096 },
            Operation::Allocate { class: 1, size: 65536 },
            Operation::Free { allocation: 0 },
            Operation::Allocate { class: 2, size: 100 },
            Operation::Allocate { class: 3, size: 1 },
            Operation::Free { allocation: 1 },
        ]
    );
    assert_eq!(trace.allocation_count(), 4);
    assert_eq!(trace.name_of(0), "vertices, first, and last");
    assert_eq!(trace.name_of(2), "staging");
    assert_eq!(trace.name_of(4), "");
}

#[test]
fn a_trace_survives_the_format() {
    let trace = imported(LOG).unwrap();
    assert_eq!(encode(&trace), TRACE);
    assert_eq!(decode(TRACE).unwrap(), trace);
}

#[test]
fn a_trace_without_tables_and_operations_is_one() {
    let text = "gpu-alloc trace 1\nprogram \nrecorder \ndevice \ngranularity 1\natom 1\ntypes\n\
                heaps\noperations 0\n";
    let trace = decode(text).unwrap();
    assert!(trace.operations().is_empty());
    assert_eq!(encode(&trace), text);
}

/// Swaps one line of a text for another one; `None` takes it out.
fn with_line(text: &str, number: usize, new: Option<&str>) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    match new {
        Some(line) => lines[number - 1] = line,
        None => drop(lines.remove(number - 1)),
    }
    lines.join("\n")
}

#[rstest]
#[case::another_format(1, "gpu-alloc trace 2", 1, Problem::NotATrace { expected: "gpu-alloc trace 1" })]
#[case::a_header_line_is_missing(2, "recorder x", 2, Problem::Expected { expected: "program" })]
#[case::a_longer_key(2, "programme x", 2, Problem::Expected { expected: "program" })]
#[case::granularity_in_words(5, "granularity one", 5, Problem::NotANumber { field: "granularity" })]
#[case::no_atom(6, "atom", 6, Problem::MissingField { field: "atom" })]
#[case::a_type_without_heap(7, "types 0x1", 7, Problem::MissingField { field: "heap" })]
#[case::a_type_in_decimal(7, "types 1@0", 7, Problem::NotANumber { field: "types" })]
#[case::a_negative_heap(8, "heaps -1", 8, Problem::NotANumber { field: "heaps" })]
#[case::an_unknown_location(9, "class Gpu buffer 16 0x3 x", 9,
    Problem::UnknownWord { field: "location", words: "GpuOnly, CpuToGpu, GpuToCpu" })]
#[case::an_unknown_kind(9, "class GpuOnly texture 16 0x3 x", 9,
    Problem::UnknownWord { field: "kind", words: "buffer, image" })]
#[case::an_odd_alignment(9, "class GpuOnly buffer 24 0x3 x", 9,
    Problem::AlignmentNotPowerOfTwo { alignment: 24 })]
#[case::a_class_cut_off(9, "class GpuOnly buffer 16", 9,
    Problem::MissingField { field: "memory type bits" })]
#[case::neither_class_nor_operations(12, "0 4096", 12,
    Problem::Expected { expected: "class` or `operations" })]
#[case::too_few_operations_stated(13, "operations 5", 19,
    Problem::OperationCount { stated: 5, found: 6 })]
#[case::too_many_operations_stated(13, "operations 7", 20,
    Problem::OperationCount { stated: 7, found: 6 })]
#[case::an_unknown_class(14, "4 4096", 14, Problem::UnknownClass { class: 4, class_count: 4 })]
#[case::a_size_of_zero(14, "0 0", 14, Problem::ZeroSize)]
#[case::no_size(14, "0", 14, Problem::MissingField { field: "size" })]
#[case::a_size_beyond_64_bits(14, "0 18446744073709551616", 14, Problem::NotANumber { field: "size" })]
#[case::an_empty_line(14, "", 14, Problem::MissingField { field: "size" })]
#[case::a_free_before_the_first_allocation(16, "-2", 16, Problem::NotLive)]
#[case::a_free_without_age(16, "-", 16, Problem::MissingField { field: "age" })]
#[case::freed_twice(19, "-3", 19, Problem::NotLive)]
fn a_malformed_trace_is_refused_with_line_and_rule(
    #[case] changed: usize,
    #[case] new: &str,
    #[case] line: usize,
    #[case] problem: Problem,
) {
    let text = with_line(TRACE, changed, Some(new));
    assert_eq!(decode(&text), Err(TraceError::Line { line, problem }));
}

#[test]
fn a_trace_that_was_cut_off_anywhere_is_refused() {
    let trace = decode(TRACE).unwrap();
    let line_ends: Vec<_> = TRACE.match_indices('\n').map(|(index, _)| index).collect();
    for end in &line_ends[..line_ends.len() - 1] {
        assert!(decode(&TRACE[..*end]).is_err(), "cut off at {end}");
    }
    assert_eq!(decode(&TRACE[..TRACE.len() - 1]), Ok(trace), "the last line end is optional");
    assert!(decode("").is_err());
}

#[rstest]
#[case::no_device(1, "op,id", 1, Problem::Expected { expected: "# device=\"" })]
#[case::no_heaps(1, "# device=\"x\" granularity=1 atom=1 types=0x1@0", 1,
    Problem::MissingField { field: "heaps" })]
#[case::an_operation_of_another_kind(3, "realloc,7,1", 3,
    Problem::UnknownWord { field: "op", words: "alloc, free" })]
#[case::an_id_in_words(3, "alloc,seven,1", 3, Problem::NotANumber { field: "id" })]
#[case::an_allocation_without_size(3, "alloc,7,,16,0x3,GpuOnly,1,managed,x,10", 3,
    Problem::MissingField { field: "size" })]
#[case::an_allocation_of_zero_bytes(
    3,
    "alloc,7,0,16,0x3,GpuOnly,1,managed,x,10",
    3,
    Problem::ZeroSize
)]
#[case::an_odd_alignment(3, "alloc,7,1,17,0x3,GpuOnly,1,managed,x,10", 3,
    Problem::AlignmentNotPowerOfTwo { alignment: 17 })]
#[case::neither_linear_nor_optimal(3, "alloc,7,1,16,0x3,GpuOnly,2,managed,x,10", 3,
    Problem::UnknownWord { field: "linear", words: "0, 1" })]
#[case::cut_off_before_the_name(3, "alloc,7,1,16,0x3,GpuOnly,1,managed", 3,
    Problem::MissingField { field: "name" })]
#[case::cut_off_in_the_name(3, "alloc,7,1,16,0x3,GpuOnly,1,managed,vert", 3,
    Problem::MissingField { field: "t_us" })]
#[case::the_id_of_a_live_allocation(4, "alloc,7,1,16,0x3,GpuOnly,1,managed,x,10", 4,
    Problem::IdInUse { id: 7 })]
#[case::a_free_of_nothing(5, "free,70,,,,,,,,12", 5, Problem::NotLive)]
#[case::freed_twice(6, "free,7,,,,,,,,13", 6, Problem::NotLive)]
fn a_malformed_log_is_refused_with_line_and_rule(
    #[case] changed: usize,
    #[case] new: &str,
    #[case] line: usize,
    #[case] problem: Problem,
) {
    let log = with_line(LOG, changed, Some(new));
    assert_eq!(imported(&log), Err(TraceError::Line { line, problem }));
}

#[test]
fn a_log_needs_the_line_that_names_its_columns() {
    let error = imported(&with_line(LOG, 2, None)).unwrap_err();
    assert!(error.to_string().starts_with("line 2: expected `op,id,size,"), "{error}");
}

#[test]
fn errors_name_the_line_and_the_rule() {
    let error = decode(&with_line(TRACE, 14, Some("9 4096"))).unwrap_err();
    assert_eq!(error.to_string(), "line 14: class 9 does not exist; the trace has 4");
}
