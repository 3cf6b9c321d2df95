//! The peers: one trait that all are driven through, and the list of them.

mod arena;
mod buddy_system;
mod gpu_alloc;
mod linear;
mod null;
mod offset_allocator;
pub(crate) mod ours;
pub(crate) mod planted;
mod pool;
mod rlsf;
mod segregated;
mod vma;
mod vulkano;

use std::marker::PhantomData;
use std::time::Duration;

use crate::program::{Case, Order};
use crate::replay::{self, Timing};
use crate::verify::{self, Fault, Verified};

pub(crate) use arena::LARGEST as LARGEST_ARENA;

/// What an allocator is told of the region it is to manage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    /// In bytes, a power of two.
    pub(crate) size: u64,
    /// The most blocks that live at once, for those that have tables of a fixed length.
    pub(crate) max_live: usize,
}

impl Region {
    pub(crate) fn of(case: &Case) -> Self {
        Self { size: case.region_size, max_live: case.max_live() }
    }
}

/// An allocator of offsets (or addresses) in one region.
pub(crate) trait Core: Sized {
    /// What a user keeps of an allocation, all of it: what `free` needs, and the offset.
    type Handle;

    /// An allocator of an empty region.
    fn new(region: Region) -> Self;

    /// A block of at least `size` bytes at a multiple of `alignment`, or `None` if there is none.
    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Self::Handle>;

    /// Gives a block back.
    fn free(&mut self, handle: Self::Handle);

    /// Offset and size of what was handed out for `asked` bytes; the size is `asked` where the
    /// allocator does not tell what it granted.
    fn extent(&self, handle: &Self::Handle, asked: u64) -> (u64, u64);

    /// What must be there in one piece of a region of `size` bytes when all is freed.
    fn merged(size: u64) -> u64 {
        size / 2
    }

    /// The alignment that is promised where `alignment` was asked.
    fn honoured(alignment: u64) -> u64 {
        alignment
    }

    /// Ends a region with blocks that still live, in silence.
    fn abandon<T>(self, slots: Vec<T>) {
        drop(slots);
    }
}

/// A peer without its type, so that all fit in a list.
pub(crate) trait Drive {
    fn verify(&self, case: &Case, limit: Duration) -> Result<Verified, Fault>;
    fn time(&self, case: &Case, end: usize, limit: Duration) -> Timing;
    fn time_each(&self, case: &Case, end: usize, limit: Duration, fastest: &mut Vec<u32>);
}

struct Driver<C>(PhantomData<fn() -> C>);

impl<C: Core> Drive for Driver<C> {
    fn verify(&self, case: &Case, limit: Duration) -> Result<Verified, Fault> {
        verify::verify::<C>(case, limit)
    }

    fn time(&self, case: &Case, end: usize, limit: Duration) -> Timing {
        replay::time::<C>(case, end, limit)
    }

    fn time_each(&self, case: &Case, end: usize, limit: Duration, fastest: &mut Vec<u32>) {
        replay::time_each::<C>(case, end, limit, fastest);
    }
}

/// What some peers cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Blocks are freed youngest first, or oldest first, or all of them before the next comes.
    AnEnd,
    /// The region is real memory of the host.
    HostMemory,
}

/// An allocator to compare with, under the name that reports have.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// How it is driven, for people.
    pub(crate) note: &'static str,
    pub(crate) driver: Box<dyn Drive>,
    needs: Needs,
}

impl Peer {
    fn of<C: Core + 'static>(name: &'static str, needs: Needs, note: &'static str) -> Self {
        Self { name, note, driver: Box::new(Driver::<C>(PhantomData)), needs }
    }

    /// Why this peer cannot run the case, if it cannot.
    pub(crate) fn refusal(&self, case: &Case) -> Option<&'static str> {
        match self.needs {
            Needs::AnEnd if case.order == Order::Random => {
                Some("takes room back at its ends only, and the case frees at random")
            }
            Needs::HostMemory if case.region_size > LARGEST_ARENA => {
                Some("manages real host memory, and the region is larger than 1 GiB")
            }
            _ => None,
        }
    }
}

