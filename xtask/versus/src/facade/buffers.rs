//! Buffers created, bound and destroyed: with Vulkan's own calls in everybody's figure.

use super::peers::OnDevice;
use super::replay::empty_slots;
use super::verify::{Fault, Map};
use crate::clock;

/// Nanoseconds for each buffer: all created with their memory bound, then all destroyed, the oldest
/// first, on an allocator that starts without a block.
pub(crate) fn buffer_ns<F: OnDevice>(facade: &F, sizes: &[u64]) -> f64 {
    // Touched now, so that no page of this table comes to be while the clock runs.
    let mut buffers = empty_slots(sizes.len());
    let start = clock::now();
    for (slot, &size) in buffers.iter_mut().zip(sizes) {
        *slot = create(facade, size);
    }
    for (buffer, handle) in buffers.into_iter().flatten() {
        facade.destroy_buffer(buffer, handle);
    }
    clock::since(start).as_nanos() as f64 / sizes.len() as f64
}

#[inline(never)]
fn create<F: OnDevice>(facade: &F, size: u64) -> Option<(ash::vk::Buffer, F::Handle)> {
    facade.create_buffer(size)
}

/// Creates all, checks that none is refused and no two overlap, and destroys all.
pub(crate) fn verify<F: OnDevice>(facade: &F, sizes: &[u64]) -> Result<(), Fault> {
    let mut map = Map::default();
    let mut found = Ok(());
    let buffers: Vec<_> = sizes.iter().map(|&size| (size, facade.create_buffer(size))).collect();
    for (size, buffer) in buffers {
        let Some((buffer, handle)) = buffer else {
            found = found.and(Err(Fault::Refused { size }));
            continue;
        };
        found = found.and_then(|()| map.insert(facade.place(&handle), size, 1));
        facade.destroy_buffer(buffer, handle);
    }
    found
}
