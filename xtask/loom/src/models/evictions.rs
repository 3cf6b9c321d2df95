//! One thing that may be lost, whose word's atomics loom sees in these variants, and who gets at its content.

use std::sync::{Arc, Mutex};

use super::super::facade::entry::Entry;
use super::threads::{joined, spawned};

const KEPT: u64 = 2;

/// A frame in which what was used in frame 1 is old, and what was used in frame 2 is not.
const NOW: u64 = 2 + KEPT;

/// What is bound, and counts its ends.
struct Bound {
    ends: Arc<Mutex<u32>>,
    bytes: u32,
}

fn entry() -> (Arc<Entry<Bound>>, Arc<Mutex<u32>>) {
    let ends = Arc::new(Mutex::new(0));
    let bound = Bound { ends: Arc::clone(&ends), bytes: 7 };
    (Arc::new(Entry::new(1, bound)), ends)
}

/// Whoever is handed the content has ended it.
fn end(content: Option<Bound>) -> bool {
    let Some(bound) = content else { return false };
    *bound.ends.lock().expect("a model ends at the first panic") += 1;
    true
}

fn check_ends(ends: &Mutex<u32>, wanted: u32) {
    let ends = *ends.lock().expect("a model ends at the first panic");
    assert_eq!(ends, wanted, "it ends once for each who was told so");
}

/// One touches it while another gives up what is old: one of them comes first.
pub(super) fn touched_or_lost() {
    let (entry, ends) = entry();
    let evicted = Arc::clone(&entry);
    let evicts = spawned(move || end(evicted.try_lose(NOW, KEPT)));
    let touched = entry.word().touch(2);
    assert_eq!(entry.with(1, |bound| bound.bytes).is_some(), touched, "it is as the touch has said");
    let lost = joined(evicts);
    assert_ne!(touched, lost, "it is there for who touched it, or lost");
    check_ends(&ends, u32::from(lost));
}

/// One looks at it while another gives up everything: nothing goes under a look.
pub(super) fn looked_at_or_lost() {
    let (entry, ends) = entry();
    let evicted = Arc::clone(&entry);
    // In this frame everything is old: what is looked at stays as it is pinned, and by nothing else.
    let evicts = spawned(move || end(evicted.try_lose(100, KEPT)));
    let looked = entry.with(2, |bound| {
        check_ends(&bound.ends, 0);
        bound.bytes
    });
    let lost = joined(evicts);
    assert!(looked == Some(7) || (looked.is_none() && lost), "it is there, or lost");
    check_ends(&ends, u32::from(lost));
    assert_eq!(end(entry.try_lose(100, KEPT)), !lost, "nobody holds it any more");
    check_ends(&ends, 1);
}

/// It is written to while another gives up what is old, who finds what was written.
pub(super) fn written_or_lost() {
    let (entry, ends) = entry();
    let evicted = Arc::clone(&entry);
    let evicts = spawned(move || evicted.try_lose(100, KEPT));
    // SAFETY: 1. The other thread does not look.
    let wrote = unsafe { entry.with_mut(2, |bound| bound.bytes = 8) };
    let lost = joined(evicts);
    if let Some(bound) = &lost {
        assert_eq!(bound.bytes, if wrote.is_some() { 8 } else { 7 }, "the last write is seen");
    }
    let lost = end(lost);
    assert!(lost || wrote.is_some(), "it is there, or lost");
    check_ends(&ends, u32::from(lost));
}

/// Two give it up, and its owner frees it: one of the three ends it.
pub(super) fn ended_once() {
    let (entry, ends) = entry();
    let evicts = [(); 2].map(|()| {
        let evicted = Arc::clone(&entry);
        spawned(move || end(evicted.try_lose(NOW, KEPT)))
    });
    let freed = end(entry.retire());
    let lost = evicts.map(joined);
    let told = [freed, lost[0], lost[1]].into_iter().filter(|&told| told).count();
    assert_eq!(told, 1, "it ends once");
    check_ends(&ends, 1);
    assert!(entry.is_lost() && !entry.word().touch(100));
}
