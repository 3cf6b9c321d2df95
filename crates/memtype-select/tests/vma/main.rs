//! Where our choice differs from VMA's, and that every difference is listed with its reason.
//!
//! The list is a table in `docs/design.md`, for people; the test reads it. A row of it stands for
//! every combination of its comma-separated words, `any` for all words. It has to name each
//! difference once, with both answers, and nothing that is none.

mod golden;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use memtype_select::{
    BufferUsageFlags, DeviceMemoryProperties, HostAccess, MemoryHeap, MemoryHeapFlags,
    MemoryPropertyFlags, MemoryRequest, MemoryType, MemoryTypeSelector, Placement, ResourceUse,
};

use crate::golden::{LAYOUTS, Layout, ROWS, Row};

/// Placement, host access, use and layout.
type Question = [String; 4];

/// VMA's answer and ours.
type Answers = [String; 2];

const PLACEMENTS: [&str; 3] = ["auto", "device", "host"];
const ACCESSES: [&str; 5] = ["never", "writes", "random", "writes-staged", "random-staged"];
const USES: [&str; 2] = ["shaders", "copies"];

fn selector(&(_, types, heaps): &Layout) -> MemoryTypeSelector {
    let types: Vec<MemoryType> = types
        .iter()
        .map(|&(bits, heap_index)| MemoryType {
            property_flags: MemoryPropertyFlags::from_bits_retain(bits),
            heap_index,
        })
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

/// The same question in our words.
fn request(row: &Row) -> MemoryRequest {
    let usage = match row.used_for {
        "copies" => BufferUsageFlags::TRANSFER_SRC,
        _ => BufferUsageFlags::UNIFORM_BUFFER | BufferUsageFlags::TRANSFER_DST,
    };
    let host_access = match row.access.trim_end_matches("-staged") {
        "never" => HostAccess::Never,
        "writes" => HostAccess::SequentialWrite,
        _ => HostAccess::Random,
    };
    let placement = match row.placement {
        "auto" => Placement::Auto,
        "device" => Placement::PreferDevice,
        _ => Placement::PreferHost,
    };
    let resource = ResourceUse {
        may_stage: row.access.ends_with("-staged"),
        ..ResourceUse::buffer(usage).host_access(host_access).placed(placement)
    };
    MemoryRequest { resource: Some(resource), ..Default::default() }
}

/// All questions to which our answer is not VMA's.
fn differences() -> BTreeMap<Question, Answers> {
    let mut found = BTreeMap::new();
    for row in &ROWS {
        for (layout, theirs) in LAYOUTS.iter().zip(row.answers) {
            let ranking = selector(layout).rank(&request(row));
            let indices: Vec<String> = ranking.iter().map(u32::to_string).collect();
            let ours = indices.join(" ");
            if ours != theirs {
                let question = [row.placement, row.access, row.used_for, layout.0];
                found.insert(question.map(String::from), [theirs.to_owned(), ours]);
            }
        }
    }
    found
}

/// The words that a cell of the list stands for.
fn expand<'a>(cell: &'a str, all: &[&'a str]) -> Vec<String> {
    let words: Vec<&str> = if cell == "any" { all.to_vec() } else { cell.split(", ").collect() };
    for word in &words {
        assert!(all.contains(word), "no such word in the list of differences: {word:?}");
    }
    words.into_iter().map(String::from).collect()
}

/// The cells of the lines of a Markdown table, its heading and rule left out.
fn cells(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The text between a marker and the one that ends it.
fn section<'a>(text: &'a str, marker: &str) -> &'a str {
    let begin = format!("<!-- {marker} -->");
    let end = format!("<!-- end of {marker} -->");
    let (_, rest) = text.split_once(&begin).expect("docs/design.md has the list");
    rest.split_once(&end).expect("the list ends").0
}

/// What the list says, and the reasons it refers to.
fn listed(text: &str) -> (BTreeMap<Question, Answers>, BTreeSet<String>) {
    let layouts = LAYOUTS.map(|layout| layout.0);
    let (mut found, mut reasons) = (BTreeMap::new(), BTreeSet::new());
    for row in cells(section(text, "differences from VMA")) {
        let [placement, access, used_for, layout, theirs, ours, reason] = row[..] else {
            panic!("a row of the list has seven cells: {row:?}");
        };
        reasons.extend(reason.split(", ").map(String::from));
        for placement in expand(placement, &PLACEMENTS) {
            for access in expand(access, &ACCESSES) {
                for used_for in expand(used_for, &USES) {
                    for layout in expand(layout, &layouts) {
                        let question =
                            [placement.clone(), access.clone(), used_for.clone(), layout];
                        let answers = [theirs.to_owned(), ours.to_owned()];
                        let before = found.insert(question.clone(), answers);
                        assert_eq!(before, None, "listed twice: {question:?}");
                    }
                }
            }
        }
    }
    (found, reasons)
}

fn design() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/design.md");
    fs::read_to_string(path).expect("docs/design.md is in the repository")
}

#[test]
fn every_difference_from_vma_is_listed_and_every_listed_one_is_there() {
    let text = design();
    let (listed, _) = listed(&text);
    let found = differences();
    let unlisted: Vec<_> = found.iter().filter(|(key, _)| !listed.contains_key(*key)).collect();
    assert!(unlisted.is_empty(), "differences that docs/design.md does not list: {unlisted:#?}");
    let gone: Vec<_> = listed.iter().filter(|(key, _)| !found.contains_key(*key)).collect();
    assert!(gone.is_empty(), "docs/design.md lists what is no difference: {gone:#?}");
    assert_eq!(found, listed);

    let first = |answer: &String| answer.split(' ').next().map(String::from);
    let other_first = found.values().filter(|[theirs, ours]| first(theirs) != first(ours)).count();
    let same = LAYOUTS.len() * ROWS.len() - found.len();
    let sentence = format!("in {same} of 210 cases; in {other_first} of the others the first");
    assert!(text.contains(&sentence), "docs/design.md does not say {sentence:?}");
}

#[test]
fn every_listed_difference_has_a_reason() {
    let text = design();
    let (_, reasons) = listed(&text);
    let given: BTreeSet<String> = cells(section(&text, "reasons for differences from VMA"))
        .into_iter()
        .map(|row| {
            let [reason, why] = row[..] else { panic!("a reason has two cells: {row:?}") };
            assert!(why.len() > 40, "the reason {reason:?} is not given");
            reason.to_owned()
        })
        .collect();
    assert_eq!(reasons, given);
}
