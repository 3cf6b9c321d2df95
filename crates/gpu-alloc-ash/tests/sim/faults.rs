//! Every driver call of every operation fails, with every error that the call may return: the
//! operation succeeds by a documented fallback, or returns exactly that error and leaves nothing
//! behind; the next one works.

use std::collections::BTreeSet;

use ash::vk;
use vk_sim::{Call, Failure};

use crate::books::InUse;
use crate::held::Held;
use crate::operations::{FALLIBLE, Failed, OPERATIONS, Operation};
use crate::support::Sim;

/// One operation, prepared and about to run.
struct Case<'a> {
    operation: &'a Operation,
    sim: Sim,
    held: Vec<Held>,
    before: InUse,
}

/// What came of it.
struct Outcome {
    result: Result<(), Failed>,
    /// The calls that could have failed, in order.
    fallible: Vec<Call>,
}

impl<'a> Case<'a> {
    fn new(operation: &'a Operation) -> Self {
        let sim = (operation.sim)();
        let held = (operation.prepare)(&sim);
        sim.check_books_of(&held);
        let before = sim.in_use();
        sim.driver.clear_calls();
        Self { operation, sim, held, before }
    }

    /// Runs the operation; on an error, proves that it left nothing behind.
    fn act(&mut self) -> Outcome {
        let count = self.held.len();
        let result = (self.operation.act)(&self.sim, &mut self.held);
        let fallible: Vec<_> =
            self.sim.driver.calls().into_iter().filter(|call| call.is_fallible()).collect();
        self.sim.check_books_of(&self.held);
        if result.is_err() {
            assert_eq!(self.held.len(), count);
            assert_eq!(self.sim.in_use(), self.before, "{}", self.operation.name);
            let kept = self.sim.allocator.stats().retained_size;
            assert_eq!(
                self.sim.allocator.trim(),
                kept,
                "what was made on the way can be given back"
            );
            assert_eq!(self.sim.in_use(), self.before);
        }
        Outcome { result, fallible }
    }

    /// The next identical operation works, and everything can be given back.
    fn end(mut self) {
        self.sim.driver.clear_failures();
        let again = (self.operation.act)(&self.sim, &mut self.held);
        assert_eq!(again, Ok(()), "{}: without a failure", self.operation.name);
        // What is bound goes before what it is bound to.
        for held in self.held.into_iter().rev() {
            held.release(&self.sim);
        }
        self.sim.finish();
    }
}

impl Sim {
    /// [`check_books`](Self::check_books), and the list of what lives is as long as what is held.
    fn check_books_of(&self, held: &[Held]) {
        self.check_books();
        let count = held.iter().filter(|held| held.allocation().is_some()).count();
        assert_eq!(self.allocator.leaks().len(), count);
    }
}

/// The calls of a clean run.
fn clean_run(operation: &Operation) -> Vec<Call> {
    let mut case = Case::new(operation);
    let Outcome { result, fallible } = case.act();
    assert_eq!(result, Ok(()), "{}", operation.name);
    case.end();
    fallible
}

/// Makes the `index`-th of these calls fail.
fn failure(calls: &[Call], index: usize, result: vk::Result) -> Failure {
    let earlier = calls[..index].iter().filter(|&&call| call == calls[index]).count();
    Failure::nth_of(calls[index], earlier as u64 + 1, result)
}

/// Whether the allocator documents that it tries something else.
fn may_fall_back(call: Call, result: vk::Result) -> bool {
    let shortage = [
        vk::Result::ERROR_OUT_OF_HOST_MEMORY,
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_TOO_MANY_OBJECTS,
        vk::Result::ERROR_MEMORY_MAP_FAILED,
    ];
    matches!(call, Call::AllocateMemory | Call::MapMemory) && shortage.contains(&result)
}

