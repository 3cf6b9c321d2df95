//! Binding memory to buffers and images, and buffer device addresses.

use ash::vk;

use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Rule};

impl Entered<'_> {
    /// Binds each `(resource, memory, offset)` in turn; those before a refused one stay bound.
    pub(crate) fn bind(&mut self, kind: ObjectKind, binds: &[(u64, u64, u64)]) -> CallResult<()> {
        self.fail_if_planted_after_checks(kind, binds)?;
        for &(handle, memory_handle, offset) in binds {
            self.check_bind(kind, handle, memory_handle, offset)?;
            let resource = self.books.resources(kind).get_mut(&handle);
            resource.expect("found by the check, under the lock").bound =
                Some((memory_handle, offset));
            let memory = self.books.memories.get_mut(&memory_handle);
            // One count for each living resource, so far below 2^32.
            memory.expect("found by the check, under the lock").bound_count += 1;
        }
        Ok(())
    }

    /// A planted failure has no effect, but breaches come first here as everywhere.
    fn fail_if_planted_after_checks(
        &mut self,
        kind: ObjectKind,
        binds: &[(u64, u64, u64)],
    ) -> CallResult<()> {
        if let Err(result) = self.fail_if_planted() {
            for &(handle, memory_handle, offset) in binds {
                self.check_bind(kind, handle, memory_handle, offset)?;
            }
            return Err(result);
        }
        Ok(())
    }

    fn check_bind(
        &mut self,
        kind: ObjectKind,
        handle: u64,
        memory_handle: u64,
        offset: u64,
    ) -> CallResult<()> {
        let resource = self.resource(kind, handle)?;
        let Some(memory) = self.books.memories.get(&memory_handle) else {
            return Err(self.unknown(ObjectKind::Memory, memory_handle));
        };
        let memory_size = memory.request.size;
        let memory_type_index = memory.request.memory_type_index;
        let dedicated = memory.dedicated();
        let has_address_flag =
            memory.request.flags.contains(vk::MemoryAllocateFlags::DEVICE_ADDRESS);
        let required = resource.size;
        let memory_type_bits = resource.memory_type_bits;
        let rule = if resource.bound.is_some() {
            Rule::BoundTwice { kind, handle }
        } else if offset >= memory_size {
            Rule::BindOffset { kind, offset, memory_size }
        } else if memory_type_bits & (1 << memory_type_index) == 0 {
            Rule::BindMemoryType { kind, memory_type_index, memory_type_bits }
        } else if !offset.is_multiple_of(resource.alignment) {
            Rule::BindAlignment { kind, offset, alignment: resource.alignment }
        } else if required > memory_size - offset {
            // `offset < memory_size` was checked above.
            Rule::BindSize { kind, offset, required, memory_size }
        } else if resource.requires_dedicated && dedicated != Some((kind, handle)) {
            Rule::BindNotDedicated { kind, handle }
        } else if dedicated.is_some_and(|owner| owner != (kind, handle) || offset != 0) {
            Rule::BindDedicatedElsewhere { kind, handle, offset }
        } else if resource.has_device_address && !has_address_flag {
            Rule::MissingDeviceAddressFlag { buffer: handle, memory: memory_handle }
        } else {
            return Ok(());
        };
        Err(self.refuse(rule))
    }

    /// The address of a buffer on the device.
    pub(crate) fn buffer_device_address(&mut self, handle: u64) -> CallResult<u64> {
        let buffer = self.resource(ObjectKind::Buffer, handle)?;
        if !buffer.has_device_address {
            return Err(self.refuse(Rule::AddressWithoutUsage { buffer: handle }));
        }
        // Freed memory counts as none: the buffer cannot be used any more.
        let bound = buffer
            .bound
            .and_then(|(memory, offset)| Some((self.books.memories.get(&memory)?, offset)));
        match bound {
            // Both within the device addresses that the memory was given.
            Some((memory, offset)) => Ok(memory.address + offset),
            None => Err(self.refuse(Rule::AddressOfUnbound { buffer: handle })),
        }
    }
}
