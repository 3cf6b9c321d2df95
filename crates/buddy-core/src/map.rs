//! A picture of a region in text, for people.
//!
//! Basic design: the region is cut into cells of one length, a power of two times the minimum
//! block, so that 64 cells are a row and there are 16 rows at most. Each cell shows how much of
//! it is taken. The allocations are walked once, in address order, so the picture needs no memory.

use core::fmt::{self, Display, Formatter};

use crate::block::BuddyBlock;
use crate::iter::TakenBlocks;

/// Cells in a row.
const CELLS: u64 = 64;

/// Rows at most.
const MAX_ROWS: u64 = 16;

/// A picture of a region, by its `Display`; see [`map`](crate::BuddyAllocator::map).
#[derive(Clone)]
pub struct RegionMap<'a> {
    pub(crate) taken: TakenBlocks<'a>,
    pub(crate) total_size: u64,
    pub(crate) min_block_size: u64,
}

impl RegionMap<'_> {
    /// The bytes that one cell stands for, but for the last, which may lie partly outside.
    #[must_use]
    pub fn cell_size(&self) -> u64 {
        let mut cell_size = self.min_block_size;
        while self.total_size.div_ceil(cell_size) > CELLS * MAX_ROWS {
            // Cannot overflow: it is less than the total divided by 512 here.
            cell_size *= 2;
        }
        cell_size
    }
}

/// The bytes of allocations in the cells, one after the other.
struct Cells<'a> {
    taken: TakenBlocks<'a>,
    /// What of the last block seen lies behind the cells so far, by start and end.
    rest: (u64, u64),
}

impl Cells<'_> {
    /// The bytes taken of `start .. end`, the next cell.
    fn next_cell(&mut self, start: u64, end: u64) -> u64 {
        let mut taken_size = 0;
        loop {
            let (rest_start, rest_end) = self.rest;
            // Nothing of the block is left where both are equal.
            taken_size += rest_end.min(end).saturating_sub(rest_start.max(start));
            if rest_end > end {
                return taken_size;
            }
            match self.taken.next() {
                Some(BuddyBlock { offset, size }) => self.rest = (offset, offset + size),
                None => {
                    self.rest = (end, end);
                    return taken_size;
                }
            }
        }
    }
}

impl Display for RegionMap<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (total_size, cell_size) = (self.total_size, self.cell_size());
        let mut cells = Cells { taken: self.taken.clone(), rest: (0, 0) };
        let mut start = 0;
        while start < total_size {
            write!(formatter, "{start:#018x} |")?;
            for _ in 0..CELLS {
                let end = start.saturating_add(cell_size).min(total_size);
                let symbol = match cells.next_cell(start, end) {
                    _ if start == total_size => ' ',
                    0 => '.',
                    taken_size if taken_size == end - start => '#',
                    // More than half, without an overflow.
                    taken_size if taken_size > (end - start) / 2 => '+',
                    _ => '-',
                };
                write!(formatter, "{symbol}")?;
                start = end;
            }
            writeln!(formatter, "|")?;
        }
        write!(formatter, "{cell_size} bytes a cell: . free  - up to half  + more  # taken")
    }
}
