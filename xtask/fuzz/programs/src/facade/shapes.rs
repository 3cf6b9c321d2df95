//! What custom pools are like, out of bytes, and an algorithm of the program's own.

use gpu_alloc_ash::{
    Algorithm, CustomAlgorithm, CustomPoolConfig, CustomSuballocator, LinearKind,
    MemoryPropertyFlags, Piece, PieceRequest,
};

use super::Session;
use crate::input::Input;

/// Minimum pieces of a block of buddies, at most: their bits take host memory.
const MAX_PIECES: u64 = 1 << 20;

impl Session<'_> {
    /// One to three of the memory types that need no feature; any one now and then.
    pub(super) fn pool_types(&self, input: &mut Input<'_>) -> Vec<u32> {
        let count = u32::try_from(self.device.driver.memory_types.len()).expect("at most 32");
        let special =
            |&index: &u32| self.type_flags(index).bits() >= MemoryPropertyFlags::PROTECTED.bits();
        let plain: Vec<u32> = (0..count).filter(|index| !special(index)).collect();
        let mut types = Vec::new();
        for _ in 0..=input.below(3) {
            if !plain.is_empty() {
                types.push(input.pick(&plain));
            }
        }
        // Given twice is refused, and so is none.
        if !input.one_in(16) {
            types.sort_unstable();
            types.dedup();
        }
        types
    }

    pub(super) fn pool_config<'a>(
        &self,
        input: &mut Input<'_>,
        memory_types: &'a [u32],
    ) -> CustomPoolConfig<'a> {
        let linear = [
            LinearKind::Auto,
            LinearKind::FreeAtOnce,
            LinearKind::Stack,
            LinearKind::DoubleStack,
            LinearKind::Ring,
        ];
        let algorithm = match input.below(8) {
            0 | 1 => Algorithm::TwoTier,
            2 | 3 => Algorithm::Tlsf,
            4 => Algorithm::Buddy,
            5 | 6 => Algorithm::Linear(input.pick(&linear)),
            _ => row(),
        };
        let min_alignment = input.maybe(4, |input| input.power(12)).unwrap_or(1);
        let mut block_size = None;
        if !input.one_in(4) {
            let wild = input.one_in(8);
            let bytes = if wild { self.device.scale.bytes(input) } else { input.number(9) << 9 };
            block_size = Some(bytes);
        }
        let mut min_allocation_size = input.maybe(4, |input| input.power(10));
        if algorithm == Algorithm::Buddy {
            let pieces = block_size.unwrap_or(1) / MAX_PIECES;
            let least = pieces.checked_next_power_of_two().unwrap_or(1 << 63);
            // Adaptive blocks have what the configuration allows for its own minimum.
            min_allocation_size = block_size.map(|_| min_allocation_size.unwrap_or(1).max(least));
        }
        let most = input.below(6);
        CustomPoolConfig {
            memory_types,
            algorithm,
            block_size,
            min_block_count: u32::from(input.maybe(4, |input| input.below(4)).unwrap_or(0)),
            max_block_count: (most > 0).then(|| u32::from(most.div_ceil(2))),
            min_alignment,
            min_allocation_size,
            device_address: self.allocator.config().buffer_device_address && input.one_in(4),
            name: input.maybe(4, |_| "of a program"),
            ..CustomPoolConfig::default()
        }
    }
}

/// Takes in a row, and starts over when empty.
#[derive(Debug)]
struct Row {
    size: u64,
    next: u64,
    live: u32,
}

impl CustomSuballocator for Row {
    fn allocate(&mut self, request: &PieceRequest) -> Option<Piece> {
        let offset = self.next.checked_next_multiple_of(request.alignment)?;
        let end = offset.checked_add(request.size).filter(|&end| end <= self.size)?;
        (self.next, self.live) = (end, self.live + 1);
        Some(Piece { offset, size: request.size, node: self.live })
    }

    fn free(&mut self, _: Piece) {
        self.live -= 1;
        if self.live == 0 {
            self.next = 0;
        }
    }

    fn largest_free(&self) -> u64 {
        self.size - self.next
    }
}

/// An algorithm of the program's own.
fn row() -> Algorithm {
    Algorithm::Custom(CustomAlgorithm::new("row", |shape| {
        Box::new(Row { size: shape.size, next: 0, live: 0 })
    }))
}
