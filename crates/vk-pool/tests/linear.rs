//! The linear region against a model of its rule by age, and VMA's tests of its linear algorithm, told
//! anew.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;
use vk_pool::linear::{Linear, LinearBlock, LinearError, LinearKind};

const KINDS: [LinearKind; 5] = [
    LinearKind::Auto,
    LinearKind::FreeAtOnce,
    LinearKind::Stack,
    LinearKind::DoubleStack,
    LinearKind::Ring,
];

/// One end's pieces by age, oldest first; the rule of each kind is stated on these alone.
struct Model {
    total: u64,
    unit: u64,
    kind: LinearKind,
    lower: Vec<LinearBlock>,
    upper: Vec<LinearBlock>,
    /// Where the newest lower piece ended, since the region was empty.
    newest_end: u64,
}

fn end_of(block: &LinearBlock) -> u64 {
    block.offset + block.size
}

impl Model {
    fn wraps(&self) -> bool {
        matches!(self.kind, LinearKind::Auto | LinearKind::Ring)
    }

    fn lies_as_ring(&self) -> bool {
        let (oldest, newest) = (self.lower.first(), self.lower.last());
        oldest.zip(newest).is_some_and(|(oldest, newest)| newest.offset < oldest.offset)
    }

    /// Where a lower piece has to go, by the documentation of the kinds.
    fn lower_offset(&self, size: u64, alignment: u64) -> Option<u64> {
        let taken = size.checked_next_multiple_of(self.unit)?;
        let cursor = match self.kind {
            LinearKind::FreeAtOnce => self.newest_end,
            _ => self.lower.last().map_or(0, end_of),
        };
        let limit = if self.lies_as_ring() {
            self.lower[0].offset
        } else {
            self.upper.last().map_or(self.total, |block| block.offset)
        };
        let start = cursor.next_multiple_of(alignment.max(self.unit));
        if start + taken <= limit {
            return Some(start);
        }
        let room_in_front = self.lower.first().map_or(0, |oldest| oldest.offset);
        let may_wrap = self.wraps() && !self.lies_as_ring() && self.upper.is_empty();
        (may_wrap && taken <= room_in_front).then_some(0)
    }

    /// Where an upper piece has to go.
    fn upper_offset(&self, size: u64, alignment: u64) -> Result<u64, LinearError> {
        match self.kind {
            LinearKind::Auto if self.lies_as_ring() => return Err(LinearError::LiesAsRing),
            LinearKind::Auto | LinearKind::DoubleStack => {}
            kind => return Err(LinearError::NoUpperEnd { kind }),
        }
        let unit = alignment.max(self.unit);
        let limit = self.upper.last().map_or(self.total, |block| block.offset);
        let floor = self.lower.last().map_or(0, end_of);
        let start =
            limit.checked_sub(size.next_multiple_of(self.unit)).map(|start| start / unit * unit);
        start.filter(|&start| start >= floor).ok_or(LinearError::NoRoom { size, alignment })
    }

    fn check(&self, region: &Linear) {
        region.validate().expect("every invariant holds");
        let all = self.lower.iter().chain(&self.upper);
        let live: BTreeMap<u64, LinearBlock> = all.map(|&block| (block.offset, block)).collect();
        assert_eq!(live.len(), self.lower.len() + self.upper.len(), "no two start together");
        assert!(region.pieces().eq(live.values().copied()));
        let end = live.values().fold(0, |end, block| {
            assert!(block.offset >= end, "two pieces overlap");
            end_of(block)
        });
        assert!(end <= self.total);
        let stats = region.stats();
        assert_eq!(stats.total_size, self.total);
        assert_eq!(stats.used_size, live.values().map(|block| block.size).sum::<u64>());
        assert_eq!(stats.allocation_count as usize, live.len());
        assert!(self.lower_offset(stats.room + 1, 1).is_none(), "there is more room than it says");
        assert!(stats.room == 0 || self.lower_offset(stats.room, 1).is_some());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Allocate { size: u64, alignment_log: u32, upper: bool },
    FreeOldest,
    FreeNewest { upper: bool },
    FreeAny(usize),
    FreeAll,
    Forge { offset: u64, node: u32 },
}

fn steps(largest: u64) -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![4 => 1..largest / 8, 2 => 1..largest / 3, 1 => 1..largest * 2];
    let upper = prop_oneof![5 => Just(false), 1 => Just(true)];
    let step = prop_oneof![
        10 => (size, 0u32..14, upper.clone()).prop_map(|(size, alignment_log, upper)| {
            // Half of them without an alignment, so that pieces meet.
            Step::Allocate { size, alignment_log: alignment_log.saturating_sub(6), upper }
        }),
        5 => Just(Step::FreeOldest),
        4 => upper.prop_map(|upper| Step::FreeNewest { upper }),
        2 => any::<usize>().prop_map(Step::FreeAny),
        1 => prop::bool::weighted(0.2).prop_map(|all| if all { Step::FreeAll } else { Step::FreeOldest }),
        1 => (0..largest, 0u32..300).prop_map(|(offset, node)| Step::Forge { offset, node }),
    ];
    prop::collection::vec(step, 1..300)
}

