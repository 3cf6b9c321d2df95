//! Zeroes that the device writes, where the host cannot.
#![allow(unsafe_code)]

use ash::vk;

use crate::allocation::Notes;
use crate::{Allocation, GpuAllocator};

impl GpuAllocator {
    /// Records `vkCmdFillBuffer` of zeroes over a buffer whose memory
    /// [`needs_zeroing`](Allocation::needs_zeroing), and takes the note off the allocation; records
    /// nothing if there is none.
    ///
    /// What reads the buffer has to wait for it as for any transfer. Vulkan fills whole words: of a buffer
    /// whose size is not a multiple of 4, the last one to three bytes stay as they are, so make it larger.
    ///
    /// # Safety
    ///
    /// 1. `command_buffer` is of this allocator's device, is being recorded outside of a render pass by
    ///    nobody else, and its queue can transfer, compute or draw (Vulkan spec, vkCmdFillBuffer).
    /// 2. `buffer` is bound to the allocation, was made with `TRANSFER_DST`, and both live until the
    ///    commands have run.
    pub unsafe fn record_zeroes(
        &self,
        command_buffer: vk::CommandBuffer,
        buffer: vk::Buffer,
        allocation: &mut Allocation,
    ) {
        if allocation.needs_zeroing() {
            // SAFETY: 1. Our clauses.
            unsafe { self.driver.fill_buffer_with_zeroes(command_buffer, buffer) };
            allocation.notes.remove(Notes::UNZEROED);
        }
    }

    /// Records `vkCmdClearColorImage` of zeroes over all levels and layers of a colour image whose
    /// memory [`needs_zeroing`](Allocation::needs_zeroing), and takes the note off the allocation; records
    /// nothing if there is none. The image's layout is as it was.
    ///
    /// What reads the image has to wait for it as for any transfer.
    ///
    /// # Safety
    ///
    /// 1. `command_buffer` is of this allocator's device, is being recorded outside of a render pass by
    ///    nobody else, and its queue can draw or compute (Vulkan spec, vkCmdClearColorImage).
    /// 2. `image` is bound to the allocation, was made with `TRANSFER_DST`, and both live until the
    ///    commands have run.
    /// 3. Its format is a colour format, neither compressed nor of several planes, and it is in `layout`
    ///    when the commands run: `GENERAL` or `TRANSFER_DST_OPTIMAL`.
    pub unsafe fn record_clear(
        &self,
        command_buffer: vk::CommandBuffer,
        image: vk::Image,
        layout: vk::ImageLayout,
        allocation: &mut Allocation,
    ) {
        if allocation.needs_zeroing() {
            // SAFETY: 1. Our clauses.
            unsafe { self.driver.clear_image(command_buffer, image, layout) };
            allocation.notes.remove(Notes::UNZEROED);
        }
    }
}
