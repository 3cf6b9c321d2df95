//! What holds of a block of both tiers at any time.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::run::{NO_RUN, Run};
use super::{ORDERS, TwoTier};
use crate::tlsf::TlsfCorruption;

impl TwoTier {
    /// Checks every invariant of the segregated fit, and that each span lies in it. For tests.
    ///
    /// # Errors
    ///
    /// The first [`TlsfCorruption`] found.
    ///
    /// # Panics
    ///
    /// If a span is broken.
    pub fn validate(&self) -> Result<(), TlsfCorruption> {
        self.tlsf.validate()?;
        let open: BTreeSet<u32> = (0..ORDERS).flat_map(|order| self.validate_list(order)).collect();
        let count = u32::try_from(self.places.len()).expect("fewer than 2^26");
        let size: u64 = (0..count).map(|at| self.validate_span(at, &open)).sum();
        assert_eq!(size, self.size_in_spans, "what lives in spans is counted");
        let runs = (0u32..).zip(&self.runs);
        let has_free = runs.filter(|(_, run)| !run.is_full()).map(|(index, _)| index);
        let is_listed = |index: u32| open.contains(&index) || Some(index) == self.empty;
        assert!(has_free.clone().all(is_listed), "each run with a free piece is listed");
        assert_eq!(self.small_room, self.small_end(), "it is put down");
        let lying = self.places.iter().flatten().count();
        assert_eq!(lying, self.places.len() - self.vacant.len(), "all others are vacant");
        let spans = (0..count).filter(|&at| self.places[at as usize].is_some());
        let empty = spans
            .map(|at| self.span_run(at))
            .filter(|&index| self.runs[index as usize].is_empty_span());
        let empty: Vec<u32> = empty.collect();
        assert_eq!(empty, Vec::from_iter(self.empty), "at most one is kept");
        Ok(())
    }

    /// Checks the list of open runs of an order; answers it.
    fn validate_list(&self, order: usize) -> Vec<u32> {
        let (mut before, mut index, mut open) = (NO_RUN, self.open[order], Vec::new());
        assert_eq!(index != NO_RUN, self.open_orders >> order & 1 != 0, "it is put down");
        while index != NO_RUN {
            let run = &self.runs[index as usize];
            assert!(!run.is_full() && run.order() as usize == order, "run {index} is open");
            assert_eq!(run.previous, before, "run {index} is linked both ways");
            let is_alone = before == NO_RUN && run.next == NO_RUN;
            let is_span = run.order() == self.slot_order;
            assert!(!run.is_unused() || is_alone || is_span, "it is the only open one");
            open.push(index);
            (before, index) = (index, run.next);
        }
        open
    }

    /// Checks a span and its slots; answers the bytes of what lives there.
    fn validate_span(&self, at: u32, open: &BTreeSet<u32>) -> u64 {
        let first = self.span_run(at);
        let runs = &self.runs[first as usize..(first + self.runs_each()) as usize];
        let (own, slots) = (&runs[0], &runs[1..]);
        let Some(place) = self.places[at as usize] else {
            assert!(runs.iter().all(Run::is_vacant), "span {at} is vacant");
            return 0;
        };
        let start = u64::from(own.start()) << self.min_block_log;
        assert_eq!((start, own.order()), (place.offset, self.slot_order), "span {at}");
        let mut used_runs = 0;
        for (slot, run) in (0u32..).zip(slots) {
            let is_run = !run.is_vacant();
            let is_free = own.free() >> slot & 1 != 0;
            let states = [is_run, is_free, own.is_live(slot)];
            assert_eq!(states.iter().filter(|&&is| is).count(), 1, "slot {slot} of span {at}");
            if is_run {
                let index = first + 1 + slot;
                assert_eq!(u32::from(run.behind_or_used), 1 + slot, "run {index}");
                assert_eq!(run.start(), own.start() + (slot << self.slot_order));
                assert_eq!(open.contains(&index), !run.is_full(), "run {index} is listed");
                used_runs += u32::from(!run.is_unused());
            }
        }
        assert_eq!(used_runs, u32::from(own.behind_or_used), "of span {at}");
        let order = self.whole_span();
        let kept = self.empty_order == 1 << order;
        assert_eq!(kept, self.empty.is_some(), "it is put down");
        self.live_in(self.span_at(at)).map(|(_, size)| size).sum()
    }
}
