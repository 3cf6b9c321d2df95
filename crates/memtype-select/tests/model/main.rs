//! Random tables and requests against a checker written from the documented order alone.

mod checker;
mod strategies;

use std::cell::Cell;

use memtype_select::{BudgetSnapshot, CachedSelector, MemoryRequest, MemoryTypeSelector, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::checker::{faults, is_scarce, is_unified, rank_slowly};
use crate::strategies::{requests, rooms, tables};

/// How often something worth seeing was seen.
#[derive(Default)]
struct Seen {
    choices: Cell<u32>,
    scarce_choices: Cell<u32>,
    unified: Cell<u32>,
    opted_in: Cell<u32>,
    full_heaps: Cell<u32>,
}

fn count(cell: &Cell<u32>, seen: bool) {
    cell.set(cell.get() + u32::from(seen));
}

#[test]
fn ranking_is_the_documented_order() {
    let seen = Seen::default();
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(4096) });
    let outcome = runner.run(&(tables(), requests(), rooms()), |(table, request, room)| {
        let expected = rank_slowly(&table, &request, &[]);
        let within = rank_slowly(&table, &request, &room);
        let scarce = expected
            .iter()
            .filter(|&&index| is_scarce(&table, table.memory_types[index as usize].heap_index));
        let scarce_count = scarce.count();
        let has_choice = expected.len() > 1;
        count(&seen.choices, has_choice);
        count(&seen.scarce_choices, scarce_count > 0 && scarce_count < expected.len());
        count(&seen.unified, has_choice && request.resource.is_some() && is_unified(&table));
        let without = MemoryRequest { opt_in: Default::default(), ..request };
        count(&seen.opted_in, rank_slowly(&table, &without, &[]).len() < expected.len());
        count(&seen.full_heaps, within != expected);

        let selector = MemoryTypeSelector::new(table);
        let budget = BudgetSnapshot::from_room(&room);
        prop_assert_eq!(&*selector.rank(&request), &*expected);
        prop_assert_eq!(selector.select(&request), expected.first().copied());
        prop_assert_eq!(&*selector.rank_within(&request, &budget), &*within);
        prop_assert_eq!(selector.select_within(&request, &budget), within.first().copied());
        prop_assert_eq!(selector.clone().rank(&request), selector.rank(&request));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // Most random requests contradict a random table somehow; enough of them must not.
    let least = [
        ("rankings with a choice", &seen.choices, 400),
        ("with scarce memory", &seen.scarce_choices, 40),
        ("of resources on unified memory", &seen.unified, 40),
        ("with types that were opted in to", &seen.opted_in, 40),
        ("that a budget changes", &seen.full_heaps, 40),
    ];
    for (what, cell, least) in least {
        assert!(cell.get() >= least, "only {} {what}", cell.get());
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(1024) })]

    /// An explanation says of each type what the ranking says, and its rules are true.
    #[test]
    fn an_explanation_agrees_with_the_ranking(
        table in tables(),
        request in requests(),
        room in rooms(),
    ) {
        let selector = MemoryTypeSelector::new(table.clone());
        let budget = BudgetSnapshot::from_room(&room);
        let ranking = selector.rank_within(&request, &budget);
        let explanation = selector.explain_within(&request, &budget);
        prop_assert_eq!(explanation.chosen(), ranking.first().copied());
        prop_assert_eq!(explanation.len(), table.memory_types.len());
        prop_assert!(!explanation.to_string().is_empty());
        for (index, explained) in explanation.iter().enumerate() {
            prop_assert_eq!(explained.index as usize, index);
            let rank = ranking.iter().position(|&ranked| ranked == explained.index);
            match explained.verdict {
                Verdict::Chosen { runner_up } => {
                    prop_assert_eq!(rank, Some(0));
                    prop_assert_eq!(runner_up.map(|it| it.other), ranking.get(1).copied());
                }
                Verdict::Ranked { rank: stated, better } => {
                    prop_assert_eq!(rank, Some(stated as usize - 1));
                    prop_assert_eq!(better.other, ranking[stated as usize - 2]);
                }
                Verdict::Refused(_) => prop_assert_eq!(rank, None),
            }
        }
    }

    /// Types in another order are ranked in the same order, as far as the index does not decide.
    #[test]
    fn the_order_of_the_table_decides_only_between_equals(
        table in tables(),
        request in requests(),
        seed in any::<u64>(),
    ) {
        let request = MemoryRequest { memory_type_bits: u32::MAX, ..request };
        let mut shuffled = table.clone();
        let mut state = seed | 1;
        for last in (1..shuffled.memory_types.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let other = usize::try_from(state >> 33).unwrap() % (last + 1);
            shuffled.memory_types.swap(last, other);
        }
        let ranks = |table: &memtype_select::DeviceMemoryProperties| {
            let ranking = MemoryTypeSelector::new(table.clone()).rank(&request);
            let of = |&index: &u32| faults(table, &request, &[], index as usize);
            ranking.iter().map(of).collect::<Vec<_>>()
        };
        prop_assert_eq!(ranks(&table), ranks(&shuffled));
    }

    #[test]
    fn taking_types_out_of_the_mask_leaves_the_order_of_the_others(
        table in tables(),
        request in requests(),
        mask in any::<u32>(),
    ) {
        let selector = MemoryTypeSelector::new(table);
        let mut all = selector.rank(&request).to_vec();
        let memory_type_bits = request.memory_type_bits & mask;
        let some = selector.rank(&MemoryRequest { memory_type_bits, ..request });
        all.retain(|index| mask >> index & 1 == 1);
        prop_assert_eq!(&*some, &*all);
    }

    #[test]
    fn every_ranked_type_is_allowed_and_has_what_is_required(
        table in tables(),
        request in requests(),
    ) {
        let selector = MemoryTypeSelector::new(table);
        let ranking = selector.rank(&request);
        for &index in &ranking {
            let memory_type = selector.memory_type(index).expect("a ranked type is in the table");
            prop_assert!(request.memory_type_bits >> index & 1 == 1);
            prop_assert!(memory_type.property_flags.contains(request.required));
            prop_assert!(selector.heap_size(memory_type.heap_index) >= Some(request.size.max(1)));
        }
        let mut distinct = ranking.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), ranking.len());
    }

    #[test]
    fn bits_beyond_the_table_change_nothing(table in tables(), request in requests()) {
        let in_table = (1_u64 << table.memory_types.len()) - 1;
        let memory_type_bits = request.memory_type_bits | !u32::try_from(in_table).unwrap();
        let selector = MemoryTypeSelector::new(table);
        let wide = selector.rank(&MemoryRequest { memory_type_bits, ..request });
        prop_assert_eq!(wide, selector.rank(&request));
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(16) })]

    /// Kept answers are the selector's, whatever the size, before and after the slots are full.
    #[test]
    fn a_kept_answer_is_the_computed_one(
        table in tables(),
        requests in vec(requests(), 1..200),
        sizes in vec(any::<u64>(), 200),
    ) {
        let selector = CachedSelector::new(MemoryTypeSelector::new(table));
        for _ in 0..2 {
            for (request, &size) in requests.iter().zip(&sizes) {
                for size in [request.size, size, size >> 32, 0] {
                    let request = MemoryRequest { size, ..*request };
                    let computed = selector.selector().rank(&request);
                    prop_assert!(selector.rank(&request).iter().eq(computed.iter().copied()));
                    prop_assert_eq!(selector.select(&request), computed.first().copied());
                }
            }
        }
        prop_assert!((1..=64).contains(&selector.kept_count()));
    }
}
