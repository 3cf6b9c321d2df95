//! What every facade is made to do: allocations and releases, the same for all.
//!
//! # Basic design
//!
//! As in group `core`, a program is a list of operations on slots that is made before any clock runs.
//! Here an allocation is what a driver's memory requirements say, and who touches the memory. Slots
//! are used again, so that the table is as large as the most that lives at once.

use replay::{Kind, Location, Trace};

use crate::program::UNIT;
use crate::workloads::Random;

/// One request for memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) size: u64,
    /// A power of two.
    pub(crate) alignment: u64,
    pub(crate) memory_type_bits: u32,
    pub(crate) kind: Kind,
    pub(crate) location: Location,
}

/// An allocation into a slot, or (without a request) the release of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) slot: u32,
    pub(crate) request: Option<Request>,
}

/// Operations, of which the first `prelude` are not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) slot_count: usize,
    pub(crate) operations: Vec<Operation>,
    pub(crate) prelude: usize,
}

/// How many allocations live in the churns.
const LIVE: u32 = 200;

/// The largest size in the churns, and of buffers.
pub(crate) const LARGEST: u32 = 1 << 20;

/// Buffers as renderers make them: 256 B to 1 MiB, log-uniform.
pub(crate) fn buffer_size(random: &mut Random) -> u64 {
    u64::from(random.log_uniform(UNIT, LARGEST))
}

/// 200 allocations live, random ones are replaced, until there are enough pairs. The stream of random
/// numbers has a name, so that threads differ.
pub(crate) fn churn(stream: &str, memory_type_bits: u32, pairs: usize) -> Program {
    let mut random = Random::of(stream);
    let mut operations = Vec::new();
    let allocate = |slot, random: &mut Random| {
        let request = Request {
            size: buffer_size(random),
            alignment: u64::from(UNIT),
            memory_type_bits,
            kind: Kind::Buffer,
            location: Location::GpuOnly,
        };
        Operation { slot, request: Some(request) }
    };
    operations.extend((0..LIVE).map(|slot| allocate(slot, &mut random)));
    // Everything is replaced ten times before it counts.
    let warm = LIVE as usize * 10;
    for _ in 0..warm + pairs {
        let slot = random.below(LIVE);
        operations.push(Operation { slot, request: None });
        operations.push(allocate(slot, &mut random));
    }
    Program { slot_count: LIVE as usize, operations, prelude: LIVE as usize + 2 * warm }
}

/// Memory for one frame each: blocks of 256 B to 64 KiB, log-uniform, as many frames as it takes.
pub(crate) const BLOCKS: u32 = 500;

/// Which block of a frame goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The last allocated.
    LastInFirstOut,
    /// The first allocated, the whole frame before the next one comes.
    FrameByFrame,
    /// The first allocated, while two more frames live.
    Ring,
}

/// Frames that come and go in an order, until there are enough pairs.
pub(crate) fn frames(stream: &str, order: Order, memory_type_bits: u32, pairs: usize) -> Program {
    let mut random = Random::of(stream);
    let frame_count = u32::try_from(pairs).unwrap_or(u32::MAX).div_ceil(BLOCKS) + 6;
    let in_flight = if order == Order::Ring { 3 } else { 1 };
    let mut operations = Vec::new();
    let mut prelude = 0;
    let free = |frame: u32, operations: &mut Vec<Operation>| {
        let first = frame % in_flight * BLOCKS;
        let slots = first..first + BLOCKS;
        let operation = |slot| Operation { slot, request: None };
        match order {
            Order::LastInFirstOut => operations.extend(slots.rev().map(operation)),
            Order::FrameByFrame | Order::Ring => operations.extend(slots.map(operation)),
        }
    };
    for frame in 0..frame_count {
        if frame == 6 {
            prelude = operations.len();
        }
        if frame >= in_flight {
            free(frame - in_flight, &mut operations);
        }
        let first = frame % in_flight * BLOCKS;
        for slot in first..first + BLOCKS {
            let request = Request {
                size: u64::from(random.log_uniform(UNIT, 64 << 10)),
                alignment: u64::from(UNIT),
                memory_type_bits,
                kind: Kind::Buffer,
                location: Location::GpuOnly,
            };
            operations.push(Operation { slot, request: Some(request) });
        }
    }
    Program { slot_count: (in_flight * BLOCKS) as usize, operations, prelude }
}

/// The sizes of so many buffers.
pub(crate) fn buffer_sizes(count: usize) -> Vec<u64> {
    let mut random = Random::of("create-bind-destroy");
    (0..count).map(|_| buffer_size(&mut random)).collect()
}

/// What a recorded program asked for, on any memory type of the device at hand: the recorded ones
/// were another device's.
pub(crate) fn of_trace(trace: &Trace, memory_type_bits: u32) -> Program {
    let (mut vacant, mut slots, mut slot_count) = (Vec::new(), Vec::new(), 0);
    let operations = trace.operations().iter().map(|operation| match *operation {
        replay::Operation::Allocate { class, size } => {
            let class = &trace.classes()[class];
            let slot = vacant.pop().unwrap_or_else(|| {
                slot_count += 1;
                slot_count - 1
            });
            slots.push(slot);
            let (alignment, kind, location) = (class.alignment, class.kind, class.location);
            let request = Request { size, alignment, memory_type_bits, kind, location };
            Operation { slot, request: Some(request) }
        }
        replay::Operation::Free { allocation } => {
            let slot: u32 = slots[allocation];
            vacant.push(slot);
            Operation { slot, request: None }
        }
    });
    let operations = operations.collect();
    Program { slot_count: slot_count as usize, operations, prelude: 0 }
}

impl Program {
    /// Pairs of the measured part; what it allocates and does not free counts as half a pair.
    pub(crate) fn pair_count(&self) -> f64 {
        (self.operations.len() - self.prelude) as f64 / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that slots are filled when empty and emptied when full.
    fn check(program: &Program) {
        let mut full = vec![false; program.slot_count];
        for operation in &program.operations {
            let slot = &mut full[operation.slot as usize];
            assert_ne!(*slot, operation.request.is_some(), "{operation:?}");
            *slot = operation.request.is_some();
        }
    }

    #[test]
    fn churns_replace_what_lives_and_differ_by_stream() {
        let program = churn("threads-0", 1, 1_000);
        check(&program);
        assert_eq!(program.pair_count(), 1_000.0);
        assert_ne!(program, churn("threads-1", 1, 1_000));
    }

    #[test]
    fn frames_come_and_go_in_their_order() {
        for order in [Order::LastInFirstOut, Order::FrameByFrame, Order::Ring] {
            let program = frames("frames", order, 1, 2_000);
            check(&program);
            assert!(program.pair_count() >= 2_000.0, "{order:?}");
            assert_ne!(program.prelude, 0);
        }
    }

    #[test]
    fn traces_use_the_slots_again() {
        let folder = replay::folder();
        let trace = replay::read(&replay::find(&folder, "egui-lavapipe22")).unwrap();
        let program = of_trace(&trace, 1);
        check(&program);
        assert_eq!(program.operations.len(), trace.operations().len());
        assert!(program.slot_count < trace.allocation_count());
    }
}
