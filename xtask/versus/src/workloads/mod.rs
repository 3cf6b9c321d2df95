//! The cases: what an allocator of a region is used for, as programs.
//!
//! Sizes are whole units of 256 bytes and, but for `lifo` and `ping-pong`, not powers of two.

mod churn;
mod frames;
pub(crate) mod holes;
mod linear;
mod live;
mod random;
mod stack;

use std::borrow::Cow;

use crate::peers;
use crate::program::{Case, Figure};

pub(crate) use self::random::Random;

pub(crate) const KIB: u32 = 1 << 10;
pub(crate) const MIB: u32 = 1 << 20;

/// Cases that the same of ours run.
struct Kind {
    /// Rows of the first have the case's name alone, those of the others `<name>/<case>`.
    ours: &'static [&'static str],
    cases: &'static [&'static str],
}

/// Every case of group `core`.
const CORE: [Kind; 3] = [
    Kind {
        ours: &[peers::BUDDY, peers::TLSF, peers::TWO_TIER],
        cases: &[
            "lifo",
            "lifo-mixed",
            "churn-50",
            "churn-85",
            "small-100k-live",
            "frame-fifo",
            "frame-fifo-aligned",
            "ping-pong",
            "ping-pong-192k",
            "fill",
            "live-1k",
            "live-10k",
            "live-100k",
            "live-1m",
            "worst-op",
            "worst-op-churn",
        ],
    },
    Kind {
        ours: &[peers::LINEAR],
        cases: &["linear-frame", "linear-frame-shuffled", "linear-stack", "linear-ring"],
    },
    Kind { ours: &[peers::BUDDY_POOL], cases: &["pool-churn-50", "pool-ping-pong"] },
];

/// The name of each case of group `core` in the order of the report, and which of ours run it.
pub(crate) fn core_names() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    CORE.iter().flat_map(|kind| kind.cases.iter().map(|&case| (case, kind.ours)))
}

/// The name of a case in the rows of one of ours.
pub(crate) fn row_name(ours: &str, case: &'static str) -> Cow<'static, str> {
    let is_first = |(name, all): (&str, &[&str])| name == case && all[0] == ours;
    if core_names().any(is_first) { case.into() } else { format!("{ours}/{case}").into() }
}

/// The case of that name, with a measured part of about `pairs` allocations and their releases.
pub(crate) fn core(name: &'static str, pairs: usize) -> Option<Case> {
    let case = match name {
        "lifo" => stack::lifo(pairs),
        "lifo-mixed" => stack::lifo_mixed(pairs),
        "churn-50" => churn::churn("churn-50", 50, pairs),
        "churn-85" => churn::churn("churn-85", 85, pairs),
        "small-100k-live" => live::small(pairs),
        "frame-fifo" => frames::fifo("frame-fifo", false, pairs),
        "frame-fifo-aligned" => frames::fifo("frame-fifo-aligned", true, pairs),
        "ping-pong" => stack::ping_pong(UNIT_SIZE, pairs),
        "ping-pong-192k" => stack::ping_pong(192 * KIB, pairs),
        "fill" => live::fill(pairs),
        "live-1k" => live::live("live-1k", 1_000, 4, pairs),
        "live-10k" => live::live("live-10k", 10_000, 32, pairs),
        "live-100k" => live::live("live-100k", 100_000, 512, pairs),
        "live-1m" => live::live("live-1m", 1_000_000, 4096, pairs),
        "worst-op" => live::worst(),
        "worst-op-churn" => {
            let case = churn::churn("worst-op-churn", 85, 500_000);
            Case { figure: Figure::WorstOperation, prelude: 0, ..case }
        }
        "linear-frame" => linear::frame("linear-frame", false, pairs),
        "linear-frame-shuffled" => linear::frame("linear-frame-shuffled", true, pairs),
        "linear-stack" => Case { name, ..stack::lifo_mixed(pairs) },
        "linear-ring" => frames::fifo("linear-ring", false, pairs),
        "pool-churn-50" => churn::churn("pool-churn-50", 50, pairs),
        "pool-ping-pong" => Case { name, ..stack::ping_pong(UNIT_SIZE, pairs) },
        _ => return None,
    };
    Some(case)
}

const UNIT_SIZE: u32 = crate::program::UNIT;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Order;

    /// Live slots in order of age, to which every operation is applied.
    fn check(case: &Case) {
        let mut live: Vec<u32> = Vec::new();
        let mut bytes: Vec<u64> = vec![0; case.slot_count];
        let mut used = 0;
        let mut was_freeing = false;
        for operation in &case.operations {
            let slot = operation.slot as usize;
            if operation.is_allocation() {
                let frees_all = case.order == Order::AllAtOnce && was_freeing;
                assert!(!frees_all || live.is_empty(), "{}: something was kept", case.name);
                assert_eq!(bytes[slot], 0, "{}: slot {slot} is taken twice", case.name);
                bytes[slot] = u64::from(operation.size);
                used += bytes[slot];
                live.push(operation.slot);
                assert!(used <= case.region_size, "{}: more than the region", case.name);
            } else {
                assert_ne!(bytes[slot], 0, "{}: slot {slot} is freed empty", case.name);
                used -= bytes[slot];
                bytes[slot] = 0;
                let freed = match case.order {
                    Order::LastInFirstOut => live.pop(),
                    Order::FirstInFirstOut => Some(live.remove(0)),
                    Order::AllAtOnce => {
                        live.retain(|slot| *slot != operation.slot);
                        Some(operation.slot)
                    }
                    Order::Random => Some(operation.slot),
                };
                assert_eq!(freed, Some(operation.slot), "{}: not in its order", case.name);
            }
            was_freeing = !operation.is_allocation();
        }
    }

    #[test]
    fn every_case_allocates_into_empty_slots_and_frees_in_its_order() {
        for (name, _) in core_names() {
            let case = core(name, 2_000).unwrap();
            assert_eq!(case.name, name);
            assert!(case.region_size.is_power_of_two());
            assert!(case.prelude < case.operations.len());
            check(&case);
        }
    }

    #[test]
    fn the_measured_part_allocates_about_as_often_as_it_frees() {
        for (name, _) in core_names() {
            let case = core(name, 20_000).unwrap();
            let measured = &case.operations[case.prelude..];
            let allocations = measured.iter().filter(|o| o.is_allocation()).count();
            let share = allocations as f64 / measured.len() as f64;
            assert!((0.49..=0.51).contains(&share), "{name}: {share}");
        }
    }
}
