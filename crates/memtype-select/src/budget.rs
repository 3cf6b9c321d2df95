//! How much of each heap is left, at one moment.

use crate::properties::MAX_MEMORY_HEAPS;

/// The bytes that each heap still has within its budget, as of some moment.
///
/// With it, types in a heap that has no room for the request go after all others, but for scarce
/// BAR taken without need: see [the rules](crate#the-rules). They are not refused, since a budget
/// is an estimate and the driver may well go beyond it.
///
/// # Examples
///
/// ```
/// use memtype_select::BudgetSnapshot;
///
/// // Heap 0 has 100 MiB left; nothing is known of the others.
/// let snapshot = BudgetSnapshot::from_room(&[100 << 20]);
/// assert_eq!(snapshot.room(0), 100 << 20);
/// assert_eq!(snapshot.room(1), u64::MAX);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BudgetSnapshot {
    room: [u64; MAX_MEMORY_HEAPS],
}

impl BudgetSnapshot {
    /// Takes the bytes left in each heap, by heap index. Heaps without an entry count as roomy,
    /// and entries past the 16th as none.
    #[must_use]
    pub fn from_room(bytes: &[u64]) -> Self {
        let mut room = [u64::MAX; MAX_MEMORY_HEAPS];
        for (slot, &left) in room.iter_mut().zip(bytes) {
            *slot = left;
        }
        Self { room }
    }

    /// The bytes left in a heap, `u64::MAX` where nothing is known.
    #[must_use]
    pub fn room(&self, heap_index: u32) -> u64 {
        let index = usize::try_from(heap_index).unwrap_or(usize::MAX);
        self.room.get(index).copied().unwrap_or(u64::MAX)
    }

    /// A bit for each heap that has less than `size` bytes left.
    pub(crate) fn full_heaps(&self, size: u64) -> u32 {
        let bit = |(index, &room): (u32, &u64)| u32::from(room < size) << index;
        (0..).zip(&self.room).map(bit).sum()
    }
}