#[test]
fn each_call_fails_once_with_each_error() {
    let mut cases = 0;
    let (mut called, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for operation in OPERATIONS {
        let calls = clean_run(operation);
        assert!(!calls.is_empty(), "{} asks the driver for something", operation.name);
        called.extend(calls.iter().copied());
        for (index, &call) in calls.iter().enumerate() {
            for &result in call.errors() {
                let mut case = Case::new(operation);
                case.sim.driver.fail(failure(&calls, index, result));
                let outcome = case.act();
                let context = format!("{}, call {index}, {call:?}, {result:?}", operation.name);
                assert_eq!(case.sim.driver.fired_failure_count(), 1, "{context}");
                let expected = if operation.falls_back && may_fall_back(call, result) {
                    Ok(())
                } else {
                    Err(Failed { call: call.name(), result })
                };
                assert_eq!(outcome.result, expected, "{context}");
                case.end();
                failed.insert(call);
                cases += 1;
            }
        }
    }
    println!("{cases} cases of one failure in {} operations", OPERATIONS.len());
    assert!(cases >= 150, "only {cases} cases were run");
    assert_eq!(called, failed, "every function that was called was made to fail");
    assert_eq!(called, BTreeSet::from(FALLIBLE));
}

#[test]
fn each_pair_of_calls_fails() {
    let mut cases = 0;
    for operation in OPERATIONS {
        let calls = clean_run(operation);
        for (index, &call) in calls.iter().enumerate() {
            for &result in call.errors().iter().filter(|&&result| may_fall_back(call, result)) {
                let first = failure(&calls, index, result);
                let mut case = Case::new(operation);
                case.sim.driver.fail(first);
                let longer = case.act().fallible;
                case.end();
                for second_index in index + 1..longer.len() {
                    cases += fail_both(operation, (call, first), &longer, second_index);
                }
            }
        }
    }
    println!("{cases} cases of two failures in {} operations", OPERATIONS.len());
    assert!(cases >= 500, "only {cases} cases were run");
}

/// Fails a call, and one of those that are made because of it or after it, with each error.
fn fail_both(
    operation: &Operation,
    (first_call, first): (Call, Failure),
    calls: &[Call],
    second_index: usize,
) -> u32 {
    let second_call = calls[second_index];
    let mut cases = 0;
    for &result in second_call.errors() {
        let mut case = Case::new(operation);
        case.sim.driver.fail(first);
        case.sim.driver.fail(failure(calls, second_index, result));
        let outcome = case.act();
        let context = format!(
            "{}: {first:?}, then {second_index}, {second_call:?}, {result:?}",
            operation.name
        );
        assert_eq!(case.sim.driver.fired_failure_count(), 2, "{context}");
        if let Err(failed) = outcome.result {
            // What cannot be made up for is reported as it is; else the best memory type's error.
            let second = Failed { call: second_call.name(), result };
            let planted = [Failed { call: first_call.name(), result: first.result }, second];
            assert!(planted.contains(&failed), "{context}: {failed:?}");
            assert!(may_fall_back(second_call, result) || failed == second, "{context}");
        } else {
            assert!(may_fall_back(second_call, result), "{context}");
        }
        case.end();
        cases += 1;
    }
    cases
}

#[test]
fn a_call_that_always_fails_is_reported() {
    let mut cases = 0;
    for operation in OPERATIONS {
        let calls = BTreeSet::from_iter(clean_run(operation));
        for &call in &calls {
            for &result in call.errors() {
                let mut case = Case::new(operation);
                case.sim.driver.fail(Failure::every(call, result));
                let outcome = case.act();
                let context = format!("{}, every {call:?}, {result:?}", operation.name);
                assert!(case.sim.driver.fired_failure_count() > 0, "{context}");
                assert_eq!(outcome.result, Err(Failed { call: call.name(), result }), "{context}");
                case.end();
                cases += 1;
            }
        }
    }
    println!("{cases} cases of a call that always fails");
    assert!(cases >= 150, "only {cases} cases were run");
}

/// Making an allocator, giving back, reports and the end ask the driver nothing that may fail.
#[test]
fn giving_back_cannot_fail() {
    let sim = Sim::default();
    assert_eq!(sim.driver.fallible_call_count(), 0, "making an allocator");
    let mut held = Vec::new();
    let names = ["first block", "mapped block", "dedicated", "create_buffer", "create_image"];
    for operation in OPERATIONS.iter().filter(|operation| names.contains(&operation.name)) {
        assert_eq!((operation.act)(&sim, &mut held), Ok(()), "{}", operation.name);
    }
    assert_eq!(held.len(), names.len());
    for call in Call::ALL.into_iter().filter(|call| call.is_fallible()) {
        sim.driver.fail(Failure::every(call, call.errors()[0]));
    }
    sim.driver.clear_calls();
    held.into_iter().for_each(|held| held.release(&sim));
    sim.check_books();
    assert!(sim.allocator.trim() > 0);
    assert_eq!(sim.driver.fallible_call_count(), 0);
    sim.finish();
}
