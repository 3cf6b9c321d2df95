//! Checks every answer of a facade before any clock runs.
//!
//! # Basic design
//!
//! The program is replayed with a map of what lives in each memory object, by offset. An allocation
//! must have the alignment and the size that were asked for, and end before its neighbour on either side
//! starts. A refusal is a fault, too: the device has room for every program here, and a facade that
//! refuses would be fast for nothing. That the checks find anything is proven on planted faults.

use std::collections::BTreeMap;
use std::fmt;

use super::peers::{Facade, Place};
use super::program::{Operation, Program, Request};
use super::replay::empty_slots;

/// A wrong answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There was room, and the request was refused.
    Refused { size: u64 },
    /// The place is not at the alignment that was asked.
    Misaligned { offset: u64, alignment: u64 },
    /// The place is smaller than asked.
    TooSmall { asked: u64, granted: u64 },
    /// The place overlaps a live one.
    Overlap { offset: u64, size: u64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { size } => write!(f, "{size} B were refused"),
            Self::Misaligned { offset, alignment } => {
                write!(f, "offset {offset} is not aligned to {alignment}")
            }
            Self::TooSmall { asked, granted } => {
                write!(f, "{granted} B were granted for {asked}")
            }
            Self::Overlap { offset, size } => {
                write!(f, "{size} B at {offset} overlap a live allocation")
            }
        }
    }
}

/// What lives, by memory object and offset; the value is where it ends.
#[derive(Debug, Default)]
pub(crate) struct Map(BTreeMap<(u64, u64), u64>);

impl Map {
    /// Puts down an allocation of at least `size` bytes.
    pub(crate) fn insert(&mut self, place: Place, size: u64, alignment: u64) -> Result<(), Fault> {
        let Place { memory, offset, size: granted } = place;
        if offset % alignment != 0 {
            return Err(Fault::Misaligned { offset, alignment });
        }
        if granted < size {
            return Err(Fault::TooSmall { asked: size, granted });
        }
        // What the user may touch, whatever was rounded up on top of it.
        let end = offset + size;
        let before = self.0.range((memory, 0)..(memory, end)).next_back();
        if before.is_some_and(|(_, &before_ends)| before_ends > offset) {
            return Err(Fault::Overlap { offset, size });
        }
        self.0.insert((memory, offset), end);
        Ok(())
    }

    fn remove(&mut self, place: Place) {
        self.0.remove(&(place.memory, place.offset));
    }
}

/// Replays a program, checks each answer, and frees what is left.
pub(crate) fn verify<F: Facade>(facade: &F, program: &Program) -> Result<(), Fault> {
    let mut map = Map::default();
    let mut slots = empty_slots(program.slot_count);
    let mut found = Ok(());
    for Operation { slot, request } in &program.operations {
        let slot = &mut slots[*slot as usize];
        if let Some(handle) = slot.take() {
            map.remove(facade.place(&handle));
            facade.free(handle);
        }
        let Some(request) = request else { continue };
        *slot = facade.allocate(request);
        found = check(facade, slot.as_ref(), request, &mut map);
        if found.is_err() {
            break;
        }
    }
    slots.into_iter().flatten().for_each(|handle| facade.free(handle));
    found
}

/// Replays a program on each thread at the same time, and checks what lives at the end, all together.
pub(crate) fn verify_threads<F: Facade>(facade: &F, programs: &[Program]) -> Result<(), Fault> {
    let ends: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = programs
            .iter()
            .map(|program| scope.spawn(move || (program, replayed(facade, program))))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no facade panics")).collect()
    });
    let mut map = Map::default();
    let mut found = Ok(());
    for (program, slots) in &ends {
        let mut last = vec![None; program.slot_count];
        program.operations.iter().for_each(|o| last[o.slot as usize] = o.request);
        for (slot, request) in slots.iter().zip(&last) {
            if let (Some(request), Ok(())) = (request, &found) {
                found = check(facade, slot.as_ref(), request, &mut map);
            }
        }
    }
    ends.into_iter().flat_map(|(_, slots)| slots).flatten().for_each(|h| facade.free(h));
    found
}

fn replayed<F: Facade>(facade: &F, program: &Program) -> Vec<Option<F::Handle>> {
    let mut slots = empty_slots(program.slot_count);
    for operation in &program.operations {
        super::replay::step(facade, &mut slots, operation);
    }
    slots
}

fn check<F: Facade>(
    facade: &F,
    handle: Option<&F::Handle>,
    request: &Request,
    map: &mut Map,
) -> Result<(), Fault> {
    let handle = handle.ok_or(Fault::Refused { size: request.size })?;
    map.insert(facade.place(handle), request.size, request.alignment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_may_touch_and_not_overlap_and_objects_are_apart() {
        let at = |memory, offset, size| Place { memory, offset, size };
        let mut map = Map::default();
        assert_eq!(map.insert(at(1, 256, 256), 256, 256), Ok(()));
        assert_eq!(map.insert(at(1, 512, 256), 256, 256), Ok(()));
        assert_eq!(map.insert(at(1, 0, 256), 256, 256), Ok(()));
        assert_eq!(map.insert(at(2, 300, 9), 9, 4), Ok(()));
        let overlap = |offset, size| Err(Fault::Overlap { offset, size });
        assert_eq!(map.insert(at(1, 400, 10), 10, 1), overlap(400, 10));
        assert_eq!(map.insert(at(1, 512, 1), 1, 1), overlap(512, 1));
        assert_eq!(map.insert(at(2, 0, 301), 301, 1), overlap(0, 301));
        map.remove(at(1, 256, 256));
        assert_eq!(map.insert(at(1, 400, 10), 10, 1), Ok(()));
    }
}
