//! Recording transfers: each is checked against its buffers and images as it is recorded.

use ash::vk;

use crate::command::Command;
use crate::objects::Resource;
use crate::requirements::Form;
use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Role, Rule};

/// What `vkCmdUpdateBuffer` takes at once.
const MAX_UPDATE: u64 = 65536;

impl Entered<'_> {
    pub(crate) fn copy_buffer(
        &mut self,
        command_buffer: u64,
        (source, destination): (u64, u64),
        regions: Vec<vk::BufferCopy>,
    ) -> CallResult<()> {
        self.recording(command_buffer)?;
        let source_size = self.transfer_buffer(Role::Source, source)?;
        if !self.books.buffers.contains_key(&destination) {
            return Err(self.refuse(Rule::UnknownDestination { buffer: destination }));
        }
        let destination_size = self.transfer_buffer(Role::Destination, destination)?;
        for region in &regions {
            let (from, to, size) = (region.src_offset, region.dst_offset, region.size);
            if size == 0 {
                return Err(self.refuse(Rule::ZeroSize));
            }
            self.check_span(Role::Source, from, size, source_size)?;
            self.check_span(Role::Destination, to, size, destination_size)?;
        }
        if source == destination {
            self.check_overlap(source, &regions)?;
        }
        self.push(command_buffer, Command::CopyBuffer { source, destination, regions })
    }

    /// What one region of a copy within a buffer reads, no region may write.
    fn check_overlap(&mut self, buffer: u64, regions: &[vk::BufferCopy]) -> CallResult<()> {
        for read in regions {
            for written in regions {
                // Both within the buffer, as was checked.
                let is_apart = read.src_offset + read.size <= written.dst_offset
                    || written.dst_offset + written.size <= read.src_offset;
                if !is_apart {
                    let (offset, size) = (read.src_offset, read.size);
                    return Err(self.refuse(Rule::TransferOverlap { buffer, offset, size }));
                }
            }
        }
        Ok(())
    }

    /// Fills with a word; `size` may be `VK_WHOLE_SIZE`, and then stops at the last whole word.
    pub(crate) fn fill_buffer(
        &mut self,
        command_buffer: u64,
        buffer: u64,
        (offset, size): (u64, u64),
        word: u32,
    ) -> CallResult<()> {
        self.recording(command_buffer)?;
        let buffer_size = self.transfer_buffer(Role::Destination, buffer)?;
        if !offset.is_multiple_of(4) {
            let rule = Rule::TransferNotOnWord { member: "dstOffset", value: offset };
            return Err(self.refuse(rule));
        }
        let size = if size == vk::WHOLE_SIZE {
            self.check_offset(Role::Destination, offset, buffer_size)?;
            // `offset < buffer_size` was checked above.
            (buffer_size - offset) / 4 * 4
        } else {
            if size == 0 {
                return Err(self.refuse(Rule::ZeroSize));
            }
            self.check_span(Role::Destination, offset, size, buffer_size)?;
            if !size.is_multiple_of(4) {
                let rule = Rule::TransferNotOnWord { member: "size", value: size };
                return Err(self.refuse(rule));
            }
            size
        };
        self.push(command_buffer, Command::FillBuffer { buffer, offset, size, word })
    }

    /// Writes `size` bytes, which `read` reads if they are not too many.
    pub(crate) fn update_buffer(
        &mut self,
        command_buffer: u64,
        buffer: u64,
        (offset, size): (u64, u64),
        read: impl FnOnce() -> Vec<u8>,
    ) -> CallResult<()> {
        self.recording(command_buffer)?;
        let buffer_size = self.transfer_buffer(Role::Destination, buffer)?;
        let rule = if size == 0 {
            Rule::ZeroSize
        } else if size > MAX_UPDATE {
            Rule::UpdateTooLarge { size }
        } else if !size.is_multiple_of(4) {
            Rule::TransferNotOnWord { member: "dataSize", value: size }
        } else if !offset.is_multiple_of(4) {
            Rule::TransferNotOnWord { member: "dstOffset", value: offset }
        } else {
            self.check_span(Role::Destination, offset, size, buffer_size)?;
            let bytes = read();
            return self.push(command_buffer, Command::UpdateBuffer { buffer, offset, bytes });
        };
        Err(self.refuse(rule))
    }

    /// Records a barrier, whose resources have to have memory.
    pub(crate) fn barrier(
        &mut self,
        command_buffer: u64,
        buffers: Vec<u64>,
        images: Vec<u64>,
    ) -> CallResult<()> {
        self.recording(command_buffer)?;
        for &buffer in &buffers {
            self.with_memory(Role::Source, ObjectKind::Buffer, buffer)?;
        }
        for &image in &images {
            self.with_memory(Role::Source, ObjectKind::Image, image)?;
        }
        self.push(command_buffer, Command::Barrier { buffers, images })
    }

    /// A buffer with memory and the usage for its role; its own size.
    pub(crate) fn transfer_buffer(&mut self, role: Role, handle: u64) -> CallResult<u64> {
        let resource = self.with_memory(role, ObjectKind::Buffer, handle)?;
        let Form::Buffer { size, usage, .. } = resource.form else {
            return Err(self.unknown(ObjectKind::Buffer, handle));
        };
        let wanted = match role {
            Role::Source => vk::BufferUsageFlags::TRANSFER_SRC,
            Role::Destination => vk::BufferUsageFlags::TRANSFER_DST,
        };
        if !usage.contains(wanted) {
            let rule = Rule::TransferUsage { role, kind: ObjectKind::Buffer, handle };
            return Err(self.refuse(rule));
        }
        Ok(size)
    }

    /// A resource whose memory lives.
    pub(crate) fn with_memory(
        &mut self,
        role: Role,
        kind: ObjectKind,
        handle: u64,
    ) -> CallResult<Resource> {
        let resource = self.resource(kind, handle)?;
        if !self.books.has_memory(&resource) {
            return Err(self.refuse(Rule::TransferMemory { role, kind, handle }));
        }
        Ok(resource)
    }

    fn check_offset(&mut self, role: Role, offset: u64, buffer_size: u64) -> CallResult<()> {
        if offset >= buffer_size {
            return Err(self.refuse(Rule::TransferOffset { role, offset, buffer_size }));
        }
        Ok(())
    }

    fn check_span(
        &mut self,
        role: Role,
        offset: u64,
        size: u64,
        buffer_size: u64,
    ) -> CallResult<()> {
        self.check_offset(role, offset, buffer_size)?;
        // `offset < buffer_size` was checked above.
        if size > buffer_size - offset {
            return Err(self.refuse(Rule::TransferSize { role, offset, size, buffer_size }));
        }
        Ok(())
    }
}