/// Our allocators, each of which stands on the left of ratios in the cases that it runs.
pub(crate) fn ours() -> Vec<Peer> {
    use Needs::{AnEnd, Nothing};
    vec![
        Peer::of::<ours::Ours>(BUDDY, Nothing, "ours; minimum block 256 B"),
        Peer::of::<segregated::Segregated>(TLSF, Nothing, "ours; of vk-pool, unit 256 B"),
        Peer::of::<segregated::Tiers>(TWO_TIER, Nothing, "ours; of vk-pool, unit 256 B"),
        Peer::of::<linear::Ours>(LINEAR, AnEnd, "ours; of vk-pool, recognised from use, unit 1 B"),
        Peer::of::<pool::Pool<pool::Buddies>>(
            BUDDY_POOL,
            Nothing,
            "ours; vk-pool, one block of buddies, all its books included",
        ),
    ]
}

/// `buddy-core`.
pub(crate) const BUDDY: &str = "buddy-core";
/// The two-level segregated fit of `vk-pool`.
pub(crate) const TLSF: &str = "tlsf";
/// The two tiers of `vk-pool`.
pub(crate) const TWO_TIER: &str = "two-tier";
/// The linear region of `vk-pool`.
pub(crate) const LINEAR: &str = "linear";
/// A pool of `vk-pool` with one block of buddies.
pub(crate) const BUDDY_POOL: &str = "buddy-pool";

/// A pool of blocks of 4 MiB, and one of a single block with the whole region in it.
pub(crate) fn pools() -> [Peer; 2] {
    use Needs::Nothing;
    [
        Peer::of::<pool::Pool<pool::Many>>("pool", Nothing, "ours; vk-pool, blocks of 4 MiB"),
        Peer::of::<pool::Pool<pool::One>>("pool", Nothing, "ours; vk-pool, one block"),
    ]
}

/// An allocator that does nothing: what the harness itself costs. Its answers are wrong.
pub(crate) fn null() -> Peer {
    Peer::of::<null::Null>("harness", Needs::Nothing, "does nothing")
}

/// The peers, in the order of reports.
pub(crate) fn all() -> Vec<Peer> {
    use Needs::{AnEnd, HostMemory, Nothing};
    vec![
        Peer::of::<vma::Default>("vma-default", Nothing, "VMA 3.3's virtual block (TLSF)"),
        Peer::of::<vma::MinMemory>("vma-min-memory", Nothing, "the same, least-memory strategy"),
        Peer::of::<vma::Linear>("vma-linear", AnEnd, "the same, linear algorithm"),
        Peer::of::<offset_allocator::Offset>(
            "offset-allocator",
            Nothing,
            "in units of 256 B; larger alignments by asking for more",
        ),
        Peer::of::<vulkano::Buddy>("vulkano-buddy", Nothing, "its suballocator, minimum 16 B"),
        Peer::of::<vulkano::FreeList>("vulkano-free-list", Nothing, "its suballocator"),
        Peer::of::<gpu_alloc::Buddy>(
            "gpu-alloc-buddy",
            Nothing,
            "on a device that grants one region; its facade is included",
        ),
        Peer::of::<gpu_alloc::FreeList>("gpu-alloc-free-list", Nothing, "the same"),
        Peer::of::<buddy_system::Heap>(
            "buddy_system_allocator",
            HostMemory,
            "its heap; lists in host memory, which GPU memory could not hold",
        ),
        Peer::of::<buddy_system::Frames>(
            "buddy_system_allocator-frames",
            Nothing,
            "its frame allocator, in units of 256 B",
        ),
        Peer::of::<rlsf::Rlsf>(
            "rlsf",
            HostMemory,
            "headers in host memory, which GPU memory could not hold; aligned to 16 B only",
        ),
    ]
}