/// What a random program has met, so that a test can tell whether it tests anything.
#[derive(Default)]
struct Met {
    wraps: u32,
    collisions: u32,
}

fn run(total: u64, unit: u64, kind: LinearKind, steps: &[Step]) -> Met {
    let mut region = Linear::new(total, unit, kind).expect("it can be");
    let whole = total / unit * unit;
    let mut model = Model { total: whole, unit, kind, lower: vec![], upper: vec![], newest_end: 0 };
    let mut met = Met::default();
    for step in steps {
        step_once(&mut region, &mut model, step, &mut met);
        if model.lower.is_empty() {
            model.newest_end = 0;
        }
        model.check(&region);
    }
    for block in model.lower.iter().chain(&model.upper) {
        assert_eq!(region.free(block.offset, block.node), Some(block.size));
    }
    let block = region.allocate(whole, 1).expect("one whole region again");
    assert_eq!(block.offset, 0);
    met
}

/// Frees the piece at an index, if there is one, and then tries once more.
fn free(region: &mut Linear, from: &mut Vec<LinearBlock>, at: usize) {
    if at < from.len() {
        let block = from.remove(at);
        assert_eq!(region.free(block.offset, block.node), Some(block.size));
        assert_eq!(region.free(block.offset, block.node), None, "freed twice");
    }
}

fn step_once(region: &mut Linear, model: &mut Model, step: &Step, met: &mut Met) {
    match *step {
        Step::Allocate { size, alignment_log, upper: false } => {
            let alignment = 1 << alignment_log;
            let expected = model.lower_offset(size, alignment);
            let block = region.allocate(size, alignment);
            assert_eq!(block.map(|block| block.offset).ok(), expected);
            if let Ok(block) = block {
                assert_eq!(block.size, size.next_multiple_of(model.unit));
                met.wraps += u32::from(block.offset == 0 && !model.lower.is_empty());
                model.lower.push(block);
                model.newest_end = end_of(&block);
            } else {
                met.collisions += u32::from(!model.upper.is_empty());
            }
        }
        Step::Allocate { size, alignment_log, upper: true } => {
            let alignment = 1 << alignment_log;
            let expected = model.upper_offset(size, alignment);
            let block = region.allocate_upper(size, alignment);
            assert_eq!(block.map(|block| block.offset), expected);
            if let Ok(block) = block {
                model.upper.push(block);
            } else {
                met.collisions += u32::from(!model.upper.is_empty());
            }
        }
        Step::FreeOldest => free(region, &mut model.lower, 0),
        Step::FreeNewest { upper } => {
            let from = if upper { &mut model.upper } else { &mut model.lower };
            let newest = from.len().wrapping_sub(1);
            free(region, from, newest);
        }
        Step::FreeAny(n) => {
            let n = n % (model.lower.len() + model.upper.len()).max(1);
            match n.checked_sub(model.lower.len()) {
                None => free(region, &mut model.lower, n),
                Some(n) => free(region, &mut model.upper, n),
            }
        }
        Step::FreeAll => {
            while !model.lower.is_empty() {
                let middle = model.lower.len() / 2;
                free(region, &mut model.lower, middle);
            }
        }
        Step::Forge { offset, node } => {
            let mut all = model.lower.iter().chain(&model.upper);
            if !all.any(|block| (block.offset, block.node) == (offset, node)) {
                assert_eq!(region.free(offset, node), None);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_agree_with_the_rule_by_age(
        kind in prop::sample::select(&KINDS[..]),
        total in prop_oneof![1u64..300, 1000u64..20_000],
        unit_log in 0u32..7,
        steps in steps(10_000),
    ) {
        if total >= 1 << unit_log {
            run(total, 1 << unit_log, kind, &steps);
        }
    }
}

/// The programs above do wrap around, and do let the ends meet.
#[rstest]
#[case(LinearKind::Auto, true, true)]
#[case(LinearKind::Ring, true, false)]
#[case(LinearKind::DoubleStack, false, true)]
#[case(LinearKind::Stack, false, false)]
#[case(LinearKind::FreeAtOnce, false, false)]
fn random_programs_wrap_and_collide_where_the_kind_can(
    #[case] kind: LinearKind,
    #[case] wraps: bool,
    #[case] collides: bool,
) {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut wrapped, mut collided) = (0, 0);
    for _ in 0..40 {
        let steps = steps(10_000).new_tree(&mut runner).expect("no filter").current();
        let met = run(10_000, 16, kind, &steps);
        wrapped += met.wraps;
        collided += met.collisions;
    }
    assert_eq!((wrapped > 10, collided > 10), (wraps, collides), "{wrapped} {collided}");
}
