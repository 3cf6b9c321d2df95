//! The traces that come with the sources, and files in general.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use replay::{Kind, Operation, TraceError, decode, find, folder, name_of, names, read, write};

/// A file of this test's own that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("replay-{}-{name}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A file that was never written is as good as a removed one.
        let _ = fs::remove_file(&self.0);
    }
}

const TRACE: &str = "gpu-alloc trace 1\nprogram p\nrecorder r\ndevice d\ngranularity 1\natom 1\n\
                     types 0x1@0\nheaps 9\nclass GpuOnly buffer 1 0x1 n\noperations 1\n0 5\n";

#[test]
fn the_traces_of_the_folder_are_read_and_its_readme_counts_their_operations() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let names = names(&folder());
    assert!(names.contains(&"bevy-radv-navi21".to_owned()), "{names:?}");
    for name in names {
        let trace = read(&find(&folder(), &name)).unwrap();
        let mut live = BTreeMap::new();
        let (mut made, mut images, mut peak, mut bytes) = (0_usize, 0_usize, 0_u64, 0_u64);
        for operation in trace.operations() {
            match *operation {
                Operation::Allocate { class, size } => {
                    assert_eq!(live.insert(made, size), None);
                    made += 1;
                    images += usize::from(trace.classes()[class].kind == Kind::Image);
                    bytes += size;
                    peak = peak.max(bytes);
                }
                Operation::Free { allocation } => {
                    bytes -= live.remove(&allocation).expect("it lives");
                }
            }
        }
        let row = format!(
            "| `{name}` | {} | {} | {} | {} | {images} | {} |",
            trace.provenance().program,
            trace.device().name,
            trace.operations().len(),
            made - images,
            peak >> 20,
        );
        assert!(readme.contains(&row), "README.md lacks: {row}");
        assert!(!trace.provenance().recorder.is_empty());
        assert!(live.is_empty(), "{name} leaves {} allocations", live.len());
    }
}

#[test]
fn a_trace_survives_its_file_and_gives_the_same_bytes_again() {
    let (first, second) = (Scratch::new("first.trace.gz"), Scratch::new("second.trace.gz"));
    let trace = decode(TRACE).unwrap();
    let size = write(&first.0, &trace).unwrap();
    write(&second.0, &read(&first.0).unwrap()).unwrap();
    let bytes = fs::read(&first.0).unwrap();
    assert_eq!(bytes.len(), size);
    assert_eq!(bytes, fs::read(&second.0).unwrap());
    assert_eq!(read(&first.0).unwrap(), trace);
}

#[test]
fn a_trace_may_be_plain_text() {
    let file = Scratch::new("plain");
    fs::write(&file.0, TRACE).unwrap();
    assert_eq!(read(&file.0), decode(TRACE));
}

#[test]
fn files_that_are_missing_damaged_or_no_text_are_refused() {
    let file = Scratch::new("damaged.trace.gz");
    assert!(matches!(read(&file.0), Err(TraceError::Read { .. })));
    write(&file.0, &decode(TRACE).unwrap()).unwrap();
    let mut bytes = fs::read(&file.0).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(&file.0, &bytes).unwrap();
    assert!(matches!(read(&file.0), Err(TraceError::Read { .. })));
    fs::write(&file.0, [0x1f, 0x8b]).unwrap();
    assert!(matches!(read(&file.0), Err(TraceError::Read { .. })));
    fs::write(&file.0, [0xff, 0xff]).unwrap();
    assert!(matches!(read(&file.0), Err(TraceError::Read { .. })));
}

#[test]
fn a_name_stands_for_a_trace_of_the_folder_else_for_a_path() {
    let known = find(&folder(), "bevy-radv-navi21");
    assert!(known.is_file());
    assert_eq!(name_of(&known), "bevy-radv-navi21");
    assert_eq!(find(&folder(), "some/where.csv"), PathBuf::from("some/where.csv"));
}
