//! What a plan of evictions has to know of a region.

use super::Tlsf;
use super::bins::{first_bin_all_at_least, smallest_of};

impl Tlsf {
    /// Bytes of a free piece, wherever it starts, in which [`allocate`](Self::allocate) surely finds room;
    /// `None` for more than a region can have.
    pub(crate) fn sure_size(&self, size: u64, alignment: u64) -> Option<u64> {
        let padding = u32::try_from(alignment >> self.unit_log).ok()?.saturating_sub(1);
        let units = self.units_of(size)?.checked_add(padding)?;
        Some(u64::from(smallest_of(first_bin_all_at_least(units))?) << self.unit_log)
    }

    /// Offsets and bytes of what is taken, and whether a user took it.
    pub(crate) fn taken_by(&self) -> impl Iterator<Item = (u64, u64, bool)> + '_ {
        let taken = self.row().filter(|(_, node)| node.is_taken());
        taken.map(|(index, node)| {
            let block = self.block(index, node);
            (block.offset, block.size, node.is_users())
        })
    }
}
