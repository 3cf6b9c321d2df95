//! Blocks that are on their way, and how much of each is promised to those who wait.

use smallvec::SmallVec;

use crate::Ticket;

/// One block on its way.
#[derive(Clone, Copy, Debug)]
struct PendingBlock {
    ticket: Ticket,
    size: u64,
    /// Bytes spoken for: the request that made it, and those that were told to wait. At most
    /// `size`, except for a worst padding that does not fit, and after the block was made smaller;
    /// those who find no room ask again.
    promised: u64,
    /// Whether it is one allocation's alone.
    dedicated: bool,
}

/// The blocks on their way to one pool; as many as there are threads inside the driver.
#[derive(Debug, Default)]
pub(crate) struct PendingBlocks {
    blocks: SmallVec<[PendingBlock; 4]>,
}

impl PendingBlocks {
    /// Adds a block of which the first request claims so many bytes; `None`: it is nobody else's.
    pub(crate) fn add(&mut self, ticket: Ticket, size: u64, claim: Option<u64>) {
        let promised = claim.unwrap_or(size);
        let dedicated = claim.is_none();
        self.blocks.push(PendingBlock { ticket, size, promised, dedicated });
    }

    /// How many of them will be carved up.
    pub(crate) fn carved_count(&self) -> u32 {
        let carved = self.blocks.iter().filter(|block| !block.dedicated).count();
        u32::try_from(carved).unwrap_or(u32::MAX)
    }

    /// Promises `claim` bytes of a block that has them, if there is one.
    pub(crate) fn promise(&mut self, claim: u64) -> Option<Ticket> {
        let fits = |block: &&mut PendingBlock| {
            block.size.checked_sub(block.promised).is_some_and(|left| left >= claim)
        };
        let block = self.blocks.iter_mut().find(fits)?;
        // No overflow: the sum is at most `block.size`, by the line above.
        block.promised += claim;
        Some(block.ticket)
    }

    pub(crate) fn resize(&mut self, ticket: Ticket, size: u64) {
        if let Some(block) = self.blocks.iter_mut().find(|block| block.ticket == ticket) {
            block.size = size;
        }
    }

    pub(crate) fn contains(&self, ticket: Ticket) -> bool {
        self.blocks.iter().any(|block| block.ticket == ticket)
    }

    pub(crate) fn remove(&mut self, ticket: Ticket) {
        self.blocks.retain(|block| block.ticket != ticket);
    }
}
