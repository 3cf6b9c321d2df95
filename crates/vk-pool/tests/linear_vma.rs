//! VMA's tests of its linear algorithm, told anew with their numbers.

use rstest::rstest;
use vk_pool::linear::{Linear, LinearBlock, LinearError, LinearKind};

const KIB: u64 = 1 << 10;
const BLOCK: u64 = 300 * KIB;

/// A linear congruential generator: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// 64 to 1,024 bytes in steps of 64, as buffers come.
    fn size(&mut self) -> u64 {
        (1 + self.below(16)) * 64
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a length")
    }
}

fn free(region: &mut Linear, block: LinearBlock) {
    assert_eq!(region.free(block.offset, block.node), Some(block.size));
    region.validate().expect("every invariant holds");
}

fn no_room(answer: Result<LinearBlock, LinearError>) -> bool {
    matches!(answer, Err(LinearError::NoRoom { .. }))
}

/// Which kinds may run a part: what is recognised from use, and what was asked for.
#[rstest]
fn free_at_once(#[values(LinearKind::Auto, LinearKind::FreeAtOnce)] kind: LinearKind) {
    let mut region = Linear::new(BLOCK, 64, kind).expect("it can be");
    let mut random = Random(1);
    for _ in 0..2 {
        let mut live: Vec<LinearBlock> = Vec::new();
        for n in 0..100u32 {
            let block = region.allocate(random.size(), 64).expect("100 KiB at most");
            let end = live.last().map_or(0, |last| last.offset + last.size);
            assert_eq!(block.offset, end, "increasing offsets, from 0 on");
            live.push(block);
            assert_eq!(region.stats().allocation_count, n + 1);
        }
        let used = live.iter().map(|block| block.size).sum::<u64>();
        assert_eq!(region.stats().used_size, used);
        while !live.is_empty() {
            let block = live.swap_remove(random.index(live.len()));
            free(&mut region, block);
        }
        assert_eq!((region.stats().used_size, region.stats().room), (0, BLOCK));
    }
}

#[rstest]
fn stack(#[values(LinearKind::Auto, LinearKind::Stack)] kind: LinearKind) {
    let mut region = Linear::new(BLOCK, 64, kind).expect("it can be");
    let mut random = Random(2);
    let mut live: Vec<LinearBlock> = Vec::new();
    for _ in 0..100 {
        live.push(region.allocate(random.size(), 64).expect("100 KiB at most"));
    }
    for _ in 0..5 {
        for _ in 0..20 {
            free(&mut region, live.pop().expect("there are a hundred"));
        }
        for _ in 0..20 {
            let end = live.last().map_or(0, |last| last.offset + last.size);
            live.push(region.allocate(random.size(), 64).expect("room"));
            assert_eq!(
                live.last().expect("just pushed").offset,
                end,
                "room of the newest is reused"
            );
        }
    }
    while let Some(block) = live.pop() {
        free(&mut region, block);
    }
    assert_eq!(region.stats().room, BLOCK);
}

#[rstest]
fn ring_buffer(#[values(LinearKind::Auto, LinearKind::Ring)] kind: LinearKind) {
    let mut region = Linear::new(BLOCK, 64, kind).expect("it can be");
    let mut live: std::collections::VecDeque<LinearBlock> =
        (0..100).map(|_| region.allocate(KIB, 64).expect("room")).collect();
    let (mut wraps, mut before) = (0, live[99].offset);
    while wraps < 3 {
        for _ in 0..10 {
            free(&mut region, live.pop_front().expect("a hundred are in flight"));
        }
        for _ in 0..10 {
            let block = region.allocate(KIB, 64).expect("ten have gone");
            wraps += u32::from(block.offset < before);
            before = block.offset;
            live.push_back(block);
        }
    }
    // On until it is full: 300 of 1 KiB.
    while let Ok(block) = region.allocate(KIB, 64) {
        live.push_back(block);
    }
    assert_eq!(live.len(), 300);
    assert!(no_room(region.allocate(64, 64)));
    for block in live {
        free(&mut region, block);
    }
    assert_eq!(region.stats().room, BLOCK);
}

#[rstest]
fn double_stack(#[values(LinearKind::Auto, LinearKind::DoubleStack)] kind: LinearKind) {
    let mut region = Linear::new(BLOCK, 64, kind).expect("it can be");
    let mut random = Random(3);
    // By turns, until the ends meet.
    let (mut low, mut high): (Vec<LinearBlock>, Vec<LinearBlock>) = (Vec::new(), Vec::new());
    let refused = loop {
        let size = random.size();
        let upper = low.len() > high.len();
        let answer =
            if upper { region.allocate_upper(size, 64) } else { region.allocate(size, 64) };
        match answer {
            Ok(block) => if upper { &mut high } else { &mut low }.push(block),
            Err(_) => break size,
        }
    };
    assert!(high.windows(2).all(|pair| pair[1].offset + pair[1].size == pair[0].offset));
    let (low_end, high_start) = (low.last().expect("many"), high.last().expect("many"));
    let gap = high_start.offset - low_end.offset - low_end.size;
    assert!(gap < refused, "{gap} bytes between them");
    if gap > 0 {
        low.push(region.allocate(gap, 64).expect("the gap is a multiple of 64"));
    }
    assert!(no_room(region.allocate(1, 1)) && no_room(region.allocate_upper(1, 1)));
    for block in low.drain(..).rev() {
        free(&mut region, block);
    }
    for block in high.drain(..).rev() {
        free(&mut region, block);
    }
    // The upper end alone: the whole block is its.
    let mut bytes = 0;
    while let Ok(block) = region.allocate_upper(KIB, 64) {
        bytes += block.size;
        high.push(block);
    }
    assert_eq!(bytes, BLOCK);
    for block in high.into_iter().rev() {
        free(&mut region, block);
    }
    assert_eq!(region.stats().room, BLOCK);
}

/// The part of VMA's test of virtual blocks that uses the linear algorithm: 10,000 units.
#[rstest]
#[case::lower(false)]
#[case::upper(true)]
fn virtual_block_of_ten_thousand_units(#[case] upper: bool) {
    let mut region = Linear::new(10_000, 1, LinearKind::Auto).expect("it can be");
    let allocate = |region: &mut Linear, size, alignment| match upper {
        false => region.allocate(size, alignment),
        true => region.allocate_upper(size, alignment),
    };
    assert!(no_room(allocate(&mut region, 10_001, 1)));
    let mut random = Random(4);
    let mut live: Vec<LinearBlock> =
        (0..20).map(|_| allocate(&mut region, 5 + random.below(20), 1).expect("room")).collect();
    for _ in 0..5 {
        let block = live.swap_remove(random.index(live.len()));
        free(&mut region, block);
    }
    live.extend((0..6).map(|_| allocate(&mut region, 5 + random.below(20), 1).expect("room")));
    for _ in 0..3 {
        let block = allocate(&mut region, 5 + random.below(20), 16).expect("room");
        assert_eq!(block.offset % 16, 0);
        live.push(block);
    }
    live.sort_unstable_by_key(|block| block.offset);
    assert!(live.windows(2).all(|pair| pair[0].offset + pair[0].size <= pair[1].offset));
    assert!(region.pieces().eq(live.iter().copied()));
    let stats = region.stats();
    assert_eq!(stats.allocation_count, 24);
    assert_eq!(stats.used_size, live.iter().map(|block| block.size).sum::<u64>());
}
