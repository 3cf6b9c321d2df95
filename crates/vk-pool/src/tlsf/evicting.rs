//! Taking a stretch that is known to be free: what a plan of evictions has chosen.
//!
//! Basic design: which free node is meant is told by the piece in front of it. That piece stays while
//! others are given up behind it, so its name holds, and what is freed behind it is joined to the one
//! node that follows it in the row. No search, so none that might miss it.

use super::bins::bin_of;
use super::node::{BORDER, NodeIndex};
use super::{Tlsf, TlsfBlock};

impl Tlsf {
    /// Takes `size` bytes at `offset`, a multiple of the unit, out of the free piece that follows a live
    /// one, which `behind` names; or that starts the region, for `None`. `None`, and nothing has changed,
    /// if no live piece has that name, or if not all of the stretch is free and in that free piece.
    ///
    /// Finds room that [`allocate`](Self::allocate) may pass over, as it looks at a few pieces only.
    ///
    /// ```
    /// # use vk_pool::tlsf::Tlsf;
    /// let mut region = Tlsf::new(1 << 20, 256)?;
    /// let first = region.allocate(1000, 1).expect("the region is empty");
    /// let second = region.allocate(1000, 1).expect("nearly all of it is free");
    /// region.free(second.offset, second.node);
    /// let again = region.allocate_at(4096, 1000, Some(first.node)).expect("all behind it is free");
    /// assert_eq!((again.offset, again.size), (4096, 1024));
    /// assert_eq!(region.allocate_at(4096, 1000, Some(first.node)), None);
    /// # Ok::<(), vk_pool::tlsf::TlsfConfigError>(())
    /// ```
    ///
    /// # Complexity
    ///
    /// At most [`MAX_NODES_VISITED`](Self::MAX_NODES_VISITED) nodes are visited.
    #[cold]
    pub fn allocate_at(
        &mut self,
        offset: u64,
        size: u64,
        behind: Option<u32>,
    ) -> Option<TlsfBlock> {
        let units = self.units_of(size)?;
        let start = u32::try_from(offset >> self.unit_log).ok()?;
        let before = match behind {
            Some(name) => self.nodes.get(NodeIndex::of_name(name)?)?,
            None => &self.nodes[BORDER],
        };
        // Whatever is marked as taken is in the row: what is freed loses the mark, and what is not used
        // never had it, or was free.
        if !before.is_taken() || u64::from(start) << self.unit_log != offset {
            return None;
        }
        let index = before.next;
        let node = &self.nodes[index];
        // The border, if nothing is behind, is taken.
        if node.is_taken() {
            return None;
        }
        let (from, free) = node.free_extent();
        let padding = start.checked_sub(from)?;
        if padding.checked_add(units)? > free {
            return None;
        }
        let node = if padding == 0 {
            self.take_front(index, bin_of(free), units).node
        } else {
            self.take_behind(index, padding, units).name()
        };
        let size = u64::from(units) << self.unit_log;
        Some(TlsfBlock { offset, size, node })
    }
}
