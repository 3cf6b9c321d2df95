//! What the driver of a model, and the owners of places, know.

use ash::vk::Handle;

use super::super::facade::pools::Placed;

/// What the driver, and the owners of places, know.
#[derive(Default)]
pub(super) struct Books {
    /// Memory objects that exist: their number and bytes.
    pub(super) objects: Vec<(u64, u64)>,
    pub(super) made: u64,
    /// How often somebody was told to wait.
    pub(super) waited: u64,
    /// Calls that the driver still refuses, and bytes that it refuses always.
    pub(super) refusals: u32,
    pub(super) refused_above: Option<u64>,
    pub(super) live: Vec<Piece>,
}

/// What an owner of a place may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) object: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Piece {
    pub(super) fn of(placed: &Placed) -> Self {
        let object = placed.object.memory.as_raw();
        Self { object, offset: placed.place.offset(), size: placed.place.size() }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.object == other.object
            && self.offset < other.offset + other.size
            && other.offset < self.offset + self.size
    }
}
