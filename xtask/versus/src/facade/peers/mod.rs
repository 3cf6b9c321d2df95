//! The facades: one trait that all are driven through, and the list of them.

mod alone;
mod gpu_alloc;
mod gpu_allocator;
mod ours;
pub(crate) mod planted;
pub(crate) mod pools;
mod vma;

use std::marker::PhantomData;

use ash::vk;

use super::gpu::Gpu;
use super::program::{Program, Request};
use super::verify::{self, Fault};
use super::{buffers, replay, threads};

/// Where an allocation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The memory object.
    pub(crate) memory: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// An allocator of device memory, as a program with threads has it: by shared reference.
pub(crate) trait Facade: Sync {
    /// What a user keeps of an allocation.
    type Handle: Send;

    /// Memory for a request, or `None`.
    fn allocate(&self, request: &Request) -> Option<Self::Handle>;

    /// Gives memory back.
    fn free(&self, handle: Self::Handle);

    /// Where an allocation is.
    fn place(&self, handle: &Self::Handle) -> Place;
}

/// A facade on a real device.
pub(crate) trait OnDevice: Facade + Sized {
    /// An allocator for the device, with its default settings.
    fn new(gpu: &Gpu) -> Self;

    /// A buffer for transfers, with its memory bound.
    fn create_buffer(&self, size: u64) -> Option<(vk::Buffer, Self::Handle)>;

    /// Destroys a buffer and gives its memory back.
    fn destroy_buffer(&self, buffer: vk::Buffer, handle: Self::Handle);
}

/// The buffers that all create.
fn buffer_info(size: u64) -> vk::BufferCreateInfo<'static> {
    let usage = vk::BufferUsageFlags::TRANSFER_DST | vk::BufferUsageFlags::STORAGE_BUFFER;
    vk::BufferCreateInfo::default().size(size).usage(usage)
}

/// A facade without its type, so that all fit in a list.
pub(crate) trait Drive {
    fn verify(&self, gpu: &Gpu, program: &Program) -> Result<(), Fault>;
    fn verify_buffers(&self, gpu: &Gpu, sizes: &[u64]) -> Result<(), Fault>;
    fn verify_threads(&self, gpu: &Gpu, programs: &[Program]) -> Result<(), Fault>;
    fn pair_ns(&self, gpu: &Gpu, program: &Program) -> f64;
    fn least_times(&self, gpu: &Gpu, program: &Program) -> Vec<u32>;
    fn buffer_ns(&self, gpu: &Gpu, sizes: &[u64]) -> f64;
    fn threads_ns(&self, gpu: &Gpu, programs: &[Program], slice: &threads::Slices) -> f64;
    fn handed_over_ns(&self, gpu: &Gpu, program: &Program, slice: &threads::Slices) -> f64;
}

struct Driver<F>(PhantomData<fn() -> F>);

impl<F: OnDevice> Drive for Driver<F> {
    fn verify(&self, gpu: &Gpu, program: &Program) -> Result<(), Fault> {
        verify::verify(&F::new(gpu), program)
    }

    fn verify_buffers(&self, gpu: &Gpu, sizes: &[u64]) -> Result<(), Fault> {
        buffers::verify(&F::new(gpu), sizes)
    }

    fn verify_threads(&self, gpu: &Gpu, programs: &[Program]) -> Result<(), Fault> {
        verify::verify_threads(&F::new(gpu), programs)
    }

    fn pair_ns(&self, gpu: &Gpu, program: &Program) -> f64 {
        replay::pair_ns(|| F::new(gpu), program)
    }

    fn least_times(&self, gpu: &Gpu, program: &Program) -> Vec<u32> {
        replay::least_times(|| F::new(gpu), program)
    }

    fn buffer_ns(&self, gpu: &Gpu, sizes: &[u64]) -> f64 {
        buffers::buffer_ns(&F::new(gpu), sizes)
    }

    fn threads_ns(&self, gpu: &Gpu, programs: &[Program], slices: &threads::Slices) -> f64 {
        threads::pair_ns(&F::new(gpu), programs, slices)
    }

    fn handed_over_ns(&self, gpu: &Gpu, program: &Program, slices: &threads::Slices) -> f64 {
        threads::handed_over_ns(&F::new(gpu), program, slices)
    }
}

/// A facade to compare, under the name that reports have.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// How it is driven, for people.
    pub(crate) note: &'static str,
    pub(crate) driver: Box<dyn Drive>,
}

impl Peer {
    fn of<F: OnDevice + 'static>(name: &'static str, note: &'static str) -> Self {
        Self { name, note, driver: Box::new(Driver::<F>(PhantomData)) }
    }
}

/// Vulkan's own calls, which every allocator's buffers are made by: not an allocator.
pub(crate) fn alone() -> Peer {
    Peer::of::<alone::Alone>("(Vulkan alone)", "no allocator")
}

/// Ours, which stands on the left of every ratio.
pub(crate) fn ours() -> Peer {
    Peer::of::<ours::Ours>("gpu-alloc-ash", "default settings")
}

/// Ours and VMA in the cases of linear pools.
pub(crate) fn linear() -> Vec<Peer> {
    vec![
        Peer::of::<pools::Ours<pools::Linear>>(
            "gpu-alloc-ash",
            "in the linear cases: a linear pool of one block of 64 MiB",
        ),
        Peer::of::<pools::Vma>("vma-linear", "VMA 3.3, its linear algorithm in such a pool"),
    ]
}

/// Ours and VMA in the case of a pool of buddies, which VMA does not have.
pub(crate) fn buddies() -> Vec<Peer> {
    let buddies = "in buddy-pool-churn: buddies in a pool of one block of 64 MiB";
    let mut peers = vec![Peer::of::<pools::Ours<pools::Buddies>>("gpu-alloc-ash", buddies)];
    peers.extend(all().into_iter().filter(|peer| peer.name == "vma"));
    peers
}

/// The peers, in the order of reports.
pub(crate) fn all() -> Vec<Peer> {
    vec![
        Peer::of::<vma::Vma>("vma", "VMA 3.3 through vk-mem, default settings"),
        Peer::of::<gpu_allocator::Wrapped>(
            "gpu-allocator",
            "0.28, default settings; in a std mutex, as it takes `&mut self`",
        ),
        Peer::of::<gpu_alloc::Wrapped>(
            "gpu-alloc",
            "0.6, its buddies, 256 B minimum and 64 MiB chunks; in a std mutex",
        ),
    ]
}
